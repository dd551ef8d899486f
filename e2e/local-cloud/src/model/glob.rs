//! Patterns with `*` and `?`, as fault rules and AWS's filters use them.

use serde::{Deserialize, Serialize};

/// A pattern over text: `*` stands for any run of characters, `?` for one, everything else for itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Glob(String);

impl Default for Glob {
    /// Matches everything.
    fn default() -> Self {
        Self("*".to_owned())
    }
}

impl From<&str> for Glob {
    fn from(pattern: &str) -> Self {
        Self(pattern.to_owned())
    }
}

impl Glob {
    /// Whether all of `text` fits the pattern.
    pub fn matches(&self, text: &str) -> bool {
        let (pattern, text): (Vec<char>, Vec<char>) = (self.0.chars().collect(), text.chars().collect());
        // Where to resume when the characters after the latest `*` turn out not to fit.
        let mut retry: Option<(usize, usize)> = None;
        let (mut p, mut t) = (0, 0);
        while t < text.len() {
            match pattern.get(p) {
                Some('*') => {
                    retry = Some((p + 1, t));
                    p += 1;
                }
                Some(&c) if c == '?' || c == text[t] => {
                    p += 1;
                    t += 1;
                }
                _ => match retry {
                    Some((after_star, from)) => {
                        retry = Some((after_star, from + 1));
                        p = after_star;
                        t = from + 1;
                    }
                    None => return false,
                },
            }
        }
        pattern[p..].iter().all(|&c| c == '*')
    }
}

#[cfg(test)]
mod tests {
    use super::Glob;

    #[test]
    fn stars_and_question_marks_match_as_a_shell_does() {
        for (pattern, text, fits) in [
            ("*", "", true),
            ("web-*", "web-", true),
            ("web-*", "web-42", true),
            ("web-*", "api-42", false),
            ("*-green", "web-green-green", true),
            ("a*b*c", "aXXbYYc", true),
            ("a*b*c", "aXXcYYb", false),
            ("?", "é", true),
            ("?", "", false),
            ("", "x", false),
        ] {
            assert_eq!(Glob::from(pattern).matches(text), fits, "{pattern:?} on {text:?}");
        }
    }
}
