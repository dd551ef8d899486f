//! What Environments cost to which nothing happens, and what is noticed all the same.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use dryad_cluster::Cluster;
use dryad_crds::{Deployment, Environment};
use dryad_local_cloud::model::autoscaling::UpdateAutoScalingGroup;
use dryad_local_cloud::model::log::Entry;
use dryad_stage::{Instances, Stage};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::NamespaceResourceScope;
use kube::ResourceExt;
use kube::api::ListParams;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::deploys::scene::{WEB, release_one, replica_of};

/// A sixth of what is left alone for how long, as a tick of ten seconds is to a minute.
const TICK: SignedDuration = SignedDuration::from_secs(1);
/// How long an Environment is left alone.
const IDLE: [&str; 2] = ["--idle-interval", "6s"];
/// For how many ticks is counted: six intervals, of which one more may begin than end.
const TICKS: i32 = 36;
/// How long the operator may take for anything before it counts as stuck.
const PATIENCE: Duration = Duration::from_secs(90);

/// A stage with so many Environments, each of which serves by itself, and no operator.
async fn idle(name: &str, environments: usize) -> Stage {
    let cluster = Cluster::shared().await.expect("a cluster");
    let parts = Path::new(env!("CARGO_BIN_EXE_parts"));
    let stage = Stage::set_with(Instances::Simulated, cluster, name, parts).await.expect("a stage");
    let operator = stage.operator("first").unwrap();
    let mut environment = stage.environment(WEB);
    // Nobody answers on instances that are no processes.
    environment["spec"]["evaluate"]["checks"] = json!([]);
    environment["spec"]["deployedParameter"] = json!(format!("/{WEB}/deployed"));
    release_one(&stage, &environment).await;
    stage.until_projected(WEB).await;
    operator.stop().unwrap();
    stage.crowd(WEB, 1..environments).await;
    stage
}

/// The versions of all objects of a kind.
async fn versions<K>(stage: &Stage) -> BTreeMap<String, Option<String>>
where
    K: kube::Resource<Scope = NamespaceResourceScope> + DeserializeOwned + Clone + std::fmt::Debug,
    K::DynamicType: Default,
{
    let all = stage.api::<K>().list(&ListParams::default()).await.unwrap();
    all.items.iter().map(|object| (object.name_any(), object.resource_version())).collect()
}

/// The calls of operators in this time.
fn calls(stage: &Stage, from: Timestamp, to: Timestamp) -> Vec<Entry> {
    stage.cloud.control().with(|world, _| {
        let ours = world.log().entries().filter(|entry| replica_of(entry).is_some());
        ours.filter(|entry| from <= entry.at && entry.at < to).cloned().collect()
    })
}

/// Waits until an operator has met every Environment: what is recorded names another Deployment until then, and its
/// parameter is not there.
async fn until_met(stage: &Stage) {
    for name in versions::<Environment>(stage).await.into_keys().filter(|name| name != WEB) {
        let words = format!("by Deployment {name}");
        let met = |object: Option<&Environment>| {
            let status = object.and_then(|object| object.status.as_ref());
            let parameter = format!("/{name}/deployed records");
            let says = |words: &dyn Fn(&str) -> bool| {
                status.is_some_and(|status| status.conditions.iter().any(|it| words(&it.message)))
            };
            says(&|message| message.ends_with(&words)) && says(&|message| message.contains(&parameter))
        };
        stage.until(&name, met).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_idle_environments_cost_three_calls_a_tick_and_no_writes() {
    let stage = idle("quiet", 200).await;
    let _operator = stage.operator_told("a", &IDLE).unwrap();
    until_met(&stage).await;
    let before = (versions::<Environment>(&stage).await, versions::<Deployment>(&stage).await);
    let from = stage.cloud.control().with(|_, now| now);
    let window = TICK * TICKS;
    tokio::time::sleep(window.unsigned_abs()).await;
    let calls = calls(&stage, from, from + window);
    let after = (versions::<Environment>(&stage).await, versions::<Deployment>(&stage).await);
    assert_eq!(before, after, "nothing changes, and something is written");
    let mut by_action = BTreeMap::<_, usize>::new();
    for call in &calls {
        *by_action.entry(call.action).or_default() += 1;
    }
    let most = 3 * usize::try_from(TICKS).unwrap();
    assert!(calls.len() <= most, "{} calls in {TICKS} ticks: {by_action:?}", calls.len());
    // They are looked at by turns, not left alone for good; and so are their parameters.
    assert!(by_action.get("DescribeTargetHealth") >= Some(&2), "{by_action:?}");
    assert!(by_action.get("GetParameter") <= Some(&20), "{by_action:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_changes_is_noticed_long_before_it_is_an_environments_turn() {
    let stage = idle("noticed", 60).await;
    let _operator = stage.operator_told("a", &IDLE).unwrap();
    until_met(&stage).await;
    // The one whose turn comes last, in two minutes.
    let all = stage.api::<Environment>().list(&ListParams::default()).await.unwrap();
    let last = all.items.iter().max_by_key(|object| object.uid()).unwrap();
    let group = last.status.as_ref().unwrap().tenure.groups[0].name.to_string();
    let control = stage.cloud.control();
    let changed = control.with(|_, now| now);
    control
        .call(UpdateAutoScalingGroup {
            auto_scaling_group_name: group.clone(),
            max_size: Some(9),
            ..UpdateAutoScalingGroup::default()
        })
        .unwrap();
    let mends = |entry: &&Entry| {
        entry.action == "UpdateAutoScalingGroup" && entry.resource == group && replica_of(entry).is_some()
    };
    let mended = control.until(|world, _| world.log().entries().find(mends).map(|entry| entry.at));
    let mended = tokio::time::timeout(PATIENCE, mended).await.expect("nobody notices");
    let took = mended.duration_since(changed).as_secs();
    assert!(took < 20, "{took} s");
}
