//! The life of an installation: helm installs, upgrades and removes it, and what must outlive it does.

use std::path::Path;
use std::process::Command;

use dryad_cluster::{Cluster, Options};
use dryad_stage::operator::{Operator, Wiring};
use serde_json::{Value, json};

use crate::chart::{repository, stdout};

/// The namespace that it is installed to, and the release.
const SYSTEM: &str = "dryad-system";

struct Site {
    cluster: Cluster,
}

impl Site {
    fn helm(&self, arguments: &[&str]) -> String {
        let mut helm = self.cluster.helm().unwrap_or_else(|missing| panic!("{missing}"));
        stdout(helm.args(arguments).args(["--namespace", SYSTEM]))
    }

    /// Installs or upgrades to the chart with this setting.
    fn apply(&self, setting: &str) -> String {
        let chart = repository("charts/dryad");
        let chart = chart.to_str().expect("UTF-8");
        self.helm(&["upgrade", "--install", "dryad", chart, "--set", setting])
    }

    fn kubectl(&self, arguments: &[&str]) -> Command {
        let mut kubectl = self.cluster.kubectl().unwrap_or_else(|missing| panic!("{missing}"));
        kubectl.args(["--namespace", SYSTEM]).args(arguments);
        kubectl
    }

    fn get(&self, what: &str) -> Value {
        let found = stdout(&mut self.kubectl(&["get", what, "--output=json", "--ignore-not-found"]));
        if found.is_empty() { Value::Null } else { serde_json::from_str(&found).expect("JSON") }
    }

    fn create(&self, object: &Value) {
        let file = self.cluster.directory().join("object.json");
        std::fs::write(&file, object.to_string()).expect("a file");
        stdout(self.kubectl(&["create", "--filename"]).arg(&file));
    }

    /// Looks until it is so.
    async fn until(&self, what: &str, wanted: impl Fn(&Value) -> bool) {
        const LOOKS: u32 = 300;
        for _ in 0..LOOKS {
            if wanted(&self.get(what)) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
        panic!("{what}: {:#}", self.get(what));
    }

    /// An operator as a process here, as nothing runs the cluster's pods, with the chart's service account.
    async fn operator(&self) -> Operator {
        let access = self.cluster.kubeconfig_of_service_account(SYSTEM, "dryad").await.expect("a token");
        let config = self.cluster.directory().join("dryad.yaml");
        std::fs::write(&config, "accounts: {}").expect("a file");
        let wiring = Wiring {
            executable: Path::new(env!("CARGO_BIN_EXE_parts")).to_owned(),
            kubeconfig: access.path().to_owned(),
            namespace: SYSTEM.to_owned(),
            endpoint: "http://127.0.0.1:9".to_owned(),
            config,
            directory: self.cluster.directory().to_owned(),
        };
        Operator::start(&wiring, "a", &[]).expect("an operator")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_installed_upgraded_and_removed_and_what_must_outlive_it_does() {
    let site = Site { cluster: Cluster::start(Options::default()).await.expect("a cluster") };
    // Whatever pods the chart wants have to pass the strictest of Kubernetes' own policies.
    let labels = json!({ "pod-security.kubernetes.io/enforce": "restricted" });
    let namespace = json!({
        "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": SYSTEM, "labels": labels },
    });
    site.create(&namespace);

    // Installed: pods are made, the kinds are known, and the first operator leads without waiting for anything.
    let notes = site.apply("replicas=2");
    assert!(notes.contains("reconciles every namespace as installation \"dryad\""), "{notes}");
    let of_ours = |pods: &Value| pods["items"].as_array().map_or(0, Vec::len);
    site.until("pods", |pods| of_ours(pods) == 2).await;
    site.until("crd/environments.dryad.dev", |crd| {
        let conditions = crd["status"]["conditions"].as_array().cloned().unwrap_or_default();
        conditions.iter().any(|condition| condition["type"] == "Established" && condition["status"] == "True")
    })
    .await;
    let operator = site.operator().await;
    let log = operator.until_logged("now the leader").await;
    let line = log.lines().find(|line| line.contains("now the leader")).expect("the line");
    assert!(line.ends_with("Clean"), "it had nothing to wait for: {line}");
    assert!(!log.contains("ERROR") && !log.contains("WARN"), "{log}");

    // Upgraded: what the operators have written into the Lease is theirs.
    let holder = site.get("lease/dryad")["spec"]["holderIdentity"].clone();
    assert!(holder.is_string(), "{holder}");
    site.apply("replicas=3");
    site.until("pods", |pods| of_ours(pods) == 3).await;
    assert_eq!(site.get("lease/dryad")["spec"]["holderIdentity"], holder);

    // Removed: the kinds stay with all their objects, and so does the Lease, by which a next one knows of this one.
    site.create(&json!({
        "apiVersion": "dryad.dev/v1alpha1",
        "kind": "Deployment",
        "metadata": { "name": "web-1", "namespace": SYSTEM },
        "spec": { "environment": "web" },
    }));
    site.helm(&["uninstall", "dryad", "--wait"]);
    site.until("deployment.apps/dryad", Value::is_null).await;
    for gone in
        ["serviceaccount/dryad", "clusterrole/dryad", "role/dryad-leader-election", "service/dryad-metrics"]
    {
        assert_eq!(site.get(gone), Value::Null);
    }
    let kept = stdout(&mut site.kubectl(&["get", "ddep", "--output=name"]));
    assert_eq!(kept.trim(), "deployment.dryad.dev/web-1");
    assert_eq!(site.get("lease/dryad")["spec"]["holderIdentity"], holder);
    drop(operator);

    // And installed again it takes up what is there.
    site.apply("replicas=1");
    assert_eq!(site.get("lease/dryad")["spec"]["holderIdentity"], holder);
    site.cluster.stop().await.expect("it stops");
}
