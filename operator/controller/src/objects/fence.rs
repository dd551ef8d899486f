//! The fence: what stands between a decision and the cloud.
//!
//! A decision is made from caches, which may be old. Before every change both objects are read once more
//! from the quorum; if the turn or the history is no longer what was decided on, nothing is sent.

use dryad_crds::{Deployment, DeploymentStatus, Environment};
use dryad_machine::history::History;
use dryad_machine::tenure::Tenure;
use kube::{Api, ResourceExt};
use thiserror::Error;

use crate::objects::view;

/// Why nothing was sent.
#[derive(Debug, Error)]
pub enum Fenced {
    /// The objects have moved on since the decision; the next tick decides anew.
    #[error("{kind} {name} has changed since this was decided")]
    Moved {
        /// The kind of the object.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// The API server could not be asked.
    #[error(transparent)]
    Api(#[from] kube::Error),
}

/// Lets a deploy's effects pass only while turn and history are those that were decided on.
///
/// # Errors
/// When they are not, or nobody knows.
pub async fn deployment(
    deployments: &Api<Deployment>,
    environments: &Api<Environment>,
    decided: &Deployment,
    history: &History,
) -> Result<(), Fenced> {
    let (status, tenure) = stored(deployments, environments, decided, history).await?;
    let ours = tenure
        .is_some_and(|tenure| tenure.holder == Some(view::uid(decided)) && status.turn == Some(tenure.turn));
    ours.then_some(()).ok_or_else(|| environment_moved(decided))
}

/// Lets the effects of a deploy whose Environment is gone pass only while its history is the one that was decided on, and
/// the Environment has not come back with its holder on record.
///
/// # Errors
/// When it is not so, or nobody knows.
pub async fn orphan(
    deployments: &Api<Deployment>,
    environments: &Api<Environment>,
    decided: &Deployment,
    history: &History,
) -> Result<(), Fenced> {
    let (_, tenure) = stored(deployments, environments, decided, history).await?;
    let stays_gone = tenure.and_then(|tenure| tenure.holder) != Some(view::uid(decided));
    stays_gone.then_some(()).ok_or_else(|| environment_moved(decided))
}

/// The status of a Deployment that is still the one that was decided on, and the tenure of its Environment, if there is
/// any.
async fn stored(
    deployments: &Api<Deployment>,
    environments: &Api<Environment>,
    decided: &Deployment,
    history: &History,
) -> Result<(DeploymentStatus, Option<Tenure>), Fenced> {
    let (name, environment_name) = (decided.name_any(), decided.spec.environment.as_str());
    let (deployment, environment) =
        futures::future::join(deployments.get_opt(&name), environments.get_opt(environment_name)).await;
    let same = deployment?.filter(|stored| stored.uid() == decided.uid());
    let status = same.map(|stored| stored.status.unwrap_or_default());
    let status = status
        .filter(|status| status.history.len() == history.entries().len())
        .ok_or(Fenced::Moved { kind: "Deployment", name })?;
    Ok((status, environment?.and_then(|environment| environment.status).map(|status| status.tenure)))
}

fn environment_moved(decided: &Deployment) -> Fenced {
    Fenced::Moved { kind: "Environment", name: decided.spec.environment.to_string() }
}

/// Lets an Environment's own effects pass only while its spec and its tenure are those that were decided on.
///
/// # Errors
/// When it is not, or nobody knows.
pub async fn environment(
    environments: &Api<Environment>,
    decided: &Environment,
    tenure: &Tenure,
) -> Result<(), Fenced> {
    let name = decided.name_any();
    let same = |current: &Environment| {
        current.uid() == decided.uid() && current.metadata.generation == decided.metadata.generation
    };
    let moved = || Fenced::Moved { kind: "Environment", name: name.clone() };
    let current = environments.get_opt(&name).await?.filter(same).ok_or_else(moved)?;
    let current = current.status.map(|status| status.tenure).unwrap_or_default();
    (current == *tenure).then_some(()).ok_or_else(moved)
}

#[cfg(test)]
mod tests;
