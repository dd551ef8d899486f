//! Whether traffic stands as a step says, and in words what is still missing.

use std::borrow::Cow;

use crate::case::Case;
use crate::plan::{Plan, Route, Step};
use crate::reading::{Attached, GroupSeen, Reading, Slot, Traffic};

/// What is missing until traffic stands as the step says; none once it does.
pub(super) fn lacking<'a>(
    case: &Case<'_>,
    plan: &Plan,
    step: Step,
    reading: &'a Reading,
) -> Option<Cow<'a, str>> {
    let Some(green) = reading.group(&plan.green) else {
        return Some("the new group is not to be seen".into());
    };
    match plan.route {
        Route::Weighted { green: slot } => {
            if let Some(why) = unusable(plan.route, reading) {
                return Some(why.into());
            }
            let others = reading.groups.iter().filter(|(name, _)| **name != plan.green);
            let squatted = others.into_iter().any(|(_, other)| other.attached.includes(slot));
            let lacks = weighted(step, green, slot, reading).map(|lacks| match (lacks, squatted) {
                (NOT_ATTACHED, true) => "another group is still in the new group's target group",
                (lacks, _) => lacks,
            });
            lacks.map(Cow::from)
        }
        Route::Shared {} => {
            let blue_carries = || plan.blue.iter().any(|blue| case.carries_here(reading, blue));
            shared(step, green.attached, blue_carries).map(Cow::from)
        }
        Route::Workers {} => None,
    }
}

/// Why the rule can't be given other weights, where the deploy goes by one: somebody has given it another shape.
pub(super) fn unusable(route: Route, reading: &Reading) -> Option<&str> {
    match (route, &reading.traffic) {
        (Route::Weighted { .. }, Traffic::Unusable(why)) => Some(why),
        _ => None,
    }
}

const NOT_ATTACHED: &str = "the new group is not attached to its target group yet";

fn weighted(step: Step, green: &GroupSeen, slot: Slot, reading: &Reading) -> Option<&'static str> {
    let seen = reading.traffic.slot(slot);
    let (weight, strangers) = seen.map_or((None, 0), |seen| (seen.weight, seen.strangers));
    match (weight, green.attached.includes(slot), step.reduces_blue()) {
        (None, _, _) => Some("the new group's target group is not in the rule yet"),
        (_, false, _) if strangers > 0 => Some("somebody else's targets are in the new group's target group"),
        (_, false, _) => Some(NOT_ATTACHED),
        (Some(0), true, false) => None,
        (Some(_), true, false) => Some("the rule sends requests to the new group's target group already"),
        (Some(_), true, true) if reading.traffic.is_all_on(slot) => None,
        (Some(_), true, true) => Some("the rule does not send every request to the new group yet"),
    }
}

fn shared(step: Step, green: Attached, blue_carries: impl FnOnce() -> bool) -> Option<&'static str> {
    match (step.reduces_blue(), green) {
        (false, Attached::To(_) | Attached::ToBoth | Attached::ToShared) => {
            Some("the new group is attached to a target group already")
        }
        (true, Attached::ToShared) if blue_carries() => Some("blue is still attached to the target group"),
        (false, Attached::Nowhere) | (true, Attached::ToShared) => None,
        (true, Attached::Nowhere | Attached::To(_) | Attached::ToBoth) => Some(NOT_ATTACHED),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Share;
    use crate::reading::{SlotSeen, Traffic};

    fn step(traffic: Share) -> Step {
        Step { capacity: Share::ALL, traffic }
    }

    #[test]
    fn behind_a_rule_it_is_said_what_is_missing() {
        let b = |attached, weight, strangers, traffic| {
            let slot = |weight, strangers| SlotSeen { weight, strangers };
            let traffic_seen = Traffic::Weighted { a: slot(Some(100), 0), b: slot(weight, strangers) };
            let reading = Reading { groups: [].into(), foreign: [].into(), traffic: traffic_seen };
            weighted(step(traffic), &GroupSeen::of_two(attached), Slot::B, &reading).unwrap_or("nothing")
        };
        let (apart, own) = (Share::NONE, Attached::To(Slot::B));
        assert_eq!(b(own, Some(0), 0, apart), "nothing");
        assert!(b(own, None, 0, apart).ends_with("not in the rule yet"));
        assert_eq!(b(Attached::Nowhere, Some(0), 0, apart), NOT_ATTACHED);
        assert!(b(Attached::Nowhere, Some(0), 1, apart).starts_with("somebody else's targets"));
        assert!(b(own, Some(1), 0, apart).ends_with("already"));
        assert!(b(own, Some(0), 0, Share::ALL).starts_with("the rule does not send every request"));
        assert!(b(own, Some(100), 0, Share::ALL).starts_with("the rule does not send every request"));
    }

    #[test]
    fn of_a_rule_of_another_shape_its_own_trouble_is_told() {
        let unusable = |route| {
            let traffic = Traffic::Unusable("the rule is a redirect".to_owned());
            let reading = Reading { groups: [].into(), foreign: [].into(), traffic };
            super::unusable(route, &reading).map(str::to_owned)
        };
        assert_eq!(unusable(Route::Weighted { green: Slot::B }).as_deref(), Some("the rule is a redirect"));
        assert_eq!(unusable(Route::Workers {}), None);
    }

    #[test]
    fn traffic_that_is_all_on_green_stands() {
        let slot = |weight| SlotSeen { weight: Some(weight), strangers: 0 };
        let reading = Reading {
            groups: [].into(),
            foreign: [].into(),
            traffic: Traffic::Weighted { a: slot(0), b: slot(100) },
        };
        assert_eq!(
            weighted(step(Share::ALL), &GroupSeen::of_two(Attached::To(Slot::B)), Slot::B, &reading),
            None
        );
    }

    #[test]
    fn in_one_target_group_it_is_said_who_is_still_there_or_not_yet() {
        let apart = |attached| shared(step(Share::NONE), attached, || true);
        assert_eq!(apart(Attached::Nowhere), None);
        assert!(apart(Attached::ToShared).unwrap().ends_with("already"));
        let joined = |attached, blue| shared(step(Share::ALL), attached, || blue);
        assert_eq!(joined(Attached::Nowhere, true), Some(NOT_ATTACHED));
        assert!(joined(Attached::ToShared, true).unwrap().starts_with("blue is still attached"));
        assert_eq!(joined(Attached::ToShared, false), None);
    }
}
