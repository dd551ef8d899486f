//! Groups that were given up and don't go, though everything was done that takes one down: somebody keeps them.

use std::time::Duration;

use dryad_machine::reading::{Attached, Presence, Reading};
use dryad_machine::tenure::{Member, Role, Tenure};

/// Which, and since when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lingering {
    since: Duration,
    words: String,
}

impl Lingering {
    /// In words, once that has been so for longer than it should take.
    pub(super) fn told(&self, now: Duration, patience: Duration) -> Option<&str> {
        (now.saturating_sub(self.since) >= patience).then_some(&self.words)
    }
}

/// What a look at `now` shows of them, and what the one before did.
pub(super) fn seen(
    before: Option<Lingering>,
    tenure: &Tenure,
    reading: &Reading,
    now: Duration,
) -> Option<Lingering> {
    let lingers = tenure.of_role(Role::Doomed).filter(|member| is_emptied(member, reading));
    let words: Vec<_> = lingers.map(in_words).collect();
    let words = (!words.is_empty()).then(|| words.join("; "))?;
    before.filter(|before| before.words == words).or(Some(Lingering { since: now, words }))
}

fn is_emptied(member: &Member, reading: &Reading) -> bool {
    let is_out = |attached| attached == Attached::Nowhere;
    reading.group(&member.name).is_some_and(|seen| {
        seen.presence == Presence::Here
            && is_out(seen.attached)
            && is_out(seen.apart.attached)
            && (seen.min, seen.desired) == (0, 0)
    })
}

fn in_words(Member { name, place, .. }: &Member) -> String {
    format!(
        "{name} in {place} was given up and emptied, and does not go: end what keeps its instances (protection from \
         scale-in, Standby, a lifecycle hook, a suspended process) or itself (a warm pool)"
    )
}

#[cfg(test)]
mod tests {
    use dryad_machine::name::{AccountName, GroupName, Place, Region, Turn, Uid};
    use dryad_machine::reading::{Apart, GroupSeen, Traffic};

    use super::*;

    fn member(name: &str, role: Role) -> Member {
        Member {
            name: GroupName::new(name),
            place: Place { account: AccountName::new("a"), region: Region::new("r") },
            access: None,
            owner: Uid::new("d"),
            environment: None,
            turn: Turn::new(1),
            role,
            deployed: None,
            held: None,
        }
    }

    /// What is told of `old`, which looks like this for so many seconds.
    fn told(seen_as: &GroupSeen, seconds: u64) -> Option<String> {
        let groups = vec![member("old", Role::Doomed), member("new", Role::Serving)];
        let tenure = Tenure { groups, ..Tenure::default() };
        let groups = ["old", "new"].map(|name| (GroupName::new(name), seen_as.clone())).into();
        let reading = Reading { groups, foreign: [].into(), traffic: Traffic::Shared };
        let second = Duration::from_secs;
        let lingering =
            [100, 101].into_iter().fold(None, |before, now| seen(before, &tenure, &reading, second(now)));
        lingering?.told(second(100 + seconds), second(60)).map(ToOwned::to_owned)
    }

    fn emptied() -> GroupSeen {
        GroupSeen {
            presence: Presence::Here,
            min: 0,
            max: 2,
            desired: 0,
            instances: 1,
            in_service: 0,
            healthy: 0,
            draining: 0,
            attached: Attached::Nowhere,
            apart: Apart::NO,
        }
    }

    #[test]
    fn what_was_emptied_and_stays_is_told_after_a_while() {
        assert_eq!(told(&emptied(), 59), None);
        let words = told(&emptied(), 60).expect("it should have gone by now");
        assert!(words.starts_with("old in ") && !words.contains("new in "), "{words}");
    }

    #[test]
    fn what_is_still_on_its_way_out_is_not_told() {
        for on_its_way in [
            GroupSeen { presence: Presence::BeingDeleted, ..emptied() },
            GroupSeen { attached: Attached::ToShared, ..emptied() },
            GroupSeen { desired: 1, ..emptied() },
        ] {
            assert_eq!(told(&on_its_way, 3600), None, "{on_its_way:?}");
        }
    }
}
