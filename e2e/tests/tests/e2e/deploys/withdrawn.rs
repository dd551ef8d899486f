//! A rule or target groups that their owner deletes while an Environment still names them: nobody gets requests by them
//! any more, and that holds up no end.

use dryad_crds::{Deployment, Environment};
use dryad_local_cloud::model::elb::{DeleteRule, DeleteTargetGroup};
use dryad_machine::event::Reason;
use dryad_machine::state::State;
use dryad_stage::deploys::table;
use serde_json::json;

use crate::deploys::capacity::declare;
use crate::deploys::edited::{by_shared, until_said};
use crate::deploys::scene::{Scene, WEB};

fn delete_rule(scene: &Scene) {
    let rule_arn = scene.stage.web.rule.clone();
    scene.stage.cloud.control().call(DeleteRule { rule_arn }).expect("it is there");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_environment_can_be_deleted_after_all_that_brought_it_requests() {
    let scene = Scene::set("withdrawn", |_| {}).await;
    let _operator = scene.stage.operator("a").unwrap();
    delete_rule(&scene);
    until_said(&scene, "Available", "False").await;
    for target_group_arn in scene.stage.web.target_groups.clone() {
        scene.stage.cloud.control().call(DeleteTargetGroup { target_group_arn }).expect("no rule names it");
    }
    scene.stage.delete::<Environment>(WEB).await;
    scene.until_gone::<Environment>(WEB).await;
    scene.left(&[], 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_whose_rule_is_deleted_ends_and_the_next_one_takes_other_traffic() {
    let scene = Scene::set("withdrawn-rule", |it| it["spec"]["rollout"]["timeout"] = json!("45s")).await;
    let _operator = scene.stage.operator("a").unwrap();
    scene.stage.deploy("web-2", json!({ "environment": WEB })).await;
    scene.stage.until_state("web-2", State::EvaluateWait).await;
    delete_rule(&scene);
    scene.stage.request("web-2", json!({ "end": "Abort" })).await;
    let ended = scene.stage.until_ended("web-2").await;
    let last = ended.status.as_ref().and_then(|status| status.history.last()).expect("it has ended");
    assert_eq!(last.reason, Reason::BlueLost, "{}", table(&ended));
    scene.stage.until_free(WEB).await;
    declare(&scene, by_shared(&scene)).await;
    scene.stage.deploy("web-3", json!({ "environment": WEB, "request": { "skipEvaluation": true } })).await;
    scene.stage.until_state("web-3", State::RetainWait).await;
    scene.stage.delete::<Deployment>("web-3").await;
    let only_it = |environment: Option<&Environment>| {
        let tenure = environment.and_then(|it| it.status.as_ref()).map(|status| &status.tenure);
        tenure.is_some_and(|tenure| tenure.holder.is_none() && tenure.groups.len() == 1)
    };
    let environment = scene.stage.until(WEB, only_it).await.expect("it is there");
    let deployed = environment.status.and_then(|status| status.tenure.deployed).expect("something runs");
    assert_eq!(deployed.deployment, "web-3");
}
