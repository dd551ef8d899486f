//! What is asked for, held against what is recorded: the rules of Manual and Auto, without asking anybody.

use dryad_machine::deployed::Shipment;
use dryad_machine::release::{
    Branch, Commit, CommitPrefix, ImageId, Overlay, Release, ReleaseRequest, RepositoryUrl,
};
use jiff::Timestamp;

use super::ResolveError;
use crate::quote::Line;

/// What an Auto Deployment says while there is nothing for it to apply.
pub const NOTHING_RECORDED: &str = "nothing has been deployed to this Environment yet, so Auto has nothing to \
                                    apply: deploy once with mode Manual";

/// What a Deployment asks for, by its mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// What somebody wrote.
    Manual(ReleaseRequest),
    /// What is recorded as deployed, exactly.
    Auto,
}

/// The repository of an Environment, and the branch it deploys from when nobody names one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Where the repository is.
    pub repository: RepositoryUrl,
    /// The branch, where one is set.
    pub branch: Option<Branch>,
}

/// What this Environment remembers.
#[derive(Debug, Clone, Copy)]
pub struct Past<'a> {
    /// What is recorded as deployed; none before the first deploy.
    pub deployed: Option<&'a Shipment>,
    /// What was deployed before, the newest first.
    pub history: &'a [Shipment],
}

/// What can be said without git.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// This, exactly.
    Exact(Shipment),
    /// Git has to be asked first.
    AskGit(Question),
    /// Auto, and nothing recorded: wait, and hold nothing up. [`NOTHING_RECORDED`] is the sentence for it.
    NothingRecorded,
}

/// What git is asked: the tip of a branch, or a commit on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Where to look.
    pub repository: RepositoryUrl,
    /// The branch that must lead to the commit.
    pub branch: Branch,
    /// The commit; none asks for the tip.
    pub commit: Option<CommitPrefix>,
    overlay: Option<Overlay>,
    image: Option<ImageId>,
}

impl Question {
    /// The release that was asked for, now that its commit is known.
    pub(super) fn answered(self, found: Found) -> Shipment {
        let Self { branch, overlay, image, .. } = self;
        let Found { commit, committed_at, subject } = found;
        Shipment {
            release: Release { branch: Some(branch), commit: Some(commit), overlay, image },
            committed_at: Some(committed_at),
            subject: Some(subject.into()),
        }
    }
}

/// The commit that git answers with.
pub(super) struct Found {
    pub(super) commit: Commit,
    /// By the committer's clock; out of range is cut to the latest date there is.
    pub(super) committed_at: Timestamp,
    pub(super) subject: Line,
}

/// Answers from what is recorded, or says what to ask git.
///
/// A commit of this Environment's own history is taken from there, with the branch it had then unless another one
/// is named: going back must not depend on a repository that answers, nor on a branch that was not rewritten.
/// Overlay and image are always those of the request.
///
/// # Errors
/// [`ResolveError`], when no answer of git could help; each of them is final.
pub fn decide(asked: &Asked, past: Past<'_>, source: Option<&Source>) -> Result<Answer, ResolveError> {
    let request = match asked {
        Asked::Auto => {
            return Ok(past
                .deployed
                .map_or(Answer::NothingRecorded, |deployed| Answer::Exact(deployed.clone())));
        }
        Asked::Manual(request) => request,
    };
    let ReleaseRequest { branch, commit, overlay, image } = request.clone();
    let last_branch = past.deployed.and_then(|deployed| deployed.release.branch.as_ref());
    let default_branch = last_branch.or(source.and_then(|source| source.branch.as_ref()));
    if let Some(commit) = &commit
        && let Some(remembered) = remembered(commit, branch.as_ref(), default_branch, past)?
    {
        let Release { branch, commit, .. } = remembered.release.clone();
        let release = Release { branch, commit, overlay, image };
        return Ok(Answer::Exact(Shipment { release, ..remembered.clone() }));
    }
    let Some(source) = source else {
        return if branch.is_none() && commit.is_none() {
            let release = Release { branch: None, commit: None, overlay, image };
            Ok(Answer::Exact(Shipment { release, committed_at: None, subject: None }))
        } else {
            Err(ResolveError::NoSource)
        };
    };
    let branch = branch.or_else(|| default_branch.cloned()).ok_or(ResolveError::NoBranch)?;
    Ok(Answer::AskGit(Question { repository: source.repository.clone(), branch, commit, overlay, image }))
}

/// The release of the past that `commit` means: on `branch` where one is named, else rather on `default_branch`,
/// else the newest.
fn remembered<'a>(
    commit: &CommitPrefix,
    branch: Option<&Branch>,
    default_branch: Option<&Branch>,
    past: Past<'a>,
) -> Result<Option<&'a Shipment>, ResolveError> {
    let on = |wanted: Option<&Branch>, known: &Shipment| known.release.branch.as_ref() == wanted;
    let candidates: Vec<(&Shipment, &Commit)> = past
        .deployed
        .into_iter()
        .chain(past.history)
        .filter(|known| branch.is_none() || on(branch, known))
        .filter_map(|known| Some((known, known.release.commit.as_ref()?)))
        .filter(|(_, known)| commit.abbreviates(known))
        .collect();
    let Some((newest, first)) = candidates.first() else { return Ok(None) };
    if candidates.iter().any(|(_, other)| other != first) {
        let mut candidates: Vec<Commit> = candidates.into_iter().map(|(_, commit)| commit.clone()).collect();
        candidates.sort();
        candidates.dedup();
        return Err(ResolveError::AmbiguousCommit { commit: commit.clone(), candidates });
    }
    let preferred = candidates.iter().find(|(known, _)| on(default_branch, known));
    Ok(Some(preferred.map_or(*newest, |(known, _)| known)))
}

#[cfg(test)]
mod tests;
