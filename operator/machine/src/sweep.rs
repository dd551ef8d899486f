//! What becomes of a group or a launch template that no ledger knows.
//!
//! There should be none. A request that lands long after its sender died can leave one behind, and so can a restore
//! from a backup. Whatever is provably of no use to anybody goes; all else is left alone, and reported.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

use crate::access::Access;
use crate::adopt::Claim;
use crate::name::{GroupName, Place, Uid};
use crate::tenure::{MOST_GROUPS, Member, Role, Tenure};
use crate::view::Past;

/// Something that carries the installation's tag.
#[derive(Clone, Copy, Debug)]
pub struct Find<'a> {
    /// What its tags say; none if they are not all of a group's.
    pub claim: Option<&'a Claim>,
    /// Whether any Environment's ledger has it.
    pub ledger: Ledger,
    /// When it was created, by the cloud's clock.
    pub created: Timestamp,
    /// Who could miss it.
    pub use_: Use,
}

/// Whether a ledger knows of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ledger {
    /// One does.
    Has,
    /// None does.
    Lacks,
}

/// What something is good for, as far as can be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// No request reaches it.
    None,
    /// Requests reach it, or may.
    Traffic,
    /// It is on its way out.
    Leaving,
}

/// The Environment of that namespace and name, as the quorum has it now.
#[derive(Clone, Copy, Debug)]
pub struct Keeper<'a> {
    /// Its uid.
    pub uid: &'a Uid,
    /// What it has recorded.
    pub tenure: &'a Tenure,
    /// Whether that can be gone by.
    pub past: Past,
}

/// What becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// It is known, or goes by itself.
    Fine,
    /// Too early to say.
    Wait,
    /// Nobody can miss it.
    Delete,
    /// It stays, and somebody should know.
    Report(Why),
}

/// Why something that no ledger knows is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Why {
    /// It does not carry all tags of a group.
    TagsMissing,
    /// There is no Environment of that namespace and name.
    NoEnvironment,
    /// There is one, but neither is its uid the one on the tag, nor has it adopted a group of that uid.
    OtherEnvironment,
    /// It is of a turn that the Environment has not come to.
    NewerTurn,
    /// Requests may reach it.
    Traffic,
}

impl Why {
    /// Every reason.
    pub const ALL: [Self; 5] =
        [Self::TagsMissing, Self::NoEnvironment, Self::OtherEnvironment, Self::NewerTurn, Self::Traffic];

    /// Its name, as metrics have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TagsMissing => "TagsMissing",
            Self::NoEnvironment => "NoEnvironment",
            Self::OtherEnvironment => "OtherEnvironment",
            Self::NewerTurn => "NewerTurn",
            Self::Traffic => "Traffic",
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TagsMissing => "it does not carry all of a group's tags",
            Self::NoEnvironment => "there is no Environment of its namespace and name",
            Self::OtherEnvironment => "it was launched for an Environment of another uid",
            Self::NewerTurn => "its turn is newer than any that the Environment knows of",
            Self::Traffic => "requests may reach it",
        })
    }
}

/// Judges one find. `settled` is Z: for how long a request that was not answered may still land.
pub fn judge(
    find: Find<'_>,
    keeper: Option<Keeper<'_>>,
    settled: SignedDuration,
    now: Timestamp,
) -> Judgement {
    if find.ledger == Ledger::Has || find.use_ == Use::Leaving {
        return Judgement::Fine;
    }
    let Some(claim) = find.claim else { return Judgement::Report(Why::TagsMissing) };
    let Some(keeper) = keeper else { return Judgement::Report(Why::NoEnvironment) };
    // What is about to be adopted is not in the ledger yet.
    if keeper.past == Past::Unknown {
        return Judgement::Wait;
    }
    if !is_its_own(keeper, claim) {
        return Judgement::Report(Why::OtherEnvironment);
    }
    if claim.turn > keeper.tenure.turn {
        return Judgement::Report(Why::NewerTurn);
    }
    if find.use_ == Use::Traffic {
        return Judgement::Report(Why::Traffic);
    }
    let young = now.duration_since(find.created) <= settled;
    if young || keeper.tenure.groups.len() >= MOST_GROUPS { Judgement::Wait } else { Judgement::Delete }
}

/// Whether it was launched for this Environment, under its present uid or one from before a restore.
fn is_its_own(keeper: Keeper<'_>, claim: &Claim) -> bool {
    let adopted = keeper.tenure.groups.iter().filter_map(|member| member.environment.as_ref());
    adopted.chain([keeper.uid]).any(|uid| *uid == claim.environment_uid)
}

/// The line that the ledger gets for a find that is to be deleted: there the Environment's own loop takes it down like
/// any other group that is given up.
pub fn doomed(name: &GroupName, place: &Place, access: Option<Access>, claim: &Claim, uid: &Uid) -> Member {
    Member {
        name: name.clone(),
        place: place.clone(),
        access,
        owner: claim.owner.clone(),
        environment: (claim.environment_uid != *uid).then(|| claim.environment_uid.clone()),
        turn: claim.turn,
        role: Role::Doomed,
        deployed: None,
        held: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::{AccountName, Region, Turn};

    const SETTLED: SignedDuration = SignedDuration::from_secs(300);

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn claim(uid: &str, turn: i64) -> Claim {
        Claim {
            namespace: "shop".to_owned(),
            environment: "web".to_owned(),
            environment_uid: Uid::new(uid),
            owner: Uid::new("d"),
            turn: Turn::new(turn),
            deployment: None,
            release: None,
        }
    }

    /// An Environment in turn 5 that has adopted a group of `before`.
    fn tenure() -> Tenure {
        let place = Place { account: AccountName::new("a"), region: Region::new("r") };
        let adopted = doomed(&GroupName::new("g"), &place, None, &claim("before", 2), &Uid::new("now"));
        Tenure { turn: Turn::new(5), groups: vec![adopted], ..Tenure::default() }
    }

    #[test]
    fn only_what_nobody_can_miss_is_deleted() {
        use Judgement::{Delete, Fine, Report, Wait};
        let (own, before) = (claim("now", 5), claim("before", 5));
        let (other, newer) = (claim("other", 5), claim("now", 6));
        let useless =
            Find { claim: Some(&own), ledger: Ledger::Lacks, created: second(1_000), use_: Use::None };
        let (uid, tenure) = (Uid::new("now"), tenure());
        let known = Keeper { uid: &uid, tenure: &tenure, past: Past::Known };
        let full = Tenure { groups: vec![tenure.groups[0].clone(); MOST_GROUPS], ..tenure.clone() };
        let rows = [
            ("of no use", useless, Some(known), 1_301, Delete),
            ("from before a restore", Find { claim: Some(&before), ..useless }, Some(known), 1_301, Delete),
            ("in a ledger", Find { ledger: Ledger::Has, ..useless }, Some(known), 1_301, Fine),
            ("on its way out", Find { use_: Use::Leaving, ..useless }, Some(known), 1_301, Fine),
            ("young", useless, Some(known), 1_300, Wait),
            ("from the future", useless, Some(known), 0, Wait),
            (
                "not fully tagged",
                Find { claim: None, ..useless },
                Some(known),
                1_301,
                Report(Why::TagsMissing),
            ),
            ("of no Environment", useless, None, 1_301, Report(Why::NoEnvironment)),
            (
                "of another uid",
                Find { claim: Some(&other), ..useless },
                Some(known),
                1_301,
                Report(Why::OtherEnvironment),
            ),
            (
                "of a newer turn",
                Find { claim: Some(&newer), ..useless },
                Some(known),
                1_301,
                Report(Why::NewerTurn),
            ),
            ("in traffic", Find { use_: Use::Traffic, ..useless }, Some(known), 1_301, Report(Why::Traffic)),
            (
                "of an Environment whose past is unknown",
                useless,
                Some(Keeper { past: Past::Unknown, ..known }),
                1_301,
                Wait,
            ),
            ("of one whose ledger is full", useless, Some(Keeper { tenure: &full, ..known }), 1_301, Wait),
        ];
        for (what, find, keeper, now, expected) in rows {
            assert_eq!(judge(find, keeper, SETTLED, second(now)), expected, "{what}");
        }
    }

    #[test]
    fn each_reason_to_leave_a_group_alone_has_words_of_its_own() {
        let words: std::collections::BTreeSet<_> = Why::ALL.into_iter().map(|why| why.to_string()).collect();
        assert!(words.len() == Why::ALL.len() && words.iter().all(|words| words.contains(' ')), "{words:?}");
    }

    #[test]
    fn the_ledgers_line_matches_the_tags() {
        let place = Place { account: AccountName::new("a"), region: Region::new("r") };
        let line = |uid| doomed(&GroupName::new("g"), &place, None, &claim(uid, 4), &Uid::new("now"));
        assert_eq!(line("now").environment, None);
        let member = line("before");
        assert_eq!(member.environment, Some(Uid::new("before")));
        assert_eq!((member.owner, member.turn, member.role), (Uid::new("d"), Turn::new(4), Role::Doomed));
    }
}
