//! The wildcards of path and host conditions.

/// A pattern: `*` stands for any number of characters, `?` for exactly one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// Every text is a pattern.
    pub fn new(pattern: impl Into<String>) -> Self {
        Self(pattern.into())
    }

    /// Whether the whole text matches, as paths do.
    pub fn matches(&self, text: &str) -> bool {
        matches(self.0.as_bytes(), text.as_bytes())
    }

    /// Whether the whole text matches whatever the case of its letters, as hosts do.
    pub fn matches_any_case(&self, text: &str) -> bool {
        matches(self.0.to_ascii_lowercase().as_bytes(), text.to_ascii_lowercase().as_bytes())
    }
}

/// Goes back to the last `*` only, which is enough and keeps it from taking exponential time.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p + 1, t));
                p += 1;
            }
            Some(&byte) if byte == b'?' || byte == text[t] => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((after, taken)) = star else { return false };
                star = Some((after, taken + 1));
                (p, t) = (after, taken + 1);
            }
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stand_for_what_they_say() {
        let table = [
            ("/", "/", true),
            ("/", "/a", false),
            ("*", "", true),
            ("/*", "/", true),
            ("/*", "/a/b", true),
            ("/img/*", "/img", false),
            ("/img/?.png", "/img/a.png", true),
            ("/img/?.png", "/img/.png", false),
            ("/*/b", "/a/b/c/b", true),
            ("/*/b", "/a/b/c", false),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b*", "xxbxxaxx", false),
            ("/A", "/a", false),
        ];
        for (pattern, text, expected) in table {
            assert_eq!(Pattern::new(pattern).matches(text), expected, "{pattern} on {text}");
        }
        assert!(Pattern::new("*.Example.com").matches_any_case("WWW.example.COM"));
    }
}
