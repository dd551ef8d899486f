//! The end of a deploy whose Environment is gone, in spite of the finalizer on it.
//!
//! Ledger and turn went with the Environment, and with them the right to move traffic or to go on. What this deploy
//! has made superfluous and carries nothing is taken down: green until it was found good, blue afterwards. Everything
//! else stays as it is, named in the last entry, for a person to see.

use super::retire::{Retiring, retire};
use super::{Action, Decision, Progress, Write, transition};
use crate::capacity::{self, Purpose, Removal};
use crate::case::Case;
use crate::effect::Effect;
use crate::event::Event;
use crate::name::GroupName;
use crate::plan::{Plan, Step};
use crate::reading::{AtWork, Reading};
use crate::state::State;
use crate::view::Remains;

pub(super) fn orphan(case: &Case<'_>, remains: &Remains) -> Decision {
    // Without its turn it may record nothing else.
    if let Some(append) = transition::of(case, Event::Orphaned) {
        return Decision::write(Write::Append(Box::new(append)));
    }
    let effects = tidy(case, remains);
    let message = match case.is_certain() {
        true => "its Environment is gone; taking down what carries nothing",
        false => "its Environment is gone; an unanswered request to the cloud may still land",
    };
    Decision {
        action: if effects.is_empty() { Action::Wait } else { Action::Act(effects) },
        wake: Some(case.tick()),
        progress: Some(Progress::of(message)),
    }
}

/// Whether nothing is left to be done, or it has taken too long.
pub(super) fn is_settled(case: &Case<'_>, remains: &Remains) -> bool {
    let Some(plan) = case.plan() else { return true };
    let in_time = remains.since < plan.pace.rollout_timeout();
    let readings = case.memory.two_certain(case.now, case.tick());
    let carries = |name: &GroupName| {
        readings.is_some_and(|readings| readings.iter().all(|reading| carries(case, plan, reading, name)))
    };
    let settled = |name| case.memory.is_gone(name, case.now, case.tick()) || carries(name);
    !in_time || superfluous(case, plan, remains).all(settled)
}

/// The groups of the deploy that may be left, as far as anybody has seen.
pub(super) fn left<'a>(case: &'a Case<'_>, remains: &'a Remains) -> impl Iterator<Item = &'a GroupName> {
    let groups = case.plan().into_iter().flat_map(|plan| plan.blue.iter().chain([&plan.green]));
    groups.filter(|name| {
        let seen = case.reading().filter(|_| remains.groups.contains(name));
        seen.is_none_or(|reading| reading.group(name).is_some())
    })
}

/// What this deploy has made superfluous: what it brought, or once that was found good, what it replaced.
fn superfluous<'a>(
    case: &Case<'_>,
    plan: &'a Plan,
    remains: &'a Remains,
) -> impl Iterator<Item = &'a GroupName> {
    let history = &case.view.deployment.history;
    let was_found_good = history.has(State::RetainWait) && history.rollback().is_none();
    let groups = if was_found_good { &plan.blue[..] } else { std::slice::from_ref(&plan.green) };
    groups.iter().filter(|name| remains.groups.contains(name))
}

fn tidy(case: &Case<'_>, remains: &Remains) -> Vec<Effect> {
    let (Some(plan), Some(reading), true) = (case.plan(), case.reading(), case.is_certain()) else {
        return Vec::new();
    };
    let next = |name: &GroupName| match retire(name, reading, case.memory, case.now, case.tick()) {
        Retiring::Do(effect) => {
            (reading.group(name).is_none() || carries_nothing(case, plan, name)).then_some(effect)
        }
        Retiring::Wait | Retiring::Gone => None,
    };
    superfluous(case, plan, remains).filter_map(next).collect()
}

/// Whether two readings show that nobody would miss the group.
fn carries_nothing(case: &Case<'_>, plan: &Plan, name: &GroupName) -> bool {
    let Some(readings) = case.memory.two_certain(case.now, case.tick()) else { return false };
    let wanted = readings.iter().filter_map(|reading| reading.group(&plan.green)).map(|green| green.desired);
    let removal = Removal::Group(name);
    !readings.iter().any(|reading| carries(case, plan, reading, name))
        && capacity::permits(removal, Purpose::Tidy, wanted.max().unwrap_or(1).max(1), readings, &|name| {
            let green = *name == plan.green;
            if green { at_work(case, plan, name) } else { AtWork::Yes }
        })
}

fn carries(case: &Case<'_>, plan: &Plan, reading: &Reading, name: &GroupName) -> bool {
    reading.carries(name, at_work(case, plan, name))
}

/// Of workers, green is at work from the step on that gives it traffic, and blue until it is retired.
fn at_work(case: &Case<'_>, plan: &Plan, name: &GroupName) -> AtWork {
    let works = match *name == plan.green {
        true => case.step().is_some_and(Step::reduces_blue),
        false => !case.view.deployment.history.has(State::RetireWait),
    };
    if works { AtWork::Yes } else { AtWork::No }
}
