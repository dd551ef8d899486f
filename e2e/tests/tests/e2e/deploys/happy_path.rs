//! A release comes in, takes the traffic, and the old one goes.

use dryad_machine::state::State;
use dryad_stage::deploys::{path_of, table};
use serde_json::json;

use crate::deploys::stage;

#[tokio::test(flavor = "multi_thread")]
async fn the_first_deploy_brings_the_tip_of_the_branch_into_service() {
    let stage = stage("first").await;
    let commit = stage.repository.commit("Say one", &[("index.html", Some("one"))]).unwrap();
    let _operator = stage.operator("a").unwrap();
    stage.create_environment(&stage.environment("web")).await;
    stage.deploy("web-1", json!({ "environment": "web" })).await;
    let done = stage.until_state("web-1", State::Done).await;
    println!("{}", table(&done));
    assert_eq!(
        path_of(&done),
        [
            "Pending Created",
            "Resolve TurnTaken",
            "Prepare ReleaseResolved",
            "RolloutWait 1 PrepareOk",
            "EvaluateWait 1 RolloutOk",
            "RolloutWait 2 EvaluateOk",
            "EvaluateWait 2 RolloutOk",
            "RetainWait EvaluateOk",
            "RetireWait RetainElapsed",
            "Done RetireOk",
        ]
    );
    let plan = done.status.unwrap().plan.unwrap();
    assert_eq!(plan.shipment.release.commit.unwrap().as_str(), commit);
}
