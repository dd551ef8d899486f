//! S1, S4 and S5, told from the outside: what blue may lose, and what users may.

use dryad_machine::effect::Effect;
use dryad_machine::event::Reason;
use dryad_machine::plan::{Plan, Route};
use dryad_machine::state::State as Phase;
use dryad_machine::tenure::Role;
use dryad_machine::view::{Deletion, DeploymentView};

use crate::api::{Api, Subject};
use crate::rules::{Broken, Request, Rule, Sender, at_work, group_of, is_missed, unless};
use crate::state::State;
use crate::world::{Group, Id, World};

/// S4 and S5, and that blue is held before it is reduced.
pub(crate) fn blue_is_proven_superfluous(
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
        // Of several that serve, one without requests makes room.
        Effect::Detach { group, .. } => is_blue(group) && world.carries(Id::of(group), &|_| true),
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

/// Whether enough is left for users once it has landed.
pub(crate) fn keeps_users_served(state: &State, request: &Request, after: &World) -> bool {
    let (api, before) = (&state.api, &*state.world);
    let Some(environment) = &api.environment else {
        let Some(place) = request.deployment() else { return true };
        let missed = |deployment| {
            let group = group_of(&request.effect).filter(|_| request.effect.takes_down());
            group.is_some_and(|group| is_missed(deployment, before, group))
        };
        return !api.deployment(place).is_some_and(missed);
    };
    if environment.view.deletion == Deletion::Delete {
        return true;
    }
    let workers = |id| at_work(api, id);
    let (had, has) = (before.serves(&workers), after.serves(&workers));
    let deployment = request.deployment().and_then(|place| api.deployment(place));
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
        (Sender::Loop(Subject::Environment), Effect::Resize { .. }) => {
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
