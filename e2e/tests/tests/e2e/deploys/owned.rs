//! Rules and target groups that the AWS Load Balancer Controller of some cluster made: nothing is deployed behind them.

use std::collections::BTreeSet;
use std::time::Duration;

use dryad_crds::{Deployment, Environment};
use dryad_local_cloud::faults::{Effect, Faults};
use dryad_local_cloud::model::ec2::VPC;
use dryad_local_cloud::model::elb::{Condition, CreateRule, CreateTargetGroup, RuleAction};
use dryad_local_cloud::model::tags::Tag;
use dryad_machine::state::State;
use dryad_stage::Stage;
use dryad_stage::deploys::{path_of, table};
use dryad_stage::operator::Operator;
use jiff::SignedDuration;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::deploys::scene::{WEB, asked};
use crate::deploys::stage;
use crate::deploys::trouble::always;

/// How the cloud is asked whose something is.
const QUESTION: &str = "DescribeTags";

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

/// Of what an operator has asked whose it is; it was told so once for each Deployment, however often it could not write
/// that down.
///
/// What counts are the answers to this process: on a busy machine a question may go unanswered for so long that it is
/// sent again, and who loses the lease starts anew and remembers nothing.
fn questioned(stage: &Stage, operator: &Operator) -> BTreeSet<String> {
    let asked: BTreeSet<String> = stage.cloud.control().with(|world, _| {
        let entries = world.log().entries().filter(|entry| entry.action == QUESTION);
        entries.map(|entry| entry.resource.clone()).collect()
    });
    let metrics = operator.metrics();
    let count = format!(r#"dryad_cloud_calls_total{{action="{QUESTION}",outcome="Ok"}} "#);
    let answers = metrics.lines().find_map(|line| line.strip_prefix(&count));
    let answers = answers.map_or(0, |answers| answers.parse().expect("a number"));
    assert!(answers <= asked.len(), "{answers} answers were asked for, about {asked:#?}");
    asked
}

async fn set_traffic(stage: &Stage, traffic: Value) {
    let patch = Patch::Merge(json!({ "spec": { "traffic": traffic } }));
    stage.api::<Environment>().patch(WEB, &PatchParams::default(), &patch).await.unwrap();
}

/// Writes to a Deployment while the cloud is being asked on its behalf, so that the answer can't be recorded at once.
async fn disturb(stage: &Stage, name: &str) {
    let control = stage.cloud.control().clone();
    let asked = || control.with(|world, _| world.log().entries().any(|entry| entry.action == QUESTION));
    let patience = Instant::now() + Duration::from_secs(90);
    while !asked() {
        assert!(Instant::now() < patience, "nobody asks whose it is");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let patch = Patch::Merge(json!({ "metadata": { "labels": { "written": "meanwhile" } } }));
    stage.api::<Deployment>().patch(name, &PatchParams::default(), &patch).await.unwrap();
}

/// The deploy ends before anything is launched, and says whose this is, in its history and in an Event. The Environment
/// stays as it was.
async fn is_refused(stage: &Stage, name: &str, arn: &str, cluster: &str) {
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
    let operator = stage.operator("a").unwrap();

    let slow = always(QUESTION, Effect::Delay { by: SignedDuration::from_secs(1) });
    let faults = Faults { rules: vec![slow], ..Faults::default() };
    stage.cloud.control().with(|world, _| world.set_faults(faults));
    stage.deploy("web-1", json!({ "environment": WEB })).await;
    disturb(&stage, "web-1").await;
    is_refused(&stage, "web-1", &rule, "blue").await;
    stage.cloud.control().with(|world, _| world.set_faults(Faults::default()));
    let mut asked = BTreeSet::from([rule.clone()]);
    assert_eq!(questioned(&stage, &operator), asked, "what is refused needs no second question");
    set_traffic(&stage, json!({ "loadBalancerRule": null, "targetGroup": { "arn": target_group } })).await;
    stage.deploy("web-2", json!({ "environment": WEB })).await;
    is_refused(&stage, "web-2", &target_group, "green").await;
    asked.insert(target_group.clone());
    assert_eq!(questioned(&stage, &operator), asked);

    let mut free = free;
    free["targetGroup"] = Value::Null;
    set_traffic(&stage, free).await;
    stage.deploy("web-3", json!({ "environment": WEB })).await;
    stage.until_state("web-3", State::Done).await;
    asked.insert(stage.web.rule.clone());
    asked.extend(stage.web.target_groups.clone());
    assert_eq!(questioned(&stage, &operator), asked, "a rule and two target groups");
}
