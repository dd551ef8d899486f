//! Kubernetes Events: transitions, told where `kubectl describe` and `kubectl get events` show them.
//!
//! The history in the object's status is the record; an Event is a courtesy. One that can't be published is
//! logged and counted, and holds a tick up for three seconds at most.

use std::time::Duration;

use dryad_machine::event::Reason;
use dryad_machine::history::Entry;
use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use tokio::time::timeout;
use tracing::warn;

use crate::process::metrics::Metrics;

/// What `reportingController` says.
const CONTROLLER: &str = "dryad.dev/operator";
/// The API's limit on a note, in bytes.
const LONGEST_NOTE: usize = 1024;
/// The API's limit on the name of the reporting instance, in bytes.
const LONGEST_INSTANCE: usize = 128;
/// How long publishing one may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// Publishes Events.
#[derive(Clone)]
pub struct Events {
    recorder: Recorder,
    metrics: Metrics,
}

impl Events {
    /// Publishes as the pod of this name.
    pub fn new(client: Client, pod: &str, metrics: Metrics) -> Self {
        let instance = Some(cut(pod, LONGEST_INSTANCE));
        let reporter = Reporter { controller: CONTROLLER.to_owned(), instance };
        Self { recorder: Recorder::new(client, reporter), metrics }
    }

    /// Tells of an entry that was just appended to the history of `about`.
    pub async fn transition(&self, about: &ObjectReference, entry: &Entry) {
        let event = Event {
            type_: severity(entry.reason),
            reason: entry.reason.name().to_owned(),
            note: Some(cut(&entry.message, LONGEST_NOTE)),
            action: action(entry),
            secondary: None,
        };
        self.publish(about, &event).await;
    }

    /// Tells that groups were taken over into the Environment `about` from a record that was lost.
    pub async fn adopted(&self, about: &ObjectReference, note: &str) {
        self.told(about, EventType::Warning, ["Adopted", "Restore"], note).await;
    }

    /// Tells which groups the Environment `about` has left behind.
    pub async fn retained(&self, about: &ObjectReference, note: &str) {
        self.told(about, EventType::Normal, ["Retained", "Delete"], note).await;
    }

    async fn told(&self, about: &ObjectReference, type_: EventType, [reason, action]: [&str; 2], note: &str) {
        let event = Event {
            type_,
            reason: reason.to_owned(),
            note: Some(cut(note, LONGEST_NOTE)),
            action: action.to_owned(),
            secondary: None,
        };
        self.publish(about, &event).await;
    }

    async fn publish(&self, about: &ObjectReference, event: &Event) {
        let name = about.name.as_deref().unwrap_or_default();
        match timeout(PATIENCE, self.recorder.publish(event, about)).await {
            Ok(Ok(())) => {}
            Ok(Err(failure)) => {
                self.metrics.event_lost();
                warn!(about = name, reason = event.reason, error = %failure, "an Event could not be published");
            }
            Err(_) => {
                self.metrics.event_lost();
                warn!(about = name, reason = event.reason, "the API server did not answer about an Event");
            }
        }
    }
}

/// The state entered, with its step: what makes two transitions different, so that they are not counted as one
/// that occurred twice.
fn action(entry: &Entry) -> String {
    match entry.step {
        Some(step) => format!("{}{step}", entry.state),
        None => entry.state.to_string(),
    }
}

/// Whether somebody should look: what happened is not what somebody asked for.
fn severity(reason: Reason) -> EventType {
    match reason {
        Reason::Created
        | Reason::TurnTaken
        | Reason::ReleaseResolved
        | Reason::PrepareOk
        | Reason::RolloutOk
        | Reason::EvaluateOk
        | Reason::EvaluationSkipped
        | Reason::RetainElapsed
        | Reason::RetireOk
        | Reason::RollbackOk
        | Reason::AbortRequested
        | Reason::RollbackRequested
        | Reason::DeploymentDeleted
        | Reason::EnvironmentDeleted
        | Reason::Superseded => EventType::Normal,
        Reason::ReleaseRejected
        | Reason::NotPermitted
        | Reason::LaunchRefused
        | Reason::CheckFailed
        | Reason::TimedOut
        | Reason::GreenLost
        | Reason::EnvironmentGone
        | Reason::BlueLost
        | Reason::Restored
        | Reason::TurnLost => EventType::Warning,
    }
}

/// The text, cut to so many bytes without breaking a character, and seen to be cut.
fn cut(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(limit - '…'.len_utf8());
    format!("{}…", &text[..end])
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::future::pending;
    use std::sync::{Arc, Mutex};

    use dryad_machine::state::State;
    use http::{Method, Request, Response, StatusCode};
    use jiff::Timestamp;
    use kube::client::Body;
    use prometheus_client::encoding::text::encode;
    use prometheus_client::registry::Registry;
    use serde_json::{Value, json};

    use super::*;

    /// An API server that takes Events, and remembers how they came.
    #[derive(Clone, Default)]
    struct Taking(Arc<Mutex<Vec<(Method, Value)>>>);

    impl Taking {
        fn client(&self) -> Client {
            let taken = self.0.clone();
            let service = tower::service_fn(move |request: Request<Body>| {
                let taken = taken.clone();
                async move {
                    let (head, body) = request.into_parts();
                    let body = body.collect_bytes().await.unwrap();
                    assert!(head.uri.path().starts_with("/apis/events.k8s.io/v1/namespaces/shop/events"));
                    taken.lock().unwrap().push((head.method, serde_json::from_slice(&body).unwrap()));
                    Ok::<_, Infallible>(Response::new(Body::from(body.to_vec())))
                }
            });
            Client::new(service, "shop")
        }

        fn all(&self) -> Vec<(Method, Value)> {
            self.0.lock().unwrap().clone()
        }
    }

    fn events(client: Client) -> (Events, Registry) {
        let mut registry = Registry::default();
        let metrics = Metrics::new(&mut registry);
        (Events::new(client, "dryad-0", metrics), registry)
    }

    fn about() -> ObjectReference {
        ObjectReference {
            kind: Some("Deployment".to_owned()),
            namespace: Some("shop".to_owned()),
            name: Some("web-42".to_owned()),
            ..ObjectReference::default()
        }
    }

    fn entry(step: i64, reason: Reason, message: &str) -> Entry {
        let message = message.to_owned();
        Entry {
            sequence: 3,
            step: Some(step),
            state: State::RolloutWait,
            reason,
            message,
            at: Timestamp::UNIX_EPOCH,
        }
    }

    #[tokio::test]
    async fn a_transition_is_told_of_in_the_words_of_the_history() {
        let api = Taking::default();
        let (events, _) = events(api.client());
        events.transition(&about(), &entry(2, Reason::EvaluateOk, "every check is good")).await;
        let [(method, event)] = api.all().try_into().unwrap();
        assert_eq!(method, Method::POST);
        let said = ["type", "reason", "action", "note", "reportingController", "reportingInstance"];
        assert_eq!(
            said.map(|field| event[field].clone()),
            ["Normal", "EvaluateOk", "RolloutWait2", "every check is good", CONTROLLER, "dryad-0"]
        );
        assert_eq!(event["regarding"]["name"], "web-42");
    }

    #[tokio::test]
    async fn what_nobody_asked_for_is_a_warning() {
        let api = Taking::default();
        let (events, _) = events(api.client());
        for reason in Reason::ALL {
            events.transition(&about(), &entry(1, reason, "")).await;
        }
        let told = api.all();
        let warnings: Vec<_> = told
            .iter()
            .filter(|(_, event)| event["type"] == "Warning")
            .map(|(_, event)| &event["reason"])
            .collect();
        let expected = [
            "ReleaseRejected",
            "NotPermitted",
            "LaunchRefused",
            "CheckFailed",
            "TimedOut",
            "GreenLost",
            "BlueLost",
            "EnvironmentGone",
            "Restored",
            "TurnLost",
        ];
        assert_eq!(warnings, expected);
    }

    #[tokio::test]
    async fn the_next_step_is_told_of_by_itself_and_not_as_the_last_one_again() {
        let api = Taking::default();
        let (events, _) = events(api.client());
        for step in [1, 2] {
            events.transition(&about(), &entry(step, Reason::EvaluateOk, "")).await;
        }
        assert!(api.all().iter().all(|(method, _)| method == Method::POST));
    }

    #[tokio::test]
    async fn a_long_note_is_cut_to_the_limit_between_two_characters() {
        let api = Taking::default();
        let (events, _) = events(api.client());
        events.transition(&about(), &entry(1, Reason::TimedOut, &"é".repeat(600))).await;
        let [(_, event)] = api.all().try_into().unwrap();
        let note = event["note"].as_str().unwrap();
        assert_eq!(note, format!("{}…", "é".repeat(510)));
        assert!(note.len() <= LONGEST_NOTE);
    }

    #[tokio::test(start_paused = true)]
    async fn an_event_that_is_refused_or_never_answered_is_counted_and_no_more() {
        let refusing = tower::service_fn(async |_: Request<Body>| {
            let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 403});
            let response = Response::builder().status(StatusCode::FORBIDDEN);
            Ok::<_, Infallible>(response.body(Body::from(status.to_string().into_bytes())).unwrap())
        });
        let silent =
            tower::service_fn(async |_: Request<Body>| pending::<Result<Response<Body>, Infallible>>().await);
        for client in [Client::new(refusing, "shop"), Client::new(silent, "shop")] {
            let (events, registry) = events(client);
            events.transition(&about(), &entry(1, Reason::TimedOut, "too late")).await;
            let mut text = String::new();
            encode(&mut text, &registry).unwrap();
            assert!(text.contains("dryad_events_lost_total 1"), "{text}");
        }
    }
}
