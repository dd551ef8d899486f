//! What is declared of a group's size holds for what serves: in place, and without a deploy.

use std::time::Duration;

use dryad_crds::{Deployment, Environment};
use dryad_local_cloud::model::autoscaling::UpdateAutoScalingGroup;
use dryad_local_cloud::model::autoscaling::{DescribeAutoScalingGroups, DescribedGroup, LifecycleState};
use dryad_stage::Stage;
use dryad_stage::capacity::Capacity;
use kube::api::{ListParams, Patch, PatchParams};
use serde_json::{Value, json};

use crate::deploys::scene::{Place, Scene, WEB, changes, green_of};
use crate::deploys::users::Users;

/// How long a group may take to become what is wanted before that counts as stuck.
const PATIENCE: Duration = Duration::from_secs(90);
/// How often it is looked at.
const EVERY: Duration = Duration::from_millis(50);

/// The group as anybody sees it.
pub(crate) fn group(scene: &Scene, name: &str) -> DescribedGroup {
    group_on(&scene.stage, name)
}

/// The same on a stage that no scene is set on.
pub(crate) fn group_on(stage: &Stage, name: &str) -> DescribedGroup {
    let request = DescribeAutoScalingGroups {
        auto_scaling_group_names: vec![name.to_owned()],
        ..DescribeAutoScalingGroups::default()
    };
    let mut found = stage.cloud.control().call(request).expect("the cloud is there").auto_scaling_groups;
    found.pop().expect("the group is there")
}

/// Waits until the group has these bounds, this size, and all its instances in service.
pub(crate) async fn until_sized(scene: &Scene, name: &str, min: u32, max: u32, desired: u32) {
    until_sized_on(&scene.stage, name, min, max, desired).await;
}

/// The same on a stage that no scene is set on.
pub(crate) async fn until_sized_on(stage: &Stage, name: &str, min: u32, max: u32, desired: u32) {
    let mut moments = tokio::time::interval(EVERY);
    let is_there = || {
        let group = group_on(stage, name);
        let working =
            group.instances.iter().filter(|it| it.lifecycle_state == LifecycleState::InService).count();
        let sized = (group.min_size, group.max_size, group.desired_capacity) == (min, max, desired);
        sized && group.instances.len() == working && u32::try_from(working) == Ok(desired)
    };
    let sized = async {
        while !is_there() {
            moments.tick().await;
        }
    };
    let in_time = tokio::time::timeout(PATIENCE, sized).await;
    in_time.unwrap_or_else(|_| panic!("never {min} to {max}, {desired} now: {:#?}", group_on(stage, name)));
}

/// Changes the Environment's spec.
pub(crate) async fn declare(scene: &Scene, spec: Value) {
    let patch = Patch::Merge(json!({ "spec": spec }));
    let environments = scene.stage.api::<Environment>();
    environments.patch(WEB, &PatchParams::default(), &patch).await.expect("it is accepted");
}

/// A change of the declared bounds.
pub(crate) fn bounds(min: u32, max: u32) -> Value {
    json!({ "target": { "autoScalingGroup": { "capacity": { "min": min, "max": max } } } })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declared_size_applies_to_what_serves_without_a_deploy_and_never_below_it() {
    let scene = Scene::set("capacity", |_| {}).await;
    let users = Users::of(&scene.stage);
    let blue = green_of(&scene.stage.api().get("web-1").await.unwrap());
    let capacity = Capacity::of(&scene.stage, &scene.stage.web.target_groups[0]);
    let _operator = scene.stage.operator("a").unwrap();
    declare(&scene, json!({ "replicas": 4 })).await;
    until_sized(&scene, &blue, 2, 4, 4).await;
    declare(&scene, json!({ "replicas": 2 })).await;
    until_sized(&scene, &blue, 2, 4, 2).await;
    declare(&scene, bounds(1, 5)).await;
    until_sized(&scene, &blue, 1, 5, 2).await;
    assert_eq!(users.leave().await, "one");
    assert!(capacity.least() >= Some(2), "fewer than were declared");
    let all = scene.stage.api::<Deployment>().list(&ListParams::default()).await.unwrap();
    assert_eq!(all.items.len(), 1, "nothing was deployed");
    let current = |environment: Option<&Environment>| {
        let status = environment.and_then(|environment| environment.status.as_ref());
        status.is_some_and(|status| {
            status.conditions.iter().any(|it| it.type_ == "Ready" && it.status == "True")
        })
    };
    scene.stage.until(WEB, current).await;
    let made = scene.stage.cloud.control().with(|world, _| changes(world));
    assert_eq!(made.iter().filter(|name| **name == "CreateAutoScalingGroup").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_declared_size_an_autoscaler_owns_it_within_the_declared_bounds() {
    let scene = Scene::set("autoscaled", |_| {}).await;
    let blue = green_of(&scene.stage.api().get("web-1").await.unwrap());
    let _operator = scene.stage.operator("a").unwrap();
    let scale = |desired| {
        let request = UpdateAutoScalingGroup {
            auto_scaling_group_name: blue.clone(),
            desired_capacity: Some(desired),
            ..UpdateAutoScalingGroup::default()
        };
        scene.stage.cloud.control().call(request).expect("the cloud is there");
    };
    scale(4);
    declare(&scene, bounds(1, 6)).await;
    until_sized(&scene, &blue, 1, 6, 4).await;
    declare(&scene, bounds(1, 3)).await;
    until_sized(&scene, &blue, 1, 3, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blue_whose_deploy_vanished_is_given_its_bounds_back() {
    let scene = Scene::set("held", |environment| {
        environment["spec"]["target"]["autoScalingGroup"]["capacity"]["min"] = json!(1);
        environment["spec"]["replicas"] = json!(2);
    })
    .await;
    let users = Users::of(&scene.stage);
    let blue = green_of(&scene.stage.api().get("web-1").await.unwrap());
    let operator = scene.stage.operator("a").unwrap();
    scene.deploy_held("web-2").await;
    scene.bring("web-2", Place::Shifting).await;
    until_sized(&scene, &blue, 2, 4, 2).await;
    operator.kill().unwrap();
    let strip = Patch::Merge(json!({ "metadata": { "finalizers": null } }));
    let deployments = scene.stage.api::<Deployment>();
    deployments.patch("web-2", &PatchParams::default(), &strip).await.unwrap();
    scene.stage.delete::<Deployment>("web-2").await;
    scene.let_all_go().await;
    let _operator = scene.stage.operator("b").unwrap();
    scene.serves_group(&blue).await;
    until_sized(&scene, &blue, 1, 4, 2).await;
    let restored = |environment: Option<&Environment>| {
        let status = environment.and_then(|environment| environment.status.as_ref());
        status.is_some_and(|status| status.tenure.groups.iter().all(|member| member.held.is_none()))
    };
    scene.stage.until(WEB, restored).await;
    assert_eq!(users.leave().await, "one");
}
