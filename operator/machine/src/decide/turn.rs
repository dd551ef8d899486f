//! The two-object protocol: what a deploy writes to its Environment, and when.

use super::TenureChange;
use crate::case::Case;
use crate::deployed::Deployed;
use crate::event::Reason;
use crate::name::GroupName;
use crate::plan::{Plan, Route, Step};
use crate::reading::Reading;
use crate::state::State;
use crate::tenure::{End, Held, Member, Role, Tenure};
use crate::view::{Claim, Deletion, EnvironmentView, Paused, PlaceInLine};

/// Whether the Environment says that it is this deploy's turn, the very turn that the deploy recorded.
pub(super) fn is_ours(case: &Case<'_>) -> bool {
    case.environment().is_some_and(|environment| {
        environment.tenure.holder.as_ref() == Some(&case.view.deployment.uid)
            && Some(environment.tenure.turn) == case.view.deployment.turn
    })
}

/// The write to the Environment that this state is due, if any.
pub(super) fn tenure_write(case: &Case<'_>) -> Option<(Tenure, TenureChange)> {
    match case.state() {
        State::Pending => take(case).map(|tenure| (tenure, TenureChange::Take)),
        State::RolloutWait => hold(case).map(|tenure| (tenure, TenureChange::Hold)),
        State::RetainWait | State::RetireWait => project(case).map(|tenure| (tenure, TenureChange::Project)),
        State::Resolve
        | State::Prepare
        | State::EvaluateWait
        | State::Rollback
        | State::Done
        | State::Failed
        | State::Aborted
        | State::Canceled => None,
    }
}

fn take(case: &Case<'_>) -> Option<Tenure> {
    let environment = case.environment()?;
    let free = environment.tenure.holder.is_none()
        && environment.deletion == Deletion::None
        && environment.claim == Claim::Undisputed;
    let may = case.view.queue.place == PlaceInLine::Next
        && case.view.deployment.request.paused == Paused::No
        && case.is_certain();
    (free && may).then(|| {
        let EnvironmentView { name, tenure, place, access, .. } = environment;
        tenure.take(name, &case.view.deployment.uid, place, access)
    })
}

/// Records D and what blue was like, before the first write that takes anything from blue.
fn hold(case: &Case<'_>) -> Option<Tenure> {
    let (environment, plan) = (case.environment()?, case.plan()?);
    let reading = case.reading()?;
    if !case.step().is_some_and(Step::reduces_blue) || plan.route == (Route::Workers {}) {
        return None;
    }
    let members = plan.blue.iter().filter_map(|name| environment.tenure.member(name));
    let mut holds: Vec<_> = members.filter_map(|member| to_hold(member, reading)).collect();
    // Each is held as it is, so together they have what they have now; what users need beyond that is the first one's.
    let shared = holds.iter().filter_map(|(_, held)| held.desired).sum();
    let beyond = case.desired(reading).saturating_sub(shared);
    if let (Some((_, first)), None) = (holds.first_mut(), environment.tenure.held_desired()) {
        first.desired = first.desired.map(|share| share.saturating_add(beyond));
    }
    (!holds.is_empty()).then(|| environment.tenure.hold(&holds))
}

fn to_hold(member: &Member, reading: &Reading) -> Option<(GroupName, Held)> {
    let seen = reading.group(&member.name)?;
    let held = Held { desired: Some(seen.desired), original_min: seen.min, original_max: seen.max };
    member.held.is_none_or(|held| held.desired.is_none()).then(|| (member.name.clone(), held))
}

fn project(case: &Case<'_>) -> Option<Tenure> {
    let (environment, plan) = (case.environment()?, case.plan()?);
    let ours = environment.tenure.deployed.as_ref().is_some_and(|d| d.uid == case.view.deployment.uid);
    (!ours).then(|| environment.tenure.project(&plan.green, &deployed(case, plan)))
}

/// What is recorded of this deploy once it was found good.
pub(super) fn deployed(case: &Case<'_>, plan: &Plan) -> Deployed {
    let deployment = case.view.deployment;
    let proven = deployment.history.entries().iter().find(|entry| entry.state == State::RetainWait);
    Deployed {
        shipment: plan.shipment.clone(),
        deployment: deployment.name.clone(),
        uid: deployment.uid.clone(),
        turn: deployment.turn.unwrap_or_default(),
        since: proven.map_or(case.now.wall, |entry| entry.at),
    }
}

/// How the turn of a deploy that has ended is given back; none as long as that takes another look.
///
/// Its history says how, unless something was given up: a rollback by one who may have been overtaken by another who
/// brought the traffic back, or the retiring of a blue that may still have it, after a restore or because somebody has
/// given it back by hand. Then who serves is who carries it now.
pub(super) fn end(case: &Case<'_>) -> Option<End> {
    let environment = case.environment()?;
    let deployment = case.view.deployment;
    let last = deployment.history.last()?;
    let serving = || environment.tenure.of_role(Role::Serving).map(|member| member.name.clone()).collect();
    let recorded = deployment.turn == Some(environment.tenure.turn);
    let Some(plan) = case.plan().filter(|_| recorded) else {
        // It ended before anything was launched in this turn, so what it announced does not exist and never will.
        let own = environment.tenure.of_role(Role::Green).filter(|member| member.owner == deployment.uid);
        let gone = own.map(|member| member.name.clone()).collect();
        return Some(End { serving: serving(), gone, deployed: None });
    };
    let by_history = match last.state == State::Done || last.reason == Reason::BlueLost {
        true => vec![plan.green.clone()],
        false => plan.blue.clone(),
    };
    // Superseded is, of those that have a plan, only who was retiring blue.
    let given_up = matches!(last.reason, Reason::TimedOut | Reason::BlueLost | Reason::Superseded);
    let carriers = if given_up { carriers(case, plan)? } else { Vec::new() };
    let serving = match last.state {
        _ if carriers.is_empty() => by_history,
        // Blue is given up whether or not requests still reach it, but never for a green that they do not reach.
        State::Done if carriers.contains(&plan.green) => by_history,
        _ => carriers,
    };
    let green_serves = serving.contains(&plan.green);
    Some(End {
        serving,
        gone: match last.reason {
            Reason::RetireOk => plan.blue.clone(),
            Reason::RollbackOk => vec![plan.green.clone()],
            _ => Vec::new(),
        },
        deployed: green_serves.then(|| deployed(case, plan)),
    })
}

/// The groups of this deploy that carry traffic, by two looks with nothing under way.
fn carriers(case: &Case<'_>, plan: &Plan) -> Option<Vec<GroupName>> {
    let readings = case.memory.two_certain(case.now, case.tick())?;
    let groups = plan.blue.iter().chain([&plan.green]);
    let carrying = groups.filter(|name| readings.iter().all(|reading| case.carries(reading, name)));
    Some(carrying.cloned().collect())
}
