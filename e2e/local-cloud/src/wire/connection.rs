//! Ending a connection without an answer.

use std::io;

use axum::body::{Body, Bytes};
use axum::http::Response;
use futures::stream;

/// A response that is none: the body fails before the head has left, and the server hangs up.
pub(super) fn hang_up() -> Response<Body> {
    let lost = io::Error::new(io::ErrorKind::ConnectionAborted, "a fault rule lost this answer");
    Response::new(Body::from_stream(stream::iter([Err::<Bytes, _>(lost)])))
}
