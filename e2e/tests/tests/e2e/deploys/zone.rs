//! An Availability Zone that goes while green is brought in: what ran there is dead, nothing is launched there, and
//! Auto Scaling makes up for it elsewhere.
//!
//! What the zone takes from users nobody can give back at once, so that they are watched from when blue is whole again.

use std::time::Duration;

use dryad_local_cloud::faults::{Faults, Rule, Trouble, ZoneFault};
use dryad_local_cloud::model::elb::DescribeTargetHealth;
use dryad_machine::state::State;
use dryad_stage::capacity::Capacity;
use dryad_stage::deploys::{history_of, table};
use serde_json::{Value, json};

use crate::deploys::capacity::{group, until_sized};
use crate::deploys::moving::{blue_of, let_finish};
use crate::deploys::never_healthy::until_progress;
use crate::deploys::scene::{Place, Scene, assert_ends, fault, green_of};
use crate::deploys::trouble::{asked_since, logged, until_looked};
use crate::deploys::users::Users;

/// The zone that goes.
const GONE: (&str, Trouble) = ("us-east-1a", Trouble::Gone);
/// The other one, into which everybody wants now.
const FULL: (&str, Trouble) = ("us-east-1b", Trouble::Full);
/// What the cloud says then.
const NO_CAPACITY: &str = "capacity in the Availability Zone you requested (us-east-1b)";

/// How long the cloud may take for anything before it counts as stuck.
const PATIENCE: Duration = Duration::from_secs(90);
/// How often it is looked at.
const EVERY: Duration = Duration::from_millis(50);

/// Two instances, one in each of two zones; an autoscaler could take one of them, were it let.
fn in_two_zones(environment: &mut Value) {
    let group = &mut environment["spec"]["target"]["autoScalingGroup"];
    group["subnetIds"].as_array_mut().expect("a list").truncate(2);
    group["capacity"]["min"] = json!(1);
    environment["spec"]["replicas"] = json!(2);
}

/// The cloud refuses this, has these zones in trouble, and nothing else.
fn suffer(scene: &Scene, rules: &[Rule], zones: &[(&str, Trouble)]) {
    let zones = zones.iter().map(|(zone, trouble)| ZoneFault { zone: (*zone).into(), trouble: *trouble });
    let faults = Faults { rules: rules.to_vec(), zones: zones.collect(), ..Faults::default() };
    scene.stage.cloud.control().with(|world, _| world.set_faults(faults));
}

/// How many instances the load balancer can send requests to.
fn watch(scene: &Scene) -> Capacity {
    Capacity::of(&scene.stage, &scene.stage.web.target_groups[0])
}

/// Waits until the group has two instances, one in each of these zones, and the load balancer finds both healthy.
async fn until_whole(scene: &Scene, name: &str, zones: [&str; 2]) {
    let control = scene.stage.cloud.control();
    let is_whole = || {
        let members = group(scene, name).instances;
        let mut seen: Vec<_> = members.iter().map(|member| member.availability_zone.as_str()).collect();
        seen.sort_unstable();
        let healthy = |target_group: &String| {
            let request =
                DescribeTargetHealth { target_group_arn: target_group.clone(), targets: Vec::new() };
            let targets = control.call(request).expect("the cloud is there").target_health_descriptions;
            let healthy = targets.into_iter().filter(|it| it.target_health.state == "healthy");
            healthy.filter(|it| members.iter().any(|member| member.instance_id == it.target.id)).count()
        };
        seen == zones && scene.stage.web.target_groups.iter().map(healthy).sum::<usize>() == zones.len()
    };
    let mut moments = tokio::time::interval(EVERY);
    let whole = async {
        while !is_whole() {
            moments.tick().await;
        }
    };
    let in_time = tokio::time::timeout(PATIENCE, whole).await;
    assert!(in_time.is_ok(), "not in {zones:?}: {:#?}", group(scene, name));
}

const ELSEWHERE: [&str; 2] = ["us-east-1b"; 2];
const SPREAD: [&str; 2] = ["us-east-1a", "us-east-1b"];

/// Waits until some looks have been made, and makes sure that nobody asked for another weight meanwhile.
async fn until_left_alone(scene: &Scene) {
    let begun = logged(scene);
    until_looked(scene, 5).await;
    let asked = asked_since(scene, begun);
    assert!(!asked.iter().any(|entry| entry.action == "ModifyRule"), "{asked:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zone_that_goes_while_green_is_launched_is_waited_out_and_made_up_for_in_the_other() {
    let scene = Scene::set("zone-launching", in_two_zones).await;
    let blue = blue_of(&scene).await;
    let throughout = watch(&scene);
    let _operator = scene.stage.operator("a").unwrap();
    scene.deploy_held("web-2").await;
    let green = green_of(&scene.bring("web-2", Place::Launching).await);
    suffer(&scene, &[], &[GONE, FULL]);
    until_progress(&scene.stage, "web-2", NO_CAPACITY).await;
    until_left_alone(&scene).await;
    scene.until("web-2", Place::Launching).await;
    suffer(&scene, &[], &[GONE]);
    until_whole(&scene, &blue, ELSEWHERE).await;
    let (users, whole) = (Users::of(&scene.stage), watch(&scene));
    until_whole(&scene, &green, ELSEWHERE).await;
    scene.until("web-2", Place::ProvenApart).await;
    scene.stage.request("web-2", json!({ "skipEvaluation": true })).await;
    let kept = scene.stage.until_state("web-2", State::RetainWait).await;
    assert!(whole.least() >= Some(2), "fewer than there were:\n{}", table(&kept));
    assert_eq!(users.leave().await, "two");
    // The zone comes back, and groups are balanced.
    scene.let_all_go().await;
    until_whole(&scene, &green, SPREAD).await;
    let_finish(&scene, "web-2", &green).await;
    scene.serves_group(&green).await;
    assert!(throughout.least() >= Some(1), "the other zone was there all the time");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zone_that_takes_half_of_blue_and_green_holds_up_the_shift_until_green_is_whole() {
    let scene = Scene::set("zone-shifting", in_two_zones).await;
    let blue = blue_of(&scene).await;
    let throughout = watch(&scene);
    let _operator = scene.stage.operator("a").unwrap();
    scene.deploy_held("web-2").await;
    let green = green_of(&scene.bring("web-2", Place::Shifting).await);
    until_sized(&scene, &blue, 2, 4, 2).await;
    suffer(&scene, &[fault("ModifyRule")], &[GONE, FULL]);
    until_progress(&scene.stage, "web-2", NO_CAPACITY).await;
    suffer(&scene, &[], &[GONE, FULL]);
    until_left_alone(&scene).await;
    suffer(&scene, &[fault("ModifyRule")], &[GONE]);
    until_whole(&scene, &blue, ELSEWHERE).await;
    let (users, whole) = (Users::of(&scene.stage), watch(&scene));
    suffer(&scene, &[], &[GONE]);
    let kept = scene.stage.until_state("web-2", State::RetainWait).await;
    assert!(whole.least() >= Some(2), "fewer than there were:\n{}", table(&kept));
    assert!(throughout.least() >= Some(1), "the other zone was there all the time");
    let_finish(&scene, "web-2", &green).await;
    scene.serves_group(&green).await;
    assert_eq!(users.leave().await, "two");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_onto_a_blue_that_a_zone_took_half_of_waits_for_it_and_lets_it_go() {
    let scene = Scene::set("zone-back", |environment| {
        in_two_zones(environment);
        // Who is asked in the moment after its death does not answer.
        environment["spec"]["evaluate"]["checks"][0]["http"]["failureLimit"] = json!(1);
    })
    .await;
    let blue = blue_of(&scene).await;
    let throughout = watch(&scene);
    let _operator = scene.stage.operator("a").unwrap();
    scene.deploy_held("web-2").await;
    scene.bring("web-2", Place::ProvenInService).await;
    until_sized(&scene, &blue, 2, 4, 2).await;
    suffer(&scene, &[], &[GONE, FULL]);
    until_looked(&scene, 4).await;
    scene.stage.request("web-2", json!({ "end": "Abort" })).await;
    until_progress(&scene.stage, "web-2", "1 of 2 instances of blue are healthy").await;
    until_progress(&scene.stage, "web-2", NO_CAPACITY).await;
    let users = Users::of(&scene.stage);
    until_left_alone(&scene).await;
    suffer(&scene, &[], &[GONE]);
    let ended = scene.stage.until_ended("web-2").await;
    assert_ends(&ended, ["Rollback AbortRequested", "Aborted RollbackOk"]);
    scene.serves_group(&blue).await;
    until_sized(&scene, &blue, 1, 4, 2).await;
    assert!(throughout.least() >= Some(1), "the other zone was there all the time:\n{}", table(&ended));
    assert_eq!(users.leave().await, "one");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_green_that_nothing_makes_up_for_is_taken_back_and_what_is_left_of_blue_serves() {
    let scene = Scene::set("zone-nowhere", |environment| {
        in_two_zones(environment);
        environment["spec"]["rollout"]["timeout"] = json!("30s");
    })
    .await;
    let blue = blue_of(&scene).await;
    let throughout = watch(&scene);
    let _operator = scene.stage.operator("a").unwrap();
    scene.deploy_held("web-2").await;
    scene.bring("web-2", Place::Launching).await;
    suffer(&scene, &[], &[GONE, FULL]);
    until_progress(&scene.stage, "web-2", NO_CAPACITY).await;
    let users = Users::of(&scene.stage);
    let ended = scene.stage.until_ended("web-2").await;
    assert_ends(&ended, ["Rollback TimedOut", "Failed RollbackOk"]);
    assert!(history_of(&ended).iter().any(|entry| entry.message.contains(NO_CAPACITY)), "{}", table(&ended));
    scene.left(&[&blue], 1).await;
    assert!(throughout.least() >= Some(1), "the other zone was there all the time:\n{}", table(&ended));
    assert_eq!(users.answers().await, ["one"]);
    scene.let_all_go().await;
    scene.serves_group(&blue).await;
    until_sized(&scene, &blue, 1, 4, 2).await;
}
