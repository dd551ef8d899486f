//! S1 to S7, told once more from the outside: by what really is, not by what the machine makes of it.

use dryad_machine::decide::{Append, TenureChange, Write};
use dryad_machine::effect::Effect;
use dryad_machine::event::Reason;
use dryad_machine::plan::{Plan, Route};
use dryad_machine::reading::Presence;
use dryad_machine::state::State as Phase;
use dryad_machine::tenure::{Role, Tenure};
use dryad_machine::view::{Deletion, DeploymentView, EnvironmentView};

use crate::api::{Api, Subject, number};
use crate::restore::Record;
use crate::state::State;
use crate::world::{Group, Id, World, uid};

/// A rule of the design, by its number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Rule {
    S1,
    S2,
    S3,
    S4,
    S5,
    S6,
    S7,
}

/// A rule that was broken, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Broken {
    pub(crate) rule: Rule,
    pub(crate) how: &'static str,
}

/// A request on its way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Request {
    /// Whose loop sent it.
    pub(crate) sender: Subject,
    /// What it asks for.
    pub(crate) effect: Effect,
    /// Whether its sender saw the world as it was, and nobody but us has changed it since.
    pub(crate) accountable: bool,
}

fn unless(holds: bool, rule: Rule, how: &'static str) -> Result<(), Broken> {
    if holds { Ok(()) } else { Err(Broken { rule, how }) }
}

/// When a request is sent: may it be sent at all? `looks` counts those since the last entry and answer.
pub(crate) fn sending(state: &State, request: &Request, looks: u8) -> Result<(), Broken> {
    let effect = &request.effect;
    let takes = removes(effect, &state.world);
    unless(!takes || looks >= 2, Rule::S1, "a removal was sent without two readings")?;
    let in_order = !request.accountable || empties_who_has_left(effect, &state.world);
    unless(in_order, Rule::S1, "a group is emptied while a load balancer still sends it requests")?;
    let known = effect_on(effect).is_none_or(|group| state.api.member(group).is_some());
    let may = known || state.api.environment.is_none();
    unless(may, Rule::S6, "a group outside the ledger is touched")?;
    let announced = attaches_where_announced(effect, &state.api);
    unless(announced, Rule::S6, "a group is attached where it was not announced")?;
    if let Subject::Deployment(place) = request.sender {
        let deployment = state.api.deployment(place);
        let deployment = deployment.ok_or(Broken { rule: Rule::S2, how: "a deploy that is gone acts" })?;
        if state.api.environment.is_none() {
            let tidies = effect_on(effect).is_some_and(|group| is_superfluous(deployment, group));
            unless(tidies && takes_down(effect), Rule::S2, "a deploy without an Environment goes on")?;
            return landing(state, request);
        }
        unless(holds_turn(&state.api, deployment), Rule::S2, "a deploy acts that does not hold the turn")?;
        if let Some(plan) = &deployment.plan {
            blue_is_proven_superfluous(&state.api, &state.world, deployment, plan, effect)?;
        }
    }
    if let Effect::Launch { group, .. } = effect {
        unless(state.api.member(Id::of(group)).is_some(), Rule::S6, "a group is created unannounced")?;
    }
    let anothers = effect_on(effect).is_some_and(|id| state.world.squatters.contains(&id));
    let touched = anothers && request.accountable && !matches!(effect, Effect::Disown(_));
    unless(!touched, Rule::S6, "somebody else's group is touched")?;
    landing(state, request)
}

/// When a request lands, now or late: does it still do what it was allowed to do?
pub(crate) fn landing(state: &State, request: &Request) -> Result<(), Broken> {
    if let Subject::Deployment(place) = request.sender {
        // A holder that vanished holds its turn until the Environment's loop ends it.
        let holds = match state.api.deployment(place) {
            // The turn went with the Environment, and nobody can have another one.
            _ if state.api.environment.is_none() => true,
            Some(deployment) => holds_turn(&state.api, deployment),
            None => state.api.tenure().is_some_and(|it| it.holder == Some(uid(number(place)))),
        };
        unless(holds, Rule::S2, "a request lands after its sender's turn ended")?;
    }
    if let Effect::Launch { group, .. } = &request.effect {
        let known = state.api.environment.is_none() || state.api.member(Id::of(group)).is_some();
        unless(known, Rule::S6, "a group outside the ledger appears")?;
    }
    if !request.accountable {
        return Ok(());
    }
    let mut after = (*state.world).clone();
    after.land(&request.effect);
    unless(keeps_users_served(state, request, &after), Rule::S1, "a request takes more than may be missed")
}

/// Whether what is emptied has left every target group, and drained.
fn empties_who_has_left(effect: &Effect, world: &World) -> bool {
    let Effect::Empty(group) = effect else { return true };
    let group = world.groups.get(&Id::of(group));
    group.is_none_or(|group| group.is_out_of_traffic() && !group.draining)
}

fn attaches_where_announced(effect: &Effect, api: &Api) -> bool {
    let Effect::Attach { group, .. } = effect else { return true };
    let announced = api.member(Id::of(group)).and_then(|member| member.access.as_ref());
    let environment = api.environment.as_ref().map(|environment| &environment.view.access);
    announced.zip(environment).is_none_or(|(announced, here)| announced == here)
}

/// Whether it takes a group down, and does nothing else.
fn takes_down(effect: &Effect) -> bool {
    matches!(
        effect,
        Effect::Detach { .. }
            | Effect::Leave { .. }
            | Effect::Empty(_)
            | Effect::Delete(_)
            | Effect::Disown(_)
    )
}

fn effect_on(effect: &Effect) -> Option<Id> {
    match effect {
        Effect::Launch { group, .. }
        | Effect::Resize { group, .. }
        | Effect::Attach { group, .. }
        | Effect::Detach { group, .. }
        | Effect::Leave { group, .. }
        | Effect::Empty(group)
        | Effect::Delete(group)
        | Effect::Disown(group) => Some(Id::of(group)),
        Effect::Enlist(_) | Effect::Shift(_) => None,
    }
}

/// Whether a deploy without an Environment may take the group down: green until it was found good, blue from then on.
pub(crate) fn is_superfluous(deployment: &DeploymentView, id: Id) -> bool {
    let Some(plan) = &deployment.plan else { return false };
    let history = &deployment.history;
    if history.has(Phase::RetainWait) && history.rollback().is_none() {
        plan.blue.iter().any(|blue| Id::of(blue) == id)
    } else {
        Id::of(&plan.green) == id
    }
}

/// Whether users' requests reach a group that a deploy without an Environment has to do with.
pub(crate) fn is_missed(deployment: &DeploymentView, world: &World, id: Id) -> bool {
    let history = &deployment.history;
    let Some(plan) = &deployment.plan else { return false };
    let green = Id::of(&plan.green);
    let replaced = history.has(Phase::RetireWait) && world.groups.contains_key(&green);
    let healthy = world.groups.get(&id).is_some_and(|group| group.healthy() > 0);
    healthy && world.carries(id, &|id| if id == green { history.step() >= Some(2) } else { !replaced })
}

fn holds_turn(api: &Api, deployment: &DeploymentView) -> bool {
    api.tenure().is_some_and(|tenure| {
        tenure.holder.as_ref() == Some(&deployment.uid) && Some(tenure.turn) == deployment.turn
    })
}

/// Whether the effect can take instances from users. A deletion can't: the cloud refuses it while there are any.
fn removes(effect: &Effect, world: &World) -> bool {
    match effect {
        Effect::Shift(slot) => world.weight(slot.other()) > 0,
        Effect::Detach { group, .. } | Effect::Leave { group, .. } | Effect::Empty(group) => {
            world.groups.contains_key(&Id::of(group))
        }
        Effect::Resize { group, size } => world.groups.get(&Id::of(group)).is_some_and(|group| {
            let desired = u32::from(group.desired);
            size.settles_at(desired) < desired
        }),
        Effect::Launch { .. }
        | Effect::Enlist(_)
        | Effect::Attach { .. }
        | Effect::Delete(_)
        | Effect::Disown(_) => false,
    }
}

/// S4 and S5, and that blue is held before it is reduced.
fn blue_is_proven_superfluous(
    api: &Api,
    world: &World,
    deployment: &DeploymentView,
    plan: &Plan,
    effect: &Effect,
) -> Result<(), Broken> {
    let history = &deployment.history;
    let retiring = history.has(Phase::RetireWait);
    let is_blue = |name| plan.blue.contains(name);
    let green_slot = match plan.route {
        Route::Weighted { green } => Some(green),
        Route::Shared {} | Route::Workers {} => None,
    };
    let reduces = match effect {
        Effect::Shift(slot) => Some(*slot) == green_slot,
        Effect::Detach { group, .. } => is_blue(group),
        Effect::Leave { group, .. } | Effect::Empty(group) | Effect::Delete(group) => {
            unless(!is_blue(group) || retiring, Rule::S4, "blue is taken down before it may be retired")?;
            is_blue(group)
        }
        _ => false,
    };
    if reduces {
        let proven = history.entries().iter().any(|entry| {
            entry.step == Some(2) && matches!(entry.reason, Reason::EvaluateOk | Reason::EvaluationSkipped)
        });
        unless(proven, Rule::S4, "blue is reduced before green was proven on record")?;
        let here = plan.blue.iter().filter(|name| world.groups.contains_key(&Id::of(name)));
        let mut members = here.filter_map(|name| api.tenure()?.member(name));
        let workers = plan.route == Route::Workers {};
        let held = members.all(|member| member.held.is_some_and(|held| held.desired.is_some()));
        let held = retiring || workers || held;
        unless(held, Rule::S1, "blue is reduced before D was recorded")?;
    }
    let returns = match effect {
        Effect::Shift(slot) => green_slot.is_some_and(|green| *slot != green),
        Effect::Attach { group, .. } => is_blue(group),
        _ => false,
    };
    unless(!retiring || !returns, Rule::S5, "traffic goes back to blue while it is being retired")
}

/// Who of the workers is at work: all that serve, and green from its second step on. Where its Deployment has
/// vanished, the ledger says whether it was found good.
pub(crate) fn at_work(api: &Api, id: Id) -> bool {
    let Some(member) = api.member(id) else { return false };
    match member.role {
        Role::Serving => true,
        Role::Green => {
            let step = api.owner(id).and_then(|owner| owner.history.step());
            member.deployed.is_some() || step >= Some(2)
        }
        Role::Doomed => false,
    }
}

fn keeps_users_served(state: &State, request: &Request, after: &World) -> bool {
    let (api, before) = (&state.api, &*state.world);
    let Some(environment) = &api.environment else {
        let Subject::Deployment(place) = request.sender else { return true };
        let missed = |deployment| {
            let group = effect_on(&request.effect).filter(|_| takes_down(&request.effect));
            group.is_some_and(|group| is_missed(deployment, before, group))
        };
        return !api.deployment(place).is_some_and(missed);
    };
    if environment.view.deletion == Deletion::Delete {
        return true;
    }
    let workers = |id| at_work(api, id);
    let (had, has) = (before.serves(&workers), after.serves(&workers));
    let deployment = match request.sender {
        Subject::Deployment(place) => api.deployment(place),
        Subject::Environment => None,
    };
    let plan = deployment.and_then(|deployment| Some((deployment, deployment.plan.as_ref()?)));
    if let Some((deployment, plan)) = plan.filter(|(it, _)| it.history.state() == Phase::Rollback) {
        let green = Id::of(&plan.green);
        let share = |world: &World, id: Id| {
            let carries = world.carries(id, &workers);
            if carries { world.groups.get(&id).map_or(0, Group::healthy) } else { 0 }
        };
        let lost_green = before.carries(green, &workers)
            && (!after.carries(green, &workers) || share(after, green) < share(before, green));
        if lost_green && deployment.history.state() == Phase::Rollback {
            let back: u8 = plan.blue.iter().map(|name| share(after, Id::of(name))).sum();
            return plan.blue.is_empty() || u32::from(back) >= plan.floor.max(1);
        }
    }
    let needed = match (request.sender, &request.effect) {
        (Subject::Environment, Effect::Resize { .. }) => {
            let declared = &environment.view;
            declared.replicas.unwrap_or(declared.bounds.max)
        }
        _ => desired(api, before, plan),
    };
    u32::from(has) >= needed.min(u32::from(had))
}

/// D.
fn desired(api: &Api, world: &World, plan: Option<(&DeploymentView, &Plan)>) -> u32 {
    let size = |id: Id| world.groups.get(&id).map(|group| u32::from(group.desired));
    if let Some((deployment, plan)) = plan
        && deployment.history.state() == Phase::RetireWait
    {
        return size(Id::of(&plan.green)).unwrap_or(1).max(1);
    }
    let Some(environment) = &api.environment else { return 0 };
    let tenure = &environment.view.tenure;
    let serving: Vec<u32> = tenure.of_role(Role::Serving).filter_map(|it| size(Id::of(&it.name))).collect();
    let live = if serving.is_empty() { environment.view.bounds.min } else { serving.iter().sum() };
    let held =
        tenure.groups.iter().filter_map(|member| member.held?.desired).reduce(|sum, share| sum + share);
    held.unwrap_or(live.max(environment.view.replicas.unwrap_or(0))).max(1)
}

/// When the API server is about to accept a write.
pub(crate) fn writing(state: &State, subject: Subject, write: &Write) -> Result<(), Broken> {
    match (write, subject) {
        (Write::Append(append), Subject::Deployment(place)) => appending(state, place, append),
        (Write::Tenure { to, change }, _) => changing_tenure(state, to, *change),
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

fn appending(state: &State, place: usize, append: &Append) -> Result<(), Broken> {
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
        let lost = state.record == Record::Settled && !holds_turn(&state.api, deployment);
        let ends = lost && entry.state == Phase::Canceled;
        return unless(ends, Rule::S2, "a deploy calls its turn lost that it has");
    }
    // No guard of this write can tell that its Environment is gone.
    if history.state() != Phase::Pending && state.api.environment.is_some() {
        unless(holds_turn(&state.api, deployment), Rule::S2, "a deploy goes on without its turn")?;
    }
    let back = entry.state == Phase::Rollback;
    unless(!back || !history.has(Phase::RetireWait), Rule::S5, "a deploy rolls back onto what it retired")?;
    let green = deployment.plan.as_ref().map(|plan| Id::of(&plan.green));
    let gone = entry.reason == Reason::RollbackOk;
    let present = green.is_some_and(|green| state.world.groups.contains_key(&green));
    unless(!gone || !present, Rule::S6, "green is called gone and is not")
}

fn changing_tenure(state: &State, to: &Tenure, change: TenureChange) -> Result<(), Broken> {
    let Some(from) = state.api.tenure() else { return Ok(()) };
    let taken = change == TenureChange::Take;
    let number = if taken { from.turn.next() } else { from.turn };
    unless(to.turn == number, Rule::S2, "turns do not grow one by one")?;
    unless(!taken || from.holder.is_none(), Rule::S2, "a turn is taken from its holder")?;
    if change == TenureChange::Release {
        let holder = from.holder.as_ref();
        let mut deployments = state.api.deployments.iter().flatten();
        let ended = deployments
            .find(|deployment| Some(&deployment.uid) == holder)
            .is_none_or(|deployment| deployment.history.state().is_terminal());
        unless(ended, Rule::S2, "a turn ends before its deploy does")?;
        let under_way = state.in_flight.iter().any(|request| request.sender != Subject::Environment);
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
