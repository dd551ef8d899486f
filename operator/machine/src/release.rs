//! What is deployed, and what a user may ask to have deployed.
//!
//! A [`Release`] is exact: it names one commit, one overlay, one image. A [`ReleaseRequest`] is what somebody
//! wrote, with anything left out and the commit perhaps abbreviated; turning the one into the other asks git and
//! is not done here. Every string in either is a word that carries its rule (see [`word`]): whatever holds one
//! may put it on a command line, into a tag or into a shell script without looking at it again.

mod word;

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use word::{Branch, Commit, CommitPrefix, ImageId, OverlayUrl, RepositoryUrl, Scheme, Sha256, WordError};

/// A tarball that is laid over the checkout.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Overlay {
    /// Where the instances fetch it.
    pub url: OverlayUrl,
    /// What they check it against before they unpack it.
    pub sha256: Sha256,
}

/// Exactly what is deployed. Absent is a statement too: an absent `image` is the launch template's own,
/// an absent `commit` means that no source is involved, an absent `overlay` that nothing is laid over it.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Release {
    /// The branch the commit was reached from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<Branch>,
    /// The commit, in full.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<Commit>,
    /// A tarball laid over the checkout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlay: Option<Overlay>,
    /// The machine image, in place of the launch template's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageId>,
}

/// What a user may write where a release is asked for. Everything may be left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReleaseRequest {
    /// The branch to deploy from; left out, it is the one last deployed, else the source's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<Branch>,
    /// The commit to deploy, in full or its first seven digits or more; left out, it is the tip of the branch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<CommitPrefix>,
    /// A tarball to lay over the checkout; left out, none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlay: Option<Overlay>,
    /// The machine image; left out, the launch template's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageId>,
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        match (&self.branch, &self.commit) {
            (Some(branch), Some(commit)) => parts.push(format!("{branch}@{}", commit.short())),
            (Some(branch), None) => parts.push(branch.to_string()),
            (None, Some(commit)) => parts.push(commit.short().to_owned()),
            (None, None) => {}
        }
        parts.extend(self.overlay.as_ref().map(|overlay| format!("overlay {}", overlay.url)));
        parts.extend(self.image.as_ref().map(|image| format!("image {image}")));
        if parts.is_empty() {
            parts.push("the launch template's own image".to_owned());
        }
        f.write_str(&parts.join(", "))
    }
}

impl From<Release> for ReleaseRequest {
    /// Asks for exactly this release once more.
    fn from(release: Release) -> Self {
        let Release { branch, commit, overlay, image } = release;
        Self { branch, commit: commit.map(CommitPrefix::from), overlay, image }
    }
}

#[cfg(test)]
mod tests;
