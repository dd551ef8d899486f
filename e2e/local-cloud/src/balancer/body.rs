//! Bodies on their way through, and the record that is written when one has passed.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use http::StatusCode;
use http_body_util::combinators::MapErr;
use http_body_util::{BodyExt, Either, Full};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::interruption::Pulse;
use super::record::{Cause, End, Observation, Record};

/// The record of one request. It is handed in when this is dropped, so that no request goes unrecorded; until
/// somebody says otherwise the request ends as abandoned, because then hyper drops it wherever it stands.
#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) record: Record,
    pub(super) started: Instant,
    pub(super) observations: mpsc::UnboundedSender<Observation>,
}

impl Drop for Ledger {
    fn drop(&mut self) {
        self.record.elapsed = self.started.elapsed();
        _ = self.observations.send(Observation::Request(self.record.clone()));
    }
}

/// A request's body, on its way to the target.
#[derive(Debug)]
pub(super) struct Upload {
    pub(super) inner: Incoming,
    pub(super) pulse: Pulse,
}

impl Body for Upload {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(cx);
        if polled.is_ready() {
            self.pulse.beat();
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// What cuts a request, whenever it does.
pub(super) type Interruption = Pin<Box<dyn Future<Output = Cause> + Send>>;

/// A target's answer, on its way to the client.
pub(super) struct Download {
    inner: Incoming,
    status: StatusCode,
    pulse: Pulse,
    interruption: Interruption,
    ledger: Ledger,
    /// Moves the bytes between the target and us; dropping it closes the connection.
    _connection: JoinSet<()>,
}

impl Download {
    pub(super) fn new(
        (status, inner): (StatusCode, Incoming),
        (pulse, interruption): (Pulse, Interruption),
        ledger: Ledger,
        connection: JoinSet<()>,
    ) -> Self {
        let mut download = Self { inner, status, pulse, interruption, ledger, _connection: connection };
        download.moved();
        download
    }

    /// Some of it has passed. A body of known length is not asked for its end by everyone.
    fn moved(&mut self) {
        self.pulse.beat();
        if self.inner.is_end_stream() {
            self.ledger.record.end = End::Answered(self.status);
        }
    }

    fn cut(&mut self, cause: Cause) -> Cut {
        self.ledger.record.end = End::Broken(self.status, cause);
        Cut(cause)
    }
}

impl Body for Download {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        match Pin::new(&mut self.inner).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                self.moved();
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(_))) => Poll::Ready(Some(Err(self.cut(Cause::BadAnswer)))),
            Poll::Ready(None) => {
                self.ledger.record.end = End::Answered(self.status);
                Poll::Ready(None)
            }
            Poll::Pending => self.interruption.as_mut().poll(cx).map(|cause| Some(Err(self.cut(cause)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// A body was cut: what makes hyper break the client's connection, so that half an answer is not taken for one.
#[derive(Debug, thiserror::Error)]
#[error("the answer was cut: {0:?}")]
pub(super) struct Cut(Cause);

/// The body of whatever the client is answered.
pub(super) type Answer = Either<Download, MapErr<Full<Bytes>, fn(Infallible) -> Cut>>;

/// An answer's body that needs no target.
pub(super) fn own(text: impl Into<Bytes>) -> Answer {
    let full: MapErr<_, fn(Infallible) -> Cut> = Full::new(text.into()).map_err(|never| match never {});
    Either::Right(full)
}
