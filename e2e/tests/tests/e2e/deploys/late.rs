//! Requests that reach the cloud long after their sender has given them up, or has died: each is made up for, and
//! none undoes what was decided meanwhile.

use std::time::Duration;

use dryad_crds::{Deployment, Environment};
use dryad_local_cloud::model::autoscaling::DescribeAutoScalingGroups;
use dryad_local_cloud::model::log::{Entry, Outcome};
use dryad_machine::state::State;
use dryad_stage::capacity::Capacity;
use dryad_stage::deploys::{path_of, state_of, table};
use dryad_stage::operator::Operator;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use crate::deploys::lost::{FORWARD, held};
use crate::deploys::scene::{Place, Scene, WEB, assert_ends, fault, green_of};
use crate::deploys::stage;
use crate::deploys::trouble::{asked_since, land, late, logged, lost, until_looked};
use crate::deploys::users::Users;

/// Longer than a request here is under way, on a busy machine too.
const UNCERTAIN: [&str; 2] = ["--uncertainty", "12s"];
/// What a deploy says as long as that may be.
const DOUBT: &str = "an unanswered request to the cloud may still land";
/// What takes something from a group.
const TAKE: [&str; 3] =
    ["DetachLoadBalancerTargetGroups", "UpdateAutoScalingGroup", "DeleteAutoScalingGroup"];

/// What becomes of the sender before its request lands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sender {
    /// It goes on.
    Lives,
    /// It is killed, and another takes its place.
    IsKilled,
}

impl Sender {
    fn meets_its_fate(self, scene: &Scene, operator: Operator) -> Operator {
        match self {
            Self::Lives => operator,
            Self::IsKilled => {
                operator.kill().unwrap();
                scene.stage.operator_told("a", &UNCERTAIN).unwrap()
            }
        }
    }
}

/// Waits until a deploy says that it doubts, or that it does not.
async fn until_told(scene: &Scene, name: &str, doubtful: bool) -> Deployment {
    let told = |object: Option<&Deployment>| {
        let progress = object.and_then(|object| object.status.as_ref()?.progress.as_ref());
        progress.is_some_and(|progress| progress.message.contains(DOUBT) == doubtful)
    };
    scene.stage.until(name, told).await.expect("it exists")
}

/// Waits until such a call has ended so, since the log had so many entries.
async fn until_called(scene: &Scene, since: usize, action: &str, outcome: Outcome) {
    const PATIENCE: Duration = Duration::from_secs(90);
    let is = |entry: &Entry| entry.action == action && entry.outcome == outcome;
    let control = scene.stage.cloud.control();
    let called = control.until(|world, _| world.log().entries().skip(since).any(is).then_some(()));
    let called = tokio::time::timeout(PATIENCE, called).await;
    called.unwrap_or_else(|_| panic!("{action} was never {outcome:?}: {:#?}", asked_since(scene, since)));
}

/// How users reach the instances.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// By the weights of a rule.
    Rule,
    /// By one target group for all.
    SharedGroup,
}

impl Way {
    async fn set(self, name: &str) -> (Scene, Users, Capacity) {
        let stage = stage(name).await;
        let (url, target_group) = match self {
            Self::Rule => (stage.web.url.clone(), stage.web.target_groups[0].clone()),
            Self::SharedGroup => (stage.web.shared.url.clone(), stage.web.shared.target_group.clone()),
        };
        let scene = Scene::set_on(stage, |environment| {
            held(environment);
            if let Self::SharedGroup = self {
                environment["spec"]["traffic"] = json!({ "targetGroup": { "arn": target_group } });
                // Unattached, an instance counts as healthy before it listens, and a check would find it dead.
                environment["spec"]["evaluate"]["checks"] = json!([]);
            }
        });
        let scene = scene.await;
        let capacity = Capacity::of(&scene.stage, &target_group);
        (scene, Users::at(&url), capacity)
    }
}

/// A deploy that is aborted while such a request of it is under way, which lands in the rollback: not before whoever
/// rolls back has had the time to take green away from under it.
async fn abort(scene: &Scene, operator: Operator, name: &str, action: &str, sender: Sender) -> Operator {
    let begun = logged(scene);
    scene.hold(&[late(action, 1), fault(action)], &[]);
    let spec = json!({ "environment": WEB, "request": { "skipEvaluation": true } });
    scene.stage.deploy(name, spec).await;
    until_called(scene, begun, action, Outcome::Late).await;
    let sent = logged(scene);
    let operator = sender.meets_its_fate(scene, operator);
    scene.stage.request(name, json!({ "end": "Abort" })).await;
    let object = scene.stage.until_state(name, State::Rollback).await;
    let green = green_of(&object);
    until_looked(scene, 4).await;
    let of_green = |entry: &Entry| entry.resource == green && TAKE.contains(&entry.action);
    let taken: Vec<_> = asked_since(scene, sent).into_iter().filter(of_green).collect();
    assert_eq!(taken, [], "green was touched while {action} was under way");
    scene.let_all_go().await;
    land(scene);
    let ended = scene.stage.until_ended(name).await;
    assert_ends(&ended, ["Rollback AbortRequested", "Aborted RollbackOk"]);
    scene.serves("web-1").await;
    let groups = scene.stage.cloud.control().call(DescribeAutoScalingGroups::default()).unwrap();
    assert_eq!(groups.auto_scaling_groups[0].min_size, 1, "blue's autoscaler has its bounds back");
    operator
}

/// One after the other.
async fn aborts(name: &str, way: Way, sender: Sender, actions: &[&str]) {
    let (scene, users, capacity) = way.set(name).await;
    let mut operator = scene.stage.operator_told("a", &UNCERTAIN).unwrap();
    for (number, action) in actions.iter().enumerate() {
        operator = abort(&scene, operator, &format!("web-{}", number + 2), action, sender).await;
    }
    drop(operator);
    assert!(capacity.least() >= Some(2), "fewer than two instances served");
    assert_eq!(users.leave().await, "one");
}

const ATTACH: &str = "AttachLoadBalancerTargetGroups";
const CREATE: &str = "CreateAutoScalingGroup";
const DETACH: &str = "DetachLoadBalancerTargetGroups";
const RESIZE: &str = "UpdateAutoScalingGroup";
const SHIFT: &str = "ModifyRule";

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_lands_while_its_sender_rolls_back_changes_nothing_in_the_end() {
    tokio::join!(
        aborts("late-a", Way::Rule, Sender::Lives, &[CREATE, RESIZE]),
        aborts("late-b", Way::Rule, Sender::Lives, &[ATTACH, SHIFT]),
        aborts("late-c", Way::SharedGroup, Sender::Lives, &[ATTACH, DETACH]),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_lands_while_another_rolls_back_after_its_sender_was_killed_changes_nothing_in_the_end()
 {
    tokio::join!(
        aborts("zombie-a", Way::Rule, Sender::IsKilled, &[CREATE, RESIZE]),
        aborts("zombie-b", Way::Rule, Sender::IsKilled, &[ATTACH, SHIFT]),
        aborts("zombie-c", Way::SharedGroup, Sender::IsKilled, &[ATTACH, DETACH]),
    );
}

/// A deploy of which every request is under way for so long that it is sent once more, and lands after that.
async fn overtaken(name: &str, sender: Sender) {
    let scene = Scene::set(name, |environment| {
        held(environment);
        environment["spec"]["retain"]["previous"] = json!("1s");
    })
    .await;
    let users = Users::of(&scene.stage);
    let capacity = Capacity::of(&scene.stage, &scene.stage.web.target_groups[0]);
    let mut operator = scene.stage.operator_told("a", &UNCERTAIN).unwrap();
    scene.hold(&[fault(FORWARD[0])], &[]);
    let spec = json!({ "environment": WEB, "request": { "skipEvaluation": true } });
    scene.stage.deploy("web-2", spec).await;
    for (number, action) in FORWARD.iter().enumerate() {
        let begun = logged(&scene);
        let next = FORWARD.get(number + 1).map(|next| fault(next));
        scene.hold(&[late(action, 1)].into_iter().chain(next).collect::<Vec<_>>(), &[]);
        until_called(&scene, begun, action, Outcome::Late).await;
        operator = sender.meets_its_fate(&scene, operator);
        until_called(&scene, begun, action, Outcome::Done).await;
        let object = scene.stage.api::<Deployment>().get("web-2").await.unwrap();
        assert!(!state_of(&object).is_terminal(), "{action} was forgotten:\n{}", table(&object));
        land(&scene);
    }
    let done = scene.stage.until_state("web-2", State::Done).await;
    scene.serves("web-2").await;
    assert!(capacity.least() >= Some(2), "fewer than two instances served:\n{}", table(&done));
    assert_eq!(users.leave().await, "two");
    drop(operator);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_whose_every_request_is_overtaken_by_the_next_ends_as_if_nothing_had_happened() {
    tokio::join!(overtaken("overtaken", Sender::Lives), overtaken("overtaken-dead", Sender::IsKilled));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_tells_that_an_unanswered_request_may_still_land_for_as_long_as_it_may() {
    let scene = Scene::set("doubt", |_| {}).await;
    let operator = scene.stage.operator_told("a", &["--uncertainty", "20s"]).unwrap();
    scene.hold(&[lost(CREATE, 1)], &[]);
    scene.stage.deploy("web-2", json!({ "environment": WEB })).await;
    until_told(&scene, "web-2", true).await;
    let certain = until_told(&scene, "web-2", false).await;
    assert_eq!(path_of(&certain)[4..], ["EvaluateWait 1 RolloutOk"], "adding went on:\n{}", table(&certain));
    operator.kill().unwrap();
    let _operator = scene.stage.operator_told("a", &["--uncertainty", "20s"]).unwrap();
    until_told(&scene, "web-2", true).await;
    until_told(&scene, "web-2", false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_is_not_given_back_while_a_request_of_the_process_before_may_still_land() {
    let scene = Scene::set("turn-kept", |_| {}).await;
    let line = scene.stage.line("a").await.unwrap();
    let operator = scene.stage.operator_on(&line, "a").unwrap();
    scene.deploy_held("web-2").await;
    scene.bring("web-2", Place::Resolving).await;
    // The deploy can end, and its turn can't.
    line.hold(&format!("/environments/{WEB}/status"));
    scene.stage.request("web-2", json!({ "end": "Abort" })).await;
    scene.stage.until_state("web-2", State::Aborted).await;
    operator.kill().unwrap();
    drop(line);
    let _operator = scene.stage.operator_told("b", &["--uncertainty", "10m"]).unwrap();
    until_it_waits(&scene, "web-2").await;
    let tenure = scene.stage.api::<Environment>().get(WEB).await.unwrap().status.unwrap().tenure;
    assert!(tenure.holder.is_some(), "the turn was given back");
}

/// Waits until a deploy that has ended says that it keeps its turn. It is written to all the time: it says first that it
/// looks back, the next thing ten seconds later at the soonest, and by itself it wakes when it may give the turn back.
async fn until_it_waits(scene: &Scene, name: &str) {
    const WAITS: &str = "waiting until no request of this deploy can land any more";
    let deployments = scene.stage.api::<Deployment>();
    let mut moments = tokio::time::interval(Duration::from_secs(1));
    let waits = async {
        for number in 0.. {
            moments.tick().await;
            let patch =
                Patch::Merge(json!({ "metadata": { "annotations": { "number": number.to_string() } } }));
            let object = deployments.patch(name, &PatchParams::default(), &patch).await.unwrap();
            let progress = object.status.and_then(|status| status.progress);
            if progress.is_some_and(|progress| progress.message == WAITS) {
                break;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(90), waits).await.expect("it does not wait");
}
