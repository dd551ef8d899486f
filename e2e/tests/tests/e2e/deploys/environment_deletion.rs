//! An Environment that is deleted, whatever is going on in it: with `Delete` nothing at all is left, with `Retain` what
//! serves, and its users notice nothing.

use dryad_crds::Environment;
use dryad_local_cloud::model::autoscaling::{Process, ResumeProcesses, SuspendProcesses};
use dryad_machine::state::State;
use dryad_stage::deploys::{path_of, state_of, table};
use serde_json::{Value, json};

use crate::deploys::capacity::declare;
use crate::deploys::scene::{Place, Scene, WEB, green_of};
use crate::deploys::sweeper::left_behind;
use crate::deploys::users::Users;

/// What is going on.
#[derive(Clone, Copy)]
enum Moment {
    /// Nothing: what was deployed serves.
    Idle,
    /// A deploy is there.
    At(Place),
    /// A deploy that had taken all traffic is taken back.
    RollingBack,
}

/// Deletes an Environment at that moment under each policy.
async fn deleted(moment: Moment) {
    tokio::join!(Box::pin(with_delete(moment)), Box::pin(with_retain(moment)));
}

async fn with_delete(moment: Moment) {
    let (scene, _) = gone("going", "Delete", moment).await;
    scene.left(&[], 0).await;
}

async fn with_retain(moment: Moment) {
    let (scene, serves) = gone("staying", "Retain", moment).await;
    scene.left(&[&serves], 2).await;
}

/// A scene whose Environment was deleted at that moment under this policy, and the group that served in the end.
async fn gone(name: &str, policy: &str, moment: Moment) -> (Scene, String) {
    let with_policy = |environment: &mut Value| environment["spec"]["deletionPolicy"] = json!(policy);
    let scene = match moment {
        Moment::At(Place::Retiring) => Scene::retiring(name, with_policy).await,
        Moment::Idle | Moment::At(_) | Moment::RollingBack => Scene::set(name, with_policy).await,
    };
    let _operator = scene.stage.operator("a").unwrap();
    let users = Users::of(&scene.stage);
    let blue = green_of(&scene.stage.api().get("web-1").await.unwrap());
    reach(&scene, moment).await;
    scene.stage.delete::<Environment>(WEB).await;
    scene.let_all_go().await;
    scene.until_gone::<Environment>(WEB).await;
    let serves = match moment {
        Moment::Idle => blue,
        Moment::At(_) | Moment::RollingBack => {
            let ended = scene.stage.until_ended("web-2").await;
            if state_of(&ended) == State::Done { green_of(&ended) } else { blue }
        }
    };
    if policy == "Retain" {
        users.leave().await;
    }
    (scene, serves)
}

async fn reach(scene: &Scene, moment: Moment) {
    let place = match moment {
        Moment::Idle => return,
        Moment::At(place) => place,
        Moment::RollingBack => Place::ProvenInService,
    };
    scene.deploy_held("web-2").await;
    scene.bring("web-2", place).await;
    if matches!(moment, Moment::RollingBack) {
        scene.stage.request("web-2", json!({ "end": "Abort" })).await;
        scene.stage.until_state("web-2", State::Rollback).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_environment_can_be_deleted_while_nothing_is_deployed() {
    deleted(Moment::Idle).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_environment_can_be_deleted_while_a_deploy_waits_for_its_turn() {
    deleted(Moment::At(Place::Pending)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_environment_can_be_deleted_while_a_release_is_looked_for() {
    deleted(Moment::At(Place::Resolving)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_environment_can_be_deleted_while_green_is_launched() {
    deleted(Moment::At(Place::Launching)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_environment_can_be_deleted_while_green_is_proven_apart() {
    deleted(Moment::At(Place::ProvenApart)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_environment_can_be_deleted_while_the_traffic_shifts() {
    deleted(Moment::At(Place::Shifting)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_environment_can_be_deleted_while_green_is_proven_in_service() {
    deleted(Moment::At(Place::ProvenInService)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_environment_can_be_deleted_while_blue_is_kept() {
    deleted(Moment::At(Place::Retaining)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_environment_can_be_deleted_while_blue_is_retired() {
    deleted(Moment::At(Place::Retiring)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_environment_can_be_deleted_while_a_deploy_is_rolled_back() {
    deleted(Moment::RollingBack).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_environment_waits_for_a_deployment_that_has_yet_to_see_it_go() {
    let scene = Scene::set("unseen", |_| {}).await;
    let line = scene.stage.line("a").await.unwrap();
    let _operator = scene.stage.operator_on(&line, "a").unwrap();
    // The Deployment's loop stands still in its first write, and sees nothing meanwhile.
    line.hold("deployments/web-2");
    scene.stage.deploy("web-2", json!({ "environment": WEB })).await;
    line.until_asked("deployments/web-2").await;
    scene.stage.delete::<Environment>(WEB).await;
    let has_only_that_to_wait_for = |environment: Option<&Environment>| {
        environment.is_none_or(|environment| {
            let conditions = environment.status.iter().flat_map(|status| &status.conditions);
            conditions.into_iter().any(|it| it.message == "there is no group yet")
        })
    };
    let kept = scene.stage.until(WEB, has_only_that_to_wait_for).await;
    assert!(kept.is_some(), "it went before its Deployment knew");
    line.let_go();
    let ended = scene.stage.until_ended("web-2").await;
    assert_eq!(path_of(&ended), ["Pending Created", "Canceled EnvironmentDeleted"], "{}", table(&ended));
    scene.until_gone::<Environment>(WEB).await;
    scene.left(&[], 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_keeps_a_group_from_going_is_said_and_once_that_is_over_it_goes() {
    let scene = Scene::set("lingering", |_| {}).await;
    let group = green_of(&scene.stage.api().get("web-1").await.unwrap());
    let control = scene.stage.cloud.control();
    let (auto_scaling_group_name, scaling_processes) = (group.clone(), vec![Process::Terminate]);
    control.call(SuspendProcesses { auto_scaling_group_name, scaling_processes }).expect("it is there");
    declare(&scene, json!({ "rollout": { "timeout": "10s" } })).await;
    let _operator = scene.stage.operator("a").unwrap();
    scene.stage.delete::<Environment>(WEB).await;
    scene.stage.until(WEB, |it| left_behind(it).is_some_and(|said| said.contains(&group))).await;
    let (auto_scaling_group_name, scaling_processes) = (group.clone(), Vec::new());
    control.call(ResumeProcesses { auto_scaling_group_name, scaling_processes }).expect("it is there");
    scene.until_gone::<Environment>(WEB).await;
    scene.left(&[], 0).await;
}
