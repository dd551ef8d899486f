//! One request: picked a target, passed on, and its answer passed back.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response, StatusCode, Uri, Version};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::body::{Answer, Download, Interruption, Ledger, Upload, own};
use super::headers;
use super::interruption::{Pulse, drained};
use super::listener::Timeouts;
use super::picker::{Pick, Picker};
use super::record::{Cause, End, Observation, Record};
use super::table::{FixedResponse, Table};

/// What all requests of a listener share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) address: SocketAddr,
    pub(super) tables: watch::Receiver<Arc<Table>>,
    pub(super) picker: Mutex<Picker>,
    pub(super) timeouts: Timeouts,
    pub(super) observations: mpsc::UnboundedSender<Observation>,
}

/// Where one request goes.
struct Chosen {
    address: SocketAddr,
    /// Ends when the request must.
    interruption: Interruption,
    pulse: Pulse,
}

impl Shared {
    pub(super) async fn answer(&self, client: SocketAddr, request: Request<Incoming>) -> Response<Answer> {
        let mut ledger = self.open(&request);
        match self.choose(&request, &mut ledger.record) {
            Ok(chosen) => self.forward(client, request, chosen, ledger).await,
            Err(Unforwarded::Fixed(fixed)) => {
                ledger.record.end = End::Answered(fixed.status);
                let mut response = Response::new(own(fixed.body));
                *response.status_mut() = fixed.status;
                if let Ok(content_type) = HeaderValue::from_str(&fixed.content_type) {
                    response.headers_mut().insert(CONTENT_TYPE, content_type);
                }
                response
            }
            Err(Unforwarded::Nobody(status)) => refuse(ledger, status, Cause::NoTarget),
        }
    }

    fn open(&self, request: &Request<Incoming>) -> Ledger {
        let record = Record {
            at: Timestamp::now(),
            elapsed: std::time::Duration::ZERO,
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
            rule: None,
            group: None,
            target: None,
            end: End::Abandoned,
        };
        Ledger { record, started: Instant::now(), observations: self.observations.clone() }
    }

    /// Asks the table that stands now; what was picked goes on record.
    fn choose(&self, request: &Request<Incoming>, record: &mut Record) -> Result<Chosen, Unforwarded> {
        let table = self.tables.borrow().clone();
        let mut picker = self.picker.lock().unwrap_or_else(PoisonError::into_inner);
        match picker.pick(&table, request) {
            Pick::NoRule => Err(Unforwarded::Nobody(StatusCode::NOT_FOUND)),
            Pick::Fixed { rule, response } => {
                record.rule = Some(rule.id.clone());
                Err(Unforwarded::Fixed(response.clone()))
            }
            Pick::NoTarget { rule, group } => {
                record.rule = Some(rule.id.clone());
                record.group = group.map(str::to_owned);
                Err(Unforwarded::Nobody(StatusCode::SERVICE_UNAVAILABLE))
            }
            Pick::Target { rule, group, name, target } => {
                record.rule = Some(rule.id.clone());
                record.group = Some(name.to_owned());
                record.target = Some(target.id.clone());
                let pulse = Pulse::new();
                let still = pulse.clone().still_for(self.timeouts.idle);
                let drained = drained(self.tables.clone(), name.to_owned(), target.id.clone(), group.drain);
                let interruption = Box::pin(async move {
                    tokio::select! {
                        () = still => Cause::Timeout,
                        cause = drained => cause,
                    }
                });
                Ok(Chosen { address: target.address, interruption, pulse })
            }
        }
    }

    async fn forward(
        &self,
        client: SocketAddr,
        request: Request<Incoming>,
        chosen: Chosen,
        ledger: Ledger,
    ) -> Response<Answer> {
        let Chosen { address, mut interruption, pulse } = chosen;
        // A connection for each request: an idle one that the target is just closing would fail a request that
        // nothing is wrong with.
        let stream = match timeout(self.timeouts.connect, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(_)) => return refuse(ledger, StatusCode::BAD_GATEWAY, Cause::Unreachable),
            Err(_) => return refuse(ledger, StatusCode::GATEWAY_TIMEOUT, Cause::Timeout),
        };
        // It only costs speed where it fails.
        _ = stream.set_nodelay(true);
        let mut connections = JoinSet::new();
        let sent = async {
            let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
            connections.spawn(async { _ = connection.await });
            sender.send_request(self.to_target(client, request, pulse.clone())).await
        };
        let answer = tokio::select! {
            answer = sent => answer.map_err(|_| Cause::BadAnswer),
            cause = &mut interruption => Err(cause),
        };
        match answer {
            Ok(response) => {
                let (mut head, body) = response.into_parts();
                headers::end_to_end(&mut head.headers);
                head.version = Version::HTTP_11;
                let download = Download::new((head.status, body), (pulse, interruption), ledger, connections);
                Response::from_parts(head, Answer::Left(download))
            }
            Err(Cause::Timeout) => refuse(ledger, StatusCode::GATEWAY_TIMEOUT, Cause::Timeout),
            Err(cause) => refuse(ledger, StatusCode::BAD_GATEWAY, cause),
        }
    }

    fn to_target(&self, client: SocketAddr, request: Request<Incoming>, pulse: Pulse) -> Request<Upload> {
        let (mut head, inner) = request.into_parts();
        headers::to_target(&mut head.headers, client.ip(), self.address);
        head.version = Version::HTTP_11;
        head.uri = head.uri.path_and_query().cloned().map_or_else(|| Uri::from_static("/"), Uri::from);
        Request::from_parts(head, Upload { inner, pulse })
    }
}

/// Why a request goes to no target.
enum Unforwarded {
    Fixed(FixedResponse),
    Nobody(StatusCode),
}

/// The balancer's own answer in the place of a target's.
fn refuse(mut ledger: Ledger, status: StatusCode, cause: Cause) -> Response<Answer> {
    ledger.record.end = End::Refused(status, cause);
    let mut response = Response::new(own(format!("{status}\n")));
    *response.status_mut() = status;
    response
}
