//! The `http` check: is what green answers what it should answer?
//!
//! Every address (an instance each, or the one URL of a preview) is asked `count` times, and of all these requests
//! `failure_limit` may fail. [`Prober`] asks, bounded in time, size and number; [judge](mod@judge) is pure and puts the
//! verdict into words. A redirect is an answer like any other and never followed: who deploys must not be able to
//! send the operator elsewhere.
//!
//! Not here: when to ask, whom to ask, and for how long answers must stay good.

mod judge;
mod prober;

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use url::Url;

pub use judge::{Fault, Sample, Silence, Verdict, judge};
pub use prober::{Prober, ProberError};

/// How much of a body is looked at, in bytes.
pub const BODY_LIMIT: usize = 64 * 1024;

/// What is asked, and what answer is good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpCheck {
    /// What to ask for.
    pub path: CheckPath,
    /// The status of a good answer.
    pub expect_status: ExpectStatus,
    /// What the first 64 KiB of a good answer's body contain; none leaves the body unread.
    pub body_contains: Option<String>,
    /// How long a good answer may take, as far as it is read.
    pub latency_limit: Option<Duration>,
    /// How long to wait for an answer, as far as it is read.
    pub timeout: Duration,
    /// How many times each address is asked, one after the other.
    pub count: NonZeroU32,
    /// How many of all these requests may fail.
    pub failure_limit: u32,
}

/// The status of a good answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpectStatus {
    /// Any from 200 to 299.
    Success,
    /// This one.
    Exactly(u16),
}

impl ExpectStatus {
    fn accepts(self, status: u16) -> bool {
        match self {
            Self::Success => (200..300).contains(&status),
            Self::Exactly(wanted) => status == wanted,
        }
    }
}

impl fmt::Display for ExpectStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Success => f.write_str("200 to 299"),
            Self::Exactly(status) => status.fmt(f),
        }
    }
}

/// A path on the server that is asked, perhaps with a query. It cannot change which server that is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckPath(String);

/// What was given is not a path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a path to check: begin it with /, and write at most 512 printable ASCII characters without spaces and #"
)]
pub struct CheckPathError(String);

impl CheckPath {
    /// Takes a path such as `/health?deep=1`.
    ///
    /// # Errors
    /// [`CheckPathError`] if it is none.
    pub fn new(path: &str) -> Result<Self, CheckPathError> {
        let plain = path.chars().all(|c| c.is_ascii_graphic() && c != '#');
        if path.starts_with('/') && plain && path.len() <= 512 {
            Ok(Self(path.to_owned()))
        } else {
            Err(CheckPathError(path.chars().take(64).flat_map(char::escape_debug).collect()))
        }
    }

    /// This path on `server`.
    fn on(&self, server: &Url) -> Url {
        let mut url = server.clone();
        let (path, query) = match self.0.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (self.0.as_str(), None),
        };
        url.set_path(path);
        url.set_query(query);
        url
    }
}

/// Somebody to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// What people call it: an instance's id, or `preview`.
    pub name: String,
    /// Its scheme, host and port; a path in it is replaced.
    pub server: Url,
}

#[cfg(test)]
mod tests;
