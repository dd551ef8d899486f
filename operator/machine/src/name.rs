//! The names that groups, places and objects go by.
//!
//! A group's name is computed, never chosen by a user and never used twice: it holds the turn and the uid of
//! the Deployment that announced it, so a late request can only ever reach the group it was meant for.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! text {
    ($(#[$doc:meta])* $name:ident, max $max:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(#[schemars(length(min = 1, max = $max))] String);

        impl $name {
            /// Takes the text as it is; its rule is enforced by the schema of the object it comes from.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text! {
    /// A group's name in its cloud, also the name of its launch template.
    GroupName, max 128
}
text! {
    /// The uid of a Kubernetes object.
    Uid, max 64
}
text! {
    /// An account, by the name that the operator's configuration gives it.
    AccountName, max 63
}
text! {
    /// The name that a cloud has for one of its things, such as a target group.
    Arn, max 256
}
text! {
    /// A cloud region, such as `us-east-1`.
    Region, max 32
}

/// Where in the cloud a group lives. Kept in the ledger, so that a group is found and deleted there even when
/// the Environment has since moved elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    /// The account the group belongs to.
    pub account: AccountName,
    /// The region it runs in.
    pub region: Region,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.account, self.region)
    }
}

/// The right to change an Environment: a number that only grows.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Turn(#[schemars(range(min = 0))] i64);

impl Turn {
    /// The turn with this number.
    pub const fn new(number: i64) -> Self {
        Self(number)
    }

    /// Its number; 0 before anything was ever deployed.
    pub const fn number(self) -> i64 {
        self.0
    }

    /// The turn after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl GroupName {
    /// The one name of the group that the Deployment `owner` launches for `environment` in `turn`.
    pub fn of(environment: &str, turn: Turn, owner: &Uid) -> Self {
        let uid: String = owner.as_str().chars().filter(char::is_ascii_alphanumeric).take(12).collect();
        Self(format!("{environment}-{turn}-{uid}"))
    }
}
