//! Words: strings of a type of their own that cannot hold a bad one.
//!
//! A word has one rule, a regular expression in the dialect that Rust, Go's RE2 and JSON Schema share (anchored,
//! no look-around). The parser runs it and the schema publishes it, so the API server refuses what Dryad would,
//! and in the same sentence.

use std::sync::OnceLock;

use regex::Regex;
use schemars::{Schema, json_schema};

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

/// What a string must be like to be a certain word.
#[derive(Debug)]
pub struct Rule {
    word: &'static str,
    max_length: usize,
    pattern: &'static str,
    sentence: &'static str,
    compiled: OnceLock<Regex>,
}

impl Rule {
    /// The rule of `word` (named with its article): at most `max_length` bytes that match `pattern`, which
    /// `sentence` says to whoever wrote something else. The pattern holds no single quote.
    pub const fn new(
        word: &'static str,
        max_length: usize,
        pattern: &'static str,
        sentence: &'static str,
    ) -> Self {
        Self { word, max_length, pattern, sentence, compiled: OnceLock::new() }
    }

    /// Checks a string.
    ///
    /// # Errors
    /// When it is not the word, in the rule's own sentence.
    ///
    /// # Panics
    /// When the pattern is not a regular expression, whatever the string.
    pub fn check(&self, given: &str) -> Result<(), WordError> {
        let pattern = self.compiled.get_or_init(|| Regex::new(self.pattern).expect("a fixed pattern"));
        if given.len() <= self.max_length && pattern.is_match(given) {
            Ok(())
        } else {
            Err(WordError::new(self.word, given, self.sentence))
        }
    }

    /// The rule as a schema, with the sentence for an API server to refuse in.
    pub fn schema(&self) -> Schema {
        json_schema!({
            "type": "string",
            "maxLength": self.max_length,
            "pattern": self.pattern,
            "x-kubernetes-validations": [{
                "rule": format!("self.matches(r'{}')", self.pattern),
                "message": self.sentence,
            }],
        })
    }
}

/// Declares a word: a newtype around a string, with its rule. The crate that uses it needs `serde` and
/// `schemars`.
#[macro_export]
macro_rules! word {
    ($(#[$doc:meta])* $name:ident, $word:literal, max $max:literal, pattern $pattern:expr, rule $rule:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, ::serde::Serialize, ::serde::Deserialize)]
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

            fn rule() -> &'static $crate::word::Rule {
                static RULE: $crate::word::Rule = $crate::word::Rule::new(
                    $word,
                    $name::MAX_LENGTH,
                    $name::PATTERN,
                    $name::RULE,
                );
                &RULE
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::word::WordError;

            fn try_from(given: String) -> Result<Self, $crate::word::WordError> {
                Self::rule().check(&given)?;
                Ok(Self(given))
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::word::WordError;

            fn from_str(given: &str) -> Result<Self, $crate::word::WordError> {
                Self::rule().check(given)?;
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

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl ::schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut ::schemars::SchemaGenerator) -> ::schemars::Schema {
                Self::rule().schema()
            }
        }
    };
}
