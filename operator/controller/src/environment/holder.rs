//! What has become of the Deployment whose turn it is, and how far all others are.

use dryad_cloud::Cloud;
use dryad_crds::{Deployment, DeploymentStatus};
use dryad_machine::environment::{Deploys, Holder};
use dryad_machine::history::History;
use dryad_machine::state::State;
use kube::api::ListParams;
use kube::{Api, ResourceExt};

use super::Tick;
use crate::objects::view;
use crate::process::operator::TickError;

/// Asks the cache first, and the quorum before it believes that an object is gone.
pub(super) async fn holder<C: Cloud>(tick: &Tick<'_, C>) -> Result<Holder, TickError> {
    let Some(holder) = &tick.environment.tenure.holder else { return Ok(Holder::Minding) };
    if tick.deployments.iter().any(|deployment| view::uid(&**deployment) == *holder) {
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
    let has_ended = |deployment: &Deployment| {
        let status = deployment.status.as_ref();
        let history = || status.map_or(Ok(History::default()), DeploymentStatus::history);
        status.and_then(|status| status.state).is_some_and(State::is_terminal)
            || history().map_or(true, |history| history.state().is_terminal())
    };
    let all_ended = tick.deployments.iter().all(|deployment| has_ended(deployment));
    if all_ended { Deploys::Ended } else { Deploys::Unended }
}
