//! Rules and target groups that the AWS Load Balancer Controller of some cluster made: nothing is deployed behind them.

use std::collections::BTreeSet;

use dryad_crds::Environment;
use dryad_local_cloud::model::ec2::VPC;
use dryad_local_cloud::model::elb::{Condition, CreateRule, CreateTargetGroup, RuleAction};
use dryad_local_cloud::model::tags::Tag;
use dryad_machine::state::State;
use dryad_stage::Stage;
use dryad_stage::deploys::{path_of, table};
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::deploys::scene::{WEB, asked};
use crate::deploys::stage;

fn owned_by(cluster: &str) -> Vec<Tag> {
    vec![Tag { key: "elbv2.k8s.aws/cluster".to_owned(), value: cluster.to_owned() }]
}

/// A rule of the same listener and target groups, which somebody's controller made.
fn rule_of(stage: &Stage, cluster: &str) -> String {
    let [a, b] = &stage.web.target_groups;
    let request = CreateRule {
        listener_arn: stage.web.listener.clone(),
        priority: 7,
        conditions: vec![Condition {
            field: "path-pattern".to_owned(),
            values: vec!["/theirs".to_owned()],
            ..Condition::default()
        }],
        actions: vec![RuleAction::forward([(a.as_str(), 100), (b.as_str(), 0)])],
        tags: owned_by(cluster),
    };
    stage.cloud.control().call(request).unwrap().rules.remove(0).rule_arn
}

fn target_group_of(stage: &Stage, cluster: &str) -> String {
    let request = CreateTargetGroup {
        name: "theirs".to_owned(),
        protocol: Some("HTTP".to_owned()),
        port: Some(8080),
        vpc_id: Some(VPC.to_owned()),
        tags: owned_by(cluster),
        ..CreateTargetGroup::default()
    };
    stage.cloud.control().call(request).unwrap().target_groups.remove(0).target_group_arn
}

/// Of what an operator has asked whose it is: once for each Deployment, and once more where it could not write down the
/// answer.
fn questioned(stage: &Stage) -> BTreeSet<String> {
    let questions: Vec<String> = stage.cloud.control().with(|world, _| {
        let entries = world.log().entries().filter(|entry| entry.action == "DescribeTags");
        entries.map(|entry| entry.resource.clone()).collect()
    });
    let asked: BTreeSet<String> = questions.iter().cloned().collect();
    assert!(questions.len() <= asked.len() + 1, "asked again and again: {questions:#?}");
    asked
}

async fn set_traffic(stage: &Stage, traffic: Value) {
    let patch = Patch::Merge(json!({ "spec": { "traffic": traffic } }));
    stage.api::<Environment>().patch(WEB, &PatchParams::default(), &patch).await.unwrap();
}

/// The deploy ends before anything is launched, and says whose this is, in its history and in an Event. The Environment
/// stays as it was.
async fn is_refused(stage: &Stage, name: &str, arn: &str, cluster: &str) {
    stage.deploy(name, json!({ "environment": WEB })).await;
    let ended = stage.until_ended(name).await;
    assert_eq!(path_of(&ended), ["Pending Created", "Resolve TurnTaken", "Failed ReleaseRejected"]);
    let words = format!("{arn} belongs to the AWS Load Balancer Controller of cluster {cluster} ");
    assert!(table(&ended).contains(&words), "{}", table(&ended));
    stage.until_event(&words).await;
    stage.cloud.control().with(|world, _| assert_eq!(asked(world).count(), 0, "the cloud was changed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_controller_owns_is_refused_before_anything_is_launched() {
    let stage = stage("owned").await;
    let (rule, target_group) = (rule_of(&stage, "blue"), target_group_of(&stage, "green"));
    let mut configuration = stage.configuration();
    let permits = &mut configuration["accounts"]["default"]["namespaces"][&stage.namespace];
    permits["rules"].as_array_mut().unwrap().push(json!(rule));
    permits["targetGroups"].as_array_mut().unwrap().push(json!(target_group));
    stage.configure(&configuration).unwrap();
    stage.repository.commit("Say one", &[("index.html", Some("one"))]).unwrap();
    let mut environment = stage.environment(WEB);
    let free = environment["spec"]["traffic"].clone();
    environment["spec"]["traffic"]["loadBalancerRule"]["ruleArn"] = json!(rule);
    stage.create_environment(&environment).await;
    let _operator = stage.operator("a").unwrap();

    is_refused(&stage, "web-1", &rule, "blue").await;
    let mut asked = BTreeSet::from([rule.clone()]);
    assert_eq!(questioned(&stage), asked, "what is refused needs no second question");
    set_traffic(&stage, json!({ "loadBalancerRule": null, "targetGroup": { "arn": target_group } })).await;
    is_refused(&stage, "web-2", &target_group, "green").await;
    asked.insert(target_group.clone());
    assert_eq!(questioned(&stage), asked);

    let mut free = free;
    free["targetGroup"] = Value::Null;
    set_traffic(&stage, free).await;
    stage.deploy("web-3", json!({ "environment": WEB })).await;
    stage.until_state("web-3", State::Done).await;
    asked.insert(stage.web.rule.clone());
    asked.extend(stage.web.target_groups.clone());
    assert_eq!(questioned(&stage), asked, "a rule and two target groups");
}
