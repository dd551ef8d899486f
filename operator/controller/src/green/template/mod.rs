//! User data with the release filled in.
//!
//! Only `{{ release.… }}` is special. The names are `release.branch`, `release.commit`, `release.overlay.url`,
//! `release.overlay.sha256` and `release.image`; any other is an error, and so is a name that the release has no value
//! for, unless a `?` follows it: `{{ release.overlay.url? }}` then renders nothing. Everything else,
//! `{{ .Values.x }}`, `{% … %}`, `${x}`, passes through as it is: user data is full of other people's templates. That
//! is why this is a scanner and no template engine, all of which claim every `{{` and `{%` for themselves.
//!
//! What is filled in needs no quoting: the words of a release hold nothing that a shell would act on.

mod render;

use dryad_machine::release::Release;

use crate::quote::Line;
pub use render::UserData;

/// A text that cannot be what its author meant. Found without a release, so that it can be refused before any deploy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// There is no such name.
    #[error("user data, line {line}: `{name}` is not known, only {} are", Name::known())]
    UnknownName {
        /// Where, counted from 1.
        line: usize,
        /// What stands there, cut.
        name: String,
    },
    /// An expression does not end on the line where it begins.
    #[error("user data, line {line}: `{{{{ release.` is not closed by `}}}}` on the same line")]
    Unclosed {
        /// Where, counted from 1.
        line: usize,
    },
}

/// A text that does not go with a release.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// The text needs what the release has not.
    #[error(
        "user data, line {line}: this release has no `{name}`: name one in the release, or write `{{{{ {name}? }}}}` to \
         leave it empty"
    )]
    Absent {
        /// Where, counted from 1.
        line: usize,
        /// What is missing.
        name: &'static str,
    },
    /// The cloud takes no more.
    #[error(
        "user data is {bytes} bytes long once the release is filled in, {} are allowed: fetch the larger part from \
         elsewhere when the instance starts",
        UserData::LONGEST
    )]
    TooLong {
        /// How long it became.
        bytes: usize,
    },
}

/// A text whose places for the release are known to be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Literal(String),
    Value { name: Name, absent: Absent, line: usize },
}

/// What becomes of a value that the release has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Absent {
    Refused,
    Empty,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Name {
    Branch,
    Commit,
    OverlayUrl,
    OverlaySha256,
    Image,
}

impl Name {
    const ALL: [Self; 5] = [Self::Branch, Self::Commit, Self::OverlayUrl, Self::OverlaySha256, Self::Image];

    /// All of them, for an error.
    fn known() -> String {
        Self::ALL.map(Self::as_written).join(", ")
    }

    fn as_written(self) -> &'static str {
        match self {
            Self::Branch => "release.branch",
            Self::Commit => "release.commit",
            Self::OverlayUrl => "release.overlay.url",
            Self::OverlaySha256 => "release.overlay.sha256",
            Self::Image => "release.image",
        }
    }

    fn value_in(self, release: &Release) -> Option<&str> {
        let overlay = release.overlay.as_ref();
        match self {
            Self::Branch => release.branch.as_ref().map(AsRef::as_ref),
            Self::Commit => release.commit.as_ref().map(AsRef::as_ref),
            Self::OverlayUrl => overlay.map(|overlay| overlay.url.as_ref()),
            Self::OverlaySha256 => overlay.map(|overlay| overlay.sha256.as_ref()),
            Self::Image => release.image.as_ref().map(AsRef::as_ref),
        }
    }
}

impl Template {
    /// Finds the places for the release.
    ///
    /// # Errors
    /// [`TemplateError`] at the first one that is wrong.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut pieces = Vec::new();
        let mut literal_from = 0;
        let mut at = 0;
        while let Some(found) = text[at..].find("{{") {
            let opens = at + found;
            let inside = &text[opens + 2..];
            let expression = inside.trim_start_matches([' ', '\t']);
            if !expression.starts_with("release.") {
                // One brace on, not two: in `{{{ release.commit }}` the second pair is ours.
                at = opens + 1;
                continue;
            }
            let line = 1 + text[..opens].matches('\n').count();
            let rest_of_line = expression.lines().next().unwrap_or_default();
            let length = rest_of_line.find("}}").ok_or(TemplateError::Unclosed { line })?;
            pieces.push(Piece::Literal(text[literal_from..opens].to_owned()));
            pieces.push(value(&expression[..length], line)?);
            at = text.len() - expression.len() + length + 2;
            literal_from = at;
        }
        pieces.push(Piece::Literal(text[literal_from..].to_owned()));
        Ok(Self { pieces })
    }
}

fn value(expression: &str, line: usize) -> Result<Piece, TemplateError> {
    let expression = expression.trim_end();
    let (written, absent) = match expression.strip_suffix('?') {
        Some(name) => (name, Absent::Empty),
        None => (expression, Absent::Refused),
    };
    let name = Name::ALL.into_iter().find(|name| name.as_written() == written);
    let name = name.ok_or_else(|| TemplateError::UnknownName { line, name: Line::new(written).into() })?;
    Ok(Piece::Value { name, absent, line })
}

#[cfg(test)]
mod tests;
