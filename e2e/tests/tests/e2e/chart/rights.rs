//! The rights of the chart are those that the operator uses: all of them, and no others.

use std::path::Path;
use std::time::Duration;

use dryad_cluster::Cluster;
use dryad_crds::{Deployment, Environment};
use dryad_machine::state::State;
use dryad_stage::operator::Operator;
use dryad_stage::{Stage, rights};
use k8s_openapi::api::rbac::v1::Role;
use kube::ResourceExt;
use kube::api::{Patch, PatchParams, PostParams};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::chart::audit::{Audit, Requests, allowed_by};

pub(crate) async fn stage(cluster: &Cluster, name: &str) -> Stage {
    let parts = Path::new(env!("CARGO_BIN_EXE_parts"));
    Stage::set(cluster, name, parts).await.unwrap_or_else(|error| panic!("no stage: {error}"))
}

/// An Environment whose repository asks for a password, and which keeps one ended Deployment.
pub(crate) async fn environment(stage: &Stage, change: impl FnOnce(&mut Value)) {
    stage.basic_auth("repository", "shop", "unused").await;
    let mut environment = stage.environment("web");
    environment["spec"]["source"]["secretName"] = json!("repository");
    environment["spec"]["historyLimit"] = json!(1);
    change(&mut environment["spec"]);
    stage.create_environment(&environment).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_right_of_the_chart_is_used_and_nothing_else_is_asked_for() {
    let folder = std::env::temp_dir().join(format!("dryad-audit-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let (audit, options) = Audit::in_folder(&folder);
    let cluster = Cluster::start(options).await.expect("a cluster");
    let stage = stage(&cluster, "rights").await;
    stage.forget_leaders().await;
    environment(&stage, |_| {}).await;
    stage.repository.commit("Say one", &[("index.html", Some("one"))]).expect("a commit");
    let operator = stage.operator("a").expect("an operator");

    for name in ["first", "second"] {
        let spec = json!({ "environment": "web", "request": { "skipEvaluation": true } });
        stage.deploy(name, spec).await;
        stage.until_state(name, State::Done).await;
    }
    // What is declared and does not run becomes a Deployment.
    let declared = json!({ "spec": { "release": { "branch": "main" }, "evaluate": { "duration": "1s" } } });
    let environments = stage.api::<Environment>();
    environments
        .patch("web", &PatchParams::default(), &Patch::Merge(declared))
        .await
        .expect("it is accepted");
    stage.until_state("web-1", State::Done).await;
    // The first is beyond the history limit.
    stage.until("first", |gone: Option<&Deployment>| gone.is_none()).await;
    stage.until_free("web").await;
    stage.delete::<Environment>("web").await;
    stage.until("web", |gone: Option<&Environment>| gone.is_none()).await;
    operator.stop().expect("it runs");

    let user = format!("system:serviceaccount:{}:{}", stage.namespace, rights::ACCOUNT);
    let (used, refused) = audit.requests_of(&user);
    assert_eq!(refused, Requests::new(), "asked for, and not in the chart");
    let mut granted = Requests::new();
    for role in stage.api::<Role>().list(&kube::api::ListParams::default()).await.expect("roles") {
        granted.extend(allowed_by(&serde_json::to_value(role.rules).expect("JSON")));
    }
    let unused: Vec<_> = granted.difference(&used).collect();
    assert!(unused.is_empty(), "in the chart, and never used: {unused:?}");
    std::fs::remove_dir_all(folder).expect("it is there");
}

/// Takes one verb on one resource away from the operator.
async fn withhold(stage: &Stage, resource: &str, verb: &str) {
    let roles = stage.api::<Role>();
    let mut role = roles.get(rights::ACCOUNT).await.expect("the role");
    let rules = role.rules.as_mut().expect("rules").iter_mut();
    for rule in rules.filter(|rule| rule.resources.iter().flatten().any(|named| named == resource)) {
        rule.verbs.retain(|granted| granted != verb);
    }
    roles.replace(&role.name_any(), &PostParams::default(), &role).await.expect("it is accepted");
    stage.until_denied("dryad.dev", resource, verb).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_that_lacks_is_named_in_the_log() {
    let cluster = Cluster::shared().await.expect("a cluster");
    for (resource, verb) in [("environments", "patch"), ("deployments", "watch"), ("environments", "list")] {
        let stage = stage(cluster, "lacking").await;
        withhold(&stage, resource, verb).await;
        environment(&stage, |_| {}).await;
        let operator = stage.operator("a").expect("an operator");
        let words = format!(
            r#"cannot {verb} resource \"{resource}\" in API group \"dryad.dev\" in the namespace \"{}\""#,
            stage.namespace
        );
        let log = operator.until_logged("service account lacks a right").await;
        let lines: Vec<_> =
            log.lines().filter(|line| line.contains("service account lacks a right")).collect();
        assert!(lines.iter().all(|line| line.contains("ERROR") && line.contains(&words)), "{lines:#?}");
    }
}

/// What it answers to whoever asks whether it is ready.
async fn readiness(operator: &Operator) -> String {
    let log = operator.until_logged("answering /metrics").await;
    let address = log.lines().find_map(|line| line.split_once("address=")).expect("an address").1;
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let request = "GET /readyz HTTP/1.1\r\nHost: dryad\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await.expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("it answers");
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_is_ready_once_it_may_see_all_objects() {
    let stage = stage(Cluster::shared().await.expect("a cluster"), "unready").await;
    let role = stage.api::<Role>().get(rights::ACCOUNT).await.expect("the role");
    withhold(&stage, "environments", "list").await;
    let operator = stage.operator("a").expect("an operator");
    operator.until_logged("service account lacks a right").await;
    let answer = readiness(&operator).await;
    let not_yet = answer.starts_with("HTTP/1.1 503 ") && answer.contains("not all objects were seen");
    assert!(not_yet, "{answer}");
    let rules = json!({ "rules": role.rules });
    stage
        .api::<Role>()
        .patch(rights::ACCOUNT, &PatchParams::default(), &Patch::Merge(rules))
        .await
        .expect("it is accepted");
    let ready = async {
        while !readiness(&operator).await.starts_with("HTTP/1.1 200 ") {
            sleep(Duration::from_millis(200)).await;
        }
    };
    assert!(timeout(Duration::from_secs(90), ready).await.is_ok(), "{}", readiness(&operator).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_may_not_be_read_is_named_in_the_deployment() {
    let cluster = Cluster::shared().await.expect("a cluster");
    let stage = stage(cluster, "secret").await;
    let none = json!({ "rules": rights_without_secrets(&stage).await });
    stage
        .api::<Role>()
        .patch(rights::ACCOUNT, &PatchParams::default(), &Patch::Merge(none))
        .await
        .expect("it is accepted");
    stage.until_denied("", "secrets", "get").await;
    environment(&stage, |_| {}).await;
    let _operator = stage.operator("a").expect("an operator");
    stage.deploy("web-1", json!({ "environment": "web" })).await;
    let said = |deployment: Option<&Deployment>| {
        let status = deployment.and_then(|deployment| deployment.status.as_ref());
        let progress = status.and_then(|status| status.progress.as_ref());
        progress.is_some_and(|progress| {
            progress.message.contains("Secret repository can't be read")
                && progress.message.contains(r#"cannot get resource "secrets""#)
        })
    };
    stage.until("web-1", said).await;
}

async fn rights_without_secrets(stage: &Stage) -> Vec<Value> {
    let role = stage.api::<Role>().get(rights::ACCOUNT).await.expect("the role");
    let rules = serde_json::to_value(role.rules).expect("JSON");
    let rules = rules.as_array().expect("rules").iter();
    rules.filter(|rule| rule["resources"] != json!(["secrets"])).cloned().collect()
}
