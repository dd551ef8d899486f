//! Taking a group down in the safe order: out of traffic, drained, emptied, deleted, confirmed gone.
//!
//! Where somebody else's group has the name of one that is to go, ours is not there and can't come: a name is given to
//! one group at a time. So it counts as gone once nothing of ours can land any more, and the other one stays.

use super::Effect;
use crate::capacity::Removal;
use crate::case::Case;
use crate::memory::{Memory, Now};
use crate::name::GroupName;
use crate::reading::{Attached, Presence, Reading, Slot};

use std::time::Duration;

/// How far a group is on its way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Retiring {
    /// This is to be done next.
    Do(Effect),
    /// Something under way has to finish.
    Wait,
    /// It is gone and will not come back.
    Gone,
}

/// The next thing to do to a group that is to go.
pub(crate) fn retire(
    name: &GroupName,
    reading: &Reading,
    memory: &Memory,
    now: Now,
    tick: Duration,
) -> Retiring {
    let Some(seen) = reading.group(name) else {
        return match (memory.is_gone(name, now, tick), memory.is_deletion_answered(name)) {
            (true, _) => Retiring::Gone,
            (false, true) => Retiring::Wait,
            (false, false) if reading.foreign.contains_key(name) => {
                Retiring::Do(Effect::Disown(name.clone()))
            }
            (false, false) => Retiring::Do(Effect::Delete(name.clone())),
        };
    };
    if seen.presence == Presence::BeingDeleted {
        return Retiring::Wait;
    }
    if seen.attached != Attached::Nowhere {
        return Retiring::Do(Effect::Detach { group: name.clone(), slot: slot_of(seen.attached) });
    }
    if seen.apart.attached != Attached::Nowhere {
        return Retiring::Do(Effect::Leave { group: name.clone(), slot: slot_of(seen.apart.attached) });
    }
    if seen.draining > 0 {
        return Retiring::Wait;
    }
    if seen.min > 0 || seen.desired > 0 {
        return Retiring::Do(Effect::Empty(name.clone()));
    }
    if seen.instances > 0 {
        return Retiring::Wait;
    }
    Retiring::Do(Effect::Delete(name.clone()))
}

/// The slot that the group is to be detached from next; none for the target group that all share.
fn slot_of(attached: Attached) -> Option<Slot> {
    match attached {
        Attached::To(slot) => Some(slot),
        Attached::ToBoth => Some(Slot::A),
        Attached::Nowhere | Attached::ToShared => None,
    }
}

/// `RetireWait`: blue goes, group by group.
pub(super) fn retire_blue(case: &Case<'_>) -> Vec<Effect> {
    let (Some(plan), Some(reading)) = (case.plan(), case.reading()) else { return Vec::new() };
    let effects =
        plan.blue.iter().filter_map(|name| match retire(name, reading, case.memory, case.now, case.tick()) {
            Retiring::Do(effect) => {
                (reading.group(name).is_none() || case.permits(Removal::Group(name))).then_some(effect)
            }
            Retiring::Wait | Retiring::Gone => None,
        });
    one_from_users(effects.collect(), |name| case.carries(reading, name))
}

/// Of what takes from groups that carry traffic only the first, and that alone: each was judged as if nothing
/// else were taken.
pub(crate) fn one_from_users(mut effects: Vec<Effect>, carries: impl Fn(&GroupName) -> bool) -> Vec<Effect> {
    let takes = |effect: &Effect| effect.takes_down() && effect.group().is_some_and(&carries);
    match effects.iter().position(takes) {
        Some(first) => vec![effects.swap_remove(first)],
        None => effects,
    }
}
