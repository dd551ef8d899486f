//! One question, asked step by step: where the branch points, its history, the commit on it, what is known of it.

use dryad_machine::release::{Branch, Commit, CommitPrefix, RepositoryUrl, Scheme};
use jiff::Timestamp;

use super::cache::{Cache, CacheError, Entry};
use super::command::{Command, Failure, Output};
use super::explain::{self, Explained};
use super::{BasicAuth, GitOptions};
use crate::quote::Line;
use crate::release::error::Held;
use crate::release::rules::Found;
use crate::release::{Question, ResolveError};

/// How many commits that begin with the same digits are looked at.
const CANDIDATES: usize = 8;

/// How many branches an error names.
const BRANCHES_NAMED: usize = 3;

/// A question on its way.
pub(super) struct Asking<'a> {
    pub(super) options: &'a GitOptions,
    pub(super) cache: &'a Cache,
    pub(super) repository: &'a RepositoryUrl,
    pub(super) credentials: Option<&'a BasicAuth>,
}

/// Why there is no answer, and what that says about the copy in the cache.
enum Trouble {
    /// Nothing: this is the answer.
    Answered(ResolveError),
    /// It is not as git left it.
    Spoilt(String),
}

impl From<Failure> for ResolveError {
    fn from(failure: Failure) -> Self {
        Self::Local { detail: failure.to_string() }
    }
}

impl From<CacheError> for ResolveError {
    fn from(error: CacheError) -> Self {
        Self::Local { detail: error.to_string() }
    }
}

impl<E: Into<ResolveError>> From<E> for Trouble {
    fn from(error: E) -> Self {
        Self::Answered(error.into())
    }
}

impl Asking<'_> {
    pub(super) async fn find(&self, question: &Question) -> Result<Found, ResolveError> {
        self.cache.ready()?;
        let tip = self.listed_tip(&question.branch).await?;
        let entry = self.cache.open(self.options, self.repository, &tip).await?;
        match self.find_in(&entry, question, tip).await {
            Ok(found) => Ok(found),
            Err(Trouble::Answered(error)) => Err(error),
            Err(Trouble::Spoilt(detail)) => {
                entry.discard().await?;
                Err(ResolveError::Local { detail })
            }
        }
    }

    /// Where the branch points right now. Asked without a copy, so that every failure is the repository's.
    async fn listed_tip(&self, branch: &Branch) -> Result<Commit, ResolveError> {
        let name = format!("refs/heads/{branch}");
        let output = Command::remote(self.options, self.credentials)
            .args(["ls-remote", "--", self.repository.as_str(), &name])
            .run()
            .await?;
        if !output.success() {
            return Err(match explain::failure(&output.stderr, self.repository, self.held()) {
                Explained::Known(error) => error,
                Explained::Unknown(detail) => {
                    ResolveError::RepositoryUnreachable { repository: self.repository.clone(), detail }
                }
            });
        }
        // Asked for `refs/heads/x`, git also lists `refs/heads/y/refs/heads/x`.
        let tip = output.stdout.lines().find_map(|line| {
            let (commit, listed) = line.split_once('\t')?;
            if listed == name { commit.parse().ok() } else { None }
        });
        tip.ok_or_else(|| ResolveError::UnknownBranch {
            branch: branch.clone(),
            repository: self.repository.clone(),
        })
    }

    async fn find_in(&self, entry: &Entry, question: &Question, listed: Commit) -> Result<Found, Trouble> {
        let tip = self.history_of(entry, &question.branch, listed).await?;
        let commit = match &question.commit {
            None => tip,
            Some(digits) => self.commit_on(entry, &question.branch, digits, &tip).await?,
        };
        self.described(entry, commit).await
    }

    /// Makes sure that the branch's commits are here, and says where it points: it may have moved since it was
    /// listed.
    async fn history_of(&self, entry: &Entry, branch: &Branch, listed: Commit) -> Result<Commit, Trouble> {
        let kept = Entry::reference_to(branch);
        // Git writes the reference last, after everything that it leads to.
        if self.commit_at(entry, &kept).await? == Some(listed.clone()) {
            return Ok(listed);
        }
        self.fetch(entry, &format!("+refs/heads/{branch}:{kept}")).await?;
        self.commit_at(entry, &kept)
            .await?
            .ok_or_else(|| Trouble::Spoilt(format!("a fetch of `{branch}` left nothing behind")))
    }

    /// The one commit that begins with `digits` and that `tip` leads to.
    async fn commit_on(
        &self,
        entry: &Entry,
        branch: &Branch,
        digits: &CommitPrefix,
        tip: &Commit,
    ) -> Result<Commit, Trouble> {
        let mut on_branch = Vec::new();
        for candidate in self.commits_beginning(entry, digits).await? {
            if self.leads_to(entry, tip, &candidate).await? {
                on_branch.push(candidate);
            }
        }
        match (on_branch.len(), on_branch.pop()) {
            (1, Some(commit)) => Ok(commit),
            (_, Some(last)) => {
                on_branch.push(last);
                let error = ResolveError::AmbiguousCommit { commit: digits.clone(), candidates: on_branch };
                Err(error.into())
            }
            (_, None) => Err(self.elsewhere(entry, branch, digits).await?.into()),
        }
    }

    /// Why no commit on `branch` begins with `digits`: it is on other branches, or on none.
    async fn elsewhere(
        &self,
        entry: &Entry,
        branch: &Branch,
        digits: &CommitPrefix,
    ) -> Result<ResolveError, Trouble> {
        self.fetch(entry, "+refs/heads/*:refs/remotes/origin/*").await?;
        let mut found_on = Vec::new();
        for candidate in self.commits_beginning(entry, digits).await? {
            let contains = format!("--contains={candidate}");
            let count = format!("--count={BRANCHES_NAMED}");
            let format = "--format=%(refname:lstrip=3)";
            let holders = self
                .local(entry, &["for-each-ref", &contains, &count, format, "refs/remotes/origin"])
                .await?;
            // The repository's owners chose these names, and may have chosen worse ones than we accept.
            found_on.extend(holders.stdout.lines().map(|name| Line::new(name).to_string()));
        }
        let (commit, repository) = (digits.clone(), self.repository.clone());
        Ok(if found_on.is_empty() {
            ResolveError::UnknownCommit { commit, repository }
        } else {
            found_on.dedup();
            found_on.truncate(BRANCHES_NAMED);
            ResolveError::UnreachableCommit { commit, branch: branch.clone(), repository, found_on }
        })
    }

    /// The commits in the copy that begin with `digits`.
    async fn commits_beginning(&self, entry: &Entry, digits: &CommitPrefix) -> Result<Vec<Commit>, Trouble> {
        let objects = self.local(entry, &["rev-parse", &format!("--disambiguate={digits}")]).await?;
        let mut commits = Vec::new();
        for object in objects.stdout.lines().take(CANDIDATES) {
            if self.local(entry, &["cat-file", "-t", object]).await?.stdout.trim() == "commit" {
                commits.push(object.parse().map_err(|_| Trouble::Spoilt(format!("`{object}` is listed")))?);
            }
        }
        Ok(commits)
    }

    async fn leads_to(&self, entry: &Entry, tip: &Commit, commit: &Commit) -> Result<bool, Trouble> {
        let output = self
            .offline(entry)
            .args(["merge-base", "--is-ancestor", commit.as_str(), tip.as_str()])
            .run()
            .await?;
        match output.code {
            Some(0) => Ok(true),
            Some(1) => Ok(false),
            _ => Err(Trouble::Spoilt(explain::fatal_line(&output.stderr))),
        }
    }

    /// The commit that a reference of the copy names, if there is one.
    async fn commit_at(&self, entry: &Entry, reference: &str) -> Result<Option<Commit>, Trouble> {
        let name = format!("{reference}^{{commit}}");
        let output = self.offline(entry).args(["rev-parse", "--verify", "--quiet", &name]).run().await?;
        Ok(output.success().then(|| output.stdout.trim().parse().ok()).flatten())
    }

    async fn described(&self, entry: &Entry, commit: Commit) -> Result<Found, Trouble> {
        let format = "--format=%ct%x00%s";
        let output = self.local(entry, &["log", "-1", "--no-mailmap", format, commit.as_str(), "--"]).await?;
        let (seconds, subject) = output.stdout.split_once('\0').unwrap_or_default();
        let seconds: i64 = seconds.parse().unwrap_or_default();
        let committed_at = Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX);
        Ok(Found { commit, committed_at, subject: Line::new(subject) })
    }

    /// Fetches commits, and nothing but commits where the server can do that.
    async fn fetch(&self, entry: &Entry, refspec: &str) -> Result<(), Trouble> {
        let output = Command::remote(self.options, self.credentials)
            .git_dir(entry.path())
            .args(["fetch", "--quiet", "--filter=tree:0", "--prune", "--no-tags", "--no-recurse-submodules"])
            .args(["--no-auto-maintenance", "--no-write-fetch-head", "--update-shallow", "origin", refspec])
            .run()
            .await?;
        if output.success() {
            return Ok(());
        }
        match explain::failure(&output.stderr, self.repository, self.held()) {
            Explained::Known(error) => Err(error.into()),
            // The repository has just listed the branch: the copy is the suspect.
            Explained::Unknown(detail) => Err(Trouble::Spoilt(detail)),
        }
    }

    /// Runs a command on the copy that has no reason to fail.
    async fn local(&self, entry: &Entry, args: &[&str]) -> Result<Output, Trouble> {
        let output = self.offline(entry).args(args.iter().copied()).run().await?;
        if output.success() { Ok(output) } else { Err(Trouble::Spoilt(explain::fatal_line(&output.stderr))) }
    }

    fn offline(&self, entry: &Entry) -> Command {
        Command::offline(self.options).git_dir(entry.path())
    }

    fn held(&self) -> Held {
        match (self.repository.scheme(), self.credentials) {
            (Scheme::Ssh, _) => Held::NoKey,
            (Scheme::Https, Some(_)) => Held::Credentials,
            (Scheme::Https, None) | (Scheme::File, _) => Held::Nothing,
        }
    }
}
