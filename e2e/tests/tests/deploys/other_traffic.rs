//! The other two ways in which requests reach instances: one target group for all, and workers.

use dryad_crds::Environment;
use dryad_machine::state::State;
use dryad_stage::Stage;
use dryad_stage::deploys::{path_of, table};
use dryad_stage::load::Load;
use serde_json::{Value, json};

use crate::stage;

const BAD: [&str; 2] = ["Rollback CheckFailed", "Failed RollbackOk"];

/// One release in service, a good one after it, then a bad one.
async fn good_then_bad(stage: &Stage, environment: &Value) {
    stage.repository.commit("Say one", &[("index.html", Some("one"))]).unwrap();
    stage.create_environment(environment).await;
    stage.deploy("web-1", json!({ "environment": "web" })).await;
    stage.until_state("web-1", State::Done).await;
    stage.repository.commit("Say two", &[("index.html", Some("two"))]).unwrap();
    stage.deploy("web-2", json!({ "environment": "web" })).await;
    stage.until_state("web-2", State::Done).await;
    stage.repository.commit("Break the front page", &[("status", Some("500"))]).unwrap();
    stage.deploy("web-3", json!({ "environment": "web" })).await;
    let failed = stage.until_state("web-3", State::Failed).await;
    let path = path_of(&failed);
    assert_eq!(path[path.len() - 2..], BAD, "{}", table(&failed));
    let free = |environment: Option<&Environment>| {
        let status = environment.and_then(|environment| environment.status.as_ref());
        status.is_some_and(|status| status.tenure.holder.is_none())
    };
    let tenure = stage.until::<Environment>("web", free).await.unwrap().status.unwrap().tenure;
    assert_eq!(tenure.deployed.unwrap().deployment, "web-2");
    let left = stage.cloud.control().left().inventory;
    assert_eq!((left.groups.len(), left.templates.len()), (1, 1), "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_one_target_group_for_all_releases_follow_one_another_without_a_failed_request() {
    let stage = stage("shared").await;
    let _operator = stage.operator("a").unwrap();
    let mut environment = stage.environment("web");
    environment["spec"]["traffic"] = json!({ "targetGroup": { "arn": stage.web.shared.target_group } });
    stage.repository.commit("Say one", &[("index.html", Some("one"))]).unwrap();
    stage.create_environment(&environment).await;
    stage.deploy("web-1", json!({ "environment": "web" })).await;
    stage.until_state("web-1", State::Done).await;

    let load = Load::on(&stage.web.shared.url);
    stage.repository.commit("Say two", &[("index.html", Some("two"))]).unwrap();
    stage.deploy("web-2", json!({ "environment": "web" })).await;
    stage.until_state("web-2", State::Done).await;
    stage.repository.commit("Break the front page", &[("status", Some("500"))]).unwrap();
    stage.deploy("web-3", json!({ "environment": "web" })).await;
    let failed = stage.until_state("web-3", State::Failed).await;
    let seen = load.end().await;

    assert_eq!(seen.failures, Vec::<String>::new());
    assert_eq!(seen.answers(), ["one", "two"]);
    let path = path_of(&failed);
    assert_eq!(path[path.len() - 2..], BAD, "{}", table(&failed));
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_without_a_load_balancer_are_replaced_and_rolled_back_as_well() {
    let stage = stage("workers").await;
    let _operator = stage.operator("a").unwrap();
    let mut environment = stage.environment("web");
    environment["spec"].as_object_mut().unwrap().remove("traffic");
    good_then_bad(&stage, &environment).await;
}
