//! Every rule holds on objects as large as they may become, and a write of one stays quick.
//!
//! The API server estimates what a rule costs when a CRD is made, and counts it when an object is written. A rule
//! can pass the one and fail the other, on the day the history is long.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Part, Server, Stay};

/// Ten times what it takes on an idle machine. A quadratic rule takes longer, or is refused.
const QUICK: Duration = Duration::from_secs(5);

fn entry(sequence: usize, state: &str, message: usize) -> Value {
    json!({
        "sequence": sequence,
        "step": (state == "RolloutWait").then_some(sequence.clamp(1, 480)),
        "state": state,
        "reason": "RolloutOk",
        "message": "m".repeat(message),
        "at": "2026-01-01T00:00:00.123456Z",
    })
}

/// A history of this many entries, all but the first in `RolloutWait`, with messages of 1 KiB.
fn history(length: usize) -> Vec<Value> {
    let state = |sequence| if sequence == 0 { "Pending" } else { "RolloutWait" };
    (0..length).map(|sequence| without_nulls(entry(sequence, state(sequence), 1024))).collect()
}

fn without_nulls(mut value: Value) -> Value {
    value.as_object_mut().expect("an object").retain(|_, value| !value.is_null());
    value
}

fn release() -> Value {
    json!({
        "branch": format!("a{}", "/a.b".repeat(49)),
        "commit": "0".repeat(64),
        "overlay": { "url": format!("https://files.example.com/{}", "a".repeat(230)), "sha256": "0".repeat(64) },
        "image": format!("ami-{}", "0".repeat(32)),
    })
}

fn target() -> Value {
    let ids = |prefix: &str| (10..26).map(|n| format!("{prefix}-{n}{}", "0".repeat(30))).collect::<Vec<_>>();
    json!({
        "autoScalingGroup": {
            "account": "a".repeat(63),
            "region": "us-east-1",
            "launchTemplate": {
                "imageId": format!("ami-{}", "0".repeat(32)),
                "instanceType": "m7g.large",
                "instanceProfile": "p".repeat(128),
                "keyName": "k".repeat(255),
                "securityGroupIds": ids("sg"),
                "userData": "#".repeat(16_384),
            },
            "subnetIds": ids("subnet"),
            "capacity": { "min": 0, "max": 10_000 },
        },
    })
}

fn traffic() -> Value {
    let arn = |rest: &str| format!("arn:aws:elasticloadbalancing:us-east-1:123456789012:{rest}");
    json!({
        "loadBalancerRule": {
            "ruleArn": arn("listener-rule/app/web/50dc6c495c0c9188/f2f7dc8efc522ab2/9683b2d02a6cabee"),
            "targetGroupArns": [arn("targetgroup/web-a/73e2d6bc24d8a067"), arn("targetgroup/web-b/73e2d6bc24d8a067")],
        },
    })
}

fn checks() -> Vec<Value> {
    let check = |n: usize| {
        let http = json!({ "path": format!("/{}", "p".repeat(511)), "bodyContains": "b".repeat(1024) });
        json!({ "name": format!("{n}-{}", "c".repeat(60)), "http": http })
    };
    (0..16).map(check).collect()
}

fn deployment() -> Value {
    json!({
        "apiVersion": "dryad.dev/v1alpha1",
        "kind": "Deployment",
        "metadata": { "name": "d".repeat(253) },
        "spec": { "environment": "e".repeat(52), "release": release() },
    })
}

fn plan() -> Value {
    let step = json!({ "capacity": 100, "traffic": 0 });
    json!({
        "shipment": { "release": release(), "subject": "s".repeat(256), "committedAt": "2026-01-01T00:00:00Z" },
        "steps": vec![step; 240],
        "green": "g".repeat(128),
        "blue": vec!["b".repeat(128); 16],
        "route": { "weighted": { "green": "A" } },
        "floor": 10_000,
        "pace": {
            "tickSeconds": 10,
            "rolloutTimeoutSeconds": 900,
            "evaluateSeconds": 300,
            "evaluateTimeoutSeconds": 1200,
            "retainSeconds": 1800,
        },
        "environment": { "uid": "u".repeat(64), "generation": 1 },
    })
}

fn last<'a>(status: &'a Value, field: &str) -> &'a Value {
    &status["history"].as_array().and_then(|entries| entries.last()).expect("an entry")[field]
}

/// A status of everything at once: the history, the plan, the template.
fn full_status(length: usize) -> Value {
    let mut status = json!({
        "history": history(length),
        "turn": 7,
        "plan": plan(),
        "template": { "target": target(), "traffic": traffic(), "checks": checks() },
        "progress": { "message": "p".repeat(1024), "healthy": 1, "wanted": 2, "since": "2026-01-01T00:00:00Z" },
    });
    status["state"] = last(&status, "state").clone();
    status["step"] = last(&status, "step").clone();
    status
}

async fn timed(what: &str, server: &Server, object: &Value, part: Part) -> Result<Value, String> {
    let began = Instant::now();
    let answer = server.replace(object, part).await;
    let took = began.elapsed();
    println!("{what}: {took:?}");
    assert!(took < QUICK, "{what} took {took:?}");
    answer
}

#[tokio::test]
async fn a_history_of_512_entries_is_guarded_as_well_as_a_short_one() {
    let server = Server::start("full-size").await;
    let mut object = server.create(&deployment(), Stay::Yes).await.expect("a Deployment");
    assert_eq!(
        object["status"]["observedGeneration"], -1,
        "kstatus takes a new object for current otherwise"
    );

    object["status"] = full_status(511);
    let stored = timed("511 entries at once", &server, &object, Part::Status).await.expect("room for them");
    let full = |status: Value| {
        let mut object = stored.clone();
        object["status"] = status;
        object
    };
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut object = full(full_status(511));
        change(&mut object["status"]);
        object
    };

    let refusals = [
        (
            "an entry rewritten",
            changed(&|status| status["history"][255]["message"] = json!("other")),
            "what happened can't be rewritten",
        ),
        ("entries taken away", full(full_status(510)), "the history only grows"),
        (
            "an entry replaced by a later one",
            changed(&|status| status["history"][255]["sequence"] = json!(511)),
            "the history has no gaps",
        ),
        (
            "a message too long",
            changed(&|status| append(status, 511, 1025)),
            "may not be more than 1024 bytes",
        ),
        (
            "another step",
            changed(&|status| status["step"] = json!(3)),
            "state and step repeat the last entry",
        ),
        ("another plan", changed(&|status| status["plan"]["floor"] = json!(1)), "the plan is decided once"),
        (
            "another template",
            changed(&|status| status["template"]["checks"] = json!([])),
            "the template is frozen with the plan",
        ),
    ];
    for (what, object, sentence) in refusals {
        let refusal = timed(what, &server, &object, Part::Status).await.expect_err(what);
        assert!(refusal.contains(sentence), "{what}: {refusal}");
    }

    let object = changed(&|status| append(status, 511, 1024));
    let mut stored = timed("the 512th entry", &server, &object, Part::Status).await.expect("room for it");
    let mut one_more = stored.clone();
    append(&mut one_more["status"], 512, 1);
    let refusal = timed("the 513th entry", &server, &one_more, Part::Status).await.expect_err("no room");
    assert!(refusal.contains("must have at most 512 items"), "{refusal}");

    stored["spec"]["request"]["end"] = json!("Abort");
    timed("a request on a full object", &server, &stored, Part::Main).await.expect("in time");
}

fn append(status: &mut Value, sequence: usize, message: usize) {
    let next = without_nulls(entry(sequence, "RolloutWait", message));
    status["step"] = next["step"].clone();
    status["state"] = next["state"].clone();
    status["history"].as_array_mut().expect("entries").push(next);
}

#[tokio::test]
async fn an_environment_with_everything_at_its_largest_is_accepted_quickly() {
    let server = Server::start("full-size").await;
    let object = json!({
        "apiVersion": "dryad.dev/v1alpha1",
        "kind": "Environment",
        "metadata": { "name": "e".repeat(52) },
        "spec": {
            "target": target(),
            "traffic": traffic(),
            "replicas": 10_000,
            "source": {
                "repository": format!("https://git.example.com/{}", "r".repeat(480)),
                "branch": format!("a{}", "/a.b".repeat(49)),
                "secretName": "s".repeat(253),
            },
            "evaluate": { "checks": checks() },
        },
    });
    let mut stored = server.create(&object, Stay::Yes).await.expect("an Environment");
    let deployed = json!({
        "release": release(),
        "subject": "s".repeat(256),
        "committedAt": "2026-01-01T00:00:00Z",
        "deployment": "d".repeat(253),
        "uid": "u".repeat(64),
        "turn": 7,
        "since": "2026-01-01T00:00:00Z",
    });
    let group = |n: usize| {
        json!({
            "name": format!("{n}-{}", "g".repeat(120)),
            "place": { "account": "a".repeat(63), "region": "us-east-1" },
            "access": { "loadBalancerRule": {
                "ruleArn": "r".repeat(256),
                "targetGroupArns": ["a".repeat(256), "b".repeat(256)],
            } },
            "owner": "u".repeat(64),
            "turn": 7,
            "role": "Serving",
            "deployed": deployed,
            "held": { "desired": 1, "originalMin": 1, "originalMax": 10_000 },
        })
    };
    stored["status"] = json!({
        "turn": 7,
        "holder": "u".repeat(64),
        "groups": (0..64).map(group).collect::<Vec<_>>(),
        "deployed": deployed,
    });
    let mut stored = timed("a full ledger", &server, &stored, Part::Status).await.expect("room for it");
    stored["status"]["turn"] = json!(8);
    stored["status"]["groups"][63]["role"] = json!("Doomed");
    let mut stored = timed("a change of it", &server, &stored, Part::Status).await.expect("a fair change");
    stored["status"]["groups"][63]["role"] = json!("Serving");
    let refusal = timed("a group taken back", &server, &stored, Part::Status).await.expect_err("refused");
    assert!(refusal.contains("a group that was given up is never taken back"), "{refusal}");
}
