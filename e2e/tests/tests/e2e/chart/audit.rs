//! What the API server was asked, by its own audit log.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use dryad_cluster::Options;
use serde_json::Value;

/// Service accounts only, without what is in the requests.
const POLICY: &str = r#"{
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived", "ResponseStarted"],
    "rules": [{ "level": "Metadata", "userGroups": ["system:serviceaccounts"] }, { "level": "None" }]
}"#;

/// Where the log is.
pub(crate) struct Audit(PathBuf);

/// What was done to what: `patch environments.dryad.dev`.
pub(crate) type Requests = BTreeSet<String>;

impl Audit {
    /// A log in this folder, and a cluster that keeps it.
    pub(crate) fn in_folder(folder: &Path) -> (Self, Options) {
        let (policy, log) = (folder.join("policy.json"), folder.join("audit.log"));
        std::fs::write(&policy, POLICY).expect("a file");
        let flags = [("audit-policy-file", &policy), ("audit-log-path", &log)];
        let flags = flags.map(|(name, path)| format!("--{name}={}", path.display()));
        (Self(log), Options { api_server_flags: flags.into(), ..Options::default() })
    }

    /// What this user was allowed, and what not.
    pub(crate) fn requests_of(&self, user: &str) -> (Requests, Requests) {
        let text = std::fs::read_to_string(&self.0).expect("a log");
        // The last line may still be being written.
        let entries = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let (mut allowed, mut refused) = (Requests::new(), Requests::new());
        for entry in entries.filter(|entry| entry["user"]["username"] == *user) {
            let object = &entry["objectRef"];
            // Questions about the API itself, such as its version, are everybody's to ask.
            let Some(resource) = object["resource"].as_str() else { continue };
            let part = object["subresource"].as_str();
            let request = describe(
                entry["verb"].as_str().expect("a verb"),
                object["apiGroup"].as_str().unwrap_or_default(),
                &part.map_or(resource.to_owned(), |part| format!("{resource}/{part}")),
            );
            let decision = &entry["annotations"]["authorization.k8s.io/decision"];
            if decision == "allow" {
                allowed.insert(request)
            } else {
                refused.insert(request)
            };
        }
        (allowed, refused)
    }
}

/// What these rules of a role allow.
pub(crate) fn allowed_by(rules: &Value) -> Requests {
    let list = |value: &Value| -> Vec<String> {
        let items = value.as_array().expect("a list").iter();
        items.map(|item| item.as_str().expect("text").to_owned()).collect()
    };
    let mut all = Requests::new();
    for rule in rules.as_array().expect("rules") {
        for group in list(&rule["apiGroups"]) {
            for resource in list(&rule["resources"]) {
                for verb in list(&rule["verbs"]) {
                    all.insert(describe(&verb, &group, &resource));
                }
            }
        }
    }
    all
}

fn describe(verb: &str, group: &str, resource: &str) -> String {
    if group.is_empty() { format!("{verb} {resource}") } else { format!("{verb} {resource}.{group}") }
}
