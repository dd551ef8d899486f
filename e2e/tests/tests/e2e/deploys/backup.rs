//! A backup of all objects, and what a restore makes of it: new uids, and the status of then or none.

use std::time::Duration;

use dryad_crds::{Deployment, Environment};
use dryad_stage::Stage;
use dryad_stage::operator::LEASE_NAME;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::coordination::v1::Lease;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::{Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::deploys::scene::WEB;

/// Everything that is stored in a namespace.
pub(crate) struct Backup {
    environments: Vec<Environment>,
    deployments: Vec<Deployment>,
}

/// What a restore brings back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// Spec and metadata alone.
    Dropped,
    /// Everything that was recorded then.
    Kept,
}

impl Backup {
    /// Takes one.
    pub(crate) async fn take(stage: &Stage) -> Self {
        Self { environments: all(stage).await, deployments: all(stage).await }
    }

    /// Takes every object away by force, and brings those of the backup back. Nobody may be looking after them.
    pub(crate) async fn restore(&self, stage: &Stage, status: Status) {
        take_away::<Deployment>(stage).await;
        take_away::<Environment>(stage).await;
        for object in &self.environments {
            let created = create(stage, object).await;
            if status == Status::Kept {
                keep_status(stage, &Environment { status: object.status.clone(), ..created }).await;
            }
        }
        for object in &self.deployments {
            let created = create(stage, object).await;
            if status == Status::Kept {
                keep_status(stage, &Deployment { status: object.status.clone(), ..created }).await;
            }
        }
    }
}

/// Takes every object of a kind away, as deleting its finalizers by hand does.
pub(crate) async fn take_away<K>(stage: &Stage)
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + DeserializeOwned,
    K: Clone + std::fmt::Debug + Send + Sync + 'static,
{
    let api = stage.api::<K>();
    for object in all::<K>(stage).await {
        let name = object.name_any();
        api.delete(&name, &DeleteParams::default()).await.expect("it is accepted");
        let patch = Patch::Merge(json!({ "metadata": { "finalizers": null } }));
        // One without finalizers is gone by now.
        let _ = api.patch_metadata(&name, &PatchParams::default(), &patch).await;
        stage.until::<K>(&name, |object| object.is_none()).await;
    }
}

/// Waits until the API server's clock says that a Deployment made now is made after its Environment was restored: it
/// tells creation times by the second. The operator's renewals of its Lease carry the clock.
pub(crate) async fn until_later(stage: &Stage) {
    let environment = stage.api::<Environment>().get(WEB).await.expect("it exists");
    let restored = environment.status.and_then(|status| status.tenure.restored).expect("it was restored");
    let later = restored.at + Duration::from_secs(2);
    let renewed = |lease: Option<&Lease>| {
        let spec = lease.and_then(|lease| lease.spec.as_ref());
        spec.and_then(|spec| spec.renew_time.as_ref()).is_some_and(|time| time.0 >= later)
    };
    stage.until(LEASE_NAME, renewed).await;
}

async fn all<K>(stage: &Stage) -> Vec<K>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>
        + DeserializeOwned
        + Clone
        + std::fmt::Debug,
{
    stage.api::<K>().list(&ListParams::default()).await.expect("it is answered").items
}

async fn create<K>(stage: &Stage, object: &K) -> K
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + DeserializeOwned + Serialize,
    K: Clone + std::fmt::Debug,
{
    let mut fresh = object.clone();
    let meta = fresh.meta_mut();
    (meta.uid, meta.resource_version, meta.creation_timestamp) = (None, None, None);
    (meta.generation, meta.managed_fields) = (None, None);
    stage.api::<K>().create(&PostParams::default(), &fresh).await.expect("it is accepted")
}

async fn keep_status<K>(stage: &Stage, object: &K)
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + DeserializeOwned + Serialize,
    K: Clone + std::fmt::Debug,
{
    let api = stage.api::<K>();
    api.replace_status(&object.name_any(), &PostParams::default(), object).await.expect("it is accepted");
}
