//! What strangers wrote, made fit to be shown: subjects of commits, names of branches, words of a server.

use std::fmt;

/// How many characters are kept.
const LONGEST: usize = 120;

/// One line of at most 120 characters, without control characters and without those that turn the direction of the
/// text around them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Line(String);

impl Line {
    /// Keeps of `written` what is fit to be shown.
    pub(crate) fn new(written: &str) -> Self {
        let mut fit = written.trim().chars().filter(|c| !c.is_control() && !turns_direction(*c));
        let mut kept: String = fit.by_ref().take(LONGEST).collect();
        if fit.next().is_some() {
            kept.pop();
            kept.push('…');
        }
        Self(kept)
    }
}

impl From<Line> for String {
    fn from(line: Line) -> Self {
        line.0
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn turns_direction(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::Line;

    #[test]
    fn an_ordinary_line_stays_as_it_is() {
        assert_eq!(Line::new("Fix the façade 🏠").to_string(), "Fix the façade 🏠");
    }

    #[test]
    fn nothing_that_moves_the_cursor_or_turns_the_text_is_kept() {
        assert_eq!(Line::new("a\u{1b}[31mb\u{202e}c\rd\te\0").to_string(), "a[31mbcde");
    }

    #[test]
    fn a_long_line_is_cut_at_a_character() {
        let cut = Line::new(&"é".repeat(500)).to_string();
        assert_eq!(cut.chars().count(), 120);
        assert!(cut.ends_with("é…"));
        assert_eq!(Line::new(&"é".repeat(120)).to_string(), "é".repeat(120));
    }
}
