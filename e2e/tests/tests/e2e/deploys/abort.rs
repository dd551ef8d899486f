//! An abort, wherever it comes: what served before serves again, nobody notices, and green is gone.

use dryad_crds::Deployment;
use dryad_machine::state::State;
use dryad_stage::deploys::path_of;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use crate::deploys::scene::{Place, Scene, assert_ends, changes};
use crate::deploys::users::Users;

/// Starts a deploy, takes it there, aborts it, and says how its history ended.
async fn aborted(scene: &Scene, name: &str, place: Place) -> Vec<String> {
    scene.deploy_held(name).await;
    scene.bring(name, place).await;
    scene.stage.request(name, json!({ "end": "Abort" })).await;
    let moved = |object: Option<&Deployment>| {
        object
            .is_some_and(|object| path_of(object).last().is_some_and(|last| last.ends_with("AbortRequested")))
    };
    scene.stage.until(name, moved).await;
    scene.let_all_go().await;
    let ended = scene.stage.until_ended(name).await;
    scene.serves("web-1").await;
    path_of(&ended).into_iter().rev().take(3).rev().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_abort_before_the_shift_leaves_what_served() {
    let scene = Scene::set("abort-early", |_| {}).await;
    let users = Users::of(&scene.stage);
    let _operator = scene.stage.operator("a").unwrap();
    assert_eq!(
        aborted(&scene, "web-2", Place::Pending).await,
        ["Pending Created", "Canceled AbortRequested"]
    );
    assert_eq!(
        aborted(&scene, "web-3", Place::Resolving).await,
        ["Pending Created", "Resolve TurnTaken", "Aborted AbortRequested"]
    );
    assert_eq!(
        aborted(&scene, "web-4", Place::Launching).await,
        ["RolloutWait 1 PrepareOk", "Rollback AbortRequested", "Aborted RollbackOk"]
    );
    assert_eq!(
        aborted(&scene, "web-5", Place::ProvenApart).await,
        ["EvaluateWait 1 RolloutOk", "Rollback AbortRequested", "Aborted RollbackOk"]
    );
    assert_eq!(users.answers().await, ["one"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_abort_from_the_shift_on_brings_back_what_served() {
    let scene = Scene::set("abort-late", |_| {}).await;
    let users = Users::of(&scene.stage);
    let _operator = scene.stage.operator("a").unwrap();
    assert_eq!(
        aborted(&scene, "web-2", Place::Shifting).await,
        ["RolloutWait 2 EvaluationSkipped", "Rollback AbortRequested", "Aborted RollbackOk"]
    );
    assert_eq!(
        aborted(&scene, "web-3", Place::ProvenInService).await,
        ["EvaluateWait 2 RolloutOk", "Rollback AbortRequested", "Aborted RollbackOk"]
    );
    assert_eq!(
        aborted(&scene, "web-4", Place::Retaining).await,
        ["RetainWait EvaluationSkipped", "Rollback AbortRequested", "Aborted RollbackOk"]
    );
    assert_eq!(users.leave().await, "one");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_in_the_retain_window_is_one_change_of_weights() {
    let scene = Scene::set("rollback", |_| {}).await;
    let users = Users::of(&scene.stage);
    let _operator = scene.stage.operator("a").unwrap();
    scene.deploy_held("web-2").await;
    scene.bring("web-2", Place::Retaining).await;
    users.until_answered("two").await;
    scene.let_all_go().await;
    let before = scene.stage.cloud.control().with(|world, _| changes(world).len());
    scene.stage.request("web-2", json!({ "end": "Rollback" })).await;
    let changed = scene.stage.cloud.control().until(|world, _| {
        let changes = changes(world);
        (changes.len() > before).then(|| changes[before])
    });
    assert_eq!(changed.await, "ModifyRule", "nothing comes before it");
    users.until_answered("one").await;
    let ended = scene.stage.until_ended("web-2").await;
    assert_ends(&ended, ["Rollback RollbackRequested", "Aborted RollbackOk"]);
    scene.serves("web-1").await;
    assert_eq!(users.leave().await, "one");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_abort_is_refused_once_blue_is_being_retired() {
    let scene = Scene::retiring("abort-refused", |_| {}).await;
    let users = Users::of(&scene.stage);
    let _operator = scene.stage.operator("a").unwrap();
    scene.deploy_held("web-2").await;
    scene.bring("web-2", Place::Retiring).await;
    refused(&scene, State::RetireWait).await;
    scene.let_all_go().await;
    scene.stage.until_state("web-2", State::Done).await;
    refused(&scene, State::Done).await;
    scene.serves("web-2").await;
    assert_eq!(users.leave().await, "two");
}

/// Asks for both ends, and is told what to do instead.
async fn refused(scene: &Scene, state: State) {
    for end in ["Abort", "Rollback"] {
        let patch = Patch::Merge(json!({ "spec": { "request": { "end": end } } }));
        let deployments = scene.stage.api::<Deployment>();
        let error = deployments.patch("web-2", &PatchParams::default(), &patch).await.expect_err("too late");
        let sentence = format!(
            "this Deployment is already {state}; to change what runs, make a new Deployment, whose spec.from names \
             the one with the release you want"
        );
        assert!(error.to_string().contains(&sentence), "{error}");
    }
}
