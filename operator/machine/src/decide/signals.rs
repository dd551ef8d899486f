//! Which events hold in this tick.

use super::{orphan, rollback, standing, transition, waiting};
use crate::case::{Case, is_viable};
use crate::event::{Event, Reason};
use crate::memory::Verdict;
use crate::name::GroupName;
use crate::plan::{Plan, Route, Step};
use crate::reading::{Presence, Reading};
use crate::state::State;
use crate::view::{
    Deletion, EndRequest, Evaluation, Existence, Home, Mark, Others, Paused, Resolution, Successor,
};

/// An event that holds, in the words of the history.
pub(super) struct Signal {
    pub(super) reason: Reason,
    pub(super) message: String,
}

fn signal_of(reason: Reason, message: impl Into<String>) -> Signal {
    Signal { reason, message: message.into() }
}

/// The event, if it holds.
pub(super) fn signal(case: &Case<'_>, event: Event) -> Option<Signal> {
    match event {
        Event::Restored => restored(case),
        Event::Orphaned => orphaned(case),
        Event::EndRequested => end_requested(case),
        Event::Deleted => deleted(case),
        Event::Failed => failed(case),
        Event::GreenLost => green_lost(case),
        Event::Superseded => superseded(case),
        Event::Ok => ok(case),
        Event::TimedOut => timed_out(case),
    }
}

/// With its Environment went ledger and turn: it tidies up after itself, and ends.
fn orphaned(case: &Case<'_>) -> Option<Signal> {
    let Home::Gone(remains) = case.view.home else { return None };
    if !case.is_certain() || !orphan::is_settled(case, remains) {
        return None;
    }
    let left: Vec<_> = orphan::left(case, remains).map(GroupName::as_str).collect();
    let left = match left.as_slice() {
        [] => String::new(),
        names => format!("; left as they are, delete by hand what is not needed: {}", names.join(", ")),
    };
    let message = format!("the Environment was deleted in spite of its finalizer{left}");
    Some(signal_of(Reason::EnvironmentGone, message))
}

/// Who never runs, and who has lost the turn that they recorded.
///
/// Whether a turn is lost follows from the Environment alone: it is given back only after its deploy's end, so one
/// that goes on without this deploy was not given back by it.
fn restored(case: &Case<'_>) -> Option<Signal> {
    let deployment = case.view.deployment;
    let holder = case.environment().and_then(|environment| environment.tenure.holder.as_ref());
    if holder == Some(&deployment.uid) {
        return None;
    }
    if let Mark::Other(uid) = &deployment.mark {
        return Some(signal_of(
            Reason::Restored,
            format!(
                "it is a copy of a Deployment with uid {uid} that started already, from a backup or by hand; to deploy, \
                 make a new Deployment without the annotation dryad.dev/started"
            ),
        ));
    }
    let tenure = &case.environment()?.tenure;
    if case.state() != State::Pending {
        let over = deployment.turn.is_some_and(|turn| tenure.turn >= turn);
        return over.then(|| {
            signal_of(
                Reason::TurnLost,
                "its Environment was restored meanwhile, so nobody knows how far it came",
            )
        });
    }
    let before = tenure.restored.filter(|restored| deployment.created <= restored.at)?;
    Some(signal_of(
        Reason::Restored,
        format!(
            "it is from before its Environment was restored (at {:.0}), so nobody knows whether it ran already; to \
             deploy, make a new Deployment",
            before.at
        ),
    ))
}

fn end_requested(case: &Case<'_>) -> Option<Signal> {
    match case.view.deployment.request.end? {
        EndRequest::Abort => Some(signal_of(Reason::AbortRequested, "an abort was requested")),
        EndRequest::Rollback => Some(signal_of(Reason::RollbackRequested, "a rollback was requested")),
    }
}

fn deleted(case: &Case<'_>) -> Option<Signal> {
    if case.view.deployment.existence == Existence::BeingDeleted {
        return Some(signal_of(Reason::DeploymentDeleted, "the Deployment is being deleted"));
    }
    let going = case.environment().is_some_and(|environment| environment.deletion != Deletion::None);
    going.then(|| signal_of(Reason::EnvironmentDeleted, "the Environment is being deleted"))
}

fn failed(case: &Case<'_>) -> Option<Signal> {
    match case.state() {
        State::Resolve => match case.view.resolution {
            Resolution::Rejected(why) => Some(signal_of(Reason::ReleaseRejected, why.clone())),
            Resolution::NotPermitted(why) => Some(signal_of(Reason::NotPermitted, why.clone())),
            Resolution::Unknown(_) | Resolution::Resolved(_) => None,
        },
        State::RolloutWait => {
            let why = case.memory.refusal().map(str::to_owned).or_else(|| taken(case));
            why.map(|why| signal_of(Reason::LaunchRefused, why))
        }
        State::EvaluateWait => match case.memory.verdict()? {
            Verdict::Bad(why) => Some(signal_of(Reason::CheckFailed, why.clone())),
            Verdict::Good | Verdict::NotYet(_) => None,
        },
        _ => None,
    }
}

/// Why green can't be launched: two readings show somebody else's group under its name.
fn taken(case: &Case<'_>) -> Option<String> {
    let plan = case.plan().filter(|_| case.view.deployment.history.step() == Some(1))?;
    let [earlier, latest] = case.readings()?;
    let lacking = latest.foreign.get(&plan.green).filter(|_| earlier.foreign.contains_key(&plan.green))?;
    Some(format!(
        "there is a group {} that does not carry this Deployment's tags ({lacking}), so it is somebody else's and left \
         alone; deploy again, and the new group gets another name",
        plan.green
    ))
}

/// Absent, being deleted, or carrying traffic without one healthy instance, in both of two readings.
///
/// In the first step, green is absent until it has been created, and that a creation shows late is no loss. And
/// while it joins a blue that still carries traffic, the load balancer has yet to find it healthy.
fn green_lost(case: &Case<'_>) -> Option<Signal> {
    let plan = case.plan()?;
    let launching = case.state() == State::RolloutWait && case.view.deployment.history.step() == Some(1);
    let joining = |reading: &Reading| {
        let serves = |blue| match plan.route {
            // By the rule green takes over at once; what else reaches blue says nothing of it.
            Route::Weighted { .. } => case.carries_here(reading, blue),
            Route::Shared {} | Route::Workers {} => case.carries(reading, blue),
        };
        // Whoever has nobody to go back to waits for the load balancer as long as there is time.
        let alone = plan.route == (Route::Shared {}) && !is_viable(plan, reading);
        case.state() == State::RolloutWait && (alone || plan.blue.iter().any(serves))
    };
    let lost = |reading: &Reading| match reading.group(&plan.green) {
        None if launching => None,
        None if reading.foreign.contains_key(&plan.green) => {
            Some("what has its name does not carry its tags")
        }
        None => Some("it does not exist"),
        Some(green) if green.presence == Presence::BeingDeleted => Some("it is being deleted"),
        Some(_) if joining(reading) => None,
        Some(_) if case.carries(reading, &plan.green) && reading.healthy(&plan.green) == 0 => {
            Some("it carries traffic without one healthy instance")
        }
        Some(_) => None,
    };
    let [earlier, latest] = case.readings()?;
    lost(earlier)?;
    let why = lost(latest)?;
    Some(signal_of(Reason::GreenLost, format!("group {} is lost: {why}", plan.green)))
}

/// From `RetainWait` on, blue is no reason to let others wait. Before its turn, a Deployment has nothing to lose to
/// one that carries a newer declaration.
fn superseded(case: &Case<'_>) -> Option<Signal> {
    let may = match case.state() {
        State::Pending => return declared_anew(case),
        State::RetainWait => true,
        State::RetireWait => case.is_certain(),
        _ => false,
    };
    let waiting = case.view.queue.others == Others::Waiting;
    (may && waiting).then(|| signal_of(Reason::Superseded, "another Deployment is waiting for its turn"))
}

fn declared_anew(case: &Case<'_>) -> Option<Signal> {
    let holder = case.environment().and_then(|environment| environment.tenure.holder.as_ref());
    let waits = holder != Some(&case.view.deployment.uid);
    (waits && case.view.queue.successor == Successor::Newer).then(|| {
        signal_of(
            Reason::Superseded,
            "the Environment declares something newer, and a Deployment was made for that",
        )
    })
}

fn ok(case: &Case<'_>) -> Option<Signal> {
    let withheld = case.view.deployment.request.paused == Paused::Yes;
    match case.state() {
        State::RetainWait => retain_elapsed(case),
        State::RetireWait => retired(case),
        State::Rollback => rolled_back(case),
        // The turn is taken already: to record that is no step forward, and a turn without its entry has no
        // deadline that could end it.
        State::Pending => turn_taken(case),
        _ if withheld => None,
        State::Resolve => resolved(case),
        State::Prepare => Some(signal_of(Reason::PrepareOk, "nothing stands before the first instance")),
        State::RolloutWait => rolled_out(case),
        State::EvaluateWait => evaluated(case),
        State::Done | State::Failed | State::Aborted | State::Canceled => None,
    }
}

fn turn_taken(case: &Case<'_>) -> Option<Signal> {
    let tenure = &case.environment()?.tenure;
    let ours = tenure.holder.as_ref() == Some(&case.view.deployment.uid);
    ours.then(|| signal_of(Reason::TurnTaken, format!("turn {}", tenure.turn)))
}

fn resolved(case: &Case<'_>) -> Option<Signal> {
    let plan = transition::compile(case).ok()?;
    Some(signal_of(Reason::ReleaseResolved, plan.shipment.release.to_string()))
}

fn rolled_out(case: &Case<'_>) -> Option<Signal> {
    let (plan, step, reading) = (case.plan()?, case.step()?, case.reading()?);
    let wanted = step.capacity.of(case.desired(reading)).max(1);
    let healthy = reading.healthy(&plan.green);
    let up = healthy >= wanted && standing::lacking(case, plan, step, reading).is_none();
    up.then(|| signal_of(Reason::RolloutOk, format!("{healthy} of {wanted} instances are healthy")))
}

/// Whether green has what this step wants of it.
fn is_healthy(case: &Case<'_>, plan: &Plan, step: Step, reading: &Reading) -> bool {
    reading.healthy(&plan.green) >= step.capacity.of(case.desired(reading)).max(1)
}

fn evaluated(case: &Case<'_>) -> Option<Signal> {
    let (plan, step, reading) = (case.plan()?, case.step()?, case.reading()?);
    // What gets no requests any more, or too early, proves nothing: somebody has moved the traffic, or a record from a
    // backup says that it was.
    let stands = standing::lacking(case, plan, step, reading).is_none();
    if !stands || !is_healthy(case, plan, step, reading) {
        return None;
    }
    if case.view.deployment.request.evaluation == Evaluation::Skipped {
        return Some(signal_of(Reason::EvaluationSkipped, "evaluation was skipped on request"));
    }
    let proven = matches!(case.memory.verdict(), Some(Verdict::Good))
        && case.memory.good_for() >= plan.pace.evaluate();
    proven.then(|| signal_of(Reason::EvaluateOk, format!("good for {}s", plan.pace.evaluate_seconds)))
}

/// Time alone retires nothing: two readings in this state, and clocks that agree over them.
fn retain_elapsed(case: &Case<'_>) -> Option<Signal> {
    let plan = case.plan()?;
    if plan.blue.is_empty() {
        return Some(signal_of(Reason::RetainElapsed, "there is no blue to keep"));
    }
    case.readings()?;
    let elapsed = case.elapsed() >= plan.pace.retain() && case.memory.clocks_agree(case.now, case.tick());
    elapsed
        .then(|| signal_of(Reason::RetainElapsed, format!("blue was kept for {}s", plan.pace.retain_seconds)))
}

fn retired(case: &Case<'_>) -> Option<Signal> {
    let plan = case.plan()?;
    let gone = plan.blue.iter().all(|name| case.memory.is_gone(name, case.now, case.tick()));
    (gone && case.is_certain() && is_projected(case)).then(|| {
        signal_of(Reason::RetireOk, if plan.blue.is_empty() { "there was no blue" } else { "blue is gone" })
    })
}

fn is_projected(case: &Case<'_>) -> bool {
    let deployed = case.environment().and_then(|environment| environment.tenure.deployed.as_ref());
    deployed.is_some_and(|deployed| deployed.uid == case.view.deployment.uid)
}

fn rolled_back(case: &Case<'_>) -> Option<Signal> {
    let (plan, reading) = (case.plan()?, case.reading()?);
    (case.is_certain() && rollback::is_complete(case, plan, reading)).then(|| {
        let left_alone = rollback::left_alone(case, plan, reading);
        let end = if reading.is_ours(&plan.green) { "rolled back, green is gone" } else { "rolled back" };
        signal_of(Reason::RollbackOk, [vec![end.to_owned()], left_alone].concat().join("; "))
    })
}

fn timed_out(case: &Case<'_>) -> Option<Signal> {
    let pace = case.pace()?;
    let (bound, may) = match case.state() {
        State::Resolve | State::Prepare | State::RolloutWait => (pace.rollout_timeout(), true),
        State::EvaluateWait => (pace.evaluate_timeout(), true),
        // Giving up a rollback asks whom traffic is on: two looks that agree, with nothing under way.
        State::Rollback => (pace.rollout_timeout(), rollback::is_overdue(case) && knows_the_carrier(case)),
        State::RetireWait => (pace.rollout_timeout(), case.is_certain() && is_projected(case)),
        State::Pending
        | State::RetainWait
        | State::Done
        | State::Failed
        | State::Aborted
        | State::Canceled => return None,
    };
    (may && case.elapsed() >= bound).then(|| {
        signal_of(
            Reason::TimedOut,
            format!("not within {}s: {}", bound.as_secs(), waiting::progress(case).message),
        )
    })
}

fn knows_the_carrier(case: &Case<'_>) -> bool {
    let readings = case.memory.two_certain(case.now, case.tick());
    case.plan().zip(readings).is_some_and(|(plan, [earlier, latest])| {
        case.carries(earlier, &plan.green) == case.carries(latest, &plan.green)
    })
}
