//! A cloud that answers nothing for a while. It is away for a few ticks of a second each, where in earnest it would be
//! for minutes: long enough for an operator to have met it, and well within the deadlines, which run on.

use dryad_local_cloud::faults::Effect;
use dryad_machine::state::State;
use dryad_stage::deploys::{path_of, state_of, table};
use serde_json::json;

use crate::deploys::scene::{Place, Scene, assert_ends, fault, no_capacity};
use crate::deploys::trouble::{always, until_looked, vanish};
use crate::deploys::users::Users;

/// How many looks fail before the cloud is back.
const LOOKS: usize = 4;

/// Takes the cloud away, until it was asked for in vain, and sees that the deploy stands where it stood.
async fn away(scene: &Scene, name: &str, effect: Effect) {
    let before = state_of(&scene.stage.api().get(name).await.unwrap());
    scene.hold(&[always("*", effect)], &[]);
    // Who has no turn yet does not look.
    if before != State::Pending {
        until_looked(scene, LOOKS).await;
        // A look tries again and again before it gives up. Where it is told no at once, ticks go by without a reading.
        scene.hold(&[always("*", Effect::Deny)], &[]);
        until_looked(scene, LOOKS).await;
    }
    let object = scene.stage.api().get(name).await.unwrap();
    assert_eq!(state_of(&object), before, "{}", table(&object));
}

/// Brings the cloud back as it was in this place.
fn back(scene: &Scene, place: Place) {
    let (shift, detach) = (fault("ModifyRule"), fault("DetachLoadBalancerTargetGroups"));
    match place {
        Place::Pending | Place::Resolving | Place::Launching => {
            scene.hold(&[shift, detach], &[no_capacity()]);
        }
        Place::ProvenApart | Place::Shifting => scene.hold(&[shift, detach], &[]),
        Place::ProvenInService | Place::Retaining | Place::Retiring => scene.hold(&[detach], &[]),
    }
}

async fn deploy(name: &str, effect: Effect) {
    let scene = Scene::retiring(name, |_| {}).await;
    let users = Users::of(&scene.stage);
    let _operator = scene.stage.operator("a").unwrap();
    scene.deploy_held("web-2").await;
    for place in Place::ALL {
        scene.until("web-2", place).await;
        away(&scene, "web-2", effect.clone()).await;
        back(&scene, place);
        scene.let_go("web-2", place).await;
    }
    let done = scene.stage.until_state("web-2", State::Done).await;
    assert_eq!(path_of(&done).len(), 10, "{}", table(&done));
    scene.serves("web-2").await;
    assert_eq!(scene.created().values().collect::<Vec<_>>(), [&1, &1], "one green group a Deployment");
    assert_eq!(users.leave().await, "two");
}

async fn rollback(name: &str, effect: Effect) {
    let scene = Scene::set(name, |_| {}).await;
    let users = Users::of(&scene.stage);
    let _operator = scene.stage.operator("a").unwrap();
    scene.deploy_held("web-2").await;
    scene.bring("web-2", Place::ProvenInService).await;
    scene.hold(&[fault("DetachLoadBalancerTargetGroups")], &[]);
    scene.stage.request("web-2", json!({ "end": "Abort" })).await;
    scene.stage.until_state("web-2", State::Rollback).await;
    away(&scene, "web-2", effect).await;
    scene.let_all_go().await;
    let ended = scene.stage.until_ended("web-2").await;
    assert_ends(&ended, ["Rollback AbortRequested", "Aborted RollbackOk"]);
    scene.serves("web-1").await;
    assert_eq!(users.leave().await, "one");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_goes_on_when_a_cloud_that_failed_every_call_is_back() {
    deploy("failing", Effect::Fail).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_goes_on_when_a_cloud_that_answered_no_call_is_back() {
    tokio::join!(rollback("mute-back", vanish()), rollback("failing-back", Effect::Fail));
}
