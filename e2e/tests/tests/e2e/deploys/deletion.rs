//! What is deleted leaves nothing behind but what serves, and what has ended can go without anybody noticing.

use dryad_crds::{Deployment, Environment};
use dryad_machine::event::Reason;
use dryad_machine::state::State;
use dryad_stage::deploys::history_of;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use crate::deploys::scene::{Place, Scene, WEB, changes, green_of};
use crate::deploys::users::Users;

/// Starts a deploy, takes it there, and deletes it. Its group, if it got as far as one.
async fn deleted(scene: &Scene, name: &str, place: Place) -> Option<String> {
    scene.deploy_held(name).await;
    let object = scene.bring(name, place).await;
    let green = object.status.as_ref().is_some_and(|status| status.plan.is_some()).then(|| green_of(&object));
    scene.stage.delete::<Deployment>(name).await;
    scene.let_all_go().await;
    scene.until_gone::<Deployment>(name).await;
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
    let scene = Scene::retiring("deleted-late", |_| {}).await;
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
    scene.until_gone::<Deployment>("web-2").await;
    scene.serves("web-1").await;
    assert_eq!(users.leave().await, "one");
}

/// Holds a deploy there, and deletes its Environment in spite of the finalizer. The deploy ends and goes, and leaves in
/// the cloud what it leaves.
async fn environment_torn_away(place: Place, leaves: fn(blue: String, green: String) -> Vec<String>) {
    let scene = Scene::set(&format!("torn-{place:?}").to_lowercase(), |_| {}).await;
    let users = Users::of(&scene.stage);
    let _operator = scene.stage.operator("a").unwrap();
    let blue = green_of(&scene.stage.api().get("web-1").await.unwrap());
    scene.deploy_held("web-2").await;
    let green = green_of(&scene.bring("web-2", place).await);
    let shifts = || {
        scene
            .stage
            .cloud
            .control()
            .with(|world, _| changes(world).into_iter().filter(|change| *change == "ModifyRule").count())
    };
    let before = shifts();
    scene.stage.delete::<Environment>(WEB).await;
    let strip = Patch::Merge(json!({ "metadata": { "finalizers": null } }));
    let environments = scene.stage.api::<Environment>();
    environments.patch(WEB, &PatchParams::default(), &strip).await.expect("it is accepted");
    scene.let_all_go().await;
    let ended = scene.stage.until_state("web-2", State::Failed).await;
    let last = history_of(&ended).pop().expect("it has ended");
    let mut left = leaves(blue, green);
    left.sort_unstable();
    assert_eq!(last.reason, Reason::EnvironmentGone, "{}", last.message);
    assert!(left.iter().all(|group| last.message.contains(group)), "{}", last.message);
    scene.stage.delete::<Deployment>("web-2").await;
    scene.until_gone::<Deployment>("web-2").await;
    let groups: Vec<_> = left.iter().map(String::as_str).collect();
    scene.left(&groups, 2 * groups.len()).await;
    assert_eq!(shifts(), before, "traffic was moved");
    users.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_whose_environment_is_torn_away_ends_and_takes_down_only_what_carries_nothing() {
    tokio::join!(
        Box::pin(environment_torn_away(Place::ProvenApart, |blue, _| vec![blue])),
        Box::pin(environment_torn_away(Place::ProvenInService, |blue, green| vec![blue, green])),
        Box::pin(environment_torn_away(Place::Retaining, |_, green| vec![green])),
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
        scene.until_gone::<Deployment>(name).await;
        scene.stage.until_state(other, State::Canceled).await;
    };
    // Of two that were made within a second, either may be called the older one.
    tokio::select! {
        () = pruned("web-2", "web-3") => {}
        () = pruned("web-3", "web-2") => {}
    }
    scene.stage.until_state("web-1", State::Done).await;
    scene.stage.delete::<Deployment>("web-1").await;
    scene.until_gone::<Deployment>("web-1").await;
    scene.serves_group(&group).await;
    assert!(control.with(|world, _| changes(world).len()) == before, "the cloud was changed");
    assert_eq!(users.leave().await, "one");
}
