//! Bringing green in: `RolloutWait` and `EvaluateWait`.

use crate::capacity::Removal;
use crate::case::Case;
use crate::effect::{Effect, Size};
use crate::name::GroupName;
use crate::plan::{Plan, Route, Step};
use crate::reading::{Attached, GroupSeen, Presence, Reading, Slot};
use crate::tenure::Role;

/// Whatever this step still lacks. What blue was like is on record by now: until every blue that is seen is held, that
/// write is what is decided.
pub(super) fn roll_out(case: &Case<'_>) -> Vec<Effect> {
    let (Some(plan), Some(step), Some(reading)) = (case.plan(), case.step(), case.reading()) else {
        return Vec::new();
    };
    let desired = case.desired(reading);
    if reading.foreign.contains_key(&plan.green) {
        return Vec::new();
    }
    let Some(green) = reading.group(&plan.green) else {
        let first = case.view.deployment.history.step() == Some(1);
        let launch = Effect::Launch { group: plan.green.clone(), desired: step.capacity.of(desired) };
        return if first { vec![launch] } else { Vec::new() };
    };
    if green.presence == Presence::BeingDeleted {
        return Vec::new();
    }
    let mut effects = Vec::new();
    effects.extend(grow(&plan.green, green, step.capacity.of(desired)));
    match plan.route {
        Route::Weighted { green: slot } => effects.extend(weighted(case, plan, step, reading, green, slot)),
        Route::Shared {} => effects.extend(shared(case, plan, step, reading, green)),
        Route::Workers {} => {}
    }
    effects
}

/// Only more instances, if blue has grown meanwhile.
pub(super) fn keep_capacity(case: &Case<'_>) -> Vec<Effect> {
    let (Some(plan), Some(step), Some(reading)) = (case.plan(), case.step(), case.reading()) else {
        return Vec::new();
    };
    let wanted = step.capacity.of(case.desired(reading));
    let green = reading.group(&plan.green).filter(|green| green.presence == Presence::Here);
    green.and_then(|green| grow(&plan.green, green, wanted)).into_iter().collect()
}

fn grow(name: &GroupName, seen: &GroupSeen, wanted: u32) -> Option<Effect> {
    let size = Size::at_least(wanted, seen);
    (seen.desired < wanted).then(|| Effect::Resize { group: name.clone(), size })
}

fn weighted(
    case: &Case<'_>,
    plan: &Plan,
    step: Step,
    reading: &Reading,
    green: &GroupSeen,
    slot: Slot,
) -> Vec<Effect> {
    let Some(seen) = reading.traffic.slot(slot) else { return Vec::new() };
    let Some(weight) = seen.weight else { return vec![Effect::Enlist(slot)] };
    if !green.attached.includes(slot) {
        let squatters: Vec<_> = in_slot(reading, slot).collect();
        if squatters.is_empty() && seen.strangers == 0 && weight == 0 {
            return vec![Effect::Attach { group: plan.green.clone(), slot: Some(slot) }];
        }
        return squatters.into_iter().filter_map(|name| evict(case, name, slot)).collect();
    }
    if !step.reduces_blue() || reading.traffic.is_all_on(slot) {
        return Vec::new();
    }
    let hold = hold_blue(case, plan, reading);
    if !hold.is_empty() {
        return hold;
    }
    if case.permits(Removal::Shift(slot)) { vec![Effect::Shift(slot)] } else { Vec::new() }
}

fn shared(case: &Case<'_>, plan: &Plan, step: Step, reading: &Reading, green: &GroupSeen) -> Vec<Effect> {
    if !step.reduces_blue() {
        return Vec::new();
    }
    if green.attached != Attached::ToShared {
        return vec![Effect::Attach { group: plan.green.clone(), slot: None }];
    }
    let hold = hold_blue(case, plan, reading);
    if !hold.is_empty() {
        return hold;
    }
    let attached = plan.blue.iter().find(|name| case.carries_here(reading, name));
    match attached {
        Some(blue) if case.permits(Removal::Group(blue)) => {
            vec![Effect::Detach { group: blue.clone(), slot: None }]
        }
        Some(_) | None => Vec::new(),
    }
}

/// Who of the ledger is attached to the slot or still draining from it.
fn in_slot(reading: &Reading, slot: Slot) -> impl Iterator<Item = &GroupName> {
    reading.groups.iter().filter(move |(_, group)| group.attached.includes(slot)).map(|(name, _)| name)
}

/// Takes a group out of the slot that green needs: one that is given up, or one of several that serve, as a turn that did
/// not end well may leave them, if that slot gets no requests. Anybody else stays: that is for a person to see.
fn evict(case: &Case<'_>, name: &GroupName, slot: Slot) -> Option<Effect> {
    let is_idle = |reading: &Reading| reading.traffic.slot(slot).is_some_and(|seen| seen.weight == Some(0));
    let is_out_of_use = || case.readings().is_some_and(|readings| readings.into_iter().all(is_idle));
    let may = match case.environment()?.tenure.member(name)?.role {
        Role::Doomed => true,
        Role::Serving => is_out_of_use(),
        Role::Green => false,
    };
    let evicted = || Effect::Detach { group: name.clone(), slot: Some(slot) };
    (may && case.permits_tidying(Removal::Group(name))).then(evicted)
}

/// Raises blue's lower bound to its share of the recorded D, so that no autoscaler takes away what a rollback would
/// need.
fn hold_blue(case: &Case<'_>, plan: &Plan, reading: &Reading) -> Vec<Effect> {
    let Some(environment) = case.environment() else { return Vec::new() };
    let effects = plan.blue.iter().filter_map(|name| {
        let share = environment.tenure.member(name)?.held?.desired?;
        let seen = reading.group(name).filter(|seen| seen.presence == Presence::Here)?;
        let size = Size::at_least(share, seen);
        (seen.min < share).then(|| Effect::Resize { group: name.clone(), size })
    });
    effects.collect()
}
