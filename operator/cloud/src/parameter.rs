//! Parameters: named texts that a cloud keeps (Systems Manager's Parameter Store).
//!
//! There is no compare-and-set: whoever overwrites must know from elsewhere that nobody else does.

/// A parameter as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its type.
    pub kind: ParameterKind,
    /// Its value; of a secret, in cipher.
    pub value: String,
}

/// The type of a parameter, as AWS calls it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParameterKind {
    /// `String`.
    Text,
    /// Any other: `StringList`, `SecureString`.
    Other(String),
}

/// What a parameter is put in place of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replacing {
    /// Nothing: one that is there already is [`CloudError::AlreadyExists`](crate::CloudError::AlreadyExists).
    Nothing,
    /// Whatever is there.
    Anything,
}
