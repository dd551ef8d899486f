//! The rights of a stage's operators: a service account of the stage's namespace, which may do what the chart lets it,
//! and nothing else.
//!
//! They are read from `config/install.yaml`, which is rendered from the chart: there the operator minds every
//! namespace, here only the stage's, by the same rules.

use std::fmt::Debug;
use std::time::Duration;

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::authorization::v1::SubjectAccessReview;
use k8s_openapi::api::core::v1::ServiceAccount;
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{Stage, StageError};

/// The service account's name, and that of its Lease.
pub const ACCOUNT: &str = "dryad";
/// What is installed, as users install it.
const INSTALLED: &str = include_str!("../../../config/install.yaml");
/// The roles by their names: what the operator does with its own objects, and with its Lease.
const ROLES: [&str; 2] = ["dryad", "dryad-leader-election"];

/// Creates the service account, and waits until the API server goes by its rights.
pub(crate) async fn grant(client: &Client, namespace: &str) -> Result<(), StageError> {
    apply::<ServiceAccount>(client, namespace, ACCOUNT, json!({})).await?;
    let objects: Vec<Value> =
        serde_saphyr::from_multiple(INSTALLED).map_err(|error| StageError::Rights(error.to_string()))?;
    for name in ROLES {
        let rules = rules_of(&objects, name)
            .ok_or_else(|| StageError::Rights(format!("there is no role {name} in it")))?;
        apply::<Role>(client, namespace, name, json!({ "rules": rules })).await?;
        let binding = json!({
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name },
            "subjects": [{ "kind": "ServiceAccount", "name": ACCOUNT, "namespace": namespace }],
        });
        apply::<RoleBinding>(client, namespace, name, binding).await?;
    }
    await_effect(client, namespace).await
}

fn rules_of<'a>(objects: &'a [Value], name: &str) -> Option<&'a Value> {
    let is_role = |object: &&Value| {
        matches!(object["kind"].as_str(), Some("Role" | "ClusterRole")) && object["metadata"]["name"] == *name
    };
    objects.iter().find(is_role).map(|role| &role["rules"])
}

async fn apply<K>(client: &Client, namespace: &str, name: &str, mut object: Value) -> Result<(), StageError>
where
    K: Resource<Scope = NamespaceResourceScope> + Clone + Debug + DeserializeOwned + Serialize,
    K::DynamicType: Default,
{
    object["apiVersion"] = json!(K::api_version(&K::DynamicType::default()));
    object["kind"] = json!(K::kind(&K::DynamicType::default()));
    object["metadata"]["name"] = json!(name);
    let api: Api<K> = Api::namespaced(client.clone(), namespace);
    api.patch(name, &PatchParams::apply("dryad-stage"), &Patch::Apply(&object)).await?;
    Ok(())
}

/// The API server learns of roles and bindings from its own watch: an operator that came sooner would be turned away.
async fn await_effect(client: &Client, namespace: &str) -> Result<(), StageError> {
    let last = [("dryad.dev", "environments", "list"), ("coordination.k8s.io", "leases", "create")];
    for (group, resource, verb) in last {
        until(client, namespace, (group, resource, verb), Answer::Yes).await?;
    }
    Ok(())
}

/// Whether something is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Yes,
    No,
}

impl Stage {
    /// Waits until the API server turns the operators away who ask for this.
    ///
    /// # Panics
    /// When it still lets them.
    pub async fn until_denied(&self, group: &str, resource: &str, verb: &str) {
        let question = (group, resource, verb);
        until(&self.client, &self.namespace, question, Answer::No).await.expect("the API server goes by it");
    }
}

async fn until(
    client: &Client,
    namespace: &str,
    question: (&str, &str, &str),
    wanted: Answer,
) -> Result<(), StageError> {
    const PATIENCE: Duration = Duration::from_secs(30);
    const PAUSE: Duration = Duration::from_millis(20);
    let in_effect = async {
        while may(client, namespace, question).await? != wanted {
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    };
    match tokio::time::timeout(PATIENCE, in_effect).await {
        Ok(result) => result,
        Err(_) => Err(StageError::Rights("the API server does not go by it after 30 seconds".to_owned())),
    }
}

async fn may(
    client: &Client,
    namespace: &str,
    (group, resource, verb): (&str, &str, &str),
) -> Result<Answer, StageError> {
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "metadata": {},
        "spec": {
            "user": format!("system:serviceaccount:{namespace}:{ACCOUNT}"),
            "resourceAttributes": {
                "namespace": namespace, "group": group, "resource": resource, "verb": verb,
            },
        },
    });
    let review: SubjectAccessReview =
        serde_json::from_value(review).map_err(|error| StageError::Rights(error.to_string()))?;
    let reviews: Api<SubjectAccessReview> = Api::all(client.clone());
    let answer = reviews.create(&PostParams::default(), &review).await?;
    let allowed = answer.status.is_some_and(|status| status.allowed);
    Ok(if allowed { Answer::Yes } else { Answer::No })
}
