//! A second release takes over while users ask all the time.

use dryad_crds::Environment;
use dryad_machine::state::State;
use dryad_stage::capacity::Capacity;
use dryad_stage::deploys::table;
use dryad_stage::load::Load;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use serde_json::json;

use crate::deploys::scene::{WEB, release_one};
use crate::deploys::stage;

fn holds(conditions: &[Condition], kind: &str) -> bool {
    conditions.iter().any(|condition| condition.type_ == kind && condition.status == "True")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_release_takes_over_without_one_failed_request_and_never_below_the_floor() {
    let stage = stage("load").await;
    let _operator = stage.operator("a").unwrap();
    release_one(&stage, &stage.environment(WEB)).await;

    let commit = stage.repository.commit("Say two", &[("index.html", Some("two"))]).unwrap();
    let capacity = Capacity::of(&stage, &stage.web.target_groups[0]);
    let load = Load::on(&stage.web.url);
    stage.deploy("web-2", json!({ "environment": "web" })).await;
    let done = stage.until_state("web-2", State::Done).await;
    let seen = load.end().await;

    assert_eq!(seen.failures, Vec::<String>::new(), "{}", table(&done));
    assert_eq!(seen.answers(), ["one", "two"], "{}", table(&done));
    assert!(capacity.least() >= Some(2), "fewer than two instances served:\n{}", table(&done));
    let conditions = done.status.unwrap().conditions;
    assert!(holds(&conditions, "Succeeded") && holds(&conditions, "Done"), "{conditions:?}");

    let free = stage.until_free("web").await.status.unwrap().tenure;
    let deployed = free.deployed.unwrap();
    assert_eq!(deployed.shipment.release.commit.unwrap().as_str(), commit);
    assert_eq!(deployed.deployment, "web-2");
    assert_eq!(free.groups.len(), 1, "the old group is gone: {:?}", free.groups);
    let left = stage.cloud.control().left().inventory;
    assert_eq!((left.groups.len(), left.templates.len()), (1, 1), "{left:?}");
    let well = |environment: Option<&Environment>| {
        let status = environment.and_then(|environment| environment.status.as_ref());
        status.is_some_and(|status| {
            holds(&status.conditions, "Ready") && holds(&status.conditions, "Available")
        })
    };
    stage.until::<Environment>("web", well).await;
}
