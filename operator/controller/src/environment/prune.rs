//! Pruning: ended Deployments beyond the history limit are deleted, the oldest first.
//!
//! The Deployment that brought what runs is always kept, and the one made for what is declared: they say why.

use std::sync::Arc;

use dryad_cloud::Cloud;
use dryad_crds::Deployment;
use dryad_machine::name::Uid;
use dryad_machine::state::State;
use kube::ResourceExt;
use kube::api::{DeleteParams, Preconditions};
use tracing::info;

use super::Tick;
use crate::objects::view;
use crate::process::operator::TickError;

/// Deletes what is beyond the limit.
pub(super) async fn prune<C: Cloud>(tick: &Tick<'_, C>) -> Result<(), TickError> {
    let tenure = &tick.environment.tenure;
    let deployed = tenure.deployed.as_ref().map(|deployed| &deployed.uid);
    let limit = usize::try_from(tick.object.spec.history_limit).unwrap_or(usize::MAX);
    let api = tick.operator.deployments_api(&tick.namespace());
    let requested = tick.object.status.as_ref().and_then(|status| status.requested.as_ref());
    let requested = requested.and_then(|requested| requested.uid.as_ref());
    for ended in beyond(&tick.deployments, limit, &[deployed, tenure.holder.as_ref(), requested]) {
        let preconditions = Preconditions { uid: ended.uid(), resource_version: ended.resource_version() };
        let params = DeleteParams { preconditions: Some(preconditions), ..DeleteParams::default() };
        match api.delete(&ended.name_any(), &params).await {
            Ok(_) => info!(deployment = ended.name_any(), "pruned"),
            Err(kube::Error::Api(status)) if status.is_not_found() || status.is_conflict() => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// The ended Deployments beyond the limit, except those that must be kept.
fn beyond(all: &[Arc<Deployment>], limit: usize, kept: &[Option<&Uid>]) -> Vec<Arc<Deployment>> {
    let has_ended = |deployment: &&Arc<Deployment>| {
        let state = deployment.status.as_ref().and_then(|status| status.state);
        state.is_some_and(State::is_terminal) && deployment.metadata.deletion_timestamp.is_none()
    };
    let mut ended: Vec<_> = all.iter().filter(has_ended).cloned().collect();
    ended.sort_by_key(|deployment| {
        let created = deployment.metadata.creation_timestamp.as_ref().map(|time| time.0);
        (std::cmp::Reverse(created), deployment.name_any())
    });
    ended
        .into_iter()
        .skip(limit)
        .filter(|deployment| !kept.contains(&Some(&view::uid(&**deployment))))
        .collect()
}
