//! An operator that is asked to stop does so before a kubelet would kill it: one that is killed leaves a lease to run out,
//! and a successor that has to expect requests of it.

use std::time::Duration;

use dryad_stage::operator::LEASE_NAME;
use k8s_openapi::api::coordination::v1::Lease;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::deploys::stage;

/// What the chart gives a pod to end in.
const GRACE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_asked_to_stop_does_not_wait_for_a_repository_that_says_nothing() {
    let stage = stage("stopping").await;
    let repository = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = repository.local_addr().unwrap().port();
    let mut environment = stage.environment("web");
    environment["spec"]["source"]["repository"] = json!(format!("https://127.0.0.1:{port}/web"));
    stage.create_environment(&environment).await;
    let operator = stage.operator("a").unwrap();
    stage.deploy("web-1", json!({ "environment": "web" })).await;
    let (_asking, _) = repository.accept().await.unwrap();

    let ended = timeout(GRACE, spawn_blocking(|| operator.stop())).await.expect("it waits for git");
    assert!(ended.unwrap().unwrap().success());
    let lease: Lease = stage.api().get(LEASE_NAME).await.unwrap();
    assert_eq!(lease.spec.and_then(|spec| spec.holder_identity), None, "it has let go of the lease");
}
