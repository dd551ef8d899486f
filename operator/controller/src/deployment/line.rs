//! A Deployment's place among those of its Environment.

use std::sync::Arc;

use dryad_cloud::Cloud;
use dryad_crds::Deployment;
use dryad_crds::deployment::Mode;
use dryad_machine::state::State;
use dryad_machine::view::{Deletion, Existence, Queue};
use jiff::Timestamp;
use kube::ResourceExt;

use super::Tick;
use super::queue::{self, Readiness, Waiter};
use crate::objects::view;
use crate::release::NOTHING_RECORDED;

/// Its place in line, by what the cache shows of all others.
pub(super) fn queue<C: Cloud>(tick: &Tick<'_, C>) -> Queue {
    let siblings =
        tick.operator.caches.deployments_of(&tick.namespace(), tick.object.spec.environment.as_str());
    let waiters: Vec<_> = siblings.iter().filter_map(|sibling| waiter(tick, sibling)).collect();
    let own = number(tick, tick.object);
    let numbers = siblings.iter().filter_map(|sibling| number(tick, sibling));
    Queue { successor: queue::successor(own, numbers), ..queue::place(&waiters, &tick.deployment.uid) }
}

/// Its number, if it was made for what this Environment declares, and not for one of the same name before it.
fn number<C: Cloud>(tick: &Tick<'_, C>, deployment: &Deployment) -> Option<i64> {
    let environment = &tick.environment_view.as_ref()?.revision.uid;
    let owned = deployment.owner_references().iter().any(|owner| owner.uid == environment.as_str());
    deployment.spec.declared.as_ref().filter(|_| owned).map(|declared| declared.number)
}

/// Why it waits in `Pending`, where names say more than the machine knows.
pub(super) fn explained<C: Cloud>(tick: &Tick<'_, C>) -> Option<String> {
    let spec = &tick.object.spec;
    if tick.state() != State::Pending || spec.request.paused {
        return None;
    }
    if spec.mode == Mode::Auto && !has_deployed(tick) {
        return Some(NOTHING_RECORDED.to_owned());
    }
    let in_turn = tick.environment.as_ref()?.status.as_ref()?.in_turn.as_ref()?;
    (*in_turn != tick.deployment.name).then(|| format!("waiting for its turn; Deployment {in_turn} has it"))
}

fn has_deployed<C: Cloud>(tick: &Tick<'_, C>) -> bool {
    let environment = tick.environment_view.as_ref();
    environment.is_some_and(|environment| environment.tenure.deployed.is_some())
}

fn waiter<C: Cloud>(tick: &Tick<'_, C>, sibling: &Arc<Deployment>) -> Option<Waiter> {
    let state = sibling.status.as_ref().and_then(|status| status.state).unwrap_or(State::Pending);
    let created = sibling.metadata.creation_timestamp.as_ref().map(|time| time.0);
    (state == State::Pending).then(|| Waiter {
        created: created.unwrap_or(Timestamp::UNIX_EPOCH),
        uid: view::uid(&**sibling),
        readiness: readiness(tick, sibling),
    })
}

fn readiness<C: Cloud>(tick: &Tick<'_, C>, sibling: &Deployment) -> Readiness {
    let environment = tick.environment_view.as_ref();
    let going = environment.is_none_or(|environment| environment.deletion != Deletion::None);
    let ready = !going
        && view::existence(sibling) == Existence::Kept
        && !sibling.spec.request.paused
        && sibling.spec.request.end.is_none()
        && (sibling.spec.mode == Mode::Manual || has_deployed(tick));
    if ready { Readiness::Runnable } else { Readiness::Held }
}
