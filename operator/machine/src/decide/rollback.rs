//! `Rollback`: traffic and capacity back to blue first, then green goes.

use super::retire::{Retiring, retire};
use super::standing;
use crate::capacity::Removal;
use crate::case::{Case, blue_here};
use crate::effect::{Effect, Size};
use crate::name::GroupName;
use crate::plan::{Plan, Route};
use crate::reading::{Attached, GroupSeen, Presence, Reading};

/// Whatever going back still lacks, the most urgent first.
pub(super) fn roll_back(case: &Case<'_>) -> Vec<Effect> {
    // Its looks go with each change that is made: whoever undoes them all would else keep it from ever being given up.
    if is_overdue(case) && case.is_certain() { Vec::new() } else { due(case) }
}

/// Whether its time is up. What counts of it is when the cloud was seen: where that was away, or this process, blue still
/// gets its traffic back.
pub(super) fn is_overdue(case: &Case<'_>) -> bool {
    let seen_for = case.elapsed().min(case.memory.watched_for());
    case.pace().is_some_and(|pace| seen_for >= pace.rollout_timeout())
}

fn due(case: &Case<'_>) -> Vec<Effect> {
    let (Some(plan), Some(reading)) = (case.plan(), case.reading()) else { return Vec::new() };
    let mut effects = regrow(plan, reading);
    effects.extend(return_traffic(case, plan, reading));
    if effects.is_empty() && case.traffic_is_home(plan, reading) {
        effects.extend(let_go(case, plan, reading));
        effects.extend(retire_green(case, plan, reading));
    }
    effects
}

/// Gives blue back the size it must have to carry the traffic. By its lower bound, which the Environment's own loop
/// brings back to what is declared.
fn regrow(plan: &Plan, reading: &Reading) -> Vec<Effect> {
    let here = || blue_here(plan, reading);
    let need = plan.floor.max(1);
    let has: u32 = here().map(|(_, group)| group.desired).sum();
    let ours = here().find(|(name, _)| reading.is_ours(name));
    let Some((name, group)) = ours.filter(|_| has < need) else { return Vec::new() };
    let size = Size::at_least(group.desired + (need - has), group);
    vec![Effect::Resize { group: name.clone(), size }]
}

fn return_traffic(case: &Case<'_>, plan: &Plan, reading: &Reading) -> Option<Effect> {
    let here = || blue_here(plan, reading);
    // A rule of another shape stays as somebody made it: new weights would take from it what is not ours.
    let shift = |home| {
        let due = !case.traffic_is_home(plan, reading)
            && standing::unusable(plan.route, reading).is_none()
            && case.permits(Removal::Shift(home));
        due.then_some(Effect::Shift(home))
    };
    if let (Route::Weighted { green }, []) = (plan.route, &plan.blue[..]) {
        return shift(green.other());
    }
    here().next()?;
    match plan.route {
        Route::Weighted { green } => {
            let home = green.other();
            let is_home = |name| reading.group(name).is_some_and(|seen| seen.attached.includes(home));
            let ours = || here().filter(|(name, _)| reading.is_ours(name));
            let detached = ours().find(|(name, _)| case.belongs(name, Some(home)));
            if let Some((name, _)) = detached.filter(|_| !plan.blue.iter().any(is_home)) {
                return Some(Effect::Attach { group: name.clone(), slot: Some(home) });
            }
            shift(home)
        }
        Route::Shared {} => {
            // All of blue: its floor was counted over all of it.
            let detached = |(name, seen): &(&GroupName, &GroupSeen)| {
                seen.attached != Attached::ToShared && case.belongs(name, None) && reading.is_ours(name)
            };
            if let Some((name, _)) = here().find(detached) {
                return Some(Effect::Attach { group: name.clone(), slot: None });
            }
            let attached = reading.group(&plan.green)?.attached != Attached::Nowhere;
            // Detaching can land late, after a new decision: it waits until the world is certain.
            let may = attached && case.is_certain() && case.permits(Removal::Group(&plan.green));
            may.then(|| Effect::Detach { group: plan.green.clone(), slot: None })
        }
        Route::Workers {} => None,
    }
}

/// Gives blue's autoscaler its bounds back. A blue that has lost its tags keeps those it has until it has them again:
/// it serves, and that is all that is needed of it.
fn let_go(case: &Case<'_>, plan: &Plan, reading: &Reading) -> Vec<Effect> {
    let Some(environment) = case.environment() else { return Vec::new() };
    let ours = plan.blue.iter().filter(|name| reading.is_ours(name));
    let effects = ours.filter_map(|name| {
        let held = environment.tenure.member(name)?.held?;
        let seen = reading.group(name).filter(|seen| seen.presence == Presence::Here)?;
        let size = Size { min: held.original_min, max: held.original_max.max(seen.desired), desired: None };
        (seen.min != size.min || seen.max != size.max).then(|| Effect::Resize { group: name.clone(), size })
    });
    effects.collect()
}

fn retire_green(case: &Case<'_>, plan: &Plan, reading: &Reading) -> Option<Effect> {
    if !case.is_certain() {
        return None;
    }
    match retire(&plan.green, reading, case.memory, case.now, case.tick()) {
        Retiring::Do(effect) => {
            let absent = reading.group(&plan.green).is_none();
            (absent || case.permits(Removal::Group(&plan.green))).then_some(effect)
        }
        Retiring::Wait | Retiring::Gone => None,
    }
}

/// Whether everything has been given back: traffic, bounds, and green is gone.
pub(super) fn is_complete(case: &Case<'_>, plan: &Plan, reading: &Reading) -> bool {
    case.traffic_is_home(plan, reading)
        && let_go(case, plan, reading).is_empty()
        && case.memory.is_gone(&plan.green, case.now, case.tick())
}

/// What somebody has to know of the groups when it is over; none where they are as they should be.
pub(super) fn left_alone(case: &Case<'_>, plan: &Plan, reading: &Reading) -> Vec<String> {
    let green = reading.foreign.get(&plan.green).map(|lacking| {
        format!(
            "what is called {} does not carry this Deployment's tags ({lacking}) and is left alone: if it is green, delete \
             it",
            plan.green
        )
    });
    green.into_iter().chain(stray_blue(case, plan, reading)).collect()
}

/// That blue has lost its tags, if it has.
pub(super) fn stray_blue(case: &Case<'_>, plan: &Plan, reading: &Reading) -> Option<String> {
    let (name, lacking) = plan.blue.iter().find_map(|name| Some((name, reading.foreign.get(name)?)))?;
    let so = if is_detached(case, plan, name, reading) {
        "it can't be attached again, so give it its tags back, and it is"
    } else {
        "it serves and is left as it is, so give it its tags back, and it gets the declared bounds"
    };
    Some(format!("group {name} does not carry this Environment's tags any more ({lacking}): {so}"))
}

/// Whether no request can reach it before it is attached again.
fn is_detached(case: &Case<'_>, plan: &Plan, name: &GroupName, reading: &Reading) -> bool {
    let slot = match plan.route {
        Route::Weighted { green } => Some(green.other()),
        Route::Shared {} => None,
        Route::Workers {} => return false,
    };
    let detached = reading.group(name).is_some_and(|seen| seen.attached == Attached::Nowhere);
    detached && case.belongs(name, slot)
}
