//! Whether an Environment may be left alone until later: nobody works on it, and a survey shows it as it should be.
//!
//! A survey is one question about the groups of many Environments, shared between them and up to an idle interval old.
//! It is no [reading](crate::reading): it does not say what load balancers think, and nothing is ever done because of
//! it. It only says whether it takes a look to know more. What it can't show, a rule that somebody has changed or a
//! target that somebody has taken out, is looked for by turns: the more Environments there are, the longer a
//! [`round`] takes.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::access::Access;
use crate::environment::{EnvironmentCase, Holder};
use crate::memory::{Memory, Now};
use crate::name::GroupName;
use crate::reading::{Attached, GroupSeen, Presence, Reading, Traffic};
use crate::tenure::Role;
use crate::upkeep;
use crate::view::{Deletion, EnvironmentView, Finalizer, Routing};

/// The groups that a survey found. What load balancers think of their instances is not in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Surveyed(pub BTreeMap<GroupName, GroupSeen>);

/// Whether nobody works on it, and nothing of it is on its way in or out.
pub fn is_quiet(case: EnvironmentCase<'_>) -> bool {
    let tenure = &case.environment.tenure;
    case.finalizer == Finalizer::Present
        && case.holder == Holder::Minding
        && case.environment.deletion == Deletion::None
        && tenure.holder.is_none()
        && !tenure.groups.is_empty()
        && tenure.groups.iter().all(|member| member.role == Role::Serving && member.held.is_none())
}

/// Whether every group of a quiet Environment is whole, attached and kept at what is declared.
pub fn is_at_rest(environment: &EnvironmentView, surveyed: &Surveyed) -> bool {
    let whole = environment.tenure.groups.iter().all(|member| {
        let access = member.access.as_ref().unwrap_or(&environment.access);
        surveyed.0.get(&member.name).is_some_and(|seen| is_whole(seen) && is_attached(access, seen))
    });
    // What is lacking is asked of the newest reading alone: nobody is certain of anything in a survey.
    let reading = Reading { groups: surveyed.0.clone(), foreign: BTreeMap::new(), traffic: Traffic::Workers };
    let (nothing, now) =
        (Memory::new(Duration::ZERO), Now { wall: Timestamp::UNIX_EPOCH, mono: Duration::ZERO });
    whole && upkeep::lacks(environment, &reading, &nothing, now).next().is_none()
}

fn is_whole(seen: &GroupSeen) -> bool {
    seen.presence == Presence::Here && seen.instances == seen.desired && seen.in_service == seen.desired
}

fn is_attached(access: &Access, seen: &GroupSeen) -> bool {
    match (access.routing(), seen.attached) {
        (Routing::Workers, _) => true,
        (Routing::Weighted, attached) => matches!(attached, Attached::To(_)),
        (Routing::Shared, attached) => attached == Attached::ToShared,
    }
}

/// How many Environments of one account and region are looked at in an idle interval although nothing calls for it. A
/// look takes four requests.
const LOOKS_IN_AN_INTERVAL: u32 = 3;
/// The longest round, in idle intervals, whatever it costs.
const LONGEST: u32 = 60;

/// How long it takes until each of so many quiet Environments was looked at once.
pub fn round(quiet: usize, idle: Duration) -> Duration {
    let quiet = u32::try_from(quiet).unwrap_or(u32::MAX);
    let longest = idle * LONGEST;
    if quiet >= LOOKS_IN_AN_INTERVAL * LONGEST {
        longest
    } else {
        (idle * quiet / LOOKS_IN_AN_INTERVAL).max(idle)
    }
}

/// An Environment's place among those that are quiet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// How many are before it.
    pub before: usize,
    /// How many there are.
    pub of: usize,
}

/// When an Environment is next looked at, in time since the process started. One that was not yet looked at since this
/// process `began` to goes by the record until it is its turn in the first round, so that they don't all come at once.
pub fn due(place: Place, began: Duration, looked: Option<Duration>, idle: Duration) -> Duration {
    let round = round(place.of, idle);
    let share = |part: usize| u32::try_from(part).unwrap_or(u32::MAX);
    looked.map_or_else(|| began + round * share(place.before) / share(place.of).max(1), |at| at + round)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;
    use crate::environment::Deploys;
    use crate::name::{self, AccountName, Arn, Region, Turn, Uid};
    use crate::plan::{Pace, Revision};
    use crate::reading::{Apart, Slot};
    use crate::strategy::Strategy;
    use crate::tenure::{Held, Member, Tenure};
    use crate::view::{Bounds, Claim, Past};

    const IDLE: Duration = Duration::from_secs(60);

    fn place() -> name::Place {
        name::Place { account: AccountName::new("default"), region: Region::new("us-east-1") }
    }

    fn serving(name: &str) -> Member {
        Member {
            name: GroupName::new(name),
            place: place(),
            access: None,
            owner: Uid::new("deployment"),
            environment: None,
            turn: Turn::new(1),
            role: Role::Serving,
            deployed: None,
            held: None,
        }
    }

    fn environment() -> EnvironmentView {
        EnvironmentView {
            name: "web".to_owned(),
            revision: Revision { uid: Uid::new("web"), generation: 1 },
            deletion: Deletion::None,
            tenure: Tenure { turn: Turn::new(1), groups: vec![serving("web-1")], ..Tenure::default() },
            past: Past::Known,
            place: place(),
            bounds: Bounds { min: 2, max: 6 },
            replicas: Some(4),
            access: Access::LoadBalancerRule {
                rule_arn: Arn::new("rule"),
                target_group_arns: ["a", "b"].map(Arn::new),
            },
            claim: Claim::Undisputed,
            strategy: Strategy::BlueGreen,
            pace: Pace {
                tick_seconds: NonZeroU32::MIN,
                rollout_timeout_seconds: 900,
                evaluate_seconds: 0,
                evaluate_timeout_seconds: 900,
                retain_seconds: 900,
            },
        }
    }

    fn seen() -> GroupSeen {
        GroupSeen {
            presence: Presence::Here,
            min: 2,
            max: 6,
            desired: 4,
            instances: 4,
            in_service: 4,
            healthy: 0,
            draining: 0,
            attached: Attached::To(Slot::B),
            apart: Apart::NO,
        }
    }

    fn rests(environment: &EnvironmentView, seen: GroupSeen) -> bool {
        is_at_rest(environment, &Surveyed([(GroupName::new("web-1"), seen)].into()))
    }

    fn is_quiet_when(change: impl FnOnce(&mut EnvironmentView)) -> bool {
        let mut environment = environment();
        change(&mut environment);
        let (finalizer, holder) = (Finalizer::Present, Holder::Minding);
        let deploys = Deploys::Ended;
        is_quiet(EnvironmentCase { environment: &environment, finalizer, holder, deploys })
    }

    #[test]
    fn quiet_is_what_nobody_works_on_and_of_which_everything_serves() {
        assert!(is_quiet_when(|_| {}));
        assert!(!is_quiet_when(|it| it.tenure.holder = Some(Uid::new("deployment"))));
        assert!(!is_quiet_when(|it| it.deletion = Deletion::Retain));
        assert!(!is_quiet_when(|it| it.tenure.groups.clear()));
        assert!(!is_quiet_when(|it| it.tenure.groups[0].role = Role::Doomed));
        let held = Held { desired: None, original_min: 2, original_max: 6 };
        assert!(!is_quiet_when(|it| it.tenure.groups[0].held = Some(held)));
        assert!(!is_quiet_when(|it| {
            let doomed = Member { role: Role::Doomed, ..it.tenure.groups[0].clone() };
            it.tenure.groups.push(doomed);
        }));
        let environment = environment();
        let case = EnvironmentCase {
            environment: &environment,
            finalizer: Finalizer::Present,
            holder: Holder::Minding,
            deploys: Deploys::Ended,
        };
        assert!(!is_quiet(EnvironmentCase { finalizer: Finalizer::Absent, ..case }));
        assert!(!is_quiet(EnvironmentCase { holder: Holder::Vanished, ..case }));
    }

    #[test]
    fn what_is_whole_attached_and_as_declared_is_left_alone() {
        assert!(rests(&environment(), seen()));
        let autoscaled = EnvironmentView { replicas: None, ..environment() };
        assert!(rests(&autoscaled, GroupSeen { desired: 5, instances: 5, in_service: 5, ..seen() }));
    }

    #[test]
    fn whatever_differs_calls_for_a_look() {
        let differing = [
            GroupSeen { presence: Presence::BeingDeleted, ..seen() },
            GroupSeen { in_service: 3, ..seen() },
            GroupSeen { instances: 5, ..seen() },
            GroupSeen { desired: 5, instances: 5, in_service: 5, ..seen() },
            GroupSeen { desired: 3, instances: 3, in_service: 3, ..seen() },
            GroupSeen { min: 4, ..seen() },
            GroupSeen { max: 7, ..seen() },
            GroupSeen { attached: Attached::Nowhere, ..seen() },
            GroupSeen { attached: Attached::ToBoth, ..seen() },
        ];
        for seen in differing {
            assert!(!rests(&environment(), seen.clone()), "{seen:?}");
        }
        assert!(!is_at_rest(&environment(), &Surveyed(BTreeMap::new())), "it is not there");
        let mut two = EnvironmentView { replicas: None, ..environment() };
        let other = Member { name: GroupName::new("web-0"), ..two.tenure.groups[0].clone() };
        two.tenure.groups.push(other);
        assert!(!rests(&two, seen()), "one of two is not there");
        let shared = EnvironmentView { access: Access::TargetGroup { arn: Arn::new("a") }, ..environment() };
        assert!(!rests(&shared, seen()));
        let workers = EnvironmentView { access: Access::Workers {}, ..environment() };
        assert!(rests(&workers, GroupSeen { attached: Attached::Nowhere, ..seen() }));
    }

    #[test]
    fn a_round_takes_as_long_as_so_many_looks_may_and_never_longer_than_sixty_intervals() {
        let rounds = [0, 1, 3, 4, 30, 180, 1000, usize::MAX].map(|quiet| round(quiet, IDLE).as_secs());
        assert_eq!(rounds, [60, 60, 60, 80, 600, 3600, 3600, 3600]);
    }

    #[test]
    fn looks_are_spread_over_a_round() {
        let began = Duration::from_secs(100);
        let due = |before, looked| due(Place { before, of: 360 }, began, looked, IDLE).as_secs();
        assert_eq!([0, 1, 179, 359].map(|before| due(before, None)), [100, 110, 1890, 3690]);
        assert_eq!(due(7, Some(Duration::from_secs(500))), 4100);
    }

    #[test]
    fn who_is_alone_is_looked_at_every_interval() {
        let alone = Place { before: 0, of: 1 };
        assert_eq!(due(alone, IDLE, None, IDLE), IDLE, "and at once by a new process");
        assert_eq!(due(alone, Duration::ZERO, Some(IDLE), IDLE), IDLE * 2);
    }
}
