//! What has become of the Environment whose turn a Deployment took, and what is known of its groups once it is gone.

use std::time::Duration;

use dryad_cloud::Cloud;
use dryad_crds::Environment;
use dryad_crds::environment::traffic::Traffic;
use dryad_machine::name::GroupName;
use dryad_machine::state::State;
use dryad_machine::tenure::{Member, Role};
use dryad_machine::view::{Finalizer, Remains};
use kube::ResourceExt;

use super::Tick;
use crate::objects::view;
use crate::process::operator::TickError;
use crate::tags::Owner;

/// What is left of an Environment that is gone.
pub(super) struct Gone {
    /// On whose behalf its groups exist; none before there was a plan, and so a group.
    pub(super) owner: Option<Owner>,
    /// Those groups of the plan whose Deployments still say where they are and whose they were.
    pub(super) groups: Vec<Member>,
}

impl Gone {
    /// As the machine sees it, known for so long.
    pub(super) fn remains(&self, since: Duration) -> Remains {
        Remains { since, groups: self.groups.iter().map(|member| member.name.clone()).collect() }
    }
}

/// Asks the cache first, and the quorum before it believes that the Environment is gone. None where it stands.
pub(super) async fn gone<C: Cloud>(tick: &Tick<'_, C>) -> Result<Option<Gone>, TickError> {
    let deployment = &tick.deployment;
    let Some(turn) = deployment.turn else { return Ok(None) };
    let knows_the_turn = tick.environment_view.as_ref().is_some_and(|environment| match tick.state() {
        state if state.is_terminal() => environment.tenure.turn >= turn,
        _ => environment.tenure.holder.as_ref() == Some(&deployment.uid) && environment.tenure.turn == turn,
    });
    let closed = tick.state().is_terminal() && deployment.finalizer == Finalizer::Absent;
    if knows_the_turn || closed || tick.state() == State::Pending {
        return Ok(None);
    }
    let environments = tick.operator.environments_api(&tick.namespace());
    let stored = environments.get_opt(tick.object.spec.environment.as_str()).await?;
    let stands = stored.is_some_and(|stored| is_home(tick, &stored));
    Ok((!stands).then(|| remains(tick)))
}

/// Whether it is the one that the turn was taken of, and not another one of its name.
fn is_home<C: Cloud>(tick: &Tick<'_, C>, stored: &Environment) -> bool {
    let (deployment, status) = (&tick.deployment, stored.status.as_ref());
    match &deployment.plan {
        Some(plan) => view::uid(stored) == plan.environment.uid,
        None if tick.state().is_terminal() => deployment.turn <= status.map(|status| status.tenure.turn),
        // Until there is a plan, only the one that the turn was taken of knows its holder. After a restore it may have
        // forgotten.
        None => status.is_some_and(|status| {
            status.tenure.holder.as_ref() == Some(&deployment.uid) || status.tenure.restored.is_some()
        }),
    }
}

fn remains<C: Cloud>(tick: &Tick<'_, C>) -> Gone {
    let plan = tick.deployment.plan.as_ref();
    let names = plan.iter().flat_map(|plan| plan.blue.iter().chain([&plan.green]));
    Gone {
        owner: plan.map(|plan| Owner {
            installation: tick.operator.installation.clone(),
            namespace: tick.namespace(),
            environment: tick.object.spec.environment.as_str().to_owned(),
            uid: plan.environment.uid.clone(),
        }),
        groups: names.filter_map(|name| member(tick, name)).collect(),
    }
}

/// What the ledger said of a group, as the Deployment that brought it tells it.
fn member<C: Cloud>(tick: &Tick<'_, C>, name: &GroupName) -> Option<Member> {
    let siblings =
        tick.operator.caches.deployments_of(&tick.namespace(), tick.object.spec.environment.as_str());
    siblings.iter().find_map(|sibling| {
        let status = sibling.status.as_ref()?;
        let plan = status.plan.as_ref().filter(|plan| plan.green == *name)?;
        let (template, turn) = (status.template.as_ref()?, status.turn?);
        Some(Member {
            name: name.clone(),
            place: template.target.place(),
            access: Some(Traffic::access(template.traffic.as_ref())),
            owner: view::uid(&**sibling),
            environment: Some(plan.environment.uid.clone()),
            turn,
            role: if sibling.uid() == tick.object.uid() { Role::Green } else { Role::Serving },
            deployed: None,
            held: None,
        })
    })
}
