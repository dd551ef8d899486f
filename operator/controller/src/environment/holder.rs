//! What has become of the Deployment whose turn it is, and how far all others are.

use dryad_cloud::Cloud;
use dryad_crds::Deployment;
use dryad_machine::environment::{Deploys, Holder};
use kube::api::ListParams;
use kube::{Api, ResourceExt};

use super::Tick;
use crate::operator::TickError;
use crate::view;

/// Asks the cache first, and the quorum before it believes that an object is gone.
pub(super) async fn holder<C: Cloud>(tick: &Tick<'_, C>) -> Result<Holder, TickError> {
    let Some(holder) = &tick.environment.tenure.holder else { return Ok(Holder::Minding) };
    let cached = tick.operator.deployments_of(&tick.namespace(), &tick.environment.name);
    if cached.iter().any(|deployment| view::uid(&**deployment) == *holder) {
        return Ok(Holder::Minding);
    }
    // No resourceVersion: this list is answered by the quorum.
    let deployments: Api<Deployment> = Api::namespaced(tick.operator.client.clone(), &tick.namespace());
    let all = deployments.list_metadata(&ListParams::default()).await?;
    let exists = all.items.iter().any(|deployment| deployment.uid().as_deref() == Some(holder.as_str()));
    Ok(if exists { Holder::Minding } else { Holder::Vanished })
}

/// How far its Deployments are. One whose history is illegal holds nobody up.
pub(super) fn deploys<C: Cloud>(tick: &Tick<'_, C>) -> Deploys {
    let all = tick.operator.deployments_of(&tick.namespace(), &tick.environment.name);
    let has_ended = |deployment: &Deployment| {
        view::deployment(deployment).map_or(true, |view| view.history.state().is_terminal())
    };
    if all.iter().all(|deployment| has_ended(deployment)) { Deploys::Ended } else { Deploys::Unended }
}
