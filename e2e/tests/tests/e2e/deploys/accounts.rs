//! What a namespace may name: nothing that the operator's configuration does not list, in accounts that it names.

use std::collections::BTreeSet;

use dryad_crds::Environment;
use dryad_local_cloud::faults::Faults;
use dryad_local_cloud::model::{Account, Place as Site};
use dryad_machine::state::State;
use dryad_stage::Stage;
use dryad_stage::deploys::{history_of, path_of, table};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use serde_json::{Value, json};

use crate::deploys::scene::{Place, Scene, WEB, fault, green_of};
use crate::deploys::stage;

const PRODUCTION: &str = "210987654321";
pub(crate) const ROLE: &str = "arn:aws:iam::210987654321:role/dryad";
const EXTERNAL_ID: &str = "shop-7d1c";
/// What the operator logs once another configuration is in force.
const CHANGED: &str = "the configuration has changed";

/// The list of this stage's own grants.
fn list<'a>(configuration: &'a mut Value, stage: &Stage, name: &str) -> &'a mut Value {
    &mut configuration["accounts"]["default"]["namespaces"][&stage.namespace][name]
}

/// What stands in the way of an Environment, as its conditions say it.
fn refusal(environment: Option<&Environment>) -> Option<&str> {
    let conditions: &[Condition] = &environment?.status.as_ref()?.conditions;
    let find = |type_: &str, status: &str| {
        conditions.iter().find(|condition| {
            condition.type_ == type_ && condition.status == status && condition.reason == "NotPermitted"
        })
    };
    find("Ready", "False")?;
    find("Stalled", "True").map(|condition| condition.message.as_str())
}

async fn until_refused(stage: &Stage, words: &str) {
    stage
        .until(WEB, |environment: Option<&Environment>| {
            refusal(environment).is_some_and(|message| message.contains(words))
        })
        .await;
}

async fn until_permitted(stage: &Stage) {
    let seen = |environment: Option<&Environment>| {
        environment.is_some_and(|environment| environment.status.is_some()) && refusal(environment).is_none()
    };
    stage.until(WEB, seen).await;
}

/// Deploys what is not permitted; the sentence that says so.
async fn refused(stage: &Stage, name: &str) -> String {
    stage.deploy(name, json!({ "environment": WEB })).await;
    let failed = stage.until_state(name, State::Failed).await;
    let expected = ["Pending Created", "Resolve TurnTaken", "Failed NotPermitted"];
    assert_eq!(path_of(&failed), expected, "{}", table(&failed));
    history_of(&failed)[2].message.clone()
}

/// Which actions the operator has called so far.
fn called(stage: &Stage) -> BTreeSet<&'static str> {
    stage.cloud.control().with(|world, _| world.log().entries().map(|entry| entry.action).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_listed_is_refused_by_name_and_deploys_once_it_is_added() {
    let stage = stage("unlisted").await;
    stage.repository.commit("Say one", &[("index.html", Some("one"))]).unwrap();
    let whole = stage.configuration();
    let mut narrow = whole.clone();
    *list(&mut narrow, &stage, "rules") = json!([]);
    stage.configure(&narrow).unwrap();
    let before = called(&stage);
    let operator = stage.operator("a").unwrap();
    stage.create_environment(&stage.environment(WEB)).await;
    let lacks = format!("accounts.default.namespaces.{}.rules lacks {}", stage.namespace, stage.web.rule);
    until_refused(&stage, &lacks).await;
    let sentence = refused(&stage, "web-1").await;
    assert!(sentence.contains(&lacks), "{sentence}");
    assert_eq!(called(&stage), before, "nothing is asked of the cloud in the name of what is not permitted");

    stage.configure(&whole).unwrap();
    operator.until_logged(CHANGED).await;
    until_permitted(&stage).await;
    stage.deploy("web-2", json!({ "environment": WEB })).await;
    stage.until_state("web-2", State::Done).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_ends_well_though_the_configuration_gets_narrower_and_the_next_is_refused() {
    let scene = Scene::set("narrowed", |environment| {
        environment["spec"]["retain"]["previous"] = json!("1s");
    })
    .await;
    let stage = &scene.stage;
    let _operator = stage.operator("a").unwrap();
    scene.deploy_held("web-2").await;
    scene.bring("web-2", Place::ProvenApart).await;
    let mut narrow = stage.configuration();
    narrow["accounts"]["default"]["namespaces"] = json!({});
    stage.configure(&narrow).unwrap();
    // Nobody can deploy any more from the moment that it is in force, and until then the deploy stands still.
    let subnets = format!("accounts.default.namespaces.{}.subnets lacks", stage.namespace);
    stage
        .until(WEB, |environment: Option<&Environment>| {
            let conditions = environment.and_then(|e| e.status.as_ref()).map(|status| &status.conditions);
            conditions.is_some_and(|all| all.iter().any(|one| one.message.contains(&subnets)))
        })
        .await;
    scene.let_all_go().await;
    stage.request("web-2", json!({ "skipEvaluation": true })).await;
    stage.until_state("web-2", State::Done).await;
    scene.serves("web-2").await;
    until_refused(stage, &subnets).await;
    let sentence = refused(stage, "web-3").await;
    assert!(sentence.contains(&subnets), "{sentence}");
    scene.serves("web-2").await;

    // What runs can still be taken down.
    stage.delete::<Environment>(WEB).await;
    stage.until::<Environment>(WEB, |environment| environment.is_none()).await;
    scene.left(&[], 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_launched_any_more_from_what_is_no_longer_permitted() {
    let stage = stage("withdrawn").await;
    stage.repository.commit("Say one", &[("index.html", Some("one"))]).unwrap();
    let _operator = stage.operator("a").unwrap();
    stage.create_environment(&stage.environment(WEB)).await;
    let faults = Faults { rules: vec![fault("CreateLaunchTemplate")], ..Faults::default() };
    stage.cloud.control().with(|world, _| world.set_faults(faults));
    stage.deploy("web-1", json!({ "environment": WEB })).await;
    stage.until_state("web-1", State::RolloutWait).await;
    let mut narrow = stage.configuration();
    *list(&mut narrow, &stage, "instanceProfiles") = json!([]);
    stage.configure(&narrow).unwrap();
    let failed = stage.until_state("web-1", State::Failed).await;
    let rollback = history_of(&failed).into_iter().find(|entry| entry.state == State::Rollback).unwrap();
    let lacks = format!(
        "accounts.default.namespaces.{}.instanceProfiles lacks {}",
        stage.namespace, stage.web.instance_profile
    );
    assert!(rollback.message.contains(&lacks), "{}", table(&failed));
    assert!(!called(&stage).contains("CreateAutoScalingGroup"));
}

/// Workers of their own in an account, with its network and nothing else. They count as good once they have booted: no
/// target group waits until they listen.
pub(crate) fn workers(stage: &Stage, name: &str, account: &str) -> Value {
    let mut environment = stage.environment(name);
    let spec = environment["spec"].as_object_mut().unwrap();
    spec.remove("traffic");
    spec["evaluate"]["checks"] = json!([]);
    spec.insert("acceptUnproven".to_owned(), json!(true));
    spec["target"]["autoScalingGroup"]["account"] = json!(account);
    environment
}

/// The principals that have created groups in this account.
fn creators(stage: &Stage, account: &str) -> BTreeSet<String> {
    stage.cloud.control().with(|world, _| {
        let created = world.log().entries().filter(|entry| entry.action == "CreateAutoScalingGroup");
        created.filter(|entry| entry.account == account).map(|entry| entry.caller.clone()).collect()
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_added_while_the_operator_runs_is_deployed_to_by_its_role() {
    let stage = stage("roles").await;
    stage.cloud.control().with(|world, _| world.credentials_mut().ask_external_id(ROLE, EXTERNAL_ID));
    stage.repository.commit("Say one", &[("index.html", Some("one"))]).unwrap();
    let _operator = stage.operator("a").unwrap();
    stage.create_environment(&workers(&stage, WEB, "production")).await;
    stage.create_environment(&workers(&stage, "staging", "default")).await;
    until_refused(&stage, "accounts lacks production").await;

    let own = stage.configuration();
    let mut both = own.clone();
    let mut production = own["accounts"]["default"].clone();
    production["roleArn"] = json!(ROLE);
    production["externalId"] = json!(EXTERNAL_ID);
    both["accounts"]["production"] = production;
    stage.configure(&both).unwrap();
    until_permitted(&stage).await;
    stage.deploy("web-1", json!({ "environment": WEB })).await;
    stage.deploy("staging-1", json!({ "environment": "staging" })).await;
    let there = stage.until_state("web-1", State::Done).await;
    stage.until_state("staging-1", State::Done).await;
    let session = format!("arn:aws:sts::{PRODUCTION}:assumed-role/dryad/dryad-{}", stage.namespace);
    assert_eq!(creators(&stage, PRODUCTION), [session].into());
    assert_eq!(creators(&stage, "123456789012").len(), 1);
    let site = Site {
        account: Account::try_from(PRODUCTION.to_owned()).unwrap(),
        region: stage.web.place.region.clone(),
    };
    assert!(stage.cloud.control().with(|world, _| world.region(&site).is_some()));

    // Without its account a group can't be reached, and that is said by name until the account is back.
    stage.until_free(WEB).await;
    stage.configure(&own).unwrap();
    until_refused(&stage, "accounts lacks production").await;
    stage.delete::<Environment>(WEB).await;
    let held = |environment: Option<&Environment>| {
        environment.is_some_and(|environment| environment.metadata.deletion_timestamp.is_some())
            && refusal(environment).is_some()
    };
    stage.until(WEB, held).await;
    let mut reachable = own.clone();
    reachable["accounts"]["production"] = json!({ "roleArn": ROLE, "externalId": EXTERNAL_ID });
    stage.configure(&reachable).unwrap();
    stage.until::<Environment>(WEB, |environment| environment.is_none()).await;
    let left = stage.cloud.control().left().inventory.groups;
    assert!(!left.contains(&green_of(&there)), "{left:?}");
}
