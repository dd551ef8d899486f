//! From stored objects to what the machine decides by. Pure.

use dryad_crds::environment::policy::DeletionPolicy;
use dryad_crds::environment::traffic::Traffic;
use dryad_crds::{Deployment, DeploymentStatus, Environment};
use dryad_machine::history::{History, IllegalHistory};
use dryad_machine::name::Uid;
use dryad_machine::plan::Revision;
use dryad_machine::view::{Bounds, Deletion, DeploymentView, EnvironmentView, Existence, Finalizer};
use kube::ResourceExt;

/// What stands on every object that Dryad must be told of before it goes.
pub const FINALIZER: &str = "dryad.dev/turn";

/// The uid of an object that the API server has stored.
pub fn uid(object: &impl ResourceExt) -> Uid {
    Uid::new(object.uid().unwrap_or_default())
}

/// Whether our finalizer is on the object.
pub fn finalizer(object: &impl ResourceExt) -> Finalizer {
    if object.finalizers().iter().any(|finalizer| finalizer == FINALIZER) {
        Finalizer::Present
    } else {
        Finalizer::Absent
    }
}

/// Whether the object is here to stay.
pub fn existence(object: &impl ResourceExt) -> Existence {
    match object.meta().deletion_timestamp {
        None => Existence::Kept,
        Some(_) => Existence::BeingDeleted,
    }
}

/// A Deployment as the machine sees it.
///
/// # Errors
/// When its history is not whole.
pub fn deployment(object: &Deployment) -> Result<DeploymentView, IllegalHistory> {
    let status = object.status.as_ref();
    Ok(DeploymentView {
        uid: uid(object),
        name: object.name_any(),
        existence: existence(object),
        finalizer: finalizer(object),
        request: object.spec.request.into(),
        history: status.map_or(Ok(History::default()), DeploymentStatus::history)?,
        turn: status.and_then(|status| status.turn),
        plan: status.and_then(|status| status.plan.clone()),
    })
}

/// An Environment as the machine sees it.
pub fn environment(object: &Environment) -> EnvironmentView {
    let spec = &object.spec;
    let capacity = spec.target.capacity();
    EnvironmentView {
        name: object.name_any(),
        revision: Revision { uid: uid(object), generation: object.metadata.generation.unwrap_or_default() },
        deletion: match (existence(object), spec.deletion_policy) {
            (Existence::Kept, _) => Deletion::None,
            (Existence::BeingDeleted, DeletionPolicy::Delete) => Deletion::Delete,
            (Existence::BeingDeleted, DeletionPolicy::Retain) => Deletion::Retain,
        },
        tenure: object.status.as_ref().map(|status| status.tenure.clone()).unwrap_or_default(),
        place: spec.target.place(),
        bounds: Bounds { min: capacity.min, max: capacity.max },
        replicas: spec.replicas,
        routing: Traffic::routing(spec.traffic.as_ref()),
        strategy: spec.strategy.into(),
        pace: spec.pace(),
    }
}
