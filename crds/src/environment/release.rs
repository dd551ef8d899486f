//! The release that an Environment declares.
//!
//! It means the same whenever it is read: unlike in a Deployment, nothing in it falls back on what was deployed last,
//! and a commit is named in full.

use dryad_machine::release::{Branch, Commit, CommitPrefix, ImageId, Overlay, Release, ReleaseRequest};
use dryad_machine::word;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The release that is to run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct DeclaredRelease {
    /// The branch that leads to the commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<Branch>,
    /// The commit, in full; left out, it is the tip that the branch has when the Deployment runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<Commit>,
    /// A tarball to lay over the checkout; left out, none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlay: Option<Overlay>,
    /// The machine image; left out, the launch template's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageId>,
}

word! {
    /// What is changed to deploy the same release once more.
    RefreshToken, "a refresh token", max 128,
    pattern "^[!-~]+$",
    rule "write a token of at most 128 letters, digits and signs without spaces, in quotes, such as the time"
}

impl DeclaredRelease {
    /// What `runs` instead, part by part and in words; nothing where it is what is declared. A commit that is not
    /// declared may be any.
    pub fn differences(&self, runs: &Release) -> Vec<String> {
        let commit = self.commit.as_ref().and(runs.commit.as_ref()).map(Commit::short);
        let wanted = self.commit.as_ref().map(Commit::short);
        let overlay =
            |overlay: &Option<Overlay>| overlay.as_ref().map(|it| format!("{} ({})", it.url, it.sha256));
        [
            differs(
                "branch",
                self.branch.as_ref().map(Branch::as_str),
                runs.branch.as_ref().map(Branch::as_str),
            ),
            (self.commit.is_some() && self.commit != runs.commit).then(|| sentence("commit", wanted, commit)),
            differs("overlay", overlay(&self.overlay).as_deref(), overlay(&runs.overlay).as_deref()),
            differs(
                "image",
                self.image.as_ref().map(ImageId::as_str),
                runs.image.as_ref().map(ImageId::as_str),
            ),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Whether it is known without asking anybody that this is what `runs`. The tip of a branch never is.
    pub fn is_exactly(&self, runs: &Release) -> bool {
        (self.commit.is_some() || self.branch.is_none()) && self.differences(runs).is_empty()
    }
}

fn differs(part: &str, wanted: Option<&str>, runs: Option<&str>) -> Option<String> {
    (wanted != runs).then(|| sentence(part, wanted, runs))
}

fn sentence(part: &str, wanted: Option<&str>, runs: Option<&str>) -> String {
    format!("{part} {} instead of {}", runs.unwrap_or("none"), wanted.unwrap_or("none"))
}

impl From<DeclaredRelease> for ReleaseRequest {
    fn from(declared: DeclaredRelease) -> Self {
        let DeclaredRelease { branch, commit, overlay, image } = declared;
        Self { branch, commit: commit.map(CommitPrefix::from), overlay, image }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "1111111111111111111111111111111111111111";
    const TWO: &str = "2222222222222222222222222222222222222222";

    fn declared(json: serde_json::Value) -> DeclaredRelease {
        serde_json::from_value(json).expect("a release")
    }

    #[test]
    fn what_runs_is_told_apart_from_what_is_declared_part_by_part() {
        use serde_json::json;
        let runs: Release =
            serde_json::from_value(json!({ "branch": "main", "commit": ONE })).expect("a release");
        let table = [
            (json!({ "branch": "main", "commit": ONE }), ""),
            (json!({ "branch": "main" }), ""),
            (json!({ "branch": "main", "commit": TWO }), "commit 111111111111 instead of 222222222222"),
            (json!({ "branch": "sale" }), "branch main instead of sale"),
            (json!({ "branch": "main", "image": "ami-0abc" }), "image none instead of ami-0abc"),
            (
                json!({ "branch": "main", "overlay": { "url": "https://example.com/o.tgz", "sha256": "a".repeat(64) } }),
                &format!("overlay none instead of https://example.com/o.tgz ({})", "a".repeat(64)),
            ),
        ];
        for (release, expected) in table {
            assert_eq!(declared(release.clone()).differences(&runs).join(", "), expected, "{release}");
        }
    }

    #[test]
    fn the_tip_of_a_branch_is_never_known_to_run() {
        use serde_json::json;
        let runs: Release =
            serde_json::from_value(json!({ "branch": "main", "commit": ONE })).expect("a release");
        assert!(declared(json!({ "branch": "main", "commit": ONE })).is_exactly(&runs));
        assert!(!declared(json!({ "branch": "main" })).is_exactly(&runs));
        assert!(declared(json!({})).is_exactly(&Release::default()));
    }
}
