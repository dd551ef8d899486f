//! The other two ways in which requests reach instances: one target group for all, and workers.

use dryad_machine::state::State;
use dryad_stage::Stage;
use dryad_stage::capacity::Capacity;
use dryad_stage::deploys::{path_of, table};
use dryad_stage::load::Load;
use serde_json::json;

use crate::deploys::scene::release_one;
use crate::deploys::stage;

/// A good release, which stays, and then a bad one, of which nothing does.
async fn good_then_bad(stage: &Stage) {
    stage.repository.commit("Say two", &[("index.html", Some("two"))]).unwrap();
    stage.deploy("web-2", json!({ "environment": "web" })).await;
    stage.until_state("web-2", State::Done).await;
    stage.repository.commit("Break the front page", &[("status", Some("500"))]).unwrap();
    stage.deploy("web-3", json!({ "environment": "web" })).await;
    let failed = stage.until_state("web-3", State::Failed).await;
    let path = path_of(&failed);
    let expected = ["EvaluateWait 1 RolloutOk", "Rollback CheckFailed", "Failed RollbackOk"];
    assert_eq!(path[path.len() - 3..], expected, "{}", table(&failed));
    let tenure = stage.until_free("web").await.status.unwrap().tenure;
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
    release_one(&stage, &environment).await;
    let capacity = Capacity::of(&stage, &stage.web.shared.target_group);
    let load = Load::on(&stage.web.shared.url);
    good_then_bad(&stage).await;
    let seen = load.end().await;
    assert_eq!(seen.failures, Vec::<String>::new());
    assert_eq!(seen.answers(), ["one", "two"]);
    assert!(capacity.least() >= Some(2), "fewer than two instances served");
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_without_a_load_balancer_are_replaced_and_rolled_back_as_well() {
    let stage = stage("workers").await;
    let _operator = stage.operator("a").unwrap();
    let mut environment = stage.environment("web");
    environment["spec"].as_object_mut().unwrap().remove("traffic");
    release_one(&stage, &environment).await;
    good_then_bad(&stage).await;
}
