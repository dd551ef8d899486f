//! Two Environments that name the same rule: one of them may use it, the other one says why it waits.

use dryad_crds::Environment;
use dryad_machine::state::State;
use dryad_stage::deploys::state_of;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use crate::deploys::scene::{Scene, WEB, changes};
use crate::deploys::stage;
use crate::deploys::users::Users;

fn stalls(environment: Option<&Environment>, reason: &str) -> bool {
    let status = environment.and_then(|environment| environment.status.as_ref());
    status.is_some_and(|status| {
        status.conditions.iter().any(|it| it.type_ == "Stalled" && it.status == "True" && it.reason == reason)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_environments_with_one_rule_the_one_that_serves_keeps_it() {
    let scene = Scene::set("conflict", |_| {}).await;
    let users = Users::of(&scene.stage);
    let _operator = scene.stage.operator("a").unwrap();
    let mut rival = scene.stage.environment("api");
    rival["spec"]["rollout"]["timeout"] = json!("10m");
    scene.stage.create_environment(&rival).await;
    scene.stage.deploy("api-1", json!({ "environment": "api" })).await;
    scene.stage.until("api", |it| stalls(it, "TargetConflict")).await;
    let control = scene.stage.cloud.control();
    let before = control.with(|world, _| changes(world).len());
    let waits = |object: Option<&dryad_crds::Deployment>| {
        let progress = object.and_then(|it| it.status.as_ref()?.progress.as_ref());
        progress.is_some_and(|progress| progress.message.contains("/web uses"))
    };
    let waiting = scene.stage.until("api-1", waits).await.expect("it exists");
    assert_eq!(state_of(&waiting), State::Pending);
    assert_eq!(control.with(|world, _| changes(world).len()), before, "the cloud was changed");
    assert_eq!(users.leave().await, "one");
    // What nobody else names any more is free.
    scene.stage.delete::<Environment>(WEB).await;
    scene.stage.until_state("api-1", State::Done).await;
    let free = |it: Option<&Environment>| it.is_some() && !stalls(it, "TargetConflict");
    scene.stage.until("api", free).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_could_not_use_a_rule_is_told_as_soon_as_it_is_free() {
    let stage = stage("freed").await;
    // Longer than anybody waits here: nothing is noticed because it was time to look.
    let _operator = stage.operator_told("a", &["--idle-interval", "1h"]).unwrap();
    stage.create_environment(&stage.environment("first")).await;
    stage.until("first", |it| stalls(it, "NothingDeployed")).await;
    stage.create_environment(&stage.environment("second")).await;
    stage.until("second", |it| stalls(it, "TargetConflict")).await;
    let elsewhere = json!({ "spec": { "traffic": null } });
    let merge = PatchParams::default();
    stage.api::<Environment>().patch("first", &merge, &Patch::Merge(elsewhere)).await.unwrap();
    stage.until("second", |it| stalls(it, "NothingDeployed")).await;

    stage.create_environment(&stage.environment("third")).await;
    stage.until("third", |it| stalls(it, "TargetConflict")).await;
    stage.delete::<Environment>("second").await;
    stage.until("third", |it| stalls(it, "NothingDeployed")).await;
}
