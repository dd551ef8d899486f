//! Which entry comes next, if any.

use super::signals::{self, Signal};
use super::{Append, Write};
use crate::case::Case;
use crate::event::{Event, Reason};
use crate::plan::{Plan, Route};
use crate::reading::{Reading, Slot, Traffic};
use crate::state::State;
use crate::table::{self, Carrier};
use crate::tenure::Role;
use crate::view::{EnvironmentView, Resolution, Routing};

/// The first entry of every history.
pub(super) fn created(case: &Case<'_>) -> Write {
    let entry =
        case.view.deployment.history.next(State::Pending, None, Reason::Created, "created", case.now.wall);
    Write::Append(Box::new(Append { entry, turn: None, plan: None }))
}

/// The entry for the event that counts most, of those that hold and that the table has an answer to.
pub(super) fn next(case: &Case<'_>) -> Option<Append> {
    Event::BY_PRIORITY.into_iter().find_map(|event| of(case, event))
}

/// The entry for this event, if it holds and the table has an answer to it.
pub(super) fn of(case: &Case<'_>, event: Event) -> Option<Append> {
    let facts = case.facts();
    let signal = signals::signal(case, event)?;
    let next = table::resolve(case.state(), event, facts)?;
    append(case, next, event, facts.carrier, signal)
}

/// The entry that can be appended whatever the Environment's record is worth: who waits may be canceled.
pub(super) fn of_who_waits(case: &Case<'_>) -> Option<Append> {
    let deployment = case.view.deployment;
    let holds = case.environment().is_some_and(|it| it.tenure.holder.as_ref() == Some(&deployment.uid));
    let waits = case.state() == State::Pending && !holds;
    let cancels = waits.then_some([Event::EndRequested, Event::Deleted]);
    cancels.into_iter().flatten().find_map(|event| of(case, event))
}

fn append(case: &Case<'_>, next: State, event: Event, carrier: Carrier, signal: Signal) -> Option<Append> {
    let history = &case.view.deployment.history;
    let step = match (case.state(), next) {
        (State::Prepare, State::RolloutWait) => Some(1),
        (State::EvaluateWait, State::RolloutWait) => history.step().map(|step| step + 1),
        (_, State::EvaluateWait) => history.step(),
        _ => None,
    };
    let (reason, message) = match (case.state(), next, event, carrier) {
        (State::Rollback, State::Failed, Event::Failed | Event::TimedOut, Carrier::Green) => (
            Reason::BlueLost,
            "traffic could not be brought back to blue in time, so green keeps serving".to_owned(),
        ),
        (State::Rollback, _, _, _) => (signal.reason, with_cause(case, &signal.message)),
        _ => (signal.reason, signal.message),
    };
    let turn = match (case.state(), next) {
        (State::Pending, State::Resolve) => Some(case.environment()?.tenure.turn),
        _ => None,
    };
    let plan = match (case.state(), next) {
        (State::Resolve, State::Prepare) => Some(compile(case).ok()?),
        _ => None,
    };
    Some(Append { entry: history.next(next, step, reason, &message, case.now.wall), turn, plan })
}

fn with_cause(case: &Case<'_>, message: &str) -> String {
    match case.view.deployment.history.rollback() {
        Some(cause) => format!("{message}; it began because: {}", cause.message),
        None => message.to_owned(),
    }
}

/// Why a plan can't be made yet, in words.
pub(super) type Obstacle = String;

/// Compiles the plan from what is known now: the release, and blue in the first reading of the turn.
pub(super) fn compile(case: &Case<'_>) -> Result<Plan, Obstacle> {
    let environment = case.environment().ok_or("its Environment is gone")?;
    let Resolution::Resolved(shipment) = case.view.resolution else {
        return Err("the release is not known yet".to_owned());
    };
    let reading = case.reading().ok_or("the cloud has not been read yet")?;
    let tenure = &environment.tenure;
    let uid = &case.view.deployment.uid;
    let green = tenure
        .of_role(Role::Green)
        .find(|member| member.owner == *uid)
        .ok_or("its group is not in the Environment's ledger")?;
    if green.place != environment.place {
        return Err(format!(
            "the Environment moved from {} to {} after this Deployment took its turn; abort it and deploy again",
            green.place, environment.place
        ));
    }
    if green.access.as_ref().is_some_and(|access| *access != environment.access) {
        return Err(
            "the Environment's traffic was edited after this Deployment took its turn; abort it and deploy again".to_owned()
        );
    }
    let blue: Vec<_> = tenure.of_role(Role::Serving).map(|member| member.name.clone()).collect();
    // Of several that serve, one that gets no requests is nobody to go back to.
    let carriers = blue.iter().filter(|name| case.carries(reading, name));
    let healthy: u32 = carriers.map(|name| reading.healthy(name)).sum();
    Ok(Plan {
        shipment: (**shipment).clone(),
        steps: environment.strategy.steps(),
        green: green.name.clone(),
        route: route(environment, reading)?,
        floor: case.desired(reading).min(healthy),
        blue,
        pace: environment.pace,
        environment: environment.revision.clone(),
    })
}

/// How requests will reach green. Of two target groups it takes the one of weight 0.
fn route(environment: &EnvironmentView, reading: &Reading) -> Result<Route, Obstacle> {
    match (environment.access.routing(), &reading.traffic) {
        (Routing::Shared, _) => Ok(Route::Shared {}),
        (Routing::Workers, _) => Ok(Route::Workers {}),
        (Routing::Weighted, Traffic::Weighted { a, b }) => {
            match (a.weight.unwrap_or(0), b.weight.unwrap_or(0)) {
                (0, _) => Ok(Route::Weighted { green: Slot::A }),
                (_, 0) => Ok(Route::Weighted { green: Slot::B }),
                (a, b) => Err(format!(
                    "the rule gives weight to both target groups ({a} and {b}), so neither is free for green; \
                     set the weight of the one that does not serve to 0"
                )),
            }
        }
        (Routing::Weighted, Traffic::Unusable(why)) => Err(why.clone()),
        (Routing::Weighted, Traffic::Shared | Traffic::Workers) => {
            Err("the rule has not been read yet".to_owned())
        }
    }
}
