//! Asking a repository which commit is meant, with the git command line.
//!
//! The contract: [`Git::answer`] either names a commit that the branch led to when the repository was asked just
//! now, or gives one closed error. The repository is asked every time, so whoever may not read it learns nothing
//! from what another Environment left in the cache; only history that is already here is not fetched again, and
//! never more than commits (`--filter=tree:0`).
//!
//! Not here: checking out, building, following submodules or tags. Git is run without the machine's
//! configuration, without hooks, without a terminal, speaking only the protocols it was given.

mod asking;
mod cache;
mod command;
mod credentials;
mod explain;

use std::path::PathBuf;
use std::time::Duration;

use dryad_machine::deployed::Shipment;
use dryad_machine::release::Scheme;

pub use credentials::{BasicAuth, CredentialsError};

use super::{Question, ResolveError};
use asking::Asking;
use cache::Cache;

/// How git is run.
#[derive(Debug, Clone)]
pub struct GitOptions {
    /// The git to run: 2.45 or newer, or an older one with the fixes of May 2024 (2.39.4, …), which taught it
    /// `GIT_NO_LAZY_FETCH`.
    pub program: PathBuf,
    /// Where history is kept between questions, an absolute path; may be lost at any time, and shared with another
    /// operator.
    pub cache: PathBuf,
    /// How many bytes may be kept there.
    pub cache_bytes: u64,
    /// How long one answer may take in all.
    pub timeout: Duration,
    /// What may be spoken.
    pub protocols: Protocols,
    /// The certificate authorities to trust, as a PEM file; none leaves it to git.
    pub certificates: Option<PathBuf>,
}

/// What git may speak to repositories.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocols {
    /// https and ssh; the latter without any key, so only where a server lets everybody read.
    Remote,
    /// These, and repositories on the operator's own disk, which any Environment can then name.
    RemoteAndFile,
}

impl Protocols {
    fn allow(self, scheme: Scheme) -> bool {
        match (self, scheme) {
            (_, Scheme::Https | Scheme::Ssh) | (Self::RemoteAndFile, Scheme::File) => true,
            (Self::Remote, Scheme::File) => false,
        }
    }

    /// As `GIT_ALLOW_PROTOCOL` wants them.
    fn as_git_writes(self) -> &'static str {
        match self {
            Self::Remote => "https:ssh",
            Self::RemoteAndFile => "https:ssh:file",
        }
    }
}

/// Answers questions about repositories.
#[derive(Debug, Clone)]
pub struct Git {
    options: GitOptions,
    cache: Cache,
}

impl Git {
    /// Makes nothing yet: the cache's directory is created when it is first needed.
    pub fn new(options: GitOptions) -> Self {
        let cache = Cache::new(options.cache.clone(), options.cache_bytes);
        Self { options, cache }
    }

    /// Which commit is meant, and what is known about it.
    ///
    /// Cancelling (dropping) the future ends every process it started.
    ///
    /// # Errors
    /// [`ResolveError`]; its [`retry`](ResolveError::retry) says whether asking again can help.
    pub async fn answer(
        &self,
        question: Question,
        credentials: Option<&BasicAuth>,
    ) -> Result<Shipment, ResolveError> {
        let repository = question.repository.clone();
        let scheme = repository.scheme();
        if !self.options.protocols.allow(scheme) {
            return Err(ResolveError::ProtocolRefused { repository, scheme: scheme_name(scheme) });
        }
        let asking =
            Asking { options: &self.options, cache: &self.cache, repository: &repository, credentials };
        let answer = tokio::time::timeout(self.options.timeout, asking.find(&question)).await;
        self.cache.prune().await;
        match answer {
            Ok(found) => found.map(|found| question.answered(found)),
            Err(_) => Err(ResolveError::TimedOut { repository, after: self.options.timeout }),
        }
    }
}

fn scheme_name(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::Https => "https",
        Scheme::Ssh => "ssh",
        Scheme::File => "file",
    }
}

#[cfg(test)]
mod tests;
