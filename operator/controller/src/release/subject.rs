//! The first line of a commit's message, made fit for a status field.

use std::fmt;

/// How many characters of a subject are kept: enough to know the commit by.
const LONGEST: usize = 120;

/// A commit's subject: one line of at most 120 characters, without control characters and without those that
/// turn the direction of the text around them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Subject(String);

impl Subject {
    /// Keeps of `written` what is fit to be shown.
    pub(super) fn new(written: &str) -> Self {
        let mut fit = written.trim().chars().filter(|c| !c.is_control() && !turns_direction(*c));
        let mut kept: String = fit.by_ref().take(LONGEST).collect();
        if fit.next().is_some() {
            kept.pop();
            kept.push('…');
        }
        Self(kept)
    }
}

impl From<Subject> for String {
    fn from(subject: Subject) -> Self {
        subject.0
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn turns_direction(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::Subject;

    #[test]
    fn an_ordinary_subject_stays_as_it_is() {
        assert_eq!(Subject::new("Fix the façade 🏠").to_string(), "Fix the façade 🏠");
    }

    #[test]
    fn nothing_that_moves_the_cursor_or_turns_the_text_is_kept() {
        assert_eq!(Subject::new("a\u{1b}[31mb\u{202e}c\rd\te\0").to_string(), "a[31mbcde");
    }

    #[test]
    fn a_long_subject_is_cut_at_a_character() {
        let cut = Subject::new(&"é".repeat(500)).to_string();
        assert_eq!(cut.chars().count(), 120);
        assert!(cut.ends_with("é…"));
        assert_eq!(Subject::new(&"é".repeat(120)).to_string(), "é".repeat(120));
    }
}
