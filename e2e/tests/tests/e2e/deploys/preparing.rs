//! A deploy can be ended in `Prepare` as in every other state. Nothing holds a deploy there but the death of its
//! operator.

use dryad_crds::{Deployment, Environment};
use dryad_machine::state::State;
use dryad_stage::deploys::path_of;
use serde_json::json;

use crate::deploys::scene::{Scene, WEB};
use crate::deploys::users::Users;

/// Starts a deploy whose operator dies once `Prepare` is recorded.
async fn left_in_prepare(scene: &Scene, name: &str) {
    let line = scene.stage.line("a").await.unwrap();
    line.silence_after(r#""state":"Prepare""#);
    let operator = scene.stage.operator_on(&line, "a").unwrap();
    scene.stage.deploy(name, json!({ "environment": WEB })).await;
    line.until_silent().await;
    operator.kill().unwrap();
    scene.stage.until_state(name, State::Prepare).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_that_prepares_can_be_aborted_deleted_and_lose_its_environment() {
    let scene = Scene::set("preparing", |_| {}).await;
    let users = Users::of(&scene.stage);

    left_in_prepare(&scene, "web-2").await;
    scene.stage.request("web-2", json!({ "end": "Abort" })).await;
    let operator = scene.stage.operator("a").unwrap();
    let ended = scene.stage.until_ended("web-2").await;
    assert_eq!(
        path_of(&ended)[2..],
        ["Prepare ReleaseResolved", "Rollback AbortRequested", "Aborted RollbackOk"]
    );
    scene.serves("web-1").await;
    // Whatever is written of it from here on would tell of its `Prepare`, too.
    scene.stage.until_at_rest("web-2").await;
    operator.stop().unwrap();

    left_in_prepare(&scene, "web-3").await;
    scene.stage.delete::<Deployment>("web-3").await;
    let operator = scene.stage.operator("a").unwrap();
    scene.until_gone::<Deployment>("web-3").await;
    scene.serves("web-1").await;
    operator.stop().unwrap();
    assert_eq!(users.leave().await, "one");

    left_in_prepare(&scene, "web-4").await;
    scene.stage.delete::<Environment>(WEB).await;
    let _operator = scene.stage.operator("a").unwrap();
    scene.until_gone::<Environment>(WEB).await;
    scene.left(&[], 0).await;
    assert_eq!(scene.created().len(), 1, "nothing was launched by a deploy that only prepared");
}
