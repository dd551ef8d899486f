//! What is deleted leaves nothing behind but what serves, and what has ended can go without anybody noticing.

use dryad_crds::{Deployment, Environment};
use dryad_machine::state::State;
use dryad_stage::deploys::state_of;
use serde_json::json;

use crate::scene::{Place, Scene, WEB, changes, green_of};
use crate::users::Users;

/// Waits until there is no such object any more.
async fn until_gone<K>(scene: &Scene, name: &str)
where
    K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope> + serde::de::DeserializeOwned,
    K: Clone + std::fmt::Debug + Send + Sync + 'static,
    K::DynamicType: Default,
{
    scene.stage.until::<K>(name, |object| object.is_none()).await;
}

/// Starts a deploy, takes it there, and deletes it. Its group, if it got as far as one.
async fn deleted(scene: &Scene, name: &str, place: Place) -> Option<String> {
    scene.deploy_held(name).await;
    let object = scene.bring(name, place).await;
    let green = object.status.as_ref().is_some_and(|status| status.plan.is_some()).then(|| green_of(&object));
    scene.stage.delete::<Deployment>(name).await;
    scene.let_all_go().await;
    until_gone::<Deployment>(scene, name).await;
    green
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_deleted_before_it_was_found_good_leaves_what_served() {
    let scene = Scene::set("deleted", |_| {}).await;
    let users = Users::of(&scene.stage);
    let _operator = scene.stage.operator("a").unwrap();
    let until = Place::ALL.iter().position(|place| *place == Place::Retaining).unwrap();
    for (number, place) in Place::ALL[..until].iter().enumerate() {
        deleted(&scene, &format!("web-{}", number + 2), *place).await;
        scene.serves("web-1").await;
    }
    assert_eq!(users.leave().await, "one");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_deleted_after_it_was_found_good_leaves_what_it_brought() {
    let scene = Scene::set("deleted-late", |environment| {
        environment["spec"]["retain"]["previous"] = json!("3s");
    })
    .await;
    let users = Users::of(&scene.stage);
    let _operator = scene.stage.operator("a").unwrap();
    for (name, place) in [("web-2", Place::Retaining), ("web-3", Place::Retiring)] {
        let green = deleted(&scene, name, place).await.expect("it has a group by now");
        scene.serves_group(&green).await;
    }
    assert_eq!(users.leave().await, "two");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_deleted_while_it_rolls_back_leaves_what_served() {
    let scene = Scene::set("deleted-back", |_| {}).await;
    let users = Users::of(&scene.stage);
    let _operator = scene.stage.operator("a").unwrap();
    scene.deploy_held("web-2").await;
    scene.bring("web-2", Place::ProvenInService).await;
    scene.stage.request("web-2", json!({ "end": "Abort" })).await;
    scene.stage.until_state("web-2", State::Rollback).await;
    scene.stage.delete::<Deployment>("web-2").await;
    scene.let_all_go().await;
    until_gone::<Deployment>(&scene, "web-2").await;
    scene.serves("web-1").await;
    assert_eq!(users.leave().await, "one");
}

/// Deletes the Environment under a deploy that is held there, and says what the cloud must still have.
async fn environment_deleted(policy: &str, place: Place) {
    let scene = Scene::set("going", |environment| {
        environment["spec"]["deletionPolicy"] = json!(policy);
    })
    .await;
    let _operator = scene.stage.operator("a").unwrap();
    let blue = green_of(&scene.stage.api().get("web-1").await.unwrap());
    scene.deploy_held("web-2").await;
    let object = scene.bring("web-2", place).await;
    scene.stage.delete::<Environment>(WEB).await;
    scene.let_all_go().await;
    until_gone::<Environment>(&scene, WEB).await;
    let ended = scene.stage.until_ended("web-2").await;
    match (policy, state_of(&ended)) {
        ("Delete", _) => scene.left(&[], 0).await,
        ("Retain", State::Done) => scene.left(&[&green_of(&object)], 2).await,
        ("Retain", _) => scene.left(&[&blue], 2).await,
        _ => unreachable!("there are two policies"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_environment_deleted_with_delete_leaves_nothing_at_all() {
    tokio::join!(
        environment_deleted("Delete", Place::Pending),
        environment_deleted("Delete", Place::Launching),
        environment_deleted("Delete", Place::Shifting),
        environment_deleted("Delete", Place::Retaining),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_environment_deleted_with_retain_leaves_what_serves() {
    tokio::join!(
        environment_deleted("Retain", Place::Pending),
        environment_deleted("Retain", Place::Launching),
        environment_deleted("Retain", Place::Shifting),
        environment_deleted("Retain", Place::Retaining),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn ended_deployments_that_go_take_nothing_with_them() {
    let scene = Scene::set("pruned", |environment| {
        environment["spec"]["historyLimit"] = json!(1);
    })
    .await;
    let users = Users::of(&scene.stage);
    let group = green_of(&scene.stage.api().get("web-1").await.unwrap());
    let control = scene.stage.cloud.control();
    let before = control.with(|world, _| changes(world).len());
    let _operator = scene.stage.operator("a").unwrap();
    // A deploy that is canceled changes nothing in the cloud either.
    for name in ["web-2", "web-3"] {
        scene.stage.deploy(name, json!({ "environment": WEB, "request": { "end": "Abort" } })).await;
    }
    let pruned = async |name: &str, other: &str| {
        until_gone::<Deployment>(&scene, name).await;
        scene.stage.until_state(other, State::Canceled).await;
    };
    // Of two that were made within a second, either may be called the older one.
    tokio::select! {
        () = pruned("web-2", "web-3") => {}
        () = pruned("web-3", "web-2") => {}
    }
    scene.stage.until_state("web-1", State::Done).await;
    scene.stage.delete::<Deployment>("web-1").await;
    until_gone::<Deployment>(&scene, "web-1").await;
    scene.serves_group(&group).await;
    assert!(control.with(|world, _| changes(world).len()) == before, "the cloud was changed");
    assert_eq!(users.leave().await, "one");
}
