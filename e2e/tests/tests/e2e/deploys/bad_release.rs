//! A release that comes up healthy and then answers wrongly.

use dryad_machine::state::State;
use dryad_stage::capacity::Capacity;
use dryad_stage::deploys::{history_of, path_of, table};
use dryad_stage::load::Load;
use k8s_openapi::api::events::v1::Event;
use kube::api::ListParams;
use serde_json::json;

use crate::deploys::scene::{WEB, release_one};
use crate::deploys::stage;

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_answers_wrongly_is_rolled_back_and_no_user_notices() {
    let stage = stage("bad").await;
    let _operator = stage.operator("a").unwrap();
    release_one(&stage, &stage.environment(WEB)).await;

    stage.repository.commit("Break the front page", &[("status", Some("500"))]).unwrap();
    let capacity = Capacity::of(&stage, &stage.web.target_groups[0]);
    let load = Load::on(&stage.web.url);
    stage.deploy("web-2", json!({ "environment": "web" })).await;
    let failed = stage.until_state("web-2", State::Failed).await;
    let seen = load.end().await;

    assert_eq!(
        (seen.failures.as_slice(), seen.answers().as_slice()),
        (&[][..], &["one"][..]),
        "{}",
        table(&failed)
    );
    assert!(capacity.least() >= Some(2), "fewer than two instances served:\n{}", table(&failed));
    assert_eq!(
        path_of(&failed),
        [
            "Pending Created",
            "Resolve TurnTaken",
            "Prepare ReleaseResolved",
            "RolloutWait 1 PrepareOk",
            "EvaluateWait 1 RolloutOk",
            "Rollback CheckFailed",
            "Failed RollbackOk",
        ]
    );
    let sentence = &history_of(&failed)[5].message;
    assert!(sentence.contains("check front") && sentence.contains("500"), "{sentence}");
    let conditions = failed.status.unwrap().conditions;
    let succeeded = conditions.iter().find(|condition| condition.type_ == "Succeeded").unwrap();
    assert_eq!(succeeded.status, "False");
    assert!(succeeded.message.contains("check front"), "{succeeded:?}");
    let events = stage.api::<Event>().list(&ListParams::default()).await.unwrap();
    assert!(
        events.items.iter().any(|event| event.note.as_ref().is_some_and(|note| note.contains("check front"))),
        "{events:?}"
    );

    let tenure = stage.until_free("web").await.status.unwrap().tenure;
    assert_eq!(tenure.deployed.unwrap().deployment, "web-1");
    let left = stage.cloud.control().left().inventory;
    assert_eq!((left.groups.len(), left.templates.len()), (1, 1), "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_release_that_answers_wrongly_leaves_nothing() {
    let stage = stage("badfirst").await;
    let files = [("index.html", Some("one")), ("status", Some("500"))];
    stage.repository.commit("Answer wrongly from the start", &files).unwrap();
    let _operator = stage.operator("a").unwrap();
    stage.create_environment(&stage.environment("web")).await;
    stage.deploy("web-1", json!({ "environment": "web" })).await;
    stage.until_state("web-1", State::Failed).await;
    let tenure = stage.until_free("web").await.status.unwrap().tenure;
    assert!(tenure.groups.is_empty() && tenure.deployed.is_none(), "{tenure:?}");
    let left = stage.cloud.control().left();
    assert!(left.inventory.groups.is_empty() && left.inventory.templates.is_empty(), "{left:?}");
}
