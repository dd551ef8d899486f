//! An Environment that is edited while groups of an earlier spec serve, or while it is being deleted: what serves is
//! looked at, kept and taken down where it was announced, and a deploy goes on where it began.

use dryad_crds::{Deployment, Environment};
use dryad_machine::state::State;
use dryad_stage::capacity::Capacity;
use serde_json::{Value, json};

use crate::deploys::capacity::{declare, until_sized};
use crate::deploys::scene::{Place, Scene, WEB, changes, green_of};
use crate::deploys::users::Users;

/// From now on requests come by the one target group of another load balancer.
fn by_shared(scene: &Scene) -> Value {
    json!({ "traffic": {
        "loadBalancerRule": null,
        "targetGroup": { "arn": scene.stage.web.shared.target_group },
    } })
}

fn elsewhere(field: &str, name: &str) -> Value {
    json!({ "target": { "autoScalingGroup": { field: name } } })
}

/// Waits until the conditions are about the spec as it is, with this one of this status.
async fn until_said(scene: &Scene, type_: &str, status: &str) {
    let said = |environment: Option<&Environment>| {
        let object = environment.expect("it is there");
        object.status.as_ref().is_some_and(|told| {
            told.conditions.iter().any(|it| {
                it.type_ == type_
                    && it.status == status
                    && it.observed_generation == object.metadata.generation
            })
        })
    };
    scene.stage.until(WEB, said).await;
}

/// Edits an Environment between two deploys, and then deletes it.
async fn edited_and_deleted(name: &str, edit: impl FnOnce(&Scene) -> Value) {
    let scene = Scene::set(name, |_| {}).await;
    let users = Users::of(&scene.stage);
    let _operator = scene.stage.operator("a").unwrap();
    declare(&scene, edit(&scene)).await;
    until_said(&scene, "Ready", "False").await;
    until_said(&scene, "Available", "True").await;
    assert_eq!(users.leave().await, "one");
    scene.stage.delete::<Environment>(WEB).await;
    scene.until_gone::<Environment>(WEB).await;
    scene.left(&[], 0).await;
    let made = scene.stage.cloud.control().with(|world, _| changes(world));
    assert!(
        made.contains(&"DetachLoadBalancerTargetGroups"),
        "it was not taken out of traffic first: {made:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_serves_is_known_and_taken_down_where_it_is_whatever_the_spec_says_by_now() {
    tokio::join!(
        Box::pin(edited_and_deleted("edited-traffic", by_shared)),
        Box::pin(edited_and_deleted("edited-region", |_| elsewhere("region", "eu-west-1"))),
        Box::pin(edited_and_deleted("edited-account", |_| elsewhere("account", "production"))),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_serves_is_kept_at_its_size_where_it_is_whatever_the_spec_says_by_now() {
    let scene = Scene::set("edited-size", |_| {}).await;
    let users = Users::of(&scene.stage);
    let blue = green_of(&scene.stage.api().get("web-1").await.unwrap());
    let capacity = Capacity::of(&scene.stage, &scene.stage.web.target_groups[0]);
    let _operator = scene.stage.operator("a").unwrap();
    declare(&scene, by_shared(&scene)).await;
    declare(&scene, json!({ "replicas": 4 })).await;
    until_sized(&scene, &blue, 2, 4, 4).await;
    declare(&scene, json!({ "replicas": 2 })).await;
    until_sized(&scene, &blue, 2, 4, 2).await;
    assert_eq!(users.leave().await, "one");
    assert!(capacity.least() >= Some(2), "fewer than were declared");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_goes_on_where_it_began_whatever_is_edited_meanwhile() {
    let scene = Scene::set("edited-deploy", |_| {}).await;
    let users = Users::of(&scene.stage);
    let _operator = scene.stage.operator("a").unwrap();
    scene.deploy_held("web-2").await;
    let green = green_of(&scene.bring("web-2", Place::ProvenApart).await);
    declare(&scene, by_shared(&scene)).await;
    declare(&scene, elsewhere("region", "eu-west-1")).await;
    declare(&scene, elsewhere("account", "production")).await;
    declare(&scene, json!({ "source": { "branch": "another" } })).await;
    scene.let_all_go().await;
    scene.stage.request("web-2", json!({ "skipEvaluation": true })).await;
    scene.stage.until_state("web-2", State::RetainWait).await;
    scene.stage.delete::<Deployment>("web-2").await;
    scene.until_gone::<Deployment>("web-2").await;
    scene.serves_group(&green).await;
    until_said(&scene, "Available", "True").await;
    assert_eq!(users.leave().await, "two");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_deploy_takes_the_edited_traffic_and_leaves_the_old_one_served_until_blue_is_retired() {
    let scene = Scene::set("edited-next", |_| {}).await;
    let old = Users::of(&scene.stage);
    let _operator = scene.stage.operator("a").unwrap();
    declare(&scene, by_shared(&scene)).await;
    scene.stage.deploy("web-2", json!({ "environment": WEB, "request": { "skipEvaluation": true } })).await;
    let green = green_of(&scene.stage.until_state("web-2", State::RetainWait).await);
    let new = Users::at(&scene.stage.web.shared.url);
    new.until_answered("two").await;
    assert_eq!(old.leave().await, "one");
    scene.stage.delete::<Deployment>("web-2").await;
    scene.until_gone::<Deployment>("web-2").await;
    scene.serves_group(&green).await;
    until_said(&scene, "Available", "True").await;
    assert_eq!(new.leave().await, "two");
}

/// Deletes an Environment in the middle of a deploy, and changes what is to become of its groups then.
async fn thought_better_of(first: &str, then: &str) -> Scene {
    let name = format!("from-{first}").to_lowercase();
    let scene = Scene::set(&name, |environment| environment["spec"]["deletionPolicy"] = json!(first)).await;
    let _operator = scene.stage.operator("a").unwrap();
    scene.deploy_held("web-2").await;
    scene.bring("web-2", Place::ProvenApart).await;
    scene.stage.delete::<Environment>(WEB).await;
    scene.stage.until_state("web-2", State::Rollback).await;
    declare(&scene, json!({ "deletionPolicy": then })).await;
    scene.let_all_go().await;
    scene.until_gone::<Environment>(WEB).await;
    scene
}

#[tokio::test(flavor = "multi_thread")]
async fn what_becomes_of_groups_may_be_thought_better_of_while_their_environment_is_being_deleted() {
    let retained = async {
        let scene = thought_better_of("Delete", "Retain").await;
        let blue = green_of(&scene.stage.api().get("web-1").await.unwrap());
        scene.left(&[&blue], 2).await;
    };
    let deleted = async { thought_better_of("Retain", "Delete").await.left(&[], 0).await };
    tokio::join!(Box::pin(retained), Box::pin(deleted));
}
