//! The strings of a release, each a type of its own that cannot hold a bad one.
//!
//! A word has one rule, a regular expression in the dialect that Rust, Go's RE2 and JSON Schema share (anchored,
//! no look-around). The parser runs it and the schema publishes it, so the API server refuses what Dryad would.
//! All words are printable ASCII without spaces, quotes, `$`, `;`, `&` or any other character a shell would act
//! on, never begin with a dash, and fit into the value of an AWS tag or are never put into one.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use regex::Regex;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// How much of a refused string is repeated in the error, in characters.
const SHOWN: usize = 64;

/// A string that is not the word it was meant to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not {word}: {rule}")]
pub struct WordError {
    /// What it was meant to be, with its article.
    pub word: &'static str,
    /// What was given, escaped and cut.
    pub given: String,
    /// What would have been right.
    pub rule: &'static str,
}

impl WordError {
    fn new(word: &'static str, given: &str, rule: &'static str) -> Self {
        let mut shown: String = given.chars().take(SHOWN).flat_map(char::escape_debug).collect();
        if given.chars().nth(SHOWN).is_some() {
            shown.push('…');
        }
        Self { word, given: shown, rule }
    }
}

macro_rules! word {
    ($(#[$doc:meta])* $name:ident, $word:literal, max $max:literal, pattern $pattern:expr, rule $rule:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The most characters it may have.
            pub const MAX_LENGTH: usize = $max;
            /// The regular expression it matches.
            pub const PATTERN: &'static str = $pattern;
            /// The same in words, for whoever wrote something else.
            pub const RULE: &'static str = $rule;

            /// The word as it was written.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            fn check(given: &str) -> Result<(), WordError> {
                static RULE: LazyLock<Regex> = LazyLock::new(|| Regex::new($pattern).expect("a fixed pattern"));
                if given.len() <= Self::MAX_LENGTH && RULE.is_match(given) {
                    Ok(())
                } else {
                    Err(WordError::new($word, given, Self::RULE))
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = WordError;

            fn try_from(given: String) -> Result<Self, WordError> {
                Self::check(&given)?;
                Ok(Self(given))
            }
        }

        impl FromStr for $name {
            type Err = WordError;

            fn from_str(given: &str) -> Result<Self, WordError> {
                Self::check(given)?;
                Ok(Self(given.to_owned()))
            }
        }

        impl From<$name> for String {
            fn from(word: $name) -> Self {
                word.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "type": "string",
                    "maxLength": Self::MAX_LENGTH,
                    "pattern": Self::PATTERN,
                })
            }
        }
    };
}

/// A host's name or IPv4 address and perhaps a port. No credentials: a URL ends up in logs and in status.
macro_rules! host {
    () => {
        "[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?"
    };
}

/// A path without `.` and `..`; `%` only before two digits that are no control character's.
macro_rules! path {
    () => {
        concat!("(?:/\\.?", path_char!(), "+(?:\\.", path_char!(), "+)*)+/?")
    };
}

macro_rules! path_char {
    () => {
        "(?:[A-Za-z0-9_~+@=:-]|%(?:[2-689A-Fa-f][0-9A-Fa-f]|7[0-9A-Ea-e]))"
    };
}

/// What stands between two slashes of a branch: segments between single dots. Git forbids `.lock` at its end; the
/// dialect has no look-ahead, so that no segment after a dot is `lock` is spelt out letter by letter.
macro_rules! branch_part {
    () => {
        concat!(
            "[A-Za-z0-9_]",
            branch_char!(),
            "*(?:\\.(?:[A-Za-km-z0-9_@+=#-]",
            branch_char!(),
            "*|l(?:[A-Za-np-z0-9_@+=#-]",
            branch_char!(),
            "*)?|lo(?:[A-Zabd-z0-9_@+=#-]",
            branch_char!(),
            "*)?|loc(?:[A-Za-jl-z0-9_@+=#-]",
            branch_char!(),
            "*)?|lock",
            branch_char!(),
            "+))*"
        )
    };
}

macro_rules! branch_char {
    () => {
        "[A-Za-z0-9_@+=#-]"
    };
}

word! {
    /// A branch, by the name that `git branch` shows, without `refs/heads/`.
    ///
    /// Narrower than `git check-ref-format`: what git allows and a shell would act on is refused too.
    Branch, "a branch", max 200,
    pattern concat!("^", branch_part!(), "(?:/", branch_part!(), ")*$"),
    rule "write it as `git branch` shows it, at most 200 letters, digits and _ @ + = # - . /, every part between \
          slashes beginning with a letter, a digit or _, without .. and without a part that ends in . or .lock"
}

word! {
    /// A commit in full: SHA-1 (40 digits) or SHA-256 (64 digits).
    Commit, "a full commit", max 64,
    pattern "^(?:[0-9a-f]{40}|[0-9a-f]{64})$",
    rule "write all 40 (or 64) hexadecimal digits in lower case, as `git rev-parse` shows them"
}

word! {
    /// A commit in full or abbreviated to its first seven digits or more.
    CommitPrefix, "a commit", max 64,
    pattern "^[0-9a-f]{7,64}$",
    rule "write 7 to 64 hexadecimal digits in lower case, as `git log` shows them"
}

word! {
    /// Where a git repository is. Which schemes may really be spoken is the operator's decision, made where git
    /// is run; see [`RepositoryUrl::scheme`].
    RepositoryUrl, "a repository", max 512,
    pattern concat!(
        "^(?:https://", host!(), "|ssh://(?:[A-Za-z0-9_][A-Za-z0-9_.-]*@)?", host!(), "|file://)", path!(), "$"
    ),
    rule "write https://host/path or ssh://user@host/path, at most 512 characters, without a password (it belongs \
          into a Secret), a query, .. or characters that a shell would act on"
}

word! {
    /// Where the instances fetch an overlay.
    ///
    /// One query parameter at most, and no `&`: a signed URL expires, and instances are launched long after the
    /// deploy.
    OverlayUrl, "an overlay's URL", max 256,
    pattern concat!("^https://", host!(), path!(), "(?:[?](?:", path_char!(), "|[./])+)?$"),
    rule "write https://host/path, at most 256 characters, without a password, .., & or other characters that a \
          shell would act on (a signed URL would expire before the last instance is launched)"
}

word! {
    /// A SHA-256 digest.
    Sha256, "a SHA-256 digest", max 64,
    pattern "^[0-9a-f]{64}$",
    rule "write its 64 hexadecimal digits in lower case, as `sha256sum` shows them"
}

word! {
    /// An Amazon machine image.
    ImageId, "a machine image", max 36,
    pattern "^ami-[0-9a-f]{4,32}$",
    rule "write ami- and its hexadecimal digits in lower case"
}

impl Commit {
    /// Its first twelve digits: enough to tell it apart, short enough for a column.
    pub fn short(&self) -> &str {
        &self.0[..12]
    }
}

impl CommitPrefix {
    /// Whether `commit` begins with these digits.
    pub fn abbreviates(&self, commit: &Commit) -> bool {
        commit.0.starts_with(&self.0)
    }
}

impl From<Commit> for CommitPrefix {
    fn from(commit: Commit) -> Self {
        Self(commit.0)
    }
}

/// How a repository is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Over HTTP with TLS.
    Https,
    /// Over SSH.
    Ssh,
    /// On the operator's own disk.
    File,
}

impl RepositoryUrl {
    /// How it is reached.
    pub fn scheme(&self) -> Scheme {
        if self.0.starts_with("https:") {
            Scheme::Https
        } else if self.0.starts_with("ssh:") {
            Scheme::Ssh
        } else {
            Scheme::File
        }
    }
}
