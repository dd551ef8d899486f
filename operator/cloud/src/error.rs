//! How a request to a cloud can fail, seen from what it means for the next step.

use thiserror::Error;

/// Why a request was not answered as wished. Every variant but [`CloudError::Unanswered`] is an answer: the
/// request did not take effect and never will.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CloudError {
    /// No answer, or one that does not tell whether the request took effect (time-out, broken connection, any
    /// 5xx). For a mutation the world is uncertain from here on.
    #[error("{action} was not answered: {message}")]
    Unanswered {
        /// The cloud's name of the request, such as `CreateAutoScalingGroup`.
        action: &'static str,
        /// What was seen instead of an answer.
        message: String,
    },
    /// The request never left, or was turned away at the door: no connection, no credentials, or none that are
    /// accepted.
    #[error("{action} could not be sent: {message}")]
    Unreachable {
        /// The cloud's name of the request.
        action: &'static str,
        /// What stood in the way.
        message: String,
    },
    /// Too many requests; try again later, more slowly.
    #[error("{action} was throttled")]
    Throttled {
        /// The cloud's name of the request.
        action: &'static str,
    },
    /// What the request is about does not exist (any more).
    #[error("{action}: not found: {message}")]
    NotFound {
        /// The cloud's name of the request.
        action: &'static str,
        /// The cloud's own words.
        message: String,
    },
    /// What the request would create exists already.
    #[error("{action}: already exists: {message}")]
    AlreadyExists {
        /// The cloud's name of the request.
        action: &'static str,
        /// The cloud's own words.
        message: String,
    },
    /// Something else is under way on the same resource; the same request may succeed later.
    #[error("{action}: busy: {message}")]
    Busy {
        /// The cloud's name of the request.
        action: &'static str,
        /// The cloud's own words.
        message: String,
    },
    /// The operator lacks a permission.
    #[error("{action} is denied to the operator; allow it in the IAM policy of the role it uses: {message}")]
    Denied {
        /// The cloud's name of the request, as IAM policies write it after the service prefix.
        action: &'static str,
        /// The cloud's own words.
        message: String,
    },
    /// The request is wrong in itself, and stays wrong until the Environment is changed.
    #[error("{action}: {message}")]
    Invalid {
        /// The cloud's name of the request.
        action: &'static str,
        /// The cloud's own words.
        message: String,
    },
}

impl CloudError {
    /// Whether the request may yet take effect, though nobody heard so.
    pub fn leaves_the_world_uncertain(&self) -> bool {
        matches!(self, Self::Unanswered { .. })
    }
}
