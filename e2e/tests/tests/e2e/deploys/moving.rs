//! Groups that move while green is brought in: an autoscaler wants more or less of blue, instances die, somebody declares
//! another size.

use dryad_crds::{Deployment, Environment};
use dryad_local_cloud::model::autoscaling::{TerminateInstanceInAutoScalingGroup, UpdateAutoScalingGroup};
use dryad_machine::event::Reason;
use dryad_machine::state::State;
use dryad_stage::capacity::Capacity;
use dryad_stage::deploys::{history_of, path_of, table};
use serde_json::json;

use crate::deploys::capacity::{bounds, declare, group, until_sized};
use crate::deploys::edited::until_said;
use crate::deploys::scene::{Place, Scene, WEB, fault, green_of, no_capacity};
use crate::deploys::trouble::{asked_since, logged, until_looked};
use crate::deploys::users::Users;

/// The group that release one was brought into service with.
pub(crate) async fn blue_of(scene: &Scene) -> String {
    green_of(&scene.stage.api().get("web-1").await.unwrap())
}

/// What an autoscaler does; whether the cloud lets it.
fn scale(scene: &Scene, name: &str, desired: u32) -> bool {
    let request = UpdateAutoScalingGroup {
        auto_scaling_group_name: name.to_owned(),
        desired_capacity: Some(desired),
        ..UpdateAutoScalingGroup::default()
    };
    scene.stage.cloud.control().call(request).is_ok()
}

/// Takes so many instances of a group away; it is to replace them.
fn strike(scene: &Scene, name: &str, count: usize) {
    for instance in group(scene, name).instances.into_iter().take(count) {
        let request = TerminateInstanceInAutoScalingGroup {
            instance_id: instance.instance_id,
            should_decrement_desired_capacity: false,
        };
        scene.stage.cloud.control().call(request).expect("it is there");
    }
}

/// Lets a deploy go to its good end, without keeping blue any longer.
pub(crate) async fn let_finish(scene: &Scene, name: &str, green: &str) {
    scene.let_all_go().await;
    scene.stage.request(name, json!({ "skipEvaluation": true })).await;
    scene.stage.until_state(name, State::RetainWait).await;
    scene.stage.delete::<Deployment>(name).await;
    scene.until_gone::<Deployment>(name).await;
    let only = |environment: Option<&Environment>| {
        let status = environment.and_then(|environment| environment.status.as_ref());
        status.is_some_and(|status| {
            status.tenure.holder.is_none() && status.tenure.groups.iter().all(|it| it.name.as_str() == green)
        })
    };
    scene.stage.until(WEB, only).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn green_grows_with_a_blue_that_grows_and_gets_the_declared_bounds_afterwards() {
    let scene = Scene::set("growing", |_| {}).await;
    let users = Users::of(&scene.stage);
    let capacity = Capacity::of(&scene.stage, &scene.stage.web.target_groups[0]);
    let _operator = scene.stage.operator("a").unwrap();
    scene.deploy_held("web-2").await;
    let green = green_of(&scene.bring("web-2", Place::ProvenApart).await);
    assert!(scale(&scene, &blue_of(&scene).await, 4));
    until_sized(&scene, &green, 4, 4, 4).await;
    let_finish(&scene, "web-2", &green).await;
    until_sized(&scene, &green, 2, 4, 4).await;
    assert_eq!(users.leave().await, "two");
    assert!(capacity.least() >= Some(2), "fewer than there were");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blue_that_is_held_cannot_be_shrunk_and_is_let_go_of_even_by_an_operator_that_did_not_hold_it() {
    let scene = Scene::set("holding", |environment| {
        environment["spec"]["target"]["autoScalingGroup"]["capacity"]["min"] = json!(1);
        environment["spec"]["replicas"] = json!(2);
    })
    .await;
    let users = Users::of(&scene.stage);
    let blue = blue_of(&scene).await;
    let operator = scene.stage.operator("a").unwrap();
    scene.deploy_held("web-2").await;
    scene.bring("web-2", Place::Shifting).await;
    until_sized(&scene, &blue, 2, 4, 2).await;
    assert!(!scale(&scene, &blue, 1), "an autoscaler could shrink it");
    operator.kill().unwrap();
    assert!(!scale(&scene, &blue, 1), "an autoscaler could shrink it while nobody watched");
    scene.stage.request("web-2", json!({ "end": "Abort" })).await;
    scene.let_all_go().await;
    let _operator = scene.stage.operator("b").unwrap();
    scene.stage.until_state("web-2", State::Aborted).await;
    scene.serves_group(&blue).await;
    until_sized(&scene, &blue, 1, 4, 2).await;
    let let_go = |environment: Option<&Environment>| {
        let status = environment.and_then(|environment| environment.status.as_ref());
        status.is_some_and(|status| status.tenure.groups.iter().all(|member| member.held.is_none()))
    };
    scene.stage.until(WEB, let_go).await;
    assert_eq!(users.leave().await, "one");
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_that_die_on_the_way_are_replaced_and_the_deploy_goes_on() {
    let scene = Scene::set("dying", |_| {}).await;
    let users = Users::of(&scene.stage);
    let blue = blue_of(&scene).await;
    let _operator = scene.stage.operator("a").unwrap();
    scene.deploy_held("web-2").await;
    let proven = scene.bring("web-2", Place::ProvenApart).await;
    let green = green_of(&proven);
    scene.hold(&[], &[no_capacity()]);
    strike(&scene, &green, 1);
    strike(&scene, &blue, 1);
    until_looked(&scene, 6).await;
    let deploy = scene.stage.api::<Deployment>().get("web-2").await.unwrap();
    assert_eq!(path_of(&deploy), path_of(&proven), "{}", table(&deploy));
    scene.let_all_go().await;
    until_sized(&scene, &green, 2, 4, 2).await;
    until_sized(&scene, &blue, 2, 4, 2).await;
    let_finish(&scene, "web-2", &green).await;
    scene.serves_group(&green).await;
    assert_eq!(users.leave().await, "two");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_green_that_has_lost_an_instance_since_it_was_proven_gets_the_traffic_when_it_has_another() {
    let scene = Scene::set("lacking", |_| {}).await;
    let users = Users::of(&scene.stage);
    let capacity = Capacity::of(&scene.stage, &scene.stage.web.target_groups[0]);
    let _operator = scene.stage.operator("a").unwrap();
    scene.deploy_held("web-2").await;
    let shifting = scene.bring("web-2", Place::Shifting).await;
    let green = green_of(&shifting);
    scene.hold(&[fault("ModifyRule")], &[no_capacity()]);
    strike(&scene, &green, 1);
    until_looked(&scene, 4).await;
    let begun = logged(&scene);
    scene.hold(&[], &[no_capacity()]);
    until_looked(&scene, 6).await;
    let moved = asked_since(&scene, begun).into_iter().any(|entry| entry.action == "ModifyRule");
    assert!(!moved, "traffic moved to what was not enough:\n{}", table(&shifting));
    let_finish(&scene, "web-2", &green).await;
    scene.serves_group(&green).await;
    assert_eq!(users.leave().await, "two");
    assert!(capacity.least() >= Some(2), "fewer than users need");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_onto_a_blue_that_has_died_leaves_users_with_green() {
    let scene = Scene::set("lost-blue", |environment| {
        environment["spec"]["rollout"]["timeout"] = json!("30s");
    })
    .await;
    let users = Users::of(&scene.stage);
    let blue = blue_of(&scene).await;
    let _operator = scene.stage.operator("a").unwrap();
    scene.deploy_held("web-2").await;
    let green = green_of(&scene.bring("web-2", Place::ProvenInService).await);
    scene.hold(&[], &[no_capacity()]);
    strike(&scene, &blue, 2);
    scene.stage.request("web-2", json!({ "end": "Abort" })).await;
    let ended = scene.stage.until_state("web-2", State::Failed).await;
    let last = history_of(&ended).pop().expect("it has ended");
    assert_eq!(last.reason, Reason::BlueLost, "{}", table(&ended));
    scene.let_all_go().await;
    scene.serves_group(&green).await;
    assert_eq!(users.leave().await, "two");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_size_that_is_declared_on_the_way_holds_for_what_serves_in_the_end() {
    let scene = Scene::set("resized", |_| {}).await;
    let users = Users::of(&scene.stage);
    let _operator = scene.stage.operator("a").unwrap();
    scene.deploy_held("web-2").await;
    let green = green_of(&scene.bring("web-2", Place::ProvenApart).await);
    let (blue, begun) = (blue_of(&scene).await, logged(&scene));
    let mut size = bounds(1, 5);
    size["replicas"] = json!(3);
    declare(&scene, size).await;
    until_said(&scene, "Available", "True").await;
    let resized = asked_since(&scene, begun).into_iter().any(|entry| entry.resource == blue);
    assert!(!resized, "what the deploy goes by was changed under its feet");
    let_finish(&scene, "web-2", &green).await;
    until_sized(&scene, &green, 1, 5, 3).await;
    assert_eq!(users.leave().await, "two");
}
