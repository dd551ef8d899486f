//! The tags that say whose a group is, and what it runs.
//!
//! A group is ours only if it carries every tag of [`identity`]. What else is on it ([`of`]) is for the day on which
//! nothing but the cloud remembers: from its tags alone a group can be taken back into an Environment.

use std::collections::BTreeMap;

use dryad_machine::adopt::Claim;
use dryad_machine::name::{GroupName, Turn, Uid};
use dryad_machine::release::{Overlay, Release};
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

/// The tags that everything of an installation carries.
pub fn of_installation(installation: &str) -> Tags {
    [(INSTALLATION.to_owned(), installation.to_owned())].into()
}

/// The tags that every group of an Environment carries, be it of this uid or of one that was restored under another.
pub fn of_environment(owner: &Owner) -> Tags {
    tags([
        (INSTALLATION, owner.installation.clone()),
        (NAMESPACE, owner.namespace.clone()),
        (ENVIRONMENT, owner.environment.clone()),
    ])
}

/// The tags without which a group is not this member of the ledger. One that was adopted carries the uid of the
/// Environment that it was launched for.
pub fn identity(owner: &Owner, member: &Member) -> Tags {
    let uid = member.environment.as_ref().unwrap_or(&owner.uid);
    let mut identity = of_environment(owner);
    identity.extend(tags([
        (ENVIRONMENT_UID, uid.to_string()),
        (DEPLOYMENT_UID, member.owner.to_string()),
        (TURN, member.turn.to_string()),
    ]));
    identity
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

/// Whose a thing of this name says it is, and what it says it runs; `None` where it does not carry all of a group's
/// tags of this installation, or its name is not the one that they make.
pub fn claim(installation: &str, name: &GroupName, actual: &Tags) -> Option<Claim> {
    let tag = |key: &str| actual.get(key).filter(|value| !value.is_empty());
    tag(INSTALLATION).filter(|tagged| *tagged == installation)?;
    let turn = tag(TURN)?.parse().ok().filter(|turn| *turn > 0).map(Turn::new)?;
    let claim = Claim {
        namespace: tag(NAMESPACE)?.clone(),
        environment: tag(ENVIRONMENT)?.clone(),
        environment_uid: Uid::new(tag(ENVIRONMENT_UID)?),
        owner: Uid::new(tag(DEPLOYMENT_UID)?),
        turn,
        deployment: tag(DEPLOYMENT).cloned(),
        release: release(actual),
    };
    (*name == GroupName::of(&claim.environment, turn, &claim.owner)).then_some(claim)
}

/// The release, if the tags tell of one: an older Dryad did not write it, and somebody may have changed it.
fn release(actual: &Tags) -> Option<Release> {
    fn word<T>(actual: &Tags, key: &str) -> Result<Option<T>, T::Err>
    where
        T: std::str::FromStr,
    {
        actual.get(key).map(|value| value.parse()).transpose()
    }
    actual.get(DEPLOYMENT)?;
    let overlay = match (word(actual, OVERLAY).ok()?, word(actual, OVERLAY_SHA256).ok()?) {
        (Some(url), Some(sha256)) => Some(Overlay { url, sha256 }),
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => return None,
    };
    Some(Release {
        branch: word(actual, BRANCH).ok()?,
        commit: word(actual, COMMIT).ok()?,
        overlay,
        image: word(actual, IMAGE).ok()?,
    })
}

fn tags<const N: usize>(pairs: [(&str, String); N]) -> Tags {
    pairs.map(|(key, value)| (key.to_owned(), value)).into()
}

#[cfg(test)]
mod tests {
    use dryad_machine::name::{AccountName, Place, Region};
    use dryad_machine::release::{Branch, Commit, ImageId, OverlayUrl, Sha256};
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

    fn member(environment: Option<&str>) -> Member {
        let (turn, owner) = (Turn::new(7), Uid::new("dep-1"));
        Member {
            name: GroupName::of("web", turn, &owner),
            place: Place { account: AccountName::new("default"), region: Region::new("us-east-1") },
            access: None,
            owner,
            environment: environment.map(Uid::new),
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
    fn a_group_says_by_its_tags_alone_whose_it_is_and_what_it_runs() {
        let releases = [Release::default(), release_of(40), release_of(OverlayUrl::MAX_LENGTH)];
        for release in releases {
            let member = member(None);
            let tags = of(&owner(), &member, Freight { deployment: "web-42", release: &release });
            let claim = claim("dryad", &member.name, &tags).unwrap();
            assert_eq!(claim.release, Some(release));
            assert_eq!((claim.namespace.as_str(), claim.environment.as_str()), ("shop", "web"));
            assert_eq!((claim.environment_uid, claim.owner), (Uid::new("env-1"), member.owner));
            assert_eq!((claim.turn, claim.deployment.as_deref()), (Turn::new(7), Some("web-42")));
        }
    }

    #[test]
    fn every_tag_fits_the_limits_of_aws_however_long_the_words_are() {
        let release = release_of(OverlayUrl::MAX_LENGTH);
        let all = of(&owner(), &member(None), Freight { deployment: &"n".repeat(253), release: &release });
        assert!(all.iter().all(|(key, value)| key.len() <= 128 && value.len() <= 256), "{all:?}");
        assert!(all.len() <= 20, "a group has 50 tags at most, and its owner may want some");
    }

    #[test]
    fn what_lacks_one_tag_or_has_another_name_claims_nothing() {
        let (member, release) = (member(None), Release::default());
        let all = of(&owner(), &member, Freight { deployment: "web-42", release: &release });
        for key in identity(&owner(), &member).keys() {
            let mut lacking = all.clone();
            lacking.remove(key);
            assert_eq!(claim("dryad", &member.name, &lacking), None, "without {key}");
            lacking.insert(key.clone(), String::new());
            assert_eq!(claim("dryad", &member.name, &lacking), None, "with an empty {key}");
            assert_eq!(mismatch(&lacking, &identity(&owner(), &member)), std::slice::from_ref(key));
        }
        assert_eq!(claim("other", &member.name, &all), None);
        assert_eq!(claim("dryad", &GroupName::new("web-7-somebody"), &all), None);
        for turn in ["0", "-1", "seven"] {
            let changed = [all.clone(), tags([(TURN, turn.to_owned())])].concat_all();
            assert_eq!(claim("dryad", &member.name, &changed), None, "turn {turn}");
        }
    }

    #[test]
    fn a_release_that_can_not_be_read_is_no_release() {
        let (member, release) = (member(None), release_of(40));
        let all = of(&owner(), &member, Freight { deployment: "web-42", release: &release });
        for (key, value) in [(BRANCH, "; rm"), (COMMIT, "abc"), (IMAGE, "i-1"), (OVERLAY, "ftp://x/y")] {
            let changed = [all.clone(), tags([(key, value.to_owned())])].concat_all();
            assert_eq!(claim("dryad", &member.name, &changed).unwrap().release, None, "{key}");
        }
        let mut half = all.clone();
        half.remove(OVERLAY_SHA256);
        assert_eq!(claim("dryad", &member.name, &half).unwrap().release, None);
        let older = identity(&owner(), &member);
        assert_eq!(claim("dryad", &member.name, &older).unwrap().release, None, "an older Dryad wrote none");
    }

    #[test]
    fn an_adopted_group_is_known_by_the_uid_of_the_environment_that_launched_it() {
        let theirs = Owner { uid: Uid::new("env-0"), ..owner() };
        let launched = identity(&theirs, &member(None));
        assert_eq!(mismatch(&launched, &identity(&owner(), &member(Some("env-0")))), [""; 0]);
        assert_eq!(mismatch(&launched, &identity(&owner(), &member(None))), [ENVIRONMENT_UID]);
    }

    trait ConcatAll {
        fn concat_all(self) -> Tags;
    }

    impl ConcatAll for [Tags; 2] {
        fn concat_all(self) -> Tags {
            self.into_iter().flatten().collect()
        }
    }
}
