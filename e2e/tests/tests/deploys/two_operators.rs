//! Two operators for one namespace: one leads, the other stands by, and whoever has lost the lease does nothing more.

use dryad_machine::state::State;
use dryad_stage::operator::{Operator, Signal};
use k8s_openapi::api::coordination::v1::Lease;
use serde_json::json;

use crate::scene::{Place, Scene, changes};
use crate::users::Users;

/// The name of the Lease they stand for.
const LEASE: &str = "dryad";

/// Waits until this replica leads.
async fn until_led_by(scene: &Scene, replica: &str) {
    let leads = |lease: Option<&Lease>| {
        let holder = lease.and_then(|lease| lease.spec.as_ref()?.holder_identity.as_deref());
        holder.is_some_and(|holder| holder.starts_with(&format!("{replica}_")))
    };
    scene.stage.until(LEASE, leads).await;
}

/// Two operators of which `a` leads, and a deploy that it has taken there.
async fn two(name: &str, place: Place) -> (Scene, [Operator; 2]) {
    let scene = Scene::set(name, |environment| {
        environment["spec"]["retain"]["previous"] = json!("1s");
    })
    .await;
    let a = scene.stage.operator("a").unwrap();
    until_led_by(&scene, "a").await;
    let b = scene.stage.operator("b").unwrap();
    scene.deploy_held("web-2").await;
    scene.bring("web-2", place).await;
    (scene, [a, b])
}

/// Lets the deploy go on from there to its end, and sees that nothing was done twice.
async fn finish(scene: &Scene, from: Place) {
    for place in Place::ALL.into_iter().skip_while(|place| *place != from) {
        scene.until("web-2", place).await;
        scene.let_go("web-2", place).await;
    }
    scene.stage.until_state("web-2", State::Done).await;
    scene.serves("web-2").await;
    assert_eq!(scene.created().values().collect::<Vec<_>>(), [&1, &1], "one green group a Deployment");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_is_asked_to_stop_hands_over() {
    let (scene, [a, b]) = two("handed-over", Place::Launching).await;
    let users = Users::of(&scene.stage);
    assert!(a.stop().unwrap().success());
    until_led_by(&scene, "b").await;
    finish(&scene, Place::Launching).await;
    assert!(b.log().contains("Clean"), "the lease was released, not run out:\n{}", b.log());
    assert_eq!(users.leave().await, "two");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_was_frozen_past_its_lease_does_nothing_when_it_wakes() {
    let (scene, [a, _b]) = two("frozen", Place::Shifting).await;
    let users = Users::of(&scene.stage);
    a.signal(Signal::STOP).unwrap();
    until_led_by(&scene, "b").await;
    finish(&scene, Place::Shifting).await;
    let control = scene.stage.cloud.control();
    let before = control.with(|world, _| changes(world).len());
    a.signal(Signal::CONT).unwrap();
    let status = tokio::task::spawn_blocking(|| a.wait()).await.unwrap().unwrap();
    assert!(!status.success(), "it says that it has lost the lease");
    assert_eq!(control.with(|world, _| changes(world).len()), before);
    scene.serves("web-2").await;
    assert_eq!(users.leave().await, "two");
}
