//! Which release is meant: branches, commits, what is recorded, and what can't be had.

use dryad_crds::{Deployment, Environment};
use dryad_machine::state::State;
use dryad_stage::Stage;
use dryad_stage::deploys::{history_of, path_of, table};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use serde_json::{Value, json};

use crate::deploys::scene::changes;
use crate::deploys::stage;

fn commit_of(object: &Deployment) -> String {
    let plan = object.status.as_ref().unwrap().plan.as_ref().unwrap();
    plan.shipment.release.commit.as_ref().unwrap().to_string()
}

/// Deploys what can't be deployed; the sentence that says so, in the history, a condition and an Event.
pub(crate) async fn rejected(stage: &Stage, name: &str, release: Value) -> String {
    stage.deploy(name, json!({ "environment": "web", "release": release })).await;
    let failed = stage.until_state(name, State::Failed).await;
    let expected = ["Pending Created", "Resolve TurnTaken", "Failed ReleaseRejected"];
    assert_eq!(path_of(&failed), expected, "{}", table(&failed));
    let sentence = history_of(&failed)[2].message.clone();
    let conditions = failed.status.unwrap().conditions;
    let succeeded = conditions.iter().find(|condition| condition.type_ == "Succeeded").unwrap();
    assert_eq!((succeeded.status.as_str(), &succeeded.message), ("False", &sentence));
    let event = stage.until_event(&sentence).await;
    assert_eq!(event.regarding.unwrap().name.as_deref(), Some(name));
    sentence
}

#[tokio::test(flavor = "multi_thread")]
async fn an_abbreviated_commit_deploys_that_commit_and_an_earlier_deployment_can_be_named_again() {
    let stage = stage("commits").await;
    let first = stage.repository.commit("Say one", &[("index.html", Some("one"))]).unwrap();
    let second = stage.repository.commit("Say two", &[("index.html", Some("two"))]).unwrap();
    let _operator = stage.operator("a").unwrap();
    stage.create_environment(&stage.environment("web")).await;
    stage.deploy("web-1", json!({ "environment": "web", "release": { "commit": &first[..10] } })).await;
    assert_eq!(commit_of(&stage.until_state("web-1", State::Done).await), first);
    stage.deploy("web-2", json!({ "environment": "web" })).await;
    assert_eq!(commit_of(&stage.until_state("web-2", State::Done).await), second);

    // At three in the morning git may be gone: what was deployed before resolves without it.
    std::fs::rename(stage.directory().join("web"), stage.directory().join("away")).unwrap();
    stage.deploy("web-3", json!({ "environment": "web", "from": "web-1" })).await;
    let resolved = |object: Option<&Deployment>| {
        object.and_then(|object| object.status.as_ref()).is_some_and(|status| status.plan.is_some())
    };
    let back = stage.until::<Deployment>("web-3", resolved).await.unwrap();
    assert_eq!(commit_of(&back), first);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_misspelt_name_in_user_data_is_told_when_it_is_written_and_launches_nothing() {
    let stage = stage("misspelt").await;
    stage.repository.commit("Say one", &[("index.html", Some("one"))]).unwrap();
    let _operator = stage.operator("a").unwrap();
    let mut environment = stage.environment("web");
    let launch_template = &mut environment["spec"]["target"]["autoScalingGroup"]["launchTemplate"];
    launch_template["userData"] = json!("#!/bin/sh\nexec boot {{ release.comit }}\n");
    stage.create_environment(&environment).await;
    let told = |object: Option<&Environment>| {
        let status = object.and_then(|object| object.status.as_ref());
        status.is_some_and(|status| {
            let says = |it: &Condition| {
                it.reason == "TemplateInvalid" && it.message.contains("line 2: `release.comit` is not known")
            };
            ["Ready", "Stalled"]
                .iter()
                .all(|type_| status.conditions.iter().any(|it| it.type_ == *type_ && says(it)))
        })
    };
    stage.until("web", told).await;
    let before = stage.cloud.control().with(|world, _| changes(world).len());
    let why = rejected(&stage, "web-1", json!({})).await;
    assert!(why.contains("userData: user data, line 2: `release.comit` is not known"), "{why}");
    assert_eq!(stage.cloud.control().with(|world, _| changes(world).len()), before, "something was launched");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_deployed_is_refused_in_a_sentence_of_its_own() {
    let stage = stage("refused").await;
    stage.repository.commit("Say one", &[("index.html", Some("one"))]).unwrap();
    let digits = stage.repository.namesakes().unwrap();
    let elsewhere =
        stage.repository.commit_aside("experiment", "Say three", &[("index.html", Some("three"))]).unwrap();
    let _operator = stage.operator("a").unwrap();
    stage.create_environment(&stage.environment("web")).await;
    let rows = [
        ("web-1", json!({ "branch": "nowhere" }), "nowhere"),
        ("web-2", json!({ "commit": "0123456789abcdef" }), "0123456789abcdef"),
        ("web-3", json!({ "branch": "main", "commit": elsewhere }), "main"),
        (
            "web-4",
            json!({ "commit": digits }),
            "is ambiguous, f1613cb13a91, f1613cb74752 begin with these digits",
        ),
    ];
    let mut sentences = Vec::new();
    for (name, release, names) in rows {
        let sentence = rejected(&stage, name, release).await;
        assert!(sentence.contains(names), "{sentence}");
        assert!(!sentences.contains(&sentence), "{sentence}");
        sentences.push(sentence);
    }
    assert!(stage.cloud.control().left().inventory.groups.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_that_cannot_be_reached_is_asked_again_until_the_deadline() {
    let stage = stage("unreachable").await;
    let _operator = stage.operator("a").unwrap();
    let mut environment = stage.environment("web");
    environment["spec"]["source"]["repository"] = json!("https://127.0.0.1:1/shop/web.git");
    environment["spec"]["rollout"]["timeout"] = json!("12s");
    stage.create_environment(&environment).await;
    stage.deploy("web-1", json!({ "environment": "web" })).await;
    let failed = stage.until_state("web-1", State::Failed).await;
    assert_eq!(
        path_of(&failed),
        ["Pending Created", "Resolve TurnTaken", "Failed TimedOut"],
        "{}",
        table(&failed)
    );
    let why = &history_of(&failed)[2].message;
    assert!(why.contains("127.0.0.1:1"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn auto_waits_for_something_to_be_recorded_and_then_deploys_exactly_that() {
    let stage = stage("auto").await;
    let first = stage.repository.commit("Say one", &[("index.html", Some("one"))]).unwrap();
    let _operator = stage.operator("a").unwrap();
    stage.create_environment(&stage.environment("web")).await;
    stage.deploy("web-1", json!({ "environment": "web", "mode": "Auto" })).await;
    let says = |object: Option<&Deployment>| {
        let progress = object.and_then(|object| object.status.as_ref()?.progress.as_ref());
        progress.is_some_and(|progress| progress.message.contains("nothing has been deployed"))
    };
    stage.until::<Deployment>("web-1", says).await;

    // It holds nothing up, and then applies what is recorded: not the tip, which has moved on.
    stage.deploy("web-2", json!({ "environment": "web", "release": { "commit": first } })).await;
    stage.repository.commit("Say two", &[("index.html", Some("two"))]).unwrap();
    stage.until_state("web-2", State::Done).await;
    assert_eq!(commit_of(&stage.until_state("web-1", State::Done).await), first);
}
