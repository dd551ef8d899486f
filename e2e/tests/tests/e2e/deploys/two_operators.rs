//! Two operators for one namespace: one leads, the other stands by, and whoever has lost the lease does nothing more.

use dryad_local_cloud::model::World;
use dryad_machine::state::State;
use dryad_stage::Stage;
use dryad_stage::line::Condition;
use dryad_stage::operator::{GIVES_UP, LEASE_NAME, Operator, Signal};
use k8s_openapi::api::coordination::v1::Lease;
use serde_json::json;

use crate::deploys::scene::{Place, Scene, WEB, asked, fault, release_one, replica_of, until_asked_by};
use crate::deploys::stage;
use crate::deploys::users::Users;

/// The replica that a Lease names.
fn leader(lease: Option<&Lease>) -> Option<&str> {
    let holder = lease?.spec.as_ref()?.holder_identity.as_deref()?;
    holder.split_once('_').map(|(replica, _)| replica)
}

/// Waits until this replica leads.
async fn until_led_by(scene: &Scene, replica: &str) {
    scene.stage.until(LEASE_NAME, |lease| leader(lease) == Some(replica)).await;
}

/// Who has asked the cloud for changes so far, granted or not, in order.
fn askers(world: &World) -> Vec<&str> {
    asked(world).map(|entry| replica_of(entry).unwrap_or_default()).collect()
}

/// Waits until an operator ends by itself, and sees that it says why.
async fn gives_up(operator: Operator) {
    let log = operator.log_path().to_owned();
    let status = tokio::task::spawn_blocking(|| operator.wait()).await.unwrap().unwrap();
    let log = std::fs::read_to_string(log).unwrap();
    assert!(!status.success() && log.contains(GIVES_UP), "{status}\n{log}");
}

/// Two operators of which `a` leads, and a deploy that it has taken there.
async fn two(name: &str, place: Place) -> (Scene, [Operator; 2]) {
    let scene = Scene::retiring(name, |_| {}).await;
    let a = scene.stage.operator("a").unwrap().left_alone();
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

/// Two operators of which `a` led while the new release was proven in service, and was frozen then, so that `b` leads.
async fn one_frozen(name: &str) -> (Scene, [Operator; 2]) {
    let (scene, [a, b]) = two(name, Place::ProvenInService).await;
    a.signal(Signal::STOP).unwrap();
    until_led_by(&scene, "b").await;
    (scene, [a, b])
}

/// Wakes `a`, which still thinks that it leads, and sees that it asks for nothing any more.
async fn wakes_and_gives_up(scene: &Scene, a: Operator) {
    let by_a = |world: &World| askers(world).iter().filter(|asker| **asker == "a").count();
    let control = scene.stage.cloud.control();
    let before = control.with(|world, _| by_a(world));
    a.signal(Signal::CONT).unwrap();
    gives_up(a).await;
    assert_eq!(control.with(|world, _| by_a(world)), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_was_frozen_past_its_lease_does_nothing_when_it_wakes_after_the_deploy() {
    let (scene, [a, _b]) = one_frozen("frozen").await;
    let users = Users::of(&scene.stage);
    finish(&scene, Place::ProvenInService).await;
    wakes_and_gives_up(&scene, a).await;
    scene.serves("web-2").await;
    assert_eq!(users.leave().await, "two");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_was_frozen_past_its_lease_does_nothing_when_it_wakes_while_blue_is_retired() {
    let (scene, [a, _b]) = one_frozen("frozen-retiring").await;
    let users = Users::of(&scene.stage);
    for place in [Place::ProvenInService, Place::Retaining] {
        scene.until("web-2", place).await;
        scene.let_go("web-2", place).await;
    }
    scene.hold(&[fault("DeleteAutoScalingGroup")], &[]);
    until_asked_by(&scene, "b", "DeleteAutoScalingGroup").await;
    wakes_and_gives_up(&scene, a).await;
    scene.let_all_go().await;
    scene.stage.until_state("web-2", State::Done).await;
    scene.serves("web-2").await;
    assert_eq!(users.leave().await, "two");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_was_frozen_past_its_lease_does_nothing_when_it_wakes_while_green_is_removed() {
    let (scene, [a, _b]) = one_frozen("frozen-rollback").await;
    let users = Users::of(&scene.stage);
    scene.stage.request("web-2", json!({ "end": "Abort" })).await;
    scene.hold(&[fault("DeleteAutoScalingGroup")], &[]);
    until_asked_by(&scene, "b", "DeleteAutoScalingGroup").await;
    wakes_and_gives_up(&scene, a).await;
    scene.let_all_go().await;
    scene.stage.until_state("web-2", State::Aborted).await;
    scene.serves("web-1").await;
    assert_eq!(users.leave().await, "one");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_alone_is_cut_off_asks_the_cloud_for_nothing_once_another_leads() {
    let scene = Scene::retiring("cut-off", |_| {}).await;
    let users = Users::of(&scene.stage);
    let line = scene.stage.line("a").await.unwrap();
    let a = scene.stage.operator_on(&line, "a").unwrap().left_alone();
    until_led_by(&scene, "a").await;
    let _b = scene.stage.operator("b").unwrap();
    scene.deploy_held("web-2").await;
    // Here it asks again and again, and is refused each time.
    scene.bring("web-2", Place::Shifting).await;
    line.set(Condition::Silent);
    until_led_by(&scene, "b").await;
    finish(&scene, Place::Shifting).await;
    // What it had sent to the API server before it gave up arrives now.
    line.set(Condition::Open);
    gives_up(a).await;
    scene.serves("web-2").await;
    let asked = scene.stage.cloud.control().with(|world, _| askers(world).join(""));
    let (_, since) = asked.split_once('b').expect("b has finished the deploy");
    assert!(!since.contains('a'), "{asked}");
    assert_eq!(users.leave().await, "two");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_operators_that_start_at_the_same_time_one_does_everything() {
    let stage = stage("together").await;
    stage.forget_leaders().await;
    let operators = ["a", "b"].map(|replica| stage.operator(replica).unwrap());
    release_one(&stage, &stage.environment(WEB)).await;
    let lease = stage.api::<Lease>().get(LEASE_NAME).await.unwrap();
    let first = leader(Some(&lease)).expect("it holds the lease").to_owned();
    only_by(&stage, &[first.as_str()]);
    let [a, b] = operators;
    let (leading, other) = if first == "a" { (a, "b") } else { (b, "a") };
    assert!(leading.stop().unwrap().success());
    stage.repository.commit("Say two", &[("index.html", Some("two"))]).unwrap();
    stage.deploy("web-2", json!({ "environment": WEB, "request": { "skipEvaluation": true } })).await;
    stage.until_state("web-2", State::Done).await;
    only_by(&stage, &[first.as_str(), other]);
}

/// Sees that these have asked for changes, one after the other.
fn only_by(stage: &Stage, replicas: &[&str]) {
    stage.cloud.control().with(|world, _| {
        let mut askers = askers(world);
        askers.dedup();
        assert_eq!(askers, replicas);
    });
}
