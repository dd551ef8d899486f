//! Recording: every write to the API server, each guarded by the resourceVersion that was decided on.
//!
//! A conflict is not an error: somebody was faster, and the next tick decides from what they wrote.

use dryad_crds::deployment::status::{Progress as ProgressStatus, Template};
use dryad_crds::{Deployment, Environment, condition};
use dryad_machine::decide::{Append, Progress};
use dryad_machine::requested::Requested;
use dryad_machine::tenure::Tenure;
use jiff::Timestamp;
use k8s_openapi::NamespaceResourceScope;
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::objects::view::{FINALIZER, STARTED};

/// What became of a guarded write.
#[derive(Clone, Debug)]
pub enum Recorded<K> {
    /// It is stored; the object as it is now.
    Stored(Box<K>),
    /// The object had changed, or is gone; nothing is stored.
    Conflict,
}

fn recorded<K>(result: Result<K, kube::Error>) -> Result<Recorded<K>, kube::Error> {
    match result {
        Ok(object) => Ok(Recorded::Stored(Box::new(object))),
        Err(kube::Error::Api(status)) if status.is_conflict() || status.is_not_found() => {
            Ok(Recorded::Conflict)
        }
        Err(error) => Err(error),
    }
}

/// Appends an entry to a Deployment's history, with what is frozen in the same write. With a plan, that is the
/// template as well.
///
/// # Errors
/// When the API server can't be reached or refuses.
pub async fn append(
    api: &Api<Deployment>,
    object: &Deployment,
    append: &Append,
    template: Option<&Template>,
) -> Result<Recorded<Deployment>, kube::Error> {
    let mut next = object.clone();
    let status = next.status.get_or_insert_default();
    status.append(append.entry.clone());
    status.turn = status.turn.or(append.turn);
    if let Some(plan) = &append.plan {
        status.plan = Some(plan.clone());
        status.template = template.cloned();
    }
    status.progress = None;
    status.observed_generation = object.metadata.generation.unwrap_or_default();
    if let Ok(history) = status.history() {
        status.conditions = condition::deployment::conditions(&history, status.observed_generation);
    }
    replace_status(api, &next).await
}

/// Stores that a Deployment can't be gone by, and why, if that is not stored already.
///
/// # Errors
/// When the API server can't be reached or refuses.
pub async fn stalled(
    api: &Api<Deployment>,
    object: &Deployment,
    reason: &str,
    why: &str,
    now: Timestamp,
) -> Result<(), kube::Error> {
    let mut next = object.clone();
    let generation = object.metadata.generation.unwrap_or_default();
    let status = next.status.get_or_insert_default();
    status.conditions = condition::stalled(&status.conditions, reason, why, generation, now);
    status.observed_generation = generation;
    if next.status != object.status {
        replace_status(api, &next).await?;
    }
    Ok(())
}

/// Stores why a Deployment waits.
///
/// # Errors
/// When the API server can't be reached or refuses.
pub async fn progress(
    api: &Api<Deployment>,
    object: &Deployment,
    progress: &Progress,
    now: Timestamp,
) -> Result<Recorded<Deployment>, kube::Error> {
    let mut next = object.clone();
    next.status.get_or_insert_default().progress = Some(ProgressStatus::new(progress, now));
    replace_status(api, &next).await
}

/// Stores an Environment's tenure. `taker` is the name of the Deployment that writes it, for people: the tenure
/// itself knows its holder by uid.
///
/// # Errors
/// When the API server can't be reached or refuses.
pub async fn tenure(
    api: &Api<Environment>,
    object: &Environment,
    tenure: &Tenure,
    taker: Option<&str>,
) -> Result<Recorded<Environment>, kube::Error> {
    let mut next = object.clone();
    let status = next.status.get_or_insert_default();
    status.tenure = tenure.clone();
    status.in_turn = tenure.holder.as_ref().and(taker.map(str::to_owned).or(status.in_turn.take()));
    replace_status(api, &next).await
}

/// Stores what was taken over into an Environment, and what counts as requested from then on.
///
/// # Errors
/// When the API server can't be reached or refuses.
pub async fn adopted(
    api: &Api<Environment>,
    object: &Environment,
    tenure: &Tenure,
    requested: Option<Requested>,
) -> Result<Recorded<Environment>, kube::Error> {
    let mut next = object.clone();
    let status = next.status.get_or_insert_default();
    (status.tenure, status.in_turn) = (tenure.clone(), None);
    if requested.is_some() {
        status.requested = requested;
    }
    replace_status(api, &next).await
}

/// Stores what is requested for an Environment.
///
/// # Errors
/// When the API server can't be reached or refuses.
pub async fn requested(
    api: &Api<Environment>,
    object: &Environment,
    requested: Requested,
) -> Result<Recorded<Environment>, kube::Error> {
    let mut next = object.clone();
    next.status.get_or_insert_default().requested = Some(requested);
    replace_status(api, &next).await
}

/// Stores that this generation of a Deployment was seen, if that is not stored already. Who waits by generation would
/// wait for ever otherwise: a request may change the spec of a Deployment to which nothing happens any more.
///
/// # Errors
/// When the API server can't be reached or refuses.
pub async fn observed(api: &Api<Deployment>, object: &Deployment) -> Result<(), kube::Error> {
    let generation = object.metadata.generation.unwrap_or_default();
    let mut next = object.clone();
    let Some(status) = next.status.as_mut().filter(|status| status.observed_generation != generation) else {
        return Ok(());
    };
    status.observed_generation = generation;
    if let Ok(history) = status.history() {
        status.conditions = condition::deployment::conditions(&history, generation);
    }
    replace_status(api, &next).await.map(|_| ())
}

/// Stores an Environment's conditions.
///
/// # Errors
/// When the API server can't be reached or refuses.
pub async fn environment_status(
    api: &Api<Environment>,
    next: &Environment,
) -> Result<Recorded<Environment>, kube::Error> {
    replace_status(api, next).await
}

async fn replace_status<K>(api: &Api<K>, next: &K) -> Result<Recorded<K>, kube::Error>
where
    K: Resource<Scope = NamespaceResourceScope>
        + serde::Serialize
        + DeserializeOwned
        + Clone
        + std::fmt::Debug,
{
    recorded(api.replace_status(&next.name_any(), &PostParams::default(), next).await)
}

/// Puts our finalizer on an object.
///
/// # Errors
/// When the API server can't be reached or refuses.
pub async fn add_finalizer<K>(api: &Api<K>, object: &K) -> Result<Recorded<K>, kube::Error>
where
    K: Resource + DeserializeOwned + Clone + std::fmt::Debug,
{
    let mut finalizers = object.finalizers().to_vec();
    finalizers.push(FINALIZER.to_owned());
    set_finalizers(api, object, &finalizers).await
}

/// Puts our finalizer on a Deployment, and the mark that it was taken up under this uid.
///
/// # Errors
/// When the API server can't be reached or refuses.
pub async fn start(api: &Api<Deployment>, object: &Deployment) -> Result<Recorded<Deployment>, kube::Error> {
    let mut finalizers = object.finalizers().to_vec();
    if !finalizers.iter().any(|finalizer| finalizer == FINALIZER) {
        finalizers.push(FINALIZER.to_owned());
    }
    let patch = json!({ "metadata": {
        "resourceVersion": object.resource_version(),
        "finalizers": finalizers,
        "annotations": { STARTED: object.uid() },
    } });
    recorded(api.patch(&object.name_any(), &PatchParams::default(), &Patch::Merge(patch)).await)
}

/// Takes our finalizer off an object, which lets it go if it is being deleted.
///
/// # Errors
/// When the API server can't be reached or refuses.
pub async fn remove_finalizer<K>(api: &Api<K>, object: &K) -> Result<Recorded<K>, kube::Error>
where
    K: Resource + DeserializeOwned + Clone + std::fmt::Debug,
{
    let others = object.finalizers().iter().filter(|finalizer| *finalizer != FINALIZER);
    set_finalizers(api, object, &others.cloned().collect::<Vec<_>>()).await
}

/// A patch and not a replacement: an older operator must not drop what a newer one may have added to a spec.
async fn set_finalizers<K>(
    api: &Api<K>,
    object: &K,
    finalizers: &[String],
) -> Result<Recorded<K>, kube::Error>
where
    K: Resource + DeserializeOwned + Clone + std::fmt::Debug,
{
    let patch = json!({
        "metadata": { "resourceVersion": object.resource_version(), "finalizers": finalizers }
    });
    recorded(api.patch(&object.name_any(), &PatchParams::default(), &Patch::Merge(patch)).await)
}
