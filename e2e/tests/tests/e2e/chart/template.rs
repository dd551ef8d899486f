//! What the chart renders, without a cluster.

use std::collections::BTreeMap;
use std::process::Command;

use dryad_cluster::Assets;
use dryad_controller::configuration::Configuration;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use serde_json::Value;

use crate::chart::{complaint, repository, stdout};

/// Namespace and release of every rendering here.
const RELEASE: [&str; 4] = ["template", "dryad", "--namespace", "dryad-system"];

async fn helm() -> Command {
    let assets = Assets::find().await.expect("programs");
    Command::new(assets.helm().unwrap_or_else(|missing| panic!("{missing}")))
}

/// The objects that these settings make, by kind and name.
async fn rendered(settings: &[&str]) -> BTreeMap<String, Value> {
    let mut helm = helm().await;
    helm.args(RELEASE).arg(repository("charts/dryad"));
    for setting in settings {
        helm.args(["--set", setting]);
    }
    objects(&stdout(&mut helm))
}

fn objects(yaml: &str) -> BTreeMap<String, Value> {
    let all: Vec<Value> = serde_saphyr::from_multiple(yaml).expect("YAML");
    let named = |object: Value| {
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        (format!("{} {}", text(&object["kind"]), text(&object["metadata"]["name"])), object)
    };
    all.into_iter().filter(|object| !object.is_null()).map(named).collect()
}

/// Why these settings are refused.
async fn refusal(setting: &str) -> String {
    complaint(helm().await.args(RELEASE).arg(repository("charts/dryad")).args(["--set-json", setting]))
}

#[tokio::test]
async fn the_chart_is_as_helm_wants_charts() {
    let chart = repository("charts/dryad");
    let report = stdout(helm().await.args(["lint", "--strict"]).arg(&chart));
    assert!(report.contains("0 chart(s) failed"), "{report}");
}

#[tokio::test]
async fn the_manifest_for_kubectl_is_what_the_chart_renders() {
    let assets = Assets::find().await.expect("programs");
    let helm = assets.helm().unwrap_or_else(|missing| panic!("{missing}"));
    let rendered = stdout(Command::new(repository("config/render")).arg("-").env("HELM", helm));
    let checked_in = std::fs::read_to_string(repository("config/install.yaml")).unwrap_or_default();
    assert!(
        checked_in.trim_end() == rendered.trim_end(),
        "config/install.yaml is not what the chart renders; run `config/render` and commit it"
    );
}

#[tokio::test]
async fn crds_are_installed_and_kept_unless_somebody_wants_otherwise() {
    let keep = |object: &Value| object["metadata"]["annotations"]["helm.sh/resource-policy"].clone();
    let crds = ["environments.dryad.dev", "deployments.dryad.dev"]
        .map(|name| format!("CustomResourceDefinition {name}"));
    let (by_default, not_kept) = (rendered(&[]).await, rendered(&["crds.keep=false"]).await);
    let without = rendered(&["crds.install=false"]).await;
    for crd in &crds {
        let plural = by_default[crd]["spec"]["names"]["plural"].as_str().expect("a plural");
        let generated =
            std::fs::read_to_string(repository(&format!("crds/yaml/{plural}.yaml"))).expect("a CRD");
        let generated: CustomResourceDefinition = serde_saphyr::from_str(&generated).expect("a CRD");
        let installed: CustomResourceDefinition =
            serde_json::from_value(by_default[crd].clone()).expect("a CRD");
        assert!(installed.spec == generated.spec, "{crd} is not rendered as it is");
        assert_eq!(keep(&by_default[crd]), "keep");
        assert_eq!(keep(&not_kept[crd]), Value::Null);
        assert!(!without.contains_key(crd));
    }
}

#[tokio::test]
async fn in_one_namespace_the_operator_has_the_same_rights_as_in_all_and_none_elsewhere() {
    let everywhere = rendered(&["rbac.aggregate=false"]).await;
    let shop = rendered(&["rbac.aggregate=false", "watchNamespace=shop"]).await;
    assert_eq!(everywhere["ClusterRole dryad"]["rules"], shop["Role dryad"]["rules"]);
    assert_eq!(shop["Role dryad"]["metadata"]["namespace"], "shop");
    assert_eq!(shop["RoleBinding dryad"]["metadata"]["namespace"], "shop");
    assert!(!shop.keys().any(|name| name.starts_with("ClusterRole")), "{:?}", shop.keys());
    let arguments = &shop["Deployment dryad"]["spec"]["template"]["spec"]["containers"][0]["args"];
    assert!(arguments.as_array().expect("arguments").contains(&"--namespace=shop".into()), "{arguments}");
    for objects in [everywhere, shop] {
        assert_eq!(objects["Role dryad-leader-election"]["metadata"]["namespace"], "dryad-system");
    }
}

#[tokio::test]
async fn two_operators_run_and_are_asked_whether_they_live_where_they_answer() {
    let deployment = &rendered(&[]).await["Deployment dryad"]["spec"];
    assert_eq!(deployment["replicas"], 2);
    let container = &deployment["template"]["spec"]["containers"][0];
    let probe = |name: &str| container[name]["httpGet"].clone();
    let at = |path: &str| serde_json::json!({ "path": path, "port": "http" });
    assert_eq!((probe("livenessProbe"), probe("readinessProbe")), (at("/healthz"), at("/readyz")));
    let [port] = container["ports"].as_array().expect("ports").as_slice() else { panic!("{container:#}") };
    assert_eq!(port["name"], "http");
    let listens = format!("--http=[::]:{}", port["containerPort"]);
    let arguments = container["args"].as_array().expect("arguments");
    assert!(arguments.contains(&listens.as_str().into()), "{arguments:?}");
}

#[tokio::test]
async fn the_operator_is_given_its_configuration_as_it_is_and_by_default_one_that_permits_nothing() {
    let configuration = |objects: &BTreeMap<String, Value>| -> Value {
        let text = objects["ConfigMap dryad"]["data"]["dryad.yaml"].as_str().expect("text");
        serde_saphyr::from_str(text).expect("YAML")
    };
    let by_default = rendered(&[]).await;
    assert_eq!(configuration(&by_default), serde_json::json!({ "accounts": {} }));
    let set = rendered(&["config.accounts.default.regions={us-east-1}"]).await;
    let expected = serde_json::json!({ "accounts": { "default": { "regions": ["us-east-1"] } } });
    assert_eq!(configuration(&set), expected);
    let pod = &set["Deployment dryad"]["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    let arguments = container["args"].as_array().expect("arguments");
    assert!(arguments.contains(&"--config=/etc/dryad/dryad.yaml".into()), "{arguments:?}");
    let mount = serde_json::json!({ "name": "config", "mountPath": "/etc/dryad", "readOnly": true });
    assert!(container["volumeMounts"].as_array().expect("mounts").contains(&mount));
    let volume = serde_json::json!({ "name": "config", "configMap": { "name": "dryad" } });
    assert!(pod["volumes"].as_array().expect("volumes").contains(&volume));
}

#[tokio::test]
async fn secrets_are_read_by_name_and_by_those_names_only_where_one_says_which() {
    let rule = |objects: &BTreeMap<String, Value>| {
        let rules = objects["ClusterRole dryad"]["rules"].as_array().expect("rules").clone();
        rules.into_iter().find(|rule| rule["resources"] == serde_json::json!(["secrets"]))
    };
    let any = rule(&rendered(&[]).await).expect("a rule");
    assert_eq!((&any["verbs"], &any["resourceNames"]), (&serde_json::json!(["get"]), &Value::Null));
    let named = rule(&rendered(&["rbac.secrets.names={git,mirror}"]).await).expect("a rule");
    assert_eq!(named["resourceNames"], serde_json::json!(["git", "mirror"]));
    assert_eq!(rule(&rendered(&["rbac.secrets.read=false"]).await), None);
}

#[tokio::test]
async fn the_configuration_reaches_the_operator_word_for_word() {
    let objects = rendered(&["config.accounts.default.regions={us-east-1}"]).await;
    let file = objects["ConfigMap dryad"]["data"]["dryad.yaml"].as_str().expect("a file");
    let file: Value = serde_saphyr::from_str(file).expect("YAML");
    assert_eq!(file, serde_json::json!({ "accounts": { "default": { "regions": ["us-east-1"] } } }));
    let pod = &objects["Deployment dryad"]["spec"]["template"]["spec"];
    let arguments = pod["containers"][0]["args"].as_array().expect("arguments");
    assert!(arguments.contains(&"--config=/etc/dryad/dryad.yaml".into()), "{arguments:?}");
    // A folder: a single file would stay as it was when the pod began.
    let mounts = pod["containers"][0]["volumeMounts"].as_array().expect("mounts");
    let mount = mounts.iter().find(|mount| mount["name"] == "config").expect("a mount");
    assert_eq!((&mount["mountPath"], &mount["subPath"]), (&"/etc/dryad".into(), &Value::Null));
    let volumes = pod["volumes"].as_array().expect("volumes");
    assert!(volumes.contains(&serde_json::json!({ "name": "config", "configMap": { "name": "dryad" } })));
}

#[tokio::test]
async fn everything_can_be_set_at_once() {
    let values = r#"
nameOverride: deployer
imagePullSecrets: [{ name: registry }]
image: { digest: "sha256:1111111111111111111111111111111111111111111111111111111111111111" }
serviceAccount: { create: false, name: theirs }
rbac: { create: false, aggregate: false }
metrics: { serviceMonitor: { enabled: true, labels: { team: shop } }, service: { annotations: { a: b } } }
podDisruptionBudget: { maxUnavailable: 50% }
podAnnotations: { a: b }
podLabels: { a: b }
nodeSelector: { kubernetes.io/arch: arm64 }
tolerations: [{ key: a, operator: Exists }]
affinity: { nodeAffinity: {} }
priorityClassName: system-cluster-critical
topologySpreadConstraints: [{ topologyKey: a, maxSkew: 1, whenUnsatisfiable: DoNotSchedule }]
extraEnv: [{ name: HTTPS_PROXY, value: "http://proxy:3128" }]
extraVolumes: [{ name: ca, configMap: { name: ca } }]
extraVolumeMounts: [{ name: ca, mountPath: /ca }]
extraArgs: ["--aws-endpoint=http://localhost:4566"]
"#;
    let file = std::env::temp_dir().join(format!("dryad-values-{}.yaml", std::process::id()));
    std::fs::write(&file, values).expect("a file");
    let all = stdout(helm().await.args(RELEASE).arg(repository("charts/dryad")).arg("--values").arg(&file));
    std::fs::remove_file(file).expect("it is there");
    let objects = objects(&all);
    let pod = &objects["Deployment dryad-deployer"]["spec"]["template"]["spec"];
    assert_eq!(pod["serviceAccountName"], "theirs");
    assert_eq!(pod["containers"][0]["image"], format!("ghcr.io/dryad-dev/dryad@sha256:{}", "1".repeat(64)));
    assert!(objects.contains_key("ServiceMonitor dryad-deployer"));
    assert!(!objects.keys().any(|name| name.contains("Role") || name.starts_with("ServiceAccount ")));
}

#[tokio::test]
async fn wrong_values_are_refused_in_words_that_name_them() {
    let rows = [
        ("replicas=\"two\"", "/replicas': got string, want integer"),
        ("replica=1", "additional properties 'replica' not allowed"),
        ("image.version=\"1\"", "additional properties 'version' not allowed"),
        ("uncertainty=\"soon\"", "/uncertainty'"),
        ("config={\"acounts\": {}}", "additional properties 'acounts' not allowed"),
        ("watchNamespace=\"a,b\"", "/watchNamespace'"),
        ("installation=\"\"", "/installation'"),
        ("image.digest=\"abc\"", "/image/digest'"),
        ("image.tag=\"v1 \"", "/image/tag'"),
        ("fullnameOverride=\"9x\"", "/fullnameOverride'"),
        ("podLabels={\"app.kubernetes.io/name\": \"x\"}", "invalid propertyName 'app.kubernetes.io/name'"),
        ("log.format=\"xml\"", "/log/format': value must be one of 'json', 'text'"),
        ("extraArgs=[\"loud\"]", "/extraArgs/0'"),
        ("serviceAccount={\"create\": false}", "serviceAccount.name has to name the one to use"),
        (
            "metrics={\"service\": {\"enabled\": false}, \"serviceMonitor\": {\"enabled\": true}}",
            "metrics.serviceMonitor needs metrics.service",
        ),
    ];
    for (setting, words) in rows {
        let refusal = refusal(setting).await;
        assert!(refusal.contains(words), "{setting}: {refusal}");
    }
}

/// Else a mistake would reach pods that have one to go by, and show only when the next ones can't start.
#[tokio::test]
async fn helm_refuses_of_a_configuration_what_no_operator_could_use() {
    let page = std::fs::read_to_string(repository("docs/configuration.md")).expect("a page");
    let example = page.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("one");
    let account = |text: &str| format!("accounts: {{ a: {text} }}");
    let usable = [example.to_owned(), account("{ namespaces: { '*': { rules: ['*'] } }, regions: [] }")];
    let broken = [
        account("{ regoins: [] }"),
        account("{ namespaces: { shop: { subnet: [a] } } }"),
        account("{ namespaces: { 'sh*p': {} } }"),
        account("{ roleArn: dryad }"),
        account("{ externalId: shop }"),
        account("{ regions: us-east-1 }"),
        account("{ regions: ['a\"b'] }"),
        "accounts: { A: {} }".to_owned(),
    ];
    let judged = usable.iter().map(|text| (text, true)).chain(broken.iter().map(|text| (text, false)));
    for (text, expected) in judged {
        let value: Value = serde_saphyr::from_str(text).expect("YAML");
        let mut helm = helm().await;
        helm.args(RELEASE).arg(repository("charts/dryad"));
        // `config` as a whole, as what is set is otherwise added to the chart's own.
        helm.args(["--set-json", &format!("config={value}")]);
        let output = helm.output().expect("it can be run");
        assert_eq!(Configuration::parse(text).is_ok(), expected, "{text}");
        assert_eq!(output.status.success(), expected, "{text}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
