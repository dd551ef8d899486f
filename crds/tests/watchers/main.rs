//! What whoever waits for an object sees of it in every state: kstatus (Flux, kpt), and Argo CD by our health script.

mod deployments;
mod environments;

use mlua::{Lua, LuaSerdeExt, Table};
use serde_json::{Value, json};

/// kstatus' answer on an object of a kind that it does not know.
///
/// Deletion first, then the generation, then the first of `Reconciling` and `Stalled` that is true, in the order in
/// which they stand; `Ready` last, and without any of it the object counts as current.
fn kstatus(object: &Value) -> &'static str {
    if object["metadata"]["deletionTimestamp"].is_string() {
        return "Terminating";
    }
    let observed = &object["status"]["observedGeneration"];
    if !observed.is_null() && observed != &object["metadata"]["generation"] {
        return "InProgress";
    }
    let conditions = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let abnormal = conditions.iter().find_map(|condition| match (&condition["type"], &condition["status"]) {
        (type_, status) if type_ == "Reconciling" && status == "True" => Some("InProgress"),
        (type_, status) if type_ == "Stalled" && status == "True" => Some("Failed"),
        _ => None,
    });
    let ready = || conditions.iter().find(|condition| condition["type"] == "Ready");
    let by_ready = || ready().map(|ready| if ready["status"] == "True" { "Current" } else { "InProgress" });
    abnormal.or_else(by_ready).unwrap_or("Current")
}

/// Argo CD's answer, by the script that it is given. It looks at deletion itself, before it asks.
fn argo(object: &Value) -> String {
    let lua = Lua::new();
    let script = include_str!("../../../config/argocd/health.lua");
    lua.globals().set("obj", lua.to_value(object).expect("JSON")).expect("a global");
    let health: Table = lua.load(script).eval().expect("a health");
    let message: String = health.get("message").expect("a message");
    assert!(!message.is_empty());
    health.get("status").expect("a status")
}

/// Both answers: they must not contradict each other.
fn seen(object: &Value) -> &'static str {
    let (kstatus, argo) = (kstatus(object), argo(object));
    let expected = match kstatus {
        "Current" => "Healthy",
        "Failed" => "Degraded",
        "InProgress" => "Progressing",
        _ => return kstatus,
    };
    assert_eq!(argo, expected, "{object:#}");
    kstatus
}

#[test]
fn an_object_that_nobody_has_seen_is_in_progress() {
    for crd in dryad_crds::generate::crds() {
        let crd = serde_json::to_value(crd).expect("a CRD is JSON");
        let born =
            &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"]["default"];
        assert_eq!(seen(&json!({ "metadata": { "generation": 1 }, "status": born })), "InProgress");
    }
}

#[test]
fn an_object_that_is_being_deleted_is_terminating_whatever_else_it_says() {
    let metadata = json!({ "generation": 2, "deletionTimestamp": "2026-11-21T14:00:00Z" });
    let conditions = json!([{ "type": "Ready", "status": "True", "reason": "Deployed", "message": "it is" }]);
    let object =
        json!({ "metadata": metadata, "status": { "observedGeneration": 2, "conditions": conditions } });
    assert_eq!(seen(&object), "Terminating");
}

#[test]
fn an_edit_that_nobody_has_seen_is_in_progress() {
    let conditions = json!([{ "type": "Ready", "status": "True", "reason": "Deployed", "message": "it is" }]);
    let status = json!({ "observedGeneration": 1, "conditions": conditions });
    assert_eq!(seen(&json!({ "metadata": { "generation": 2 }, "status": status })), "InProgress");
    assert_eq!(seen(&json!({ "metadata": { "generation": 1 }, "status": status })), "Current");
}
