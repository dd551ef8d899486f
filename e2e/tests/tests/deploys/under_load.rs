//! A second release takes over while users ask all the time.

use dryad_crds::Environment;
use dryad_local_cloud::balancer::Observation;
use dryad_machine::state::State;
use dryad_stage::deploys::table;
use dryad_stage::load::Load;
use serde_json::json;

use crate::stage;

#[tokio::test(flavor = "multi_thread")]
async fn a_second_release_takes_over_without_one_failed_request_and_never_below_the_floor() {
    let stage = stage("load").await;
    stage.repository.commit("Say one", &[("index.html", Some("one"))]).unwrap();
    let _operator = stage.operator("a").unwrap();
    stage.create_environment(&stage.environment("web")).await;
    stage.deploy("web-1", json!({ "environment": "web" })).await;
    stage.until_state("web-1", State::Done).await;

    let commit = stage.repository.commit("Say two", &[("index.html", Some("two"))]).unwrap();
    let mut observed = stage.cloud.control().observe();
    let load = Load::on(&stage.web.url);
    stage.deploy("web-2", json!({ "environment": "web" })).await;
    let done = stage.until_state("web-2", State::Done).await;
    let seen = load.end().await;

    assert_eq!(seen.failures, Vec::<String>::new(), "{}", table(&done));
    assert_eq!(seen.answers(), ["one", "two"], "{}", table(&done));
    let mut tables = 0;
    while let Ok(observation) = observed.try_recv() {
        if let Observation::Table(view) = observation {
            for rule in view.rules.iter().filter(|rule| rule.rule == stage.web.rule) {
                tables += 1;
                assert!(rule.serving() >= 2, "fewer than two instances served: {rule:?}");
            }
        }
    }
    assert!(tables > 0, "the load balancer was watched");

    let turned = |environment: Option<&Environment>| {
        environment.and_then(|environment| environment.status.as_ref()).is_some_and(|status| {
            status.tenure.holder.is_none()
                && status
                    .conditions
                    .iter()
                    .any(|condition| condition.type_ == "Ready" && condition.status == "True")
        })
    };
    let environment = stage.until::<Environment>("web", turned).await.unwrap();
    let tenure = environment.status.unwrap().tenure;
    let deployed = tenure.deployed.unwrap();
    assert_eq!(deployed.shipment.release.commit.unwrap().as_str(), commit);
    assert_eq!(deployed.deployment, "web-2");
    assert_eq!(tenure.groups.len(), 1, "the old group is gone: {:?}", tenure.groups);
    let left = stage.cloud.control().left().inventory;
    assert_eq!(left.groups.len(), 1, "{left:?}");
    assert_eq!(left.templates.len(), 1, "{left:?}");
}
