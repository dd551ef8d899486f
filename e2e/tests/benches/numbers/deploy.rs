//! What one deploy costs: writes to the API server, calls of the cloud; and how soon a healthy green is recorded as such.

use std::collections::BTreeMap;
use std::time::Duration;

use dryad_cluster::Cluster;
use dryad_crds::{Deployment, Environment};
use dryad_local_cloud::balancer::Observation;
use dryad_machine::state::State;
use dryad_machine::tenure::Tenure;
use dryad_stage::Stage;
use dryad_stage::deploys::{history_of, state_of};
use futures::{StreamExt, TryStreamExt};
use k8s_openapi::NamespaceResourceScope;
use kube::ResourceExt;
use kube::api::{ListParams, WatchEvent, WatchParams};
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::time::Instant;

use crate::{Row, parts};

/// The tick of the Environment.
const TICK: Duration = Duration::from_secs(1);
/// What else a deploy writes: finalizers, the turn.
const BESIDES: usize = 6;
/// How many instances the Environment wants.
const INSTANCES: usize = 2;

/// Deploys release two over release one.
pub(crate) async fn measure(cluster: &Cluster) -> (Vec<Row>, BTreeMap<&'static str, u32>) {
    let stage = Stage::set(cluster, "numbers-deploy", parts()).await.expect("a stage");
    stage.repository.commit("Say one", &[("index.html", Some("one"))]).expect("it is committed");
    let _operator = stage.operator("measured").expect("it starts");
    stage.create_environment(&stage.environment("web")).await;
    stage.deploy("web-1", json!({ "environment": "web", "request": { "skipEvaluation": true } })).await;
    stage.until_state("web-1", State::Done).await;
    stage.until_free("web").await;
    stage.repository.commit("Say two", &[("index.html", Some("two"))]).expect("it is committed");

    let since = (version::<Deployment>(&stage).await, version::<Environment>(&stage).await);
    let before: Environment = stage.api().get("web").await.expect("it exists");
    let begun = stage.cloud.control().with(|world, _| world.log().entries().count());
    stage.deploy("web-2", json!({ "environment": "web" })).await;
    let latency = latency(&stage).await;
    let done = stage.until_state("web-2", State::Done).await;
    stage.until_free("web").await;
    stage.until_at_rest("web-2").await;

    let deployments: Vec<Deployment> = versions(&stage, &since.0, "web-2").await;
    let mut environments: Vec<Environment> = versions(&stage, &since.1, "web").await;
    environments.insert(0, before);
    let reports = deployments.windows(2).filter(|pair| told(&pair[0]) != told(&pair[1])).count();
    let tenures = environments.windows(2).filter(|pair| tenure(&pair[0]) != tenure(&pair[1])).count();
    let conditions = environments.len() - 1 - tenures;
    // The first version is its author's.
    let writes = deployments.len() - 1 + tenures;
    let entries = history_of(&done).len();
    let mut calls = BTreeMap::new();
    stage.cloud.control().with(|world, _| {
        let ours = world.log().entries().skip(begun).filter(|entry| entry.caller.contains(":user/"));
        ours.for_each(|entry| *calls.entry(entry.action).or_default() += 1);
    });
    let number = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    let rows = vec![
        Row::at_most(
            "writes of one deploy to the API server",
            number(writes),
            number(entries + reports + BESIDES),
            "writes",
        ),
        Row::at_most("and of its Environment's conditions", number(conditions), number(entries), "writes"),
        Row::at_most(
            "from a healthy green to the recorded transition, in ticks of 1 s",
            latency.as_secs_f64(),
            (TICK + Duration::from_secs(1)).as_secs_f64(),
            "s",
        ),
    ];
    (rows, calls)
}

/// From the moment at which the load balancer finds the last instance of green healthy until the history says so.
async fn latency(stage: &Stage) -> Duration {
    let green = &stage.web.target_groups[1];
    let mut observed = stage.cloud.control().observe();
    let healthy = async {
        while let Some(observation) = observed.recv().await {
            let Observation::Table(view) = observation else { continue };
            let mut groups = view.rules.iter().flat_map(|rule| &rule.groups);
            if groups.any(|group| group.group == *green && group.healthy >= INSTANCES) {
                return Instant::now();
            }
        }
        unreachable!("the cloud outlives its observers")
    };
    let proven = |object: Option<&Deployment>| {
        object.is_some_and(|object| {
            matches!(state_of(object), State::EvaluateWait) || state_of(object).is_terminal()
        })
    };
    let recorded = async {
        stage.until("web-2", proven).await;
        Instant::now()
    };
    let (healthy, recorded) = futures::join!(healthy, recorded);
    recorded.saturating_duration_since(healthy)
}

fn told(object: &Deployment) -> Option<(String, Option<u32>, Option<u32>)> {
    let progress = object.status.as_ref()?.progress.clone()?;
    Some((progress.message, progress.healthy, progress.wanted))
}

fn tenure(object: &Environment) -> Option<&Tenure> {
    object.status.as_ref().map(|status| &status.tenure)
}

/// Where a watch begins that is to show every write from now on.
async fn version<K: Kept>(stage: &Stage) -> String {
    let list = stage.api::<K>().list(&ListParams::default()).await.expect("it is answered");
    list.metadata.resource_version.expect("every list has one")
}

/// Every version of an object, from `since` to what is there now.
async fn versions<K: Kept>(stage: &Stage, since: &str, name: &str) -> Vec<K> {
    let api = stage.api::<K>();
    let latest = api.get(name).await.expect("it exists").resource_version();
    let of_it = WatchParams::default().fields(&format!("metadata.name={name}"));
    let mut events = api.watch(&of_it, since).await.expect("it is answered").boxed();
    let (mut versions, mut seen): (Vec<K>, _) = (Vec::new(), Some(since.to_owned()));
    while seen != latest {
        match events.try_next().await.expect("it is answered") {
            Some(WatchEvent::Added(object) | WatchEvent::Modified(object)) => {
                seen = object.resource_version();
                versions.push(object);
            }
            Some(WatchEvent::Bookmark(_)) => {}
            other => panic!("the API server no longer knows what came before: {other:?}"),
        }
    }
    versions
}

/// An object of either kind.
trait Kept:
    kube::Resource<Scope = NamespaceResourceScope, DynamicType = ()>
    + DeserializeOwned
    + Clone
    + std::fmt::Debug
    + Send
    + 'static
{
}

impl Kept for Deployment {}
impl Kept for Environment {}
