//! What git declares is deployed when it changes, once, and never because of anything else.

use dryad_crds::environment::declared;
use dryad_crds::{Deployment, Environment};
use dryad_machine::name::Uid;
use dryad_machine::requested::Requested;
use dryad_machine::state::State;
use dryad_stage::Stage;
use dryad_stage::deploys::{path_of, table};
use kube::api::{ListParams, Patch, PatchParams, PostParams};
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

use crate::deploys::scene::{Place, Scene, WEB};
use crate::deploys::stage;

/// An Environment that declares this commit.
fn declaring(stage: &Stage, commit: &str) -> Value {
    let mut environment = stage.environment(WEB);
    environment["spec"]["release"] = json!({ "branch": "main", "commit": commit });
    environment["spec"]["retain"]["previous"] = json!("0s");
    environment
}

/// Changes the spec, as whoever applies what is in git.
async fn apply(stage: &Stage, spec: Value) {
    let patch = Patch::Merge(json!({ "spec": spec }));
    stage.api::<Environment>().patch(WEB, &PatchParams::default(), &patch).await.expect("it is accepted");
}

async fn declare(stage: &Stage, commit: &str) {
    apply(stage, json!({ "release": { "branch": "main", "commit": commit } })).await;
}

/// The reason of a condition that holds.
fn says<'a>(object: &'a Environment, type_: &str) -> Option<&'a str> {
    let conditions = &object.status.as_ref()?.conditions;
    let found = conditions.iter().find(|condition| condition.type_ == type_)?;
    (found.status == "True").then_some(found.reason.as_str())
}

fn is_observed(object: &Environment) -> bool {
    let observed = object.status.as_ref().map(|status| status.observed_generation);
    observed == object.metadata.generation
}

/// Waits until this generation is deployed, and nothing is under way for whoever waits by kstatus.
async fn until_current(stage: &Stage) -> Environment {
    let current = |object: Option<&Environment>| {
        object.is_some_and(|object| {
            let abnormal = ["Reconciling", "Stalled", "Drifted"].map(|type_| says(object, type_));
            is_observed(object) && says(object, "Ready").is_some() && abnormal == [None; 3]
        })
    };
    stage.until(WEB, current).await.expect("it exists")
}

/// Waits until an Environment is stalled for this reason.
async fn until_stalled(stage: &Stage, reason: &str) -> Environment {
    let stalled = |object: Option<&Environment>| {
        object.is_some_and(|object| is_observed(object) && says(object, "Stalled") == Some(reason))
    };
    stage.until(WEB, stalled).await.expect("it exists")
}

/// Changes what is not declared, and waits until Dryad has decided about that: had it anything to make, it would
/// have made it before.
async fn until_decided_anew(stage: &Stage) -> Environment {
    let environment = stage.api::<Environment>().get(WEB).await.expect("it exists");
    let limit = environment.spec.history_limit + 1;
    apply(stage, json!({ "historyLimit": limit })).await;
    let observed = |object: Option<&Environment>| {
        object.is_some_and(|object| object.spec.history_limit == limit && is_observed(object))
    };
    stage.until(WEB, observed).await.expect("it exists")
}

/// The names of all Deployments.
async fn made(stage: &Stage) -> Vec<String> {
    let all = stage.api::<Deployment>().list(&ListParams::default()).await.expect("they are listed");
    let mut names: Vec<_> = all.items.iter().map(ResourceExt::name_any).collect();
    names.sort();
    names
}

fn requested(object: &Environment) -> Option<&Requested> {
    object.status.as_ref()?.requested.as_ref()
}

fn commit_of(object: &Deployment) -> String {
    let plan = object.status.as_ref().and_then(|status| status.plan.as_ref()).expect("it has a plan");
    plan.shipment.release.commit.as_ref().expect("it has a commit").to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_declared_is_deployed_whenever_it_changes_and_only_then() {
    let stage = stage("declared").await;
    let a = stage.repository.commit("Say one", &[("index.html", Some("one"))]).unwrap();
    let b = stage.repository.commit("Say two", &[("index.html", Some("two"))]).unwrap();
    let _operator = stage.operator("a").unwrap();
    let environment = stage.create_environment(&declaring(&stage, &a)).await;
    let first = stage.until_state("web-1", State::Done).await;
    assert_eq!(commit_of(&first), a);
    assert_eq!(first.labels().get("dryad.dev/environment").map(String::as_str), Some(WEB));
    let owners: Vec<_> = first.owner_references().iter().map(|owner| owner.uid.clone()).collect();
    assert_eq!(owners, [environment.uid().unwrap()]);
    let current = until_current(&stage).await;
    let made_for = requested(&current).unwrap();
    assert_eq!((made_for.number, made_for.uid.as_ref().map(Uid::as_str)), (1, first.uid().as_deref()));

    declare(&stage, &b).await;
    assert_eq!(commit_of(&stage.until_state("web-2", State::Done).await), b);
    until_current(&stage).await;
    // Back to what ran before is a change like any other.
    declare(&stage, &a).await;
    assert_eq!(commit_of(&stage.until_state("web-3", State::Done).await), a);
    until_current(&stage).await;
    // The same once more.
    apply(&stage, json!({ "refreshToken": "once-more" })).await;
    assert_eq!(commit_of(&stage.until_state("web-4", State::Done).await), a);
    until_current(&stage).await;

    let capacity = json!({ "target": { "autoScalingGroup": { "capacity": { "max": 5 } } } });
    apply(&stage, capacity).await;
    until_decided_anew(&stage).await;
    assert_eq!(made(&stage).await, ["web-1", "web-2", "web-3", "web-4"]);
    until_current(&stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declared_release_that_is_rolled_back_is_not_tried_again() {
    let stage = stage("declared-bad").await;
    let a = stage.repository.commit("Say one", &[("index.html", Some("one"))]).unwrap();
    let b = stage.repository.commit("Break the front page", &[("status", Some("500"))]).unwrap();
    let c = stage.repository.commit("Mend it", &[("status", None), ("index.html", Some("three"))]).unwrap();
    let operator = stage.operator("a").unwrap();
    stage.create_environment(&declaring(&stage, &a)).await;
    until_current(&stage).await;

    declare(&stage, &b).await;
    let failed = stage.until_state("web-2", State::Failed).await;
    let stalled = until_stalled(&stage, "ReleaseRejected").await;
    assert_eq!((says(&stalled, "Ready"), says(&stalled, "Drifted")), (None, None), "{}", table(&failed));
    assert!(says(&stalled, "Available").is_some(), "what served before still does");
    operator.kill().unwrap();
    let _operator = stage.operator("b").unwrap();
    until_decided_anew(&stage).await;
    until_stalled(&stage, "ReleaseRejected").await;
    assert_eq!(made(&stage).await, ["web-1", "web-2"]);

    declare(&stage, &c).await;
    assert_eq!(commit_of(&stage.until_state("web-3", State::Done).await), c);
    until_current(&stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manual_deploy_stands_and_is_told_as_drift_until_what_is_declared_is_deployed() {
    let stage = stage("drifted").await;
    let a = stage.repository.commit("Say one", &[("index.html", Some("one"))]).unwrap();
    let b = stage.repository.commit("Say two", &[("index.html", Some("two"))]).unwrap();
    let operator = stage.operator("a").unwrap();
    stage.create_environment(&declaring(&stage, &a)).await;
    until_current(&stage).await;

    stage.deploy("by-hand", json!({ "environment": WEB, "release": { "commit": b } })).await;
    stage.until_state("by-hand", State::Done).await;
    let drifted = until_stalled(&stage, "Drifted").await;
    let conditions = &drifted.status.as_ref().unwrap().conditions;
    let drift = conditions.iter().find(|condition| condition.type_ == "Drifted").expect("it has drifted");
    assert!(drift.message.contains(&b[..12]) && drift.message.contains(&a[..12]), "{}", drift.message);

    // A new process knows nothing but what is recorded, and that is enough.
    assert!(operator.stop().unwrap().success());
    let _operator = stage.operator("b").unwrap();
    until_decided_anew(&stage).await;
    until_stalled(&stage, "Drifted").await;
    assert_eq!(made(&stage).await, ["by-hand", "web-1"]);

    apply(&stage, json!({ "refreshToken": "take-it-back" })).await;
    assert_eq!(commit_of(&stage.until_state("web-2", State::Done).await), a);
    until_current(&stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_declared_anew_cancels_what_still_waits_and_nothing_that_was_made_by_hand() {
    let scene = Scene::set("declared-anew", |_| {}).await;
    let stage = &scene.stage;
    let a = stage.repository.commit("Say three", &[("index.html", Some("three"))]).unwrap();
    let b = stage.repository.commit("Say four", &[("index.html", Some("four"))]).unwrap();
    let _operator = stage.operator("a").unwrap();
    scene.deploy_held("held").await;
    scene.bring("held", Place::Launching).await;
    let paused = json!({ "environment": WEB, "request": { "paused": true } });
    stage.deploy("by-hand", paused).await;

    // The name of the first one is taken: by the Deployment that brought what serves.
    declare(stage, &a).await;
    let waits =
        |object: Option<&Deployment>| object.is_some_and(|object| path_of(object) == ["Pending Created"]);
    stage.until("web-2", waits).await;
    declare(stage, &b).await;
    let canceled = stage.until_state("web-2", State::Canceled).await;
    assert_eq!(path_of(&canceled), ["Pending Created", "Canceled Superseded"]);
    stage.until("web-3", waits).await;
    stage.until("by-hand", waits).await;

    stage.request("held", json!({ "end": "Abort" })).await;
    scene.let_all_go().await;
    stage.until_state("held", State::Aborted).await;
    stage.request("web-3", json!({ "skipEvaluation": true })).await;
    assert_eq!(commit_of(&stage.until_state("web-3", State::RetainWait).await), b);
    // Whoever waits for what is declared does not wait for what served before to go.
    until_current(stage).await;
    stage.until("by-hand", waits).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_killed_between_record_and_deployment_is_followed_by_one_that_makes_it_once() {
    let stage = stage("declared-killed").await;
    let a = stage.repository.commit("Say one", &[("index.html", Some("one"))]).unwrap();
    let b = stage.repository.commit("Say two", &[("index.html", Some("two"))]).unwrap();
    stage.create_environment(&declaring(&stage, &a)).await;
    let operator = stage.operator("a").unwrap();
    let recorded = |object: Option<&Environment>| object.is_some_and(|object| requested(object).is_some());
    stage.until(WEB, recorded).await;
    operator.kill().unwrap();
    let operator = stage.operator("a").unwrap();
    until_current(&stage).await;
    assert_eq!(made(&stage).await, ["web-1"]);

    // What one that is killed at the worst moment leaves behind.
    operator.kill().unwrap();
    declare(&stage, &b).await;
    let environments: Api<Environment> = stage.api();
    let mut environment = environments.get(WEB).await.unwrap();
    let spec = serde_json::to_value(&environment.spec).unwrap();
    let digest = declared::digest(&spec).expect("it declares a release");
    let record = Requested { number: 2, digest, uid: None };
    environment.status.as_mut().unwrap().requested = Some(record.clone());
    environments.replace_status(WEB, &PostParams::default(), &environment).await.unwrap();
    let _operator = stage.operator("b").unwrap();
    let second = stage.until_state("web-2", State::Done).await;
    let current = until_current(&stage).await;
    let after = requested(&current).unwrap();
    assert_eq!(
        (after.number, &after.digest),
        (record.number, &record.digest),
        "it is the digest of what is stored"
    );
    assert_eq!(after.uid.as_ref().map(Uid::as_str), second.uid().as_deref());
    assert_eq!(made(&stage).await, ["web-1", "web-2"]);

    // It existed: whoever deletes it means it, and takes nothing back of what is known.
    stage.delete::<Deployment>("web-2").await;
    stage.until("web-2", |object: Option<&Deployment>| object.is_none()).await;
    until_decided_anew(&stage).await;
    assert_eq!(made(&stage).await, ["web-1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_runs_when_it_is_first_declared_is_taken_as_deployed() {
    let stage = stage("adopted").await;
    let a = stage.repository.commit("Say one", &[("index.html", Some("one"))]).unwrap();
    let b = stage.repository.commit("Say two", &[("index.html", Some("two"))]).unwrap();
    let _operator = stage.operator("a").unwrap();
    let mut environment = stage.environment(WEB);
    environment["spec"]["retain"]["previous"] = json!("0s");
    stage.create_environment(&environment).await;
    until_stalled(&stage, "NothingDeployed").await;
    stage.deploy("web-1", json!({ "environment": WEB, "release": { "commit": a } })).await;
    stage.until_state("web-1", State::Done).await;

    declare(&stage, &a).await;
    let adopted = until_current(&stage).await;
    assert_eq!(requested(&adopted).map(|requested| requested.number), Some(0));
    assert_eq!(made(&stage).await, ["web-1"]);
    declare(&stage, &b).await;
    assert_eq!(commit_of(&stage.until_state("web-2", State::Done).await), b);
    until_current(&stage).await;
}
