//! From what was asked to what exactly is deployed.
//!
//! [`rules::decide`] is pure: it says whether what is recorded already answers, and if not, which [`Question`] to
//! put to git. [`git::Git::answer`] asks it. Reading the Environment and the Secret, and writing the answer
//! down, is the caller's.
//!
//! ```text
//! ReleaseRequest ── rules::decide ──┬── Exact(Resolved)          history, image only, Auto
//!                                   ├── AskGit(Question) ── Git::answer ── Resolved
//!                                   └── NothingRecorded          Auto, before the first deploy: wait
//! ```

mod error;
pub mod git;
pub mod rules;
mod subject;

use dryad_machine::release::Release;
use jiff::Timestamp;

pub use error::{ResolveError, Retry};
pub use rules::{Answer, Asked, NOTHING_RECORDED, Past, Question, Source, decide};
pub use subject::Subject;

/// A release that is exact, with what is known about its commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// What to deploy.
    pub release: Release,
    /// The commit's date and subject; none for a release without a commit.
    pub commit: Option<CommitInfo>,
}

/// What people want to read beside a commit's digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitInfo {
    /// When it was committed, by the committer's clock; out of range is cut to the nearest date there is.
    pub date: Timestamp,
    /// The first line of its message.
    pub subject: Subject,
}
