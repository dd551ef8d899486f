//! Who calls, and where the call goes.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An AWS account: twelve digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Account(String);

/// The text is not twelve digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an account is twelve digits, not {0:?}")]
pub struct NotAnAccount(String);

impl Account {
    /// The account as AWS writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Account {
    type Error = NotAnAccount;

    fn try_from(text: String) -> Result<Self, NotAnAccount> {
        if text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
            Ok(Self(text))
        } else {
            Err(NotAnAccount(text))
        }
    }
}

impl From<Account> for String {
    fn from(account: Account) -> Self {
        account.0
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One region of one account: a world of its own, which shares nothing with the others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The account.
    pub account: Account,
    /// The region, `us-east-1` for instance. Any name will do: a region is there once it is called.
    pub region: String,
}

impl Place {
    /// An ARN of this place: `arn:aws:<service>:<region>:<account>:<resource>`.
    pub fn arn(&self, service: &str, resource: impl fmt::Display) -> String {
        format!("arn:aws:{service}:{}:{}:{resource}", self.region, self.account)
    }
}

/// Who makes a call, and to which place it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Where the call goes.
    pub place: Place,
    /// The ARN of the principal that signed it.
    pub principal: String,
}

impl Caller {
    /// The root user of the place's account.
    pub fn root(place: Place) -> Self {
        let principal = format!("arn:aws:iam::{}:root", place.account);
        Self { place, principal }
    }
}
