//! Two Environments that name the same rule: one of them may use it, the other one says why it waits.

use dryad_crds::Environment;
use dryad_machine::state::State;
use dryad_stage::deploys::state_of;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

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
    for name in ["a", "b"] {
        stage.create_environment(&stage.environment(name)).await;
    }
    // Of two that were made in the same second either may come first.
    let lost = |it: Option<&Environment>| stalls(it, "TargetConflict");
    let (first, second) = tokio::select! {
        _ = stage.until("b", lost) => ("a", "b"),
        _ = stage.until("a", lost) => ("b", "a"),
    };
    let free = |it: Option<&Environment>| stalls(it, "NothingDeployed");
    let traffic = stage.environment(first)["spec"]["traffic"].take();
    let name = async |traffic: &Value| {
        let patch = Patch::Merge(json!({ "spec": { "traffic": traffic } }));
        stage.api::<Environment>().patch(first, &PatchParams::default(), &patch).await.unwrap();
    };
    name(&Value::Null).await;
    stage.until(second, free).await;
    name(&traffic).await;
    stage.until(second, lost).await;
    stage.delete::<Environment>(first).await;
    stage.until(second, free).await;
}
