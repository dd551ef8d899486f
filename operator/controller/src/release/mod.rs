//! From what was asked to what exactly is deployed.
//!
//! [`rules::decide`] is pure: it says whether what is recorded already answers, and if not, which [`Question`] to
//! put to git. [`git::Git::answer`] asks it. Reading the Environment and the Secret, and writing the answer
//! down, is the caller's.
//!
//! ```text
//! ReleaseRequest ── rules::decide ──┬── Exact(Shipment)          history, image only, Auto
//!                                   ├── AskGit(Question) ── Git::answer ── Shipment
//!                                   └── NothingRecorded          Auto, before the first deploy: wait
//! ```

mod error;
pub mod git;
pub mod rules;

pub use error::{ResolveError, Retry};
pub use rules::{Answer, Asked, NOTHING_RECORDED, Past, Question, Source, decide};
