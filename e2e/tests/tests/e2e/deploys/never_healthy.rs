//! A green that does not come up: it ends by its deadline, and says why in the cloud's own words.

use dryad_crds::Deployment;
use dryad_local_cloud::faults::{Effect, Faults, LaunchFault};
use dryad_local_cloud::model::log::Entry;
use dryad_machine::state::State;
use dryad_stage::Stage;
use dryad_stage::capacity::Capacity;
use dryad_stage::deploys::{history_of, path_of, table};
use serde_json::json;

use crate::deploys::scene::{Scene, WEB, asked, green_of, replica_of};
use crate::deploys::stage;
use crate::deploys::trouble::always;
use crate::deploys::users::Users;

const NO_CAPACITY: &str = "We currently do not have sufficient t3.micro capacity in the Availability Zone you requested \
                           (us-east-1a).";

/// An Environment that gives a rollout only so long.
async fn patient_for(stage: &Stage, timeout: &str) {
    let mut environment = stage.environment("web");
    environment["spec"]["rollout"]["timeout"] = json!(timeout);
    stage.create_environment(&environment).await;
}

fn no_capacity(stage: &Stage) {
    let group = "web-*".into();
    let fault = LaunchFault { group, allow: 0, message: NO_CAPACITY.to_owned() };
    stage.cloud.control().with(|world, _| world.add_launch_fault(fault));
}

/// Waits until the Deployment says what it waits for, in words that include these.
pub(crate) async fn until_progress(stage: &Stage, name: &str, words: &str) {
    let says = |object: Option<&Deployment>| {
        let progress = object.and_then(|object| object.status.as_ref()?.progress.as_ref());
        progress.is_some_and(|progress| progress.message.contains(words))
    };
    stage.until::<Deployment>(name, says).await;
}

async fn assert_nothing_left(stage: &Stage) {
    let tenure = stage.until_free("web").await.status.unwrap().tenure;
    assert!(tenure.groups.is_empty() && tenure.deployed.is_none(), "{tenure:?}");
    let left = stage.cloud.control().left().inventory;
    assert!(left.groups.is_empty() && left.templates.is_empty(), "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_green_that_fails_its_health_check_ends_by_its_deadline_with_the_load_balancers_reason() {
    let stage = stage("unwell").await;
    let files = [("index.html", Some("one")), ("healthz", Some("503"))];
    stage.repository.commit("Be unwell", &files).unwrap();
    let _operator = stage.operator("a").unwrap();
    patient_for(&stage, "15s").await;
    stage.deploy("web-1", json!({ "environment": "web" })).await;
    let failed = stage.until_state("web-1", State::Failed).await;
    assert_eq!(path_of(&failed)[3..], ["RolloutWait 1 PrepareOk", "Rollback TimedOut", "Failed RollbackOk"]);
    let why = &history_of(&failed)[4].message;
    assert!(why.contains("0 of 2 instances are healthy") && why.contains("503"), "{why}");
    assert_nothing_left(&stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_launch_that_never_succeeds_ends_by_its_deadline_with_the_activitys_message() {
    let stage = stage("nocapacity").await;
    stage.repository.commit("Say one", &[("index.html", Some("one"))]).unwrap();
    no_capacity(&stage);
    let _operator = stage.operator("a").unwrap();
    patient_for(&stage, "15s").await;
    stage.deploy("web-1", json!({ "environment": "web" })).await;
    until_progress(&stage, "web-1", NO_CAPACITY).await;
    let failed = stage.until_state("web-1", State::Failed).await;
    let why = &history_of(&failed)[4].message;
    assert!(why.contains(NO_CAPACITY), "{}", table(&failed));
    assert_nothing_left(&stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_launch_that_succeeds_before_the_deadline_is_no_failure() {
    let stage = stage("recovers").await;
    stage.repository.commit("Say one", &[("index.html", Some("one"))]).unwrap();
    no_capacity(&stage);
    let _operator = stage.operator("a").unwrap();
    patient_for(&stage, "10m").await;
    stage.deploy("web-1", json!({ "environment": "web" })).await;
    until_progress(&stage, "web-1", NO_CAPACITY).await;
    stage.cloud.control().with(|world, _| world.set_faults(Faults::default()));
    stage.until_state("web-1", State::Done).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_launch_that_never_succeeds_beside_what_serves_ends_by_its_deadline_and_nobody_notices() {
    let scene = Scene::set("beside", |environment| {
        environment["spec"]["rollout"]["timeout"] = json!("30s");
    })
    .await;
    let stage = &scene.stage;
    let blue = green_of(&stage.api().get("web-1").await.unwrap());
    let (users, capacity) = (Users::of(stage), Capacity::of(stage, &stage.web.target_groups[0]));
    no_capacity(stage);
    let _operator = stage.operator("a").unwrap();
    stage.deploy("web-2", json!({ "environment": WEB })).await;
    until_progress(stage, "web-2", NO_CAPACITY).await;
    let failed = stage.until_state("web-2", State::Failed).await;
    assert_eq!(path_of(&failed)[3..], ["RolloutWait 1 PrepareOk", "Rollback TimedOut", "Failed RollbackOk"]);
    let why = &history_of(&failed)[4].message;
    assert!(why.contains(NO_CAPACITY), "{}", table(&failed));
    scene.serves("web-1").await;
    stage.cloud.control().with(|world, _| {
        let by_a = |entry: &&Entry| replica_of(entry) == Some("a");
        let touched = asked(world).filter(by_a).find(|entry| entry.resource == blue);
        assert_eq!(touched, None, "blue was touched");
    });
    assert!(capacity.least().is_none_or(|least| least >= 2), "fewer than two instances served");
    assert_eq!(users.answers().await, ["one"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_ask_why_instances_are_missing_is_told_so_and_still_sees_how_many_there_are() {
    let stage = stage("unexplained").await;
    stage.repository.commit("Say one", &[("index.html", Some("one"))]).unwrap();
    let _operator = stage.operator("a").unwrap();
    patient_for(&stage, "10m").await;
    let rules = vec![always("DescribeScalingActivities", Effect::Deny)];
    stage.cloud.control().with(|world, _| world.set_faults(Faults { rules, ..Faults::default() }));
    no_capacity(&stage);
    stage.deploy("web-1", json!({ "environment": "web" })).await;
    let words = "0 of 2 instances are healthy: DescribeScalingActivities is denied to the operator";
    until_progress(&stage, "web-1", words).await;
}
