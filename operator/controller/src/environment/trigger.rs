//! The trigger of one Environment: reads what is declared, records that it is requested, makes the Deployment.
//!
//! What is digested is JSON as the quorum returns it, because our types would drop and add fields. It is read once
//! for each generation that this process meets, and again before anything is written, so that the resourceVersion
//! guards what was digested.

use dryad_cloud::Cloud;
use dryad_crds::deployment::{Declared, Mode};
use dryad_crds::environment::declared;
use dryad_crds::{Deployment, DeploymentSpec, Environment};
use dryad_machine::release::Sha256;
use dryad_machine::requested::{self, Requested};
use dryad_machine::trigger::{Namesake, Running, Trigger, TriggerCase, decide};
use dryad_machine::view::{Deletion, Finalizer};
use dryad_machine::word::WordError;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::api::{ApiResource, DynamicObject, PostParams};
use kube::runtime::reflector::ObjectRef;
use kube::{Api, Client, Resource, ResourceExt};
use tracing::{info, warn};

use super::{Tick, report};
use crate::objects::{record, view};
use crate::process::operator::TickError;

/// The labels of a Deployment that was made for a declared release, for selectors: nothing is decided by them.
const LABEL_ENVIRONMENT: &str = "dryad.dev/environment";
const LABEL_TRIGGER: &str = "dryad.dev/trigger";

/// What a process keeps of an Environment's declaration: the generation it was read in, and its digest.
pub(crate) type Known = Option<(i64, Option<Sha256>)>;

/// What the trigger has come to in this tick.
pub(super) enum Pulled {
    /// It has nothing to do.
    Rest,
    /// It has written, or somebody else has: decide anew.
    Wrote,
    /// The API server refuses the Deployment, and why.
    Refused(String),
}

/// What an Environment declares, taken as what runs: what to record where nobody knows what was requested, so that
/// only the next change is deployed. None where it declares no release.
///
/// # Errors
/// When the API server can't be reached or refuses.
pub async fn already_requested(
    client: &Client,
    object: &Environment,
) -> Result<Option<Requested>, kube::Error> {
    let fresh = read(client, object).await?;
    Ok(fresh.and_then(|fresh| digest(&fresh)).map(Requested::already))
}

/// One tick of the trigger.
pub(super) async fn pull<C: Cloud>(tick: &Tick<'_, C>, known: &mut Known) -> Result<Pulled, TickError> {
    let going =
        tick.environment.deletion != Deletion::None || view::finalizer(tick.object) == Finalizer::Absent;
    if going || tick.object.spec.release.is_none() {
        return Ok(Pulled::Rest);
    }
    let generation = tick.object.metadata.generation.unwrap_or_default();
    let requested = tick.object.status.as_ref().and_then(|status| status.requested.as_ref());
    if let (Some((of, digest)), Some(requested)) = (&*known, requested)
        && *of == generation
        && digest.as_ref() == Some(&requested.digest)
        && requested.is_settled()
    {
        return Ok(Pulled::Rest);
    }
    let Some(fresh) = read(&tick.operator.client, tick.object).await? else { return Ok(Pulled::Wrote) };
    let Ok(object) = fresh.clone().try_parse::<Environment>() else {
        warn!(environment = %tick.environment.name, "this Environment can't be read as it is now");
        return Ok(Pulled::Rest);
    };
    let digest = digest(&fresh);
    *known = object.metadata.generation.map(|generation| (generation, digest.clone()));
    if object.metadata.resource_version != tick.object.metadata.resource_version {
        // The cache is behind: what it shows of this Environment and of its Deployments is about to change.
        return Ok(Pulled::Wrote);
    }
    act(tick, &object, digest.as_ref()).await
}

async fn act<C: Cloud>(
    tick: &Tick<'_, C>,
    object: &Environment,
    digest: Option<&Sha256>,
) -> Result<Pulled, TickError> {
    let name = &tick.environment.name;
    let requested = object.status.as_ref().and_then(|status| status.requested.as_ref());
    let namesake = match requested.filter(|requested| !requested.is_settled()) {
        Some(requested) => namesake(tick, object, requested).await?,
        None => Namesake::Nobody,
    };
    let running = if report::runs_as_declared(tick) { Running::Exactly } else { Running::Otherwise };
    let is_taken = |number| {
        let reference = ObjectRef::new(&requested::name(name, number)).within(&tick.namespace());
        tick.operator.caches.deployments.get(&reference).is_some()
    };
    let case = TriggerCase { declared: digest, requested, running, namesake: &namesake };
    match decide(case, is_taken) {
        Trigger::Rest => Ok(Pulled::Rest),
        Trigger::Record(requested) => {
            info!(environment = %name, number = requested.number, digest = %requested.digest, "requested");
            let environments = tick.operator.environments_api(&tick.namespace());
            record::requested(&environments, object, requested).await?;
            Ok(Pulled::Wrote)
        }
        Trigger::Create(requested) => create(tick, object, &requested).await,
    }
}

async fn create<C: Cloud>(
    tick: &Tick<'_, C>,
    object: &Environment,
    requested: &Requested,
) -> Result<Pulled, TickError> {
    if !tick.operator.may_act() {
        return Ok(Pulled::Rest);
    }
    let name = requested.name(&tick.environment.name);
    let refused = |why: &str| Ok(Pulled::Refused(format!("Deployment {name} can't be made: {why}")));
    let deployment = match deployment(object, requested) {
        Ok(deployment) => deployment,
        Err(unfit) => return refused(&unfit.to_string()),
    };
    let api = tick.operator.deployments_api(&tick.namespace());
    match api.create(&PostParams::default(), &deployment).await {
        Ok(_) => {
            info!(environment = %tick.environment.name, deployment = name, "made for what is declared");
            Ok(Pulled::Wrote)
        }
        // Somebody's: the next tick looks whose.
        Err(kube::Error::Api(status)) if status.is_already_exists() => Ok(Pulled::Wrote),
        Err(kube::Error::Api(status)) if (400..500).contains(&status.code) && status.code != 429 => {
            warn!(environment = %tick.environment.name, deployment = name, why = status.message, "refused");
            refused(&status.message)
        }
        Err(error) => Err(error.into()),
    }
}

/// The Deployment that brings what is declared. Its Environment owns it, so that it goes when that has gone, and is
/// shown beneath it; it does not hold up the deletion of its owner, whose finalizer waits for what matters.
///
/// # Errors
/// Where the Environment has a name that no Deployment can name: it was stored under other rules.
fn deployment(object: &Environment, requested: &Requested) -> Result<Deployment, WordError> {
    let environment = object.name_any();
    let labels = [(LABEL_ENVIRONMENT, environment.as_str()), (LABEL_TRIGGER, "gitops")];
    let mut deployment = Deployment::new(
        &requested.name(&environment),
        DeploymentSpec {
            environment: environment.parse()?,
            mode: Mode::Manual,
            release: object.spec.release.clone().map(Into::into),
            from: None,
            declared: Some(Declared { number: requested.number, digest: requested.digest.clone() }),
            request: dryad_crds::deployment::request::Request::default(),
        },
    );
    deployment.metadata.namespace = object.namespace();
    deployment.metadata.labels =
        Some(labels.map(|(key, value)| (key.to_owned(), value.to_owned())).into_iter().collect());
    let owner =
        object.controller_owner_ref(&()).map(|owner| OwnerReference { block_owner_deletion: None, ..owner });
    deployment.metadata.owner_references = owner.map(|owner| vec![owner]);
    Ok(deployment)
}

/// Whose the Deployment of the requested name is, by a quorum read.
async fn namesake<C: Cloud>(
    tick: &Tick<'_, C>,
    object: &Environment,
    requested: &Requested,
) -> Result<Namesake, TickError> {
    let api = tick.operator.deployments_api(&tick.namespace());
    match api.get_opt(&requested.name(&tick.environment.name)).await {
        Ok(None) => Ok(Namesake::Nobody),
        Ok(Some(found)) if is_made_for(&found, object, requested) => Ok(Namesake::Ours(view::uid(&found))),
        // One that can't be read was not made here either.
        Ok(Some(_)) | Err(kube::Error::SerdeError(_)) => Ok(Namesake::Foreign),
        Err(error) => Err(error.into()),
    }
}

fn is_made_for(found: &Deployment, object: &Environment, requested: &Requested) -> bool {
    let declared = Declared { number: requested.number, digest: requested.digest.clone() };
    let owned = found.owner_references().iter().any(|owner| Some(&owner.uid) == object.uid().as_ref());
    owned && found.spec.declared.as_ref() == Some(&declared)
}

/// The Environment as the quorum has it, as JSON; none where it is gone, or another one has its name.
async fn read(client: &Client, object: &Environment) -> Result<Option<DynamicObject>, kube::Error> {
    let resource = ApiResource::erase::<Environment>(&());
    let namespace = object.namespace().unwrap_or_default();
    let environments: Api<DynamicObject> = Api::namespaced_with(client.clone(), &namespace, &resource);
    let found = environments.get_opt(&object.name_any()).await?;
    Ok(found.filter(|found| found.uid() == object.uid()))
}

fn digest(fresh: &DynamicObject) -> Option<Sha256> {
    declared::digest(fresh.data.get("spec")?)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn stored(launch_template: &Value) -> DynamicObject {
        let spec = json!({
            "target": { "autoScalingGroup": {
                "account": "default",
                "region": "us-east-1",
                "launchTemplate": launch_template,
                "subnetIds": ["subnet-0a0a0a0a"],
                "capacity": { "min": 1, "max": 1 },
            } },
            "release": { "image": "ami-0abc0abc" },
            "acceptUnproven": true,
        });
        let metadata = json!({ "namespace": "shop", "name": "web" });
        let object = json!({
            "apiVersion": "dryad.dev/v1alpha1", "kind": "Environment", "metadata": metadata, "spec": spec,
        });
        serde_json::from_value(object).unwrap()
    }

    /// One broken object stalls itself alone: it ends no process.
    #[test]
    fn who_has_a_name_that_nobody_can_name_is_refused_in_words() {
        let mut object: Environment = stored(&json!({ "instanceType": "m7g.large" })).try_parse().unwrap();
        let requested = Requested { number: 1, digest: "a".repeat(64).parse().unwrap(), uid: None };
        assert_eq!(deployment(&object, &requested).unwrap().name_any(), "web-1");
        object.metadata.name = Some("web.shop".to_owned());
        let refusal = deployment(&object, &requested).unwrap_err().to_string();
        assert!(refusal.contains("web.shop") && refusal.contains("an Environment's name"), "{refusal}");
    }

    /// Else an upgrade to a Dryad with other fields or defaults would redeploy everything.
    #[test]
    fn what_is_stored_is_digested_and_not_what_our_types_make_of_it() {
        let plain = stored(&json!({ "instanceType": "m7g.large" }));
        let bare = stored(&json!({ "instanceType": "m7g.large", "securityGroupIds": [] }));
        let newer = stored(&json!({ "instanceType": "m7g.large", "ofANewerDryad": "1" }));
        let read = |object: &DynamicObject| object.clone().try_parse::<Environment>().unwrap().spec;
        assert!(read(&plain) == read(&bare) && read(&plain) == read(&newer), "to our types all are one");
        let digests = [&plain, &bare, &newer].map(|object| digest(object).unwrap());
        assert!(digests[0] != digests[1] && digests[0] != digests[2] && digests[1] != digests[2]);
    }
}
