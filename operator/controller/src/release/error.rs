//! Why a release could not be resolved: one sentence for each reason, which ends in the history, a condition and
//! an Event. None of them repeats what a server said or what a Secret holds.

use std::time::Duration;

use dryad_machine::release::{Branch, Commit, CommitPrefix, RepositoryUrl};

/// Whether asking again can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// The world may change by itself: ask again until the deadline.
    UntilDeadline,
    /// Somebody has to change something first.
    Never,
}

/// Why there is no exact release.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// The request names a branch or a commit and the Environment no repository.
    #[error(
        "the release names a branch or commit, but the Environment has no `spec.source`: set `spec.source.repository`"
    )]
    NoSource,
    /// Nobody named a branch.
    #[error(
        "no branch is named, none was deployed before and `spec.source.branch` is not set: name one in the release"
    )]
    NoBranch,
    /// The repository has no such branch.
    #[error("{repository} has no branch `{branch}`: check its name, or push it")]
    UnknownBranch {
        /// The branch asked for.
        branch: Branch,
        /// Where it was looked for.
        repository: RepositoryUrl,
    },
    /// No branch of the repository leads to such a commit.
    #[error("{repository} has no commit {commit} on any of its branches: check its digits, or push it")]
    UnknownCommit {
        /// The commit asked for.
        commit: CommitPrefix,
        /// Where it was looked for.
        repository: RepositoryUrl,
    },
    /// Several commits begin with the digits given.
    #[error("commit {commit} is ambiguous, {} begin with these digits: write more of them", list(candidates))]
    AmbiguousCommit {
        /// The digits given.
        commit: CommitPrefix,
        /// Some of the commits that begin with them.
        candidates: Vec<Commit>,
    },
    /// The commit exists, but the branch does not lead to it.
    #[error(
        "commit {commit} cannot be reached from branch `{branch}` of {repository}, only from {}: name a branch that holds it, or merge it",
        branches(found_on)
    )]
    UnreachableCommit {
        /// The commit asked for.
        commit: CommitPrefix,
        /// The branch asked for.
        branch: Branch,
        /// Where it was looked for.
        repository: RepositoryUrl,
        /// Some of the branches that do lead to it.
        found_on: Vec<String>,
    },
    /// The repository did not answer as a repository.
    #[error("{repository} could not be read ({detail}); it is tried again until the deadline")]
    RepositoryUnreachable {
        /// What was asked.
        repository: RepositoryUrl,
        /// What git said about it.
        detail: String,
    },
    /// The repository did not answer in time.
    #[error("{repository} did not answer within {} s; it is tried again until the deadline", after.as_secs())]
    TimedOut {
        /// What was asked.
        repository: RepositoryUrl,
        /// How long it was waited for.
        after: Duration,
    },
    /// There is no repository at this URL, or none that may be seen.
    #[error(
        "there is no repository at {repository}, or it may not be seen with {}: check `spec.source`",
        held.in_words()
    )]
    NoRepository {
        /// What was asked.
        repository: RepositoryUrl,
        /// What it was asked with.
        held: Held,
    },
    /// The repository wants other credentials, or any.
    #[error("{repository} denied access with {}: check the repository and the Secret in `spec.source`", held.in_words())]
    Denied {
        /// What was asked.
        repository: RepositoryUrl,
        /// What it was asked with.
        held: Held,
    },
    /// The server sends git elsewhere.
    #[error("{repository} redirects elsewhere, which is not followed: write the address it really has")]
    Redirected {
        /// What was asked.
        repository: RepositoryUrl,
    },
    /// The scheme of the URL is not one that this operator speaks.
    #[error("{repository} was not asked: this operator may not speak `{scheme}` to repositories, use https")]
    ProtocolRefused {
        /// What would have been asked.
        repository: RepositoryUrl,
        /// How.
        scheme: &'static str,
    },
    /// The operator's own copy or its git is at fault.
    #[error("the operator's own git failed ({detail}); it is tried again until the deadline")]
    Local {
        /// What happened.
        detail: String,
    },
}

/// What git was given to show at the door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// The credentials of a Secret.
    Credentials,
    /// Nothing.
    Nothing,
    /// Nothing, because ssh is spoken without a key.
    NoKey,
}

impl Held {
    fn in_words(self) -> &'static str {
        match self {
            Self::Credentials => "the credentials given",
            Self::Nothing => "no credentials",
            Self::NoKey => "no ssh key (Dryad has none to show: use https)",
        }
    }
}

impl ResolveError {
    /// Whether asking again can help.
    pub fn retry(&self) -> Retry {
        match self {
            Self::RepositoryUnreachable { .. } | Self::TimedOut { .. } | Self::Local { .. } => {
                Retry::UntilDeadline
            }
            Self::NoSource
            | Self::NoBranch
            | Self::UnknownBranch { .. }
            | Self::UnknownCommit { .. }
            | Self::AmbiguousCommit { .. }
            | Self::UnreachableCommit { .. }
            | Self::NoRepository { .. }
            | Self::Denied { .. }
            | Self::Redirected { .. }
            | Self::ProtocolRefused { .. } => Retry::Never,
        }
    }
}

fn list(commits: &[Commit]) -> String {
    commits.iter().map(Commit::short).collect::<Vec<_>>().join(", ")
}

fn branches(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
