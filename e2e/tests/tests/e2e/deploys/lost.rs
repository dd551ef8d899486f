//! Changes of the cloud that are made and never answered: nobody knows, so it is looked up, and nothing is made twice.

use dryad_local_cloud::faults::Rule;
use dryad_local_cloud::model::autoscaling::UpdateAutoScalingGroup;
use dryad_machine::state::State;
use dryad_stage::capacity::Capacity;
use dryad_stage::deploys::table;
use serde_json::{Value, json};

use crate::deploys::scene::{Scene, WEB, assert_ends, carried_out, green_of};
use crate::deploys::trouble::{asked_since, logged, lost, silent};
use crate::deploys::users::Users;

/// Blue's lower bound is below its size, so that it has to be held before it gives its traffic away.
pub(crate) fn held(environment: &mut Value) {
    environment["spec"]["replicas"] = json!(2);
    environment["spec"]["target"]["autoScalingGroup"]["capacity"]["min"] = json!(1);
}

/// The changes of a deploy, in their order.
pub(crate) const FORWARD: [&str; 9] = [
    "CreateLaunchTemplate",
    "CreateAutoScalingGroup",
    "AttachLoadBalancerTargetGroups",
    "UpdateAutoScalingGroup",
    "ModifyRule",
    "DetachLoadBalancerTargetGroups",
    "UpdateAutoScalingGroup",
    "DeleteAutoScalingGroup",
    "DeleteLaunchTemplate",
];

/// The changes of a rollback whose blue has shrunk meanwhile, in their order.
const BACK: [&str; 7] = [
    "UpdateAutoScalingGroup",
    "ModifyRule",
    "UpdateAutoScalingGroup",
    "DetachLoadBalancerTargetGroups",
    "UpdateAutoScalingGroup",
    "DeleteAutoScalingGroup",
    "DeleteLaunchTemplate",
];

/// Each of these is lost in this way, once for each time it is named.
fn all(changes: &[&str], how: impl Fn(&str, u32) -> Rule) -> Vec<Rule> {
    changes.iter().map(|change| how(change, 1)).collect()
}

/// The changes that the cloud has made since then.
fn made_since(scene: &Scene, entries: usize) -> Vec<&'static str> {
    let made = asked_since(scene, entries).into_iter().filter(|entry| carried_out(entry.outcome));
    made.map(|entry| entry.action).collect()
}

async fn forward(name: &str, how: impl Fn(&str, u32) -> Rule, flags: &[&str]) {
    let scene = Scene::set(name, |environment| {
        held(environment);
        environment["spec"]["retain"]["previous"] = json!("1s");
    })
    .await;
    let users = Users::of(&scene.stage);
    let capacity = Capacity::of(&scene.stage, &scene.stage.web.target_groups[0]);
    let begun = logged(&scene);
    scene.hold(&all(&FORWARD, how), &[]);
    let _operator = scene.stage.operator_told("a", flags).unwrap();
    let spec = json!({ "environment": WEB, "request": { "skipEvaluation": true } });
    scene.stage.deploy("web-2", spec).await;
    let done = scene.stage.until_state("web-2", State::Done).await;
    scene.serves("web-2").await;
    assert_eq!(made_since(&scene, begun), FORWARD, "{}", table(&done));
    let left = scene.stage.cloud.control().with(|world, _| world.faults().rules.clone());
    assert!(left.iter().all(|rule| rule.times == Some(0)), "not all answers were lost: {left:?}");
    assert!(capacity.least() >= Some(2), "fewer than two instances served:\n{}", table(&done));
    assert_eq!(users.leave().await, "two");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_of_which_no_change_is_answered_makes_each_change_once() {
    tokio::join!(forward("lost", lost, &[]), forward("silent", silent, &["--cloud-timeout", "1s"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_of_which_no_change_is_answered_makes_each_change_once() {
    let scene = Scene::set("lost-back", held).await;
    let users = Users::of(&scene.stage);
    let capacity = Capacity::of(&scene.stage, &scene.stage.web.target_groups[0]);
    let _operator = scene.stage.operator("a").unwrap();
    let spec = json!({ "environment": WEB, "request": { "skipEvaluation": true } });
    scene.stage.deploy("web-2", spec).await;
    scene.stage.until_state("web-2", State::RetainWait).await;
    let control = scene.stage.cloud.control();
    let auto_scaling_group_name = green_of(&scene.stage.api().get("web-1").await.unwrap());
    // Whoever scales blue sees that it has nothing to do.
    let shrunk = UpdateAutoScalingGroup {
        auto_scaling_group_name,
        min_size: Some(0),
        desired_capacity: Some(1),
        ..UpdateAutoScalingGroup::default()
    };
    control.call(shrunk).unwrap();
    let begun = logged(&scene);
    scene.hold(&all(&BACK, lost), &[]);
    scene.stage.request("web-2", json!({ "end": "Rollback" })).await;
    let ended = scene.stage.until_ended("web-2").await;
    assert_ends(&ended, ["Rollback RollbackRequested", "Aborted RollbackOk"]);
    scene.serves("web-1").await;
    assert_eq!(made_since(&scene, begun), BACK, "{}", table(&ended));
    assert!(capacity.least() >= Some(2), "fewer than two instances served:\n{}", table(&ended));
    assert_eq!(users.leave().await, "one");
}
