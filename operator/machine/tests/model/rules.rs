//! S1 to S7, told once more from the outside: by what really is, not by what the machine makes of it. Here are those of
//! a request, when it is sent and when it lands.

use dryad_machine::effect::Effect;
use dryad_machine::state::State as Phase;
use dryad_machine::tenure::Role;
use dryad_machine::view::DeploymentView;

use crate::api::{Api, Subject, number};
use crate::restore;
use crate::served::{blue_is_proven_superfluous, keeps_users_served};
use crate::state::State;
use crate::world::{Id, World, uid};

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
    L4,
}

/// A rule that was broken, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Broken {
    pub(crate) rule: Rule,
    pub(crate) how: &'static str,
}

/// Who sent a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Sender {
    /// This loop.
    Loop(Subject),
    /// A process from before a restore. What it went by has not come to pass.
    Before,
}

/// A request on its way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Request {
    /// Who sent it.
    pub(crate) sender: Sender,
    /// What it asks for.
    pub(crate) effect: Effect,
    /// Whether its sender saw the world as it was, and nobody but us has changed it since.
    pub(crate) accountable: bool,
}

impl Request {
    /// The Deployment on whose behalf it was sent, if there was one.
    pub(crate) fn deployment(&self) -> Option<usize> {
        match self.sender {
            Sender::Loop(Subject::Deployment(place)) => Some(place),
            Sender::Loop(Subject::Environment) | Sender::Before => None,
        }
    }
}

pub(crate) fn unless(holds: bool, rule: Rule, how: &'static str) -> Result<(), Broken> {
    if holds { Ok(()) } else { Err(Broken { rule, how }) }
}

/// When a request is sent: may it be sent at all? `looks` counts those since the last entry and answer.
pub(crate) fn sending(state: &State, request: &Request, looks: u8) -> Result<(), Broken> {
    let effect = &request.effect;
    let takes = removes(effect, &state.world);
    unless(!takes || looks >= 2, Rule::S1, "a removal was sent without two readings")?;
    let in_order = !request.accountable || empties_who_has_left(effect, &state.world);
    unless(in_order, Rule::S1, "a group is emptied while a load balancer still sends it requests")?;
    let known = group_of(effect).is_none_or(|group| state.api.member(group).is_some());
    let may = known || state.api.environment.is_none();
    unless(may, Rule::S6, "a group outside the ledger is touched")?;
    let tags = group_of(effect).is_none_or(|group| restore::has_the_tags_on_record(state, group));
    unless(tags, Rule::S6, "a group is touched that does not carry the tags on record")?;
    let announced = attaches_where_announced(effect, &state.api);
    unless(announced, Rule::S6, "a group is attached where it was not announced")?;
    if let Some(place) = request.deployment() {
        let deployment = state.api.deployment(place);
        let deployment = deployment.ok_or(Broken { rule: Rule::S2, how: "a deploy that is gone acts" })?;
        if state.api.environment.is_none() {
            let tidies = group_of(effect).is_some_and(|group| is_superfluous(deployment, group));
            unless(tidies && effect.takes_down(), Rule::S2, "a deploy without an Environment goes on")?;
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
    let anothers = group_of(effect).is_some_and(|id| state.world.squatters.contains(&id));
    let touched = anothers && request.accountable && !matches!(effect, Effect::Disown(_));
    unless(!touched, Rule::S6, "somebody else's group is touched")?;
    landing(state, request)
}

/// When a request lands, now or late: does it still do what it was allowed to do?
pub(crate) fn landing(state: &State, request: &Request) -> Result<(), Broken> {
    if let Some(place) = request.deployment() {
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
        let id = Id::of(group);
        let known = state.api.environment.is_none() || state.api.member(id).is_some();
        // The ledger that it was announced in is not the one that there is.
        let known = known || request.sender == Sender::Before;
        unless(known, Rule::S6, "a group outside the ledger appears")?;
    }
    if !request.accountable {
        return Ok(());
    }
    let mut after = (*state.world).clone();
    after.land(&request.effect);
    unless(keeps_users_served(state, request, &after), Rule::S1, "a request takes more than may be missed")
}

/// The group that it is about.
pub(crate) fn group_of(effect: &Effect) -> Option<Id> {
    effect.group().map(Id::of)
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

pub(crate) fn holds_turn(api: &Api, deployment: &DeploymentView) -> bool {
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
