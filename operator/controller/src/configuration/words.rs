//! The words of the file, each with its rule.

use std::fmt;

use dryad_machine::word;
use serde::Deserialize;

word! {
    /// The name of an account, as Environments write it.
    AccountKey, "an account's name", max 63,
    pattern "^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$",
    rule "write letters in lower case, digits and -"
}

word! {
    /// A namespace, or `*` for all of them.
    NamespaceKey, "a namespace", max 63,
    pattern "^(?:\\*|[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)$",
    rule "write the namespace's whole name, or * alone for every namespace"
}

word! {
    /// The ARN of an IAM role.
    RoleArn, "a role", max 512,
    pattern "^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+$",
    rule "write the role's ARN, arn:aws:iam::<account>:role/<name>"
}

word! {
    /// What may be named: itself, but for `*`, which stands for any characters and also for none.
    Pattern, "an entry of a list", max 256,
    pattern "^[A-Za-z0-9_+=,.@:/ *-]+$",
    rule "write a name, an id or an ARN; * stands for any characters, and for none"
}

impl NamespaceKey {
    /// The entry that holds for every namespace.
    pub(super) fn everyone() -> Self {
        Self("*".to_owned())
    }
}

impl RoleArn {
    /// The account that the role belongs to.
    pub fn account(&self) -> &str {
        self.0.split(':').nth(4).unwrap_or_default()
    }
}

impl Pattern {
    /// Whether it is one of what this stands for.
    pub fn matches(&self, name: &str) -> bool {
        let Some((first, rest)) = self.0.split_once('*') else { return self.0 == name };
        let Some(mut left) = name.strip_prefix(first) else { return false };
        let mut pieces: Vec<_> = rest.split('*').collect();
        let last = pieces.pop().unwrap_or_default();
        for piece in pieces {
            // The first place will do: what comes after it can only have more room.
            let Some(at) = left.find(piece) else { return false };
            left = &left[at + piece.len()..];
        }
        left.ends_with(last)
    }

    /// Whether it stands for something that the path begins with.
    pub fn begins(&self, path: &str) -> bool {
        Self(format!("{}*", self.0)).matches(path)
    }
}

/// What a role's owner wants to hear before anybody assumes it. Never shown.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ExternalId(String);

/// It can't be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an external id has 2 to 1224 letters, digits and + = , . @ : / - _")]
pub struct NotAnExternalId;

impl ExternalId {
    /// The id itself, for the request that needs it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ExternalId {
    type Error = NotAnExternalId;

    fn try_from(text: String) -> Result<Self, NotAnExternalId> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"+=,.@:/-_".contains(&byte);
        match (2..=1224).contains(&text.len()) && text.bytes().all(fits) {
            true => Ok(Self(text)),
            false => Err(NotAnExternalId),
        }
    }
}

impl fmt::Debug for ExternalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExternalId(…)")
    }
}
