//! From stored objects to what the machine decides by. Pure.

use dryad_crds::environment::policy::DeletionPolicy;
use dryad_crds::environment::traffic::Traffic;
use dryad_crds::{Deployment, DeploymentStatus, Environment};
use dryad_machine::history::{History, IllegalHistory};
use dryad_machine::name::Uid;
use dryad_machine::plan::Revision;
use dryad_machine::view::{
    Bounds, Claim, Deletion, DeploymentView, EnvironmentView, Existence, Finalizer, Mark, Past,
};
use jiff::Timestamp;
use kube::ResourceExt;

/// What stands on every object that Dryad must be told of before it goes.
pub const FINALIZER: &str = "dryad.dev/turn";

/// The annotation that a Deployment gets when it is first taken up: its own uid. It comes along into every copy and
/// every backup, where it is another one's.
pub const STARTED: &str = "dryad.dev/started";

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

/// Whose start the object bears the mark of.
pub fn mark(object: &impl ResourceExt) -> Mark {
    match object.annotations().get(STARTED) {
        None => Mark::None,
        Some(marked) if object.uid().as_ref() == Some(marked) => Mark::Own,
        Some(marked) => Mark::Other(Uid::new(marked)),
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
        mark: mark(object),
        created: object.creation_timestamp().map_or(Timestamp::UNIX_EPOCH, |time| time.0),
        request: object.spec.request.into(),
        history: status.map_or(Ok(History::default()), DeploymentStatus::history)?,
        turn: status.and_then(|status| status.turn),
        plan: status.and_then(|status| status.plan.clone()),
    })
}

/// An Environment as the machine sees it.
pub fn environment(object: &Environment, past: Past, claim: Claim) -> EnvironmentView {
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
        past,
        place: spec.target.place(),
        bounds: Bounds { min: capacity.min, max: capacity.max },
        replicas: spec.replicas,
        access: Traffic::access(spec.traffic.as_ref()),
        claim,
        strategy: spec.strategy.into(),
        pace: spec.pace(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A copy has the mark of what it was made of, and must never run.
    #[test]
    fn the_mark_of_another_one_is_told_from_ones_own() {
        let marked = |with: Option<&str>| {
            let spec = serde_json::from_str(r#"{ "environment": "web" }"#).unwrap();
            let mut object = Deployment::new("web-1", spec);
            object.metadata.uid = Some("own".to_owned());
            object.annotations_mut().extend(with.map(|uid| (STARTED.to_owned(), uid.to_owned())));
            mark(&object)
        };
        assert_eq!(marked(None), Mark::None);
        assert_eq!(marked(Some("own")), Mark::Own);
        assert_eq!(marked(Some("other")), Mark::Other(Uid::new("other")));
    }
}
