//! The tags that say whose a group is, and what it runs.
//!
//! A group is ours only if it carries every tag of [`identity`]. What else is on it ([`of`]) is for the day on which
//! nothing but the cloud remembers.

use std::collections::BTreeMap;

use dryad_machine::name::Uid;
use dryad_machine::release::Release;
use dryad_machine::tenure::Member;

const INSTALLATION: &str = "dryad.dev/installation";
const NAMESPACE: &str = "dryad.dev/namespace";
const ENVIRONMENT: &str = "dryad.dev/environment";
const ENVIRONMENT_UID: &str = "dryad.dev/environment-uid";
const DEPLOYMENT: &str = "dryad.dev/deployment";
const DEPLOYMENT_UID: &str = "dryad.dev/deployment-uid";
const TURN: &str = "dryad.dev/turn";
const BRANCH: &str = "dryad.dev/branch";
const COMMIT: &str = "dryad.dev/commit";
const OVERLAY: &str = "dryad.dev/overlay";
const OVERLAY_SHA256: &str = "dryad.dev/overlay-sha256";
const IMAGE: &str = "dryad.dev/image";

/// Tags as a cloud has them. Key and value fit AWS's limits, 128 and 256 characters.
pub type Tags = BTreeMap<String, String>;

/// On whose behalf a group exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The installation of Dryad, so that two in one account leave each other's groups alone.
    pub installation: String,
    /// The Environment's namespace.
    pub namespace: String,
    /// The Environment's name.
    pub environment: String,
    /// The Environment's uid.
    pub uid: Uid,
}

/// What a group runs.
#[derive(Clone, Copy, Debug)]
pub struct Freight<'a> {
    /// The name of the Deployment that launches it.
    pub deployment: &'a str,
    /// The release.
    pub release: &'a Release,
}

/// The tags without which a group is not this member of the ledger.
pub fn identity(owner: &Owner, member: &Member) -> Tags {
    tags([
        (INSTALLATION, owner.installation.clone()),
        (NAMESPACE, owner.namespace.clone()),
        (ENVIRONMENT, owner.environment.clone()),
        (ENVIRONMENT_UID, owner.uid.to_string()),
        (DEPLOYMENT_UID, member.owner.to_string()),
        (TURN, member.turn.to_string()),
    ])
}

/// All tags of a group and its launch template.
pub fn of(owner: &Owner, member: &Member, freight: Freight<'_>) -> Tags {
    let Release { branch, commit, overlay, image } = freight.release;
    let mut all = identity(owner, member);
    all.extend(tags([("Name", member.name.to_string()), (DEPLOYMENT, freight.deployment.to_owned())]));
    all.extend(branch.iter().map(|branch| (BRANCH.to_owned(), branch.to_string())));
    all.extend(commit.iter().map(|commit| (COMMIT.to_owned(), commit.to_string())));
    all.extend(overlay.iter().map(|overlay| (OVERLAY.to_owned(), overlay.url.to_string())));
    all.extend(overlay.iter().map(|overlay| (OVERLAY_SHA256.to_owned(), overlay.sha256.to_string())));
    all.extend(image.iter().map(|image| (IMAGE.to_owned(), image.to_string())));
    all
}

/// The keys of `expected` that `actual` lacks or has another value for.
pub fn mismatch(actual: &Tags, expected: &Tags) -> Vec<String> {
    let differs = |(key, value): &(&String, &String)| actual.get(*key) != Some(*value);
    expected.iter().filter(differs).map(|(key, _)| key.clone()).collect()
}

fn tags<const N: usize>(pairs: [(&str, String); N]) -> Tags {
    pairs.map(|(key, value)| (key.to_owned(), value)).into()
}

#[cfg(test)]
mod tests {
    use dryad_machine::name::{AccountName, GroupName, Place, Region, Turn};
    use dryad_machine::release::{Branch, Commit, ImageId, Overlay, OverlayUrl, Sha256};
    use dryad_machine::tenure::Role;

    use super::*;

    fn owner() -> Owner {
        Owner {
            installation: "dryad".to_owned(),
            namespace: "shop".to_owned(),
            environment: "web".to_owned(),
            uid: Uid::new("env-1"),
        }
    }

    fn member() -> Member {
        let (turn, owner) = (Turn::new(7), Uid::new("dep-1"));
        Member {
            name: GroupName::of("web", turn, &owner),
            place: Place { account: AccountName::new("default"), region: Region::new("us-east-1") },
            owner,
            turn,
            role: Role::Green,
            deployed: None,
            held: None,
        }
    }

    fn release_of(url_length: usize) -> Release {
        let url = format!("https://h/{}", "o".repeat(url_length - "https://h/".len()));
        Release {
            branch: Some("b".repeat(Branch::MAX_LENGTH).parse().unwrap()),
            commit: Some("c".repeat(Commit::MAX_LENGTH).parse().unwrap()),
            overlay: Some(Overlay {
                url: url.parse().unwrap(),
                sha256: "d".repeat(Sha256::MAX_LENGTH).parse().unwrap(),
            }),
            image: Some(format!("ami-{}", "e".repeat(ImageId::MAX_LENGTH - 4)).parse().unwrap()),
        }
    }

    #[test]
    fn a_group_says_whose_it_is_and_what_it_runs() {
        let release = release_of(40);
        let all = of(&owner(), &member(), Freight { deployment: "web-42", release: &release });
        let own = identity(&owner(), &member());
        assert_eq!(mismatch(&all, &own), [""; 0]);
        assert_eq!(all["dryad.dev/deployment"], "web-42");
        assert_eq!(all["dryad.dev/branch"], release.branch.unwrap().to_string());
        assert_eq!(all["dryad.dev/commit"], release.commit.unwrap().to_string());
        assert_eq!(all["dryad.dev/overlay"], release.overlay.as_ref().unwrap().url.to_string());
        assert_eq!(all["dryad.dev/overlay-sha256"], release.overlay.unwrap().sha256.to_string());
        assert_eq!(all["dryad.dev/image"], release.image.unwrap().to_string());
        let bare = of(&owner(), &member(), Freight { deployment: "web-42", release: &Release::default() });
        assert_eq!(bare.len(), own.len() + 2, "what is not part of the release has no tag");
    }

    #[test]
    fn every_tag_fits_the_limits_of_aws_however_long_the_words_are() {
        let release = release_of(OverlayUrl::MAX_LENGTH);
        let all = of(&owner(), &member(), Freight { deployment: &"n".repeat(253), release: &release });
        assert!(all.iter().all(|(key, value)| key.len() <= 128 && value.len() <= 256), "{all:?}");
        assert!(all.len() <= 20, "a group has 50 tags at most, and its owner may want some");
    }

    #[test]
    fn a_group_that_lacks_one_tag_or_has_another_is_not_ours() {
        let release = Release::default();
        let all = of(&owner(), &member(), Freight { deployment: "web-42", release: &release });
        for key in identity(&owner(), &member()).keys() {
            let mut lacking = all.clone();
            lacking.remove(key);
            assert_eq!(mismatch(&lacking, &identity(&owner(), &member())), std::slice::from_ref(key));
            lacking.insert(key.clone(), "another".to_owned());
            assert_eq!(mismatch(&lacking, &identity(&owner(), &member())), std::slice::from_ref(key));
        }
    }
}
