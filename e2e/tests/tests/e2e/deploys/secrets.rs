//! No secret shows: not in a status, an Event, the log at its most talkative, or a metric.

use dryad_crds::{Deployment, Environment};
use dryad_git_server::{Manners, Server};
use dryad_machine::state::State;
use dryad_stage::Stage;
use dryad_stage::deploys::history_of;
use dryad_stage::operator::{AWS_SECRET, Operator};
use k8s_openapi::api::events::v1::Event;
use kube::api::ListParams;
use serde_json::{Value, json};

use crate::deploys::stage;

const USER: &str = "canary-user-5c1e";
const PASSWORD: &str = "canary-password-9b27";
/// Both in base64, as git sends them.
const AUTHORIZATION: &str = "Y2FuYXJ5LXVzZXItNWMxZTpjYW5hcnktcGFzc3dvcmQtOWIyNw==";
const EXTERNAL_ID: &str = "canary-external-41d0";
const ROLE: &str = "arn:aws:iam::210987654321:role/dryad";

/// An Environment of this name that does not wait long, and what becomes of a deploy to it.
async fn fails(stage: &Stage, name: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut environment = stage.environment(name);
    environment["spec"]["rollout"]["timeout"] = json!("10s");
    // The rule is one Environment's.
    environment["spec"].as_object_mut().unwrap().remove("traffic");
    change(&mut environment["spec"]);
    stage.create_environment(&environment).await;
    let deployment = format!("{name}-1");
    stage.deploy(&deployment, json!({ "environment": name })).await;
    let failed = stage.until_state(&deployment, State::Failed).await;
    history_of(&failed).iter().map(|entry| entry.message.clone()).collect::<Vec<_>>().join("\n")
}

/// Everything that anybody could read.
async fn shown(stage: &Stage, operator: &Operator) -> Vec<(&'static str, String)> {
    async fn all<K>(stage: &Stage) -> String
    where
        K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope> + serde::Serialize,
        K: serde::de::DeserializeOwned + Clone + std::fmt::Debug,
        K::DynamicType: Default,
    {
        let list = stage.api::<K>().list(&ListParams::default()).await.expect("the API server answers");
        serde_json::to_string(&list.items).expect("JSON")
    }
    vec![
        ("Environments", all::<Environment>(stage).await),
        ("Deployments", all::<Deployment>(stage).await),
        ("Events", all::<Event>(stage).await),
        ("the log", operator.log()),
        ("metrics", operator.metrics()),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_shows_whatever_goes_wrong_with_it() {
    let stage = stage("secrets").await;
    stage.repository.commit("Say one", &[("index.html", Some("one"))]).unwrap();
    stage.cloud.control().with(|world, _| world.credentials_mut().ask_external_id(ROLE, "another"));
    let mut configuration = stage.configuration();
    let mut production = configuration["accounts"]["default"].clone();
    production["roleArn"] = json!(ROLE);
    production["externalId"] = json!(EXTERNAL_ID);
    configuration["accounts"]["production"] = production;
    stage.configure(&configuration).unwrap();
    stage.basic_auth("repository", USER, PASSWORD).await;
    stage.basic_auth("broken", USER, &format!("{PASSWORD}\n")).await;
    let nobody = Manners::Guarded { authorization: "Basic nobody", canary: PASSWORD };
    let server = Server::start(stage.directory(), nobody).await;
    let certificates = server.certificate();
    let flags = ["--git-certificates", certificates.to_str().expect("a plain path")];
    let operator = stage.operator_told("a", &flags).unwrap();

    let refused = fails(&stage, "refused", |spec| {
        spec["source"]["repository"] = json!(server.url("web"));
        spec["source"]["secretName"] = json!("repository");
    })
    .await;
    assert!(refused.contains("denied access with the credentials given"), "{refused}");
    assert!(server.seen().authorizations.iter().any(|sent| sent.ends_with(AUTHORIZATION)), "it was sent");
    let unreachable = "https://127.0.0.1:1/shop/web.git";
    let asked = fails(&stage, "unreachable", |spec| {
        spec["source"]["repository"] = json!(unreachable);
        spec["source"]["secretName"] = json!("repository");
    })
    .await;
    assert!(asked.contains(unreachable), "{asked}");
    let unusable = fails(&stage, "unusable", |spec| spec["source"]["secretName"] = json!("broken")).await;
    assert!(unusable.contains("`password`"), "{unusable}");
    let mut denied = stage.environment("denied");
    denied["spec"]["target"]["autoScalingGroup"]["account"] = json!("production");
    denied["spec"].as_object_mut().unwrap().remove("traffic");
    stage.create_environment(&denied).await;
    stage.deploy("denied-1", json!({ "environment": "denied" })).await;
    let told = |environment: Option<&Environment>| {
        let status = environment.and_then(|environment| environment.status.as_ref());
        let mut conditions = status.into_iter().flat_map(|status| &status.conditions);
        conditions.any(|one| one.type_ == "Ready" && one.message.contains("sts:AssumeRole"))
    };
    stage.until("denied", told).await;
    stage.create_environment(&stage.environment("web")).await;
    stage.deploy("web-1", json!({ "environment": "web" })).await;
    stage.until_state("web-1", State::Done).await;

    configuration["accounts"]["production"]["externalId"] = json!(format!("{EXTERNAL_ID} {EXTERNAL_ID}"));
    stage.configure(&configuration).unwrap();
    let refused = async {
        while !operator.log().contains("the configuration can't be used") {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), refused).await.expect("it is refused");

    let shown = shown(&stage, &operator).await;
    for (place, text) in &shown {
        assert!(!text.is_empty(), "{place} is empty");
        for secret in [USER, PASSWORD, AUTHORIZATION, EXTERNAL_ID, AWS_SECRET] {
            assert!(!text.contains(secret), "{place} shows {secret}");
        }
    }
    let stale = shown.iter().any(|(_, text)| text.lines().any(|line| line == "dryad_configuration_stale 1"));
    assert!(stale, "these are the metrics");
}
