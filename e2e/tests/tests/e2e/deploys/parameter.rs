//! Parameters: the one that says what is deployed, and the one that says which image to launch.

use dryad_crds::{Deployment, Environment};
use dryad_local_cloud::faults::{Effect, Faults, Rule};
use dryad_local_cloud::model::ec2::{DescribeLaunchTemplateVersions, IMAGES};
use dryad_local_cloud::model::ssm::{GetParameter, ParameterType, PutParameter};
use dryad_machine::state::State;
use dryad_stage::Stage;
use dryad_stage::deploys::{history_of, path_of, table};
use jiff::SignedDuration;
use kube::ResourceExt;
use serde_json::{Value, json};

use crate::deploys::scene::{carried_out, fault, green_of, replica_of};
use crate::deploys::stage;
use crate::deploys::trouble::always;

const NAME: &str = "/shop/web/deployed";

/// A stage with an Environment that projects, and a first release to deploy.
async fn projecting(name: &str, deletion_policy: &str) -> Stage {
    let stage = stage(name).await;
    stage.repository.commit("Say one", &[("index.html", Some("one"))]).unwrap();
    let mut environment = stage.environment("web");
    environment["spec"]["deployedParameter"] = json!(NAME);
    environment["spec"]["deletionPolicy"] = json!(deletion_policy);
    stage.create_environment(&environment).await;
    stage
}

async fn deploy(stage: &Stage, name: &str) -> Deployment {
    stage.deploy(name, json!({ "environment": "web" })).await;
    let done = stage.until_state(name, State::Done).await;
    stage.until_free("web").await;
    done
}

/// Waits until the condition has this status and reason, and these words in its message.
async fn projected(stage: &Stage, status: &str, reason: &str, words: &str) {
    let told = |object: Option<&Environment>| {
        let status_of = object.and_then(|object| object.status.as_ref());
        status_of.is_some_and(|found| {
            found.conditions.iter().any(|condition| {
                let as_told = condition.status == status && condition.reason == reason;
                condition.type_ == "Projected" && as_told && condition.message.contains(words)
            })
        })
    };
    stage.until("web", told).await;
}

fn put(stage: &Stage, name: &str, kind: ParameterType, value: &str) {
    let (name, value) = (name.to_owned(), value.to_owned());
    let request = PutParameter { name, value, kind: Some(kind), overwrite: Some(true), tier: None };
    stage.cloud.control().call(request).unwrap();
}

/// The parameter's value, and how often it was written.
fn held(stage: &Stage) -> (String, u64) {
    let request = GetParameter { name: NAME.to_owned(), with_decryption: None };
    let parameter = stage.cloud.control().call(request).unwrap().parameter;
    (parameter.value, parameter.version)
}

fn set_faults(stage: &Stage, rules: Vec<Rule>) {
    stage.cloud.control().with(|world, _| world.set_faults(Faults { rules, ..Faults::default() }));
}

fn denied(action: &str) -> Rule {
    Rule { effect: Effect::Deny, ..fault(action) }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_deployed_is_written_once_a_turn_and_goes_with_its_environment() {
    let stage = projecting("projected", "Delete").await;
    let operator = stage.operator("a").unwrap();
    let first = deploy(&stage, "web-1").await;
    let commit = first.status.unwrap().plan.unwrap().shipment.release.commit.unwrap().to_string();
    projected(&stage, "True", "Written", "turn 1").await;
    let (value, version) = held(&stage);
    let read: Value = serde_json::from_str(&value).unwrap();
    assert_eq!((&read["branch"], &read["commit"]), (&json!("main"), &json!(commit)));
    assert_eq!((&read["turn"], &read["deployment"], version), (&json!(1), &json!("web-1"), 1));

    // The record of an older turn is ours to replace, whoever wrote it; what stands already is not written again.
    operator.stop().unwrap();
    let _next = stage.operator("b").unwrap();
    stage.repository.commit("Say two", &[("index.html", Some("two"))]).unwrap();
    deploy(&stage, "web-2").await;
    projected(&stage, "True", "Written", "turn 2").await;
    let (value, version) = held(&stage);
    let read: Value = serde_json::from_str(&value).unwrap();
    assert_eq!((&read["turn"], &read["deployment"], version), (&json!(2), &json!("web-2"), 2));

    stage.delete::<Environment>("web").await;
    stage.until::<Environment>("web", |object| object.is_none()).await;
    assert_eq!(stage.cloud.control().left().inventory.parameters, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_waits_for_no_parameter_and_the_next_operator_writes_it() {
    let stage = projecting("unprojected", "Retain").await;
    set_faults(&stage, vec![denied("PutParameter")]);
    let operator = stage.operator("a").unwrap();
    deploy(&stage, "web-1").await;
    projected(&stage, "False", "Denied", "PutParameter is denied").await;
    // It dies between what it recorded and what it should have projected.
    operator.kill().unwrap();
    assert_eq!(stage.cloud.control().left().inventory.parameters, Vec::<String>::new());
    set_faults(&stage, Vec::new());
    let _next = stage.operator("b").unwrap();
    projected(&stage, "True", "Written", "turn 1").await;
    assert_eq!(held(&stage).1, 1);

    // An Environment that retains leaves it as it is.
    let member = stage.until_free("web").await.status.unwrap().tenure.groups.remove(0);
    stage.delete::<Environment>("web").await;
    stage.until::<Environment>("web", |object| object.is_none()).await;
    assert_eq!(held(&stage).1, 1);
    // And says what else it leaves.
    let left = stage.until_event(&format!("not needed: {} in {}", member.name, member.place)).await;
    assert_eq!(
        (left.reason.as_deref(), left.regarding.unwrap().name.as_deref()),
        (Some("Retained"), Some("web"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_counts_once_it_is_read_back() {
    let stage = projecting("unread", "Retain").await;
    let stale = Effect::Stale { by: SignedDuration::from_hours(1) };
    set_faults(&stage, vec![always("GetParameter", stale)]);
    let operator = stage.operator("a").unwrap();
    deploy(&stage, "web-1").await;
    projected(&stage, "Unknown", "NotSeen", "was written and does not say so").await;
    operator.stop().unwrap();
    set_faults(&stage, Vec::new());
    assert_eq!(held(&stage).1, 1, "it was there all the time");
    let _next = stage.operator("b").unwrap();
    projected(&stage, "True", "Written", "turn 1").await;
    assert_eq!(held(&stage).1, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_else_keeps_there_is_never_overwritten_nor_deleted() {
    let stage = projecting("foreign", "Delete").await;
    put(&stage, NAME, ParameterType::String, "v1.2.3");
    let _operator = stage.operator("a").unwrap();
    deploy(&stage, "web-1").await;
    projected(&stage, "False", "Foreign", "is not a record of Dryad's, and is left as it is").await;
    stage.delete::<Environment>("web").await;
    stage.until::<Environment>("web", |object| object.is_none()).await;
    assert_eq!(held(&stage), ("v1.2.3".to_owned(), 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_environment_that_is_to_leave_nothing_stays_until_its_parameter_is_gone() {
    let stage = projecting("undeletable", "Delete").await;
    let _operator = stage.operator("a").unwrap();
    deploy(&stage, "web-1").await;
    projected(&stage, "True", "Written", "turn 1").await;
    set_faults(&stage, vec![denied("DeleteParameter")]);
    stage.delete::<Environment>("web").await;
    projected(&stage, "False", "Denied", "DeleteParameter is denied").await;
    set_faults(&stage, Vec::new());
    stage.until::<Environment>("web", |object| object.is_none()).await;
    assert_eq!(stage.cloud.control().left().inventory.parameters, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_environment_that_nothing_was_deployed_to_goes_though_its_parameter_may_not_be_read() {
    let stage = projecting("unread", "Delete").await;
    set_faults(&stage, vec![denied("GetParameter")]);
    let _operator = stage.operator("a").unwrap();
    let has_finalizer = |object: Option<&Environment>| object.is_some_and(|it| !it.finalizers().is_empty());
    stage.until::<Environment>("web", has_finalizer).await;
    stage.delete::<Environment>("web").await;
    stage.until::<Environment>("web", |object| object.is_none()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_image_in_a_parameter_is_looked_up_once_a_deployment() {
    const GOLDEN: &str = "/golden/web";
    let stage = stage("golden").await;
    stage.repository.commit("Say one", &[("index.html", Some("one"))]).unwrap();
    let _operator = stage.operator("a").unwrap();
    let mut environment = stage.environment("web");
    let launch_template = &mut environment["spec"]["target"]["autoScalingGroup"]["launchTemplate"];
    launch_template["imageId"].take();
    launch_template["imageIdFromParameter"] = json!(GOLDEN);
    stage.create_environment(&environment).await;

    let rows = [
        ("web-1", None, "there is no parameter /golden/web in default/us-east-1"),
        ("web-2", Some((ParameterType::String, "v1.2.3")), "what parameter /golden/web holds is no AMI's id"),
    ];
    for (name, held, sentence) in rows {
        if let Some((kind, value)) = held {
            put(&stage, GOLDEN, kind, value);
        }
        stage.deploy(name, json!({ "environment": "web" })).await;
        let failed = stage.until_state(name, State::Failed).await;
        assert_eq!(path_of(&failed)[2..], ["Failed ReleaseRejected"], "{}", table(&failed));
        let why = &history_of(&failed)[2].message;
        assert!(why.contains(sentence), "{why}");
    }

    // Without the permission it waits, and says so; it goes on when somebody gives it.
    put(&stage, GOLDEN, ParameterType::String, IMAGES[1]);
    set_faults(&stage, vec![denied("GetParameter")]);
    stage.deploy("web-3", json!({ "environment": "web" })).await;
    let waits = |object: Option<&Deployment>| {
        let progress = object.and_then(|object| object.status.as_ref()?.progress.as_ref());
        progress.is_some_and(|progress| progress.message.contains("GetParameter is denied to the operator"))
    };
    stage.until::<Deployment>("web-3", waits).await;
    set_faults(&stage, Vec::new());
    let done = stage.until_state("web-3", State::Done).await;
    let asked = stage.cloud.control().with(|world, _| {
        let answered =
            world.log().entries().filter(|it| it.action == "GetParameter" && carried_out(it.outcome));
        answered.filter(|entry| replica_of(entry).is_some()).count()
    });
    assert_eq!(asked, 2, "one that holds something else, and one that does not");
    let launch = done.status.as_ref().unwrap().template.as_ref().unwrap().launch.clone().unwrap();
    assert_eq!((launch.image_id.as_str(), launch.version), (IMAGES[1], None));
    let describe = DescribeLaunchTemplateVersions {
        launch_template_name: Some(green_of(&done)),
        ..DescribeLaunchTemplateVersions::default()
    };
    let made = stage.cloud.control().call(describe).unwrap().launch_template_versions;
    assert_eq!(made[0].launch_template_data.image_id.as_deref(), Some(IMAGES[1]));
}
