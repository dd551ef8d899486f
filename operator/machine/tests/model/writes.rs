//! What may be written to the API server: S2, S3 and S7, and S6 as far as the ledger shows it, told from the outside.

use dryad_machine::decide::{Append, TenureChange, Write};
use dryad_machine::effect::Effect;
use dryad_machine::event::Reason;
use dryad_machine::reading::Presence;
use dryad_machine::state::State as Phase;
use dryad_machine::tenure::{Role, Tenure};
use dryad_machine::view::{Deletion, EnvironmentView, Mark};

use crate::api::Subject;
use crate::restore::{self, Record};
use crate::rules::{Broken, Rule, Sender, at_work, holds_turn, unless};
use crate::state::{Era, State};
use crate::world::{Group, Id};

/// When the API server is about to accept a write. One of a process from before a restore goes by the version of the one
/// object that it changes, and can't know what became of the other.
pub(crate) fn writing(state: &State, era: Era, subject: Subject, write: &Write) -> Result<(), Broken> {
    match (write, subject) {
        (Write::Append(append), Subject::Deployment(place)) => appending(state, era, place, append),
        (Write::RemoveFinalizer, Subject::Deployment(_)) if era == Era::Before => Ok(()),
        (Write::Tenure { to, change }, _) => changing_tenure(state, era, to, *change),
        (Write::RemoveFinalizer, Subject::Deployment(place)) => {
            let Some(deployment) = state.api.deployment(place) else { return Ok(()) };
            let holds = state.api.tenure().is_some_and(|it| it.holder.as_ref() == Some(&deployment.uid));
            let free = deployment.turn.is_none() || !holds;
            unless(free, Rule::S7, "a deploy is let go of while it holds the turn")
        }
        (Write::RemoveFinalizer, Subject::Environment) => {
            let Some(environment) = &state.api.environment else { return Ok(()) };
            let nothing_under_way = state.in_flight.is_empty();
            let stays = |id| {
                environment.view.deletion == Deletion::Retain
                    && state.api.member(id).is_some_and(|member| member.role == Role::Serving)
            };
            // What no ledger has known since a restore is nobody's to wait for: it carries nothing, or was adopted.
            let unknown =
                |id| state.record == Record::Settled && state.api.member(id).is_none() && is_idle(state, id);
            let handed_over = state.world.groups.keys().all(|id| stays(*id) || unknown(*id));
            unless(
                nothing_under_way && handed_over,
                Rule::S7,
                "an Environment is let go of with groups left",
            )?;
            let kept_up = state.world.groups.values().all(|group| is_as_declared(&environment.view, group));
            unless(kept_up, Rule::S7, "an Environment is let go of with a group that is still held")
        }
        (Write::AddFinalizer | Write::Start | Write::Append(_), _) => Ok(()),
    }
}

fn is_idle(state: &State, id: Id) -> bool {
    !state.world.carries(id, &|id| at_work(&state.api, id))
}

/// Whether a group that serves has the declared bounds, as far as its size lets it.
pub(crate) fn is_as_declared(environment: &EnvironmentView, group: &Group) -> bool {
    let bounds = environment.bounds;
    let (min, max, desired) = (u32::from(group.min), u32::from(group.max), u32::from(group.desired));
    group.presence == Presence::BeingDeleted || (min == bounds.min && max == bounds.max.max(desired))
}

fn appending(state: &State, era: Era, place: usize, append: &Append) -> Result<(), Broken> {
    let Some(deployment) = state.api.deployment(place) else { return Ok(()) };
    let (history, entry) = (&deployment.history, &append.entry);
    let follows = entry.sequence == i64::try_from(history.entries().len()).unwrap_or(-1)
        && history.last().is_none_or(|last| last.at <= entry.at);
    unless(follows, Rule::S3, "an entry does not follow the one before")?;
    unless(!history.state().is_terminal(), Rule::S3, "a deploy goes on after its end")?;
    if entry.reason == Reason::EnvironmentGone {
        let gone = state.api.environment.is_none() && entry.state == Phase::Failed;
        return unless(gone, Rule::S2, "a deploy calls its Environment gone that is there");
    }
    if matches!(entry.reason, Reason::Restored | Reason::TurnLost) {
        let void = state.record == Record::Settled || matches!(deployment.mark, Mark::Other(_));
        let lost = void && !holds_turn(&state.api, deployment);
        let ends = lost && entry.state == Phase::Canceled;
        return unless(ends, Rule::S2, "a deploy calls its turn lost that it has");
    }
    // No guard of this write can tell that its Environment is gone.
    if history.state() != Phase::Pending && state.api.environment.is_some() && era == Era::Present {
        unless(holds_turn(&state.api, deployment), Rule::S2, "a deploy goes on without its turn")?;
    }
    let back = entry.state == Phase::Rollback;
    unless(!back || !history.has(Phase::RetireWait), Rule::S5, "a deploy rolls back onto what it retired")?;
    let green = deployment.plan.as_ref().map(|plan| Id::of(&plan.green));
    let gone = entry.reason == Reason::RollbackOk;
    let present = green.is_some_and(|green| state.world.groups.contains_key(&green));
    unless(!gone || !present, Rule::S6, "green is called gone and is not")
}

fn changing_tenure(state: &State, era: Era, to: &Tenure, change: TenureChange) -> Result<(), Broken> {
    let Some(from) = state.api.tenure() else { return Ok(()) };
    let taken = change == TenureChange::Take;
    let number = if taken { from.turn.next() } else { from.turn };
    unless(to.turn == number, Rule::S2, "turns do not grow one by one")?;
    unless(!taken || from.holder.is_none(), Rule::S2, "a turn is taken from its holder")?;
    unless(
        !taken || !restore::ran_before(state, to),
        Rule::L4,
        "what ran before a restore is deployed again",
    )?;
    if change == TenureChange::Release {
        let holder = from.holder.as_ref();
        let mut deployments = state.api.deployments.iter().flatten();
        let ended = deployments
            .find(|deployment| Some(&deployment.uid) == holder)
            .is_none_or(|deployment| deployment.history.state().is_terminal());
        unless(ended || era == Era::Before, Rule::S2, "a turn ends before its deploy does")?;
        let under_way =
            state.in_flight.iter().any(|request| request.sender != Sender::Loop(Subject::Environment));
        unless(!under_way, Rule::S2, "a turn ends while a request can still land")?;
    }
    let forgotten = from.groups.iter().filter(|member| to.member(&member.name).is_none());
    for member in forgotten {
        let exists = state.world.groups.contains_key(&Id::of(&member.name));
        let coming = state
            .in_flight
            .iter()
            .any(|request| matches!(&request.effect, Effect::Launch { group, .. } if *group == member.name));
        unless(!exists && !coming, Rule::S6, "a group is forgotten that exists, or still may")?;
    }
    let revived = from
        .of_role(Role::Doomed)
        .any(|doomed| to.member(&doomed.name).is_some_and(|member| member.role != Role::Doomed));
    unless(!revived, Rule::S6, "a group that was given up is taken back")
}
