//! What the cloud does not let the operator do is in the Environment's condition `Ready`, by name, until it does.

use dryad_cluster::Cluster;
use dryad_crds::{Deployment, Environment};
use dryad_local_cloud::faults::{Effect, Faults, Rule};
use dryad_machine::state::State;
use dryad_stage::Stage;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use crate::chart::rights::{environment, stage};

/// Every such call is refused as not allowed, and no other.
fn deny(stage: &Stage, actions: &[&str]) {
    let rule = |action: &&str| Rule {
        service: None,
        action: (*action).into(),
        resource: "*".into(),
        skip: 0,
        times: None,
        effect: Effect::Deny,
    };
    let faults = Faults { rules: actions.iter().map(rule).collect(), ..Faults::default() };
    stage.cloud.control().with(|world, _| world.set_faults(faults));
}

/// Waits until `Ready` says exactly that these are denied.
async fn until_denied(stage: &Stage, actions: &[&str]) {
    let named = |environment: Option<&Environment>| {
        let conditions = environment.and_then(|environment| environment.status.as_ref());
        let mut conditions = conditions.into_iter().flat_map(|status| &status.conditions);
        let Some(ready) = conditions.find(|condition| condition.type_ == "Ready") else { return false };
        let mut found: Vec<_> = ready.message.split("; ").collect();
        found.retain(|sentence| sentence.contains("is denied to the operator"));
        let all = actions.iter().all(|action| found.iter().any(|sentence| sentence.starts_with(action)));
        (ready.reason == "AccessDenied") != actions.is_empty() && all && found.len() == actions.len()
    };
    stage.until("web", named).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permission_that_lacks_is_named_in_the_environment_until_it_is_given() {
    let cluster = Cluster::shared().await.expect("a cluster");
    let stage = stage(cluster, "denied").await;
    environment(&stage, |spec| spec["rollout"]["timeout"] = json!("10m")).await;
    stage.repository.commit("Say one", &[("index.html", Some("one"))]).expect("a commit");
    let _operator = stage.operator("a").expect("an operator");
    deny(&stage, &["CreateAutoScalingGroup"]);
    let spec = json!({ "environment": "web", "request": { "skipEvaluation": true } });
    stage.deploy("web-1", spec).await;

    until_denied(&stage, &["CreateAutoScalingGroup"]).await;
    let told = |deployment: Option<&Deployment>| {
        let progress = deployment.and_then(|deployment| deployment.status.as_ref()?.progress.as_ref());
        progress.is_some_and(|it| it.message.contains("CreateAutoScalingGroup is denied to the operator"))
    };
    stage.until("web-1", told).await;
    deny(&stage, &["CreateAutoScalingGroup", "DescribeRules"]);
    until_denied(&stage, &["CreateAutoScalingGroup", "DescribeRules"]).await;
    deny(&stage, &["ModifyRule"]);
    until_denied(&stage, &["ModifyRule"]).await;
    deny(&stage, &[]);
    until_denied(&stage, &[]).await;
    stage.until_state("web-1", State::Done).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_environment_that_may_not_delete_its_groups_says_so() {
    let cluster = Cluster::shared().await.expect("a cluster");
    let stage = stage(cluster, "undeletable-group").await;
    environment(&stage, |_| {}).await;
    stage.repository.commit("Say one", &[("index.html", Some("one"))]).expect("a commit");
    let _operator = stage.operator("a").expect("an operator");
    let spec = json!({ "environment": "web", "request": { "skipEvaluation": true } });
    stage.deploy("web-1", spec).await;
    stage.until_state("web-1", State::Done).await;
    deny(&stage, &["DeleteAutoScalingGroup"]);
    // So long that every tick has two looks to act on, and tries again.
    let patch = Patch::Merge(json!({ "spec": { "rollout": { "tick": "5s" } } }));
    stage.api::<Environment>().patch("web", &PatchParams::default(), &patch).await.expect("it is accepted");
    stage.delete::<Environment>("web").await;
    until_denied(&stage, &["DeleteAutoScalingGroup"]).await;
    deny(&stage, &[]);
    stage.until::<Environment>("web", |environment| environment.is_none()).await;
}
