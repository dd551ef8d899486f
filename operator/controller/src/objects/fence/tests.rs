//! Each thing that can have moved on since a decision, by itself.

use std::convert::Infallible;

use http::{Request, Response, StatusCode};
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};

use super::*;

fn environment_object() -> Value {
    json!({
        "apiVersion": "dryad.dev/v1alpha1",
        "kind": "Environment",
        "metadata": { "namespace": "shop", "name": "web", "uid": "e", "generation": 3 },
        "spec": {
            "target": { "autoScalingGroup": {
                "account": "default",
                "region": "us-east-1",
                "launchTemplate": { "imageId": "ami-0abc0abc", "instanceType": "m7g.large" },
                "subnetIds": ["subnet-0a0a0a0a"],
                "capacity": { "min": 1, "max": 1 },
            } },
        },
        "status": { "turn": 7, "holder": "d" },
    })
}

fn deployment_object() -> Value {
    let entry = |sequence: i64, state: &str| {
        json!({
            "sequence": sequence, "state": state, "reason": "Created", "message": "", "at": "2026-01-01T00:00:00Z",
        })
    };
    json!({
        "apiVersion": "dryad.dev/v1alpha1",
        "kind": "Deployment",
        "metadata": { "namespace": "shop", "name": "web-7", "uid": "d" },
        "spec": { "environment": "web" },
        "status": { "turn": 7, "history": [entry(0, "Pending"), entry(1, "Resolve")] },
    })
}

/// An API server that knows these two objects; null: there is none; a number: it answers so.
fn client(deployment: &Value, environment: &Value) -> Client {
    let (deployment, environment) = (deployment.clone(), environment.clone());
    let service = tower::service_fn(move |request: Request<Body>| {
        let path = request.uri().path();
        let of_deployment = path.ends_with("/namespaces/shop/deployments/web-7");
        assert!(of_deployment || path.ends_with("/namespaces/shop/environments/web"), "{path}");
        assert_eq!(request.uri().query(), None, "without a resourceVersion the quorum answers");
        let found = if of_deployment { &deployment } else { &environment };
        let code = match found {
            Value::Null => 404,
            Value::Number(code) => code.as_u64().and_then(|code| u16::try_from(code).ok()).expect("a code"),
            _ => 200,
        };
        let reason = if code == 404 { "NotFound" } else { "ServiceUnavailable" };
        let failure = json!({ "status": "Failure", "reason": reason, "message": "", "code": code });
        let body = if code == 200 { found } else { &failure };
        let answer = Response::builder().status(StatusCode::from_u16(code).expect("a code"));
        let answer = answer.body(Body::from(body.to_string().into_bytes())).expect("an answer");
        async move { Ok::<_, Infallible>(answer) }
    });
    Client::new(service, "shop")
}

/// The object with this at that place.
fn with(mut object: Value, pointer: &str, value: Value) -> Value {
    *object.pointer_mut(pointer).expect("it is there") = value;
    object
}

/// Who fences off whom.
#[derive(Clone, Copy, Debug)]
enum Who {
    Deployment,
    Orphan,
    Environment,
}

/// What becomes of an effect that was decided on with the objects as they are above.
async fn passes(who: Who, deployment: &Value, environment: &Value) -> Result<(), Fenced> {
    let client = client(deployment, environment);
    let (deployments, environments) =
        (Api::namespaced(client.clone(), "shop"), Api::namespaced(client, "shop"));
    let decided: Deployment = serde_json::from_value(deployment_object()).expect("a Deployment");
    let history = decided.status.as_ref().expect("a status").history().expect("a legal one");
    match who {
        Who::Deployment => super::deployment(&deployments, &environments, &decided, &history).await,
        Who::Orphan => orphan(&deployments, &environments, &decided, &history).await,
        Who::Environment => {
            let decided: Environment = serde_json::from_value(environment_object()).expect("an Environment");
            let tenure = decided.status.as_ref().expect("a status").tenure.clone();
            super::environment(&environments, &decided, &tenure).await
        }
    }
}

#[tokio::test]
async fn what_was_decided_on_passes_and_nothing_else() {
    use Who::{Deployment, Environment, Orphan};
    let (ours, home) = (deployment_object(), environment_object());
    let mut longer = ours.clone();
    let third = with(ours["status"]["history"][1].clone(), "/sequence", json!(2));
    longer["status"]["history"].as_array_mut().expect("a list").push(third);
    let unborn = with(ours.clone(), "/status", Value::Null);
    let other = with(ours.clone(), "/metadata/uid", json!("other"));
    let older = with(ours.clone(), "/status/turn", json!(6));
    let later = with(home.clone(), "/status/turn", json!(8));
    let taken = with(home.clone(), "/status/holder", json!("other"));
    let edited = with(home.clone(), "/metadata/generation", json!(4));
    let again = with(home.clone(), "/metadata/uid", json!("again"));
    let rows = [
        ("as it was", Deployment, &ours, &home, true),
        ("an entry more", Deployment, &longer, &home, false),
        ("no status any more", Deployment, &unborn, &home, false),
        ("another Deployment of that name", Deployment, &other, &home, false),
        ("no Deployment any more", Deployment, &Value::Null, &home, false),
        ("of an earlier turn", Deployment, &older, &home, false),
        ("a later turn", Deployment, &ours, &later, false),
        ("another holder", Deployment, &ours, &taken, false),
        ("no Environment any more", Deployment, &ours, &Value::Null, false),
        ("the spec was edited", Deployment, &ours, &edited, true),
        ("an orphan", Orphan, &ours, &Value::Null, true),
        ("an orphan beside somebody else's", Orphan, &ours, &taken, true),
        ("an orphan that is none", Orphan, &ours, &home, false),
        ("an orphan with an entry more", Orphan, &longer, &Value::Null, false),
        ("as it was", Environment, &ours, &home, true),
        ("the spec was edited", Environment, &ours, &edited, false),
        ("a later turn", Environment, &ours, &later, false),
        ("another Environment of that name", Environment, &ours, &again, false),
        ("no Environment any more", Environment, &ours, &Value::Null, false),
    ];
    for (what, who, deployment, environment, expected) in rows {
        let answer = passes(who, deployment, environment).await;
        let fits = if expected { answer.is_ok() } else { matches!(answer, Err(Fenced::Moved { .. })) };
        assert!(fits, "{who:?}, {what}: {answer:?}");
    }
}

#[tokio::test]
async fn who_can_not_be_asked_lets_nothing_pass() {
    let (ours, home, silent) = (deployment_object(), environment_object(), json!(503));
    for who in [Who::Deployment, Who::Orphan, Who::Environment] {
        let answer = passes(who, &ours, &silent).await;
        assert!(matches!(answer, Err(Fenced::Api(_))), "{who:?}: {answer:?}");
    }
    for who in [Who::Deployment, Who::Orphan] {
        let answer = passes(who, &silent, &home).await;
        assert!(matches!(answer, Err(Fenced::Api(_))), "{who:?}: {answer:?}");
    }
}
