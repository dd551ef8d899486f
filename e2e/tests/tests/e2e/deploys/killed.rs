//! An operator that is killed anywhere is as good as one that never was: whoever starts next goes on.

use dryad_crds::Deployment;
use dryad_machine::state::State;
use dryad_stage::deploys::{path_of, state_of, table};
use dryad_stage::operator::Operator;
use serde_json::json;

use crate::deploys::scene::{Place, Scene, UNDISTURBED, WEB, assert_ends};
use crate::deploys::users::Users;

/// Kills the operator and starts it again, and sees that the deploy stood still meanwhile.
async fn power_cut(scene: &Scene, operator: Operator, name: &str, state: State) -> Operator {
    operator.kill().unwrap();
    let object = scene.stage.api().get(name).await.unwrap();
    assert_eq!(state_of(&object), state, "it was killed too late:\n{}", table(&object));
    scene.stage.operator("a").unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_whose_operator_is_killed_in_every_state_ends_as_if_nothing_had_happened() {
    let scene = Scene::retiring("killed", |_| {}).await;
    let users = Users::of(&scene.stage);
    let mut operator = scene.stage.operator("a").unwrap();
    scene.deploy_held("web-2").await;
    for place in Place::ALL {
        let object = scene.until("web-2", place).await;
        operator = power_cut(&scene, operator, "web-2", state_of(&object)).await;
        scene.let_go("web-2", place).await;
    }
    let done = scene.stage.until_state("web-2", State::Done).await;
    assert_eq!(path_of(&done), UNDISTURBED);
    scene.serves("web-2").await;
    assert_eq!(scene.created().values().collect::<Vec<_>>(), [&1, &1], "one green group a Deployment");
    assert_eq!(users.leave().await, "two");
    drop(operator);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_whose_operator_is_killed_ends_as_if_nothing_had_happened() {
    let scene = Scene::set("killed-rollback", |_| {}).await;
    let users = Users::of(&scene.stage);
    let operator = scene.stage.operator("a").unwrap();
    scene.deploy_held("web-2").await;
    scene.bring("web-2", Place::ProvenInService).await;
    scene.stage.request("web-2", json!({ "end": "Abort" })).await;
    scene.stage.until_state("web-2", State::Rollback).await;
    let _operator = power_cut(&scene, operator, "web-2", State::Rollback).await;
    scene.let_all_go().await;
    let ended = scene.stage.until_ended("web-2").await;
    assert_ends(&ended, ["Rollback AbortRequested", "Aborted RollbackOk"]);
    scene.serves("web-1").await;
    assert_eq!(scene.created().values().collect::<Vec<_>>(), [&1, &1], "one green group a Deployment");
    assert_eq!(users.leave().await, "one");
}

/// What a write of this entry of a history, and none before it, holds.
fn words_of(entry: &str) -> String {
    let mut parts = entry.split(' ');
    let (state, step) =
        (parts.next().unwrap_or_default(), parts.next().and_then(|part| part.parse::<i64>().ok()));
    match step {
        Some(step) => format!(r#""state":"{state}","step":{step}"#),
        None => format!(r#""state":"{state}""#),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_whose_operator_is_killed_before_it_hears_that_a_state_is_recorded_ends_as_if_it_had() {
    let scene = Scene::retiring("killed-recording", |_| {}).await;
    let users = Users::of(&scene.stage);
    let skip = json!({ "environment": WEB, "request": { "skipEvaluation": true } });
    scene.stage.deploy("web-2", skip).await;
    for (before, entry) in UNDISTURBED.iter().enumerate().skip(1) {
        let line = scene.stage.line("a").await.unwrap();
        line.silence_after(&words_of(entry));
        let operator = scene.stage.operator_on(&line, "a").unwrap();
        line.until_silent().await;
        operator.kill().unwrap();
        let recorded: Deployment = scene.stage.api().get("web-2").await.unwrap();
        assert_eq!(path_of(&recorded), UNDISTURBED[..=before], "{}", table(&recorded));
    }
    let _operator = scene.stage.operator("a").unwrap();
    scene.serves("web-2").await;
    assert_eq!(scene.created().values().collect::<Vec<_>>(), [&1, &1], "one green group a Deployment");
    assert_eq!(users.leave().await, "two");
}
