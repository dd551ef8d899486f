//! A cloud that answers few calls, or from the past.

use std::time::Duration;

use dryad_local_cloud::faults::{Effect, Rule};
use dryad_local_cloud::model::Service;
use dryad_machine::state::State;
use dryad_stage::capacity::Capacity;
use dryad_stage::deploys::table;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::deploys::lost::held;
use crate::deploys::scene::{Scene, WEB, assert_ends};
use crate::deploys::stage;
use crate::deploys::trouble::always;
use crate::deploys::users::Users;

/// How long a state may take where few calls are answered: up to ten ticks, with all that is tried in vain.
const STARVED: Duration = Duration::from_secs(150);

/// What an account has left that others use up: one call a second, and ten at once, where a tick is ten seconds. Here
/// everything is five times as fast.
const RATION: Effect = Effect::Ration { every: SignedDuration::from_millis(200), burst: 10, spent: None };

/// The same where nothing is left at once, for each family of calls that AWS counts together.
fn scant() -> Vec<Rule> {
    let one = Effect::Ration { every: SignedDuration::from_millis(200), burst: 1, spent: None };
    let families = [
        (Service::AutoScaling, "*"),
        (Service::Ec2, "Describe*"),
        (Service::Ec2, "*LaunchTemplate"),
        (Service::ElasticLoadBalancing, "Describe*"),
        (Service::ElasticLoadBalancing, "ModifyRule"),
    ];
    families.map(|(service, action)| Rule { service: Some(service), ..always(action, one.clone()) }).into()
}

/// The same where all services share one bucket, with room for a single token.
fn least(milliseconds: i64) -> Vec<Rule> {
    let every = SignedDuration::from_millis(milliseconds);
    vec![always("*", Effect::Ration { every, burst: 1, spent: None })]
}

/// Ticks come so often, deadlines late, and blue is not kept.
fn paced(environment: &mut Value, tick: &str) {
    environment["spec"]["rollout"] = json!({ "timeout": "10m", "tick": tick });
    environment["spec"]["retain"]["previous"] = json!("5s");
}

/// How far back AWS's answers may reach: 30 s, which are three ticks.
const STALE: Effect = Effect::Stale { by: SignedDuration::from_secs(3) };

/// A deploy that comes through, and the next one that goes back from the moment it has the traffic.
async fn there_and_back(name: &str, tick: &str, effect: Effect) {
    let scene = Scene::set(name, |environment| {
        held(environment);
        environment["spec"]["rollout"] = json!({ "timeout": "60s", "tick": tick });
        environment["spec"]["retain"]["previous"] = json!("5s");
    })
    .await;
    let users = Users::of(&scene.stage);
    let capacity = Capacity::of(&scene.stage, &scene.stage.web.target_groups[0]);
    let _operator = scene.stage.operator("a").unwrap();
    scene.hold(&[always("*", effect)], &[]);
    let spec = json!({ "environment": WEB, "request": { "skipEvaluation": true } });
    scene.stage.deploy("web-2", spec.clone()).await;
    scene.stage.until_state("web-2", State::Done).await;
    scene.serves("web-2").await;
    scene.stage.deploy("web-3", spec).await;
    scene.stage.until_state("web-3", State::RetainWait).await;
    scene.stage.request("web-3", json!({ "end": "Rollback" })).await;
    let ended = scene.stage.until_ended("web-3").await;
    assert_ends(&ended, ["Rollback RollbackRequested", "Aborted RollbackOk"]);
    scene.serves("web-2").await;
    assert!(capacity.least() >= Some(2), "fewer than two instances served:\n{}", table(&ended));
    assert_eq!(users.leave().await, "two");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cloud_that_answers_few_calls_makes_deploys_slow_and_not_unsafe() {
    there_and_back("rationed", "2s", RATION).await;
}

/// One deploy by the rule in a cloud that takes no more calls than that. A look has to take less than a tick.
async fn comes_through_by_the_rule(name: &str, tick: &str, calls: Vec<Rule>) {
    let scene = Scene::set(name, |environment| {
        held(environment);
        paced(environment, tick);
    })
    .await;
    comes_through(&scene, Users::of(&scene.stage), &scene.stage.web.target_groups[0], calls).await;
}

async fn comes_through(scene: &Scene, users: Users, target_group: &str, calls: Vec<Rule>) {
    let capacity = Capacity::of(&scene.stage, target_group);
    let _operator = scene.stage.operator("a").unwrap();
    scene.hold(&calls, &[]);
    let spec = json!({ "environment": WEB, "request": { "skipEvaluation": true } });
    scene.stage.deploy("web-2", spec).await;
    for state in [State::EvaluateWait, State::RetainWait, State::RetireWait] {
        scene.stage.until_state_within("web-2", state, STARVED).await;
    }
    let done = scene.stage.until_state_within("web-2", State::Done, STARVED).await;
    scene.let_all_go().await;
    scene.serves("web-2").await;
    assert!(capacity.least() >= Some(2), "fewer than two instances served:\n{}", table(&done));
    assert_eq!(users.leave().await, "two");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_call_a_second_of_each_family_and_none_more_at_once_is_enough() {
    comes_through_by_the_rule("scant", "3s", scant()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_call_a_second_of_all_services_together_and_none_more_at_once_is_enough() {
    let stage = stage("least").await;
    let shared = stage.web.shared.clone();
    let scene = Scene::set_on(stage, |environment| {
        environment["spec"]["traffic"] = json!({ "targetGroup": { "arn": shared.target_group } });
        paced(environment, "6s");
    })
    .await;
    comes_through(&scene, Users::at(&shared.url), &shared.target_group, least(1_000)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn so_it_is_with_a_rule_over_two_target_groups_which_takes_twice_as_many_calls() {
    // Five times as fast, as above: in true time that deploy takes eight minutes.
    comes_through_by_the_rule("least-rule", "5s", least(200)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cloud_that_answers_from_the_past_makes_deploys_slow_and_not_unsafe() {
    there_and_back("stale", "1s", STALE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cloud_that_does_not_show_the_shift_yet_keeps_the_green_that_has_the_traffic() {
    let scene = Scene::set("stale-shift", |_| {}).await;
    let users = Users::of(&scene.stage);
    let capacity = Capacity::of(&scene.stage, &scene.stage.web.target_groups[0]);
    let _operator = scene.stage.operator("a").unwrap();
    scene.hold(&[always("*", STALE)], &[]);
    let spec = json!({ "environment": WEB, "request": { "skipEvaluation": true } });
    scene.stage.deploy("web-2", spec).await;
    // From the users' first answer on, and before any description shows why.
    users.until_answered("two").await;
    scene.stage.request("web-2", json!({ "end": "Abort" })).await;
    let ended = scene.stage.until_ended("web-2").await;
    assert_ends(&ended, ["Rollback AbortRequested", "Aborted RollbackOk"]);
    scene.serves("web-1").await;
    assert!(capacity.least() >= Some(2), "fewer than two instances served:\n{}", table(&ended));
    assert_eq!(users.leave().await, "one");
}
