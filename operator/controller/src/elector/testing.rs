//! An API server that knows one Lease, with its compare-and-swap and its faults.

use std::convert::Infallible;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard};

use http::{Method, Request, Response, StatusCode};
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};

/// What becomes of the requests from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// They are answered.
    None,
    /// They are answered with this status, and do nothing.
    Refused(u16),
    /// They do nothing, and are never answered.
    Silence,
    /// They take effect, and are never answered.
    Unheard,
}

/// The API server. All clones are one.
#[derive(Clone)]
pub(crate) struct Api(Arc<Mutex<State>>);

struct State {
    lease: Option<Value>,
    version: u64,
    fault: Fault,
    writes: usize,
}

impl Api {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(State { lease: None, version: 0, fault: Fault::None, writes: 0 })))
    }

    pub(crate) fn client(&self) -> Client {
        let api = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let api = api.clone();
            async move { Ok::<_, Infallible>(api.answer(request).await) }
        });
        Client::new(service, "dryad")
    }

    pub(crate) fn fail(&self, fault: Fault) {
        self.state().fault = fault;
    }

    pub(crate) fn delete(&self) {
        self.state().lease = None;
    }

    /// Changes the Lease behind everybody's back.
    pub(crate) fn edit(&self, change: impl FnOnce(&mut Value)) {
        let mut state = self.state();
        let mut lease = state.lease.clone().unwrap_or_else(|| json!({"metadata": {"name": "dryad"}}));
        change(&mut lease);
        state.put(lease);
    }

    pub(crate) fn lease(&self) -> Option<Value> {
        self.state().lease.clone()
    }

    /// How many writes took effect.
    pub(crate) fn writes(&self) -> usize {
        self.state().writes
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let (head, body) = request.into_parts();
        let sent = body.collect_bytes().await.unwrap();
        let fault = self.state().fault;
        let answer = match fault {
            Fault::Refused(code) => failure(StatusCode::from_u16(code).unwrap()),
            Fault::Silence => pending().await,
            Fault::None | Fault::Unheard => self.state().handle(&head.method, &sent),
        };
        if fault == Fault::Unheard { pending().await } else { answer }
    }
}

impl State {
    fn put(&mut self, mut lease: Value) -> Value {
        self.version += 1;
        self.writes += 1;
        lease["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.lease = Some(lease.clone());
        lease
    }

    fn handle(&mut self, method: &Method, sent: &[u8]) -> Response<Body> {
        let sent = || serde_json::from_slice::<Value>(sent).unwrap();
        match (method, self.lease.clone()) {
            (&Method::GET, Some(lease)) => success(&lease),
            (&Method::GET | &Method::PUT, None) => failure(StatusCode::NOT_FOUND),
            (&Method::POST, None) => success(&self.put(sent())),
            (&Method::POST, Some(_)) => failure(StatusCode::CONFLICT),
            (&Method::PUT, Some(lease)) => {
                let (sent, version) = (sent(), &lease["metadata"]["resourceVersion"]);
                if sent["metadata"]["resourceVersion"].is_null() {
                    failure(StatusCode::UNPROCESSABLE_ENTITY)
                } else if sent["metadata"]["resourceVersion"] != *version {
                    failure(StatusCode::CONFLICT)
                } else if sent == lease {
                    success(&lease)
                } else {
                    success(&self.put(sent))
                }
            }
            (other, _) => panic!("an election needs no {other}"),
        }
    }
}

fn success(object: &Value) -> Response<Body> {
    Response::new(Body::from(object.to_string().into_bytes()))
}

fn failure(code: StatusCode) -> Response<Body> {
    let reason = code.canonical_reason().unwrap_or_default().replace(' ', "");
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code.as_u16(),
    });
    Response::builder().status(code).body(Body::from(status.to_string().into_bytes())).unwrap()
}
