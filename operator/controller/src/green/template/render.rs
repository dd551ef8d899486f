//! Filling a release in, within what the cloud takes.

use dryad_machine::release::Release;

use super::{Absent, Piece, RenderError, Template};

/// User data ready for a launch template, not yet in base64.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserData(String);

impl UserData {
    /// How many bytes EC2 takes, before they are put into base64.
    pub const LONGEST: usize = 16 * 1024;

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Template {
    /// Fills `release` in.
    ///
    /// # Errors
    /// [`RenderError`] if the release lacks what the text needs, or the result is longer than
    /// [`UserData::LONGEST`].
    pub fn render(&self, release: &Release) -> Result<UserData, RenderError> {
        let mut rendered = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Literal(text) => rendered.push_str(text),
                Piece::Value { name, absent, line } => match (name.value_in(release), absent) {
                    (Some(value), _) => rendered.push_str(value),
                    (None, Absent::Empty) => {}
                    (None, Absent::Refused) => {
                        return Err(RenderError::Absent { line: *line, name: name.as_written() });
                    }
                },
            }
        }
        if rendered.len() > UserData::LONGEST {
            return Err(RenderError::TooLong { bytes: rendered.len() });
        }
        Ok(UserData(rendered))
    }
}
