//! What time it is: the API server's clock, carried on by this process's own.
//!
//! Histories are written by whichever replica leads, so their times must come from one clock, and the one
//! that all replicas share is the API server's: its `Date` header, seen on every answer. Between two answers
//! the monotonic clock carries it on. It is exact to a second, which is what a header holds.

use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use dryad_machine::memory::Now;
use futures::future::BoxFuture;
use http::header::DATE;
use http::{Request, Response};
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use tower::{Layer, Service};

/// The two clocks of this process. Cheap to clone; all clones are one.
#[derive(Clone, Debug)]
pub struct Clock {
    start: Instant,
    server: Arc<Mutex<Option<(Timestamp, Instant)>>>,
}

impl Default for Clock {
    fn default() -> Self {
        Self { start: Instant::now(), server: Arc::default() }
    }
}

impl Clock {
    /// Time since this process started.
    pub fn mono(&self) -> Duration {
        self.start.elapsed()
    }

    /// Both clocks, now. Before the first answer of the API server the wall clock is this machine's own.
    pub fn now(&self) -> Now {
        let server = *self.server.lock().unwrap_or_else(PoisonError::into_inner);
        let wall =
            server.map_or_else(Timestamp::now, |(date, at)| date.checked_add(at.elapsed()).unwrap_or(date));
        Now { wall, mono: self.mono() }
    }

    fn heard(&self, date: Timestamp) {
        *self.server.lock().unwrap_or_else(PoisonError::into_inner) = Some((date, Instant::now()));
    }
}

/// Lets the clock hear every answer that passes.
impl<S> Layer<S> for Clock {
    type Service = Listening<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Listening { inner, clock: self.clone() }
    }
}

/// A service that the clock listens to.
#[derive(Clone, Debug)]
pub struct Listening<S> {
    inner: S,
    clock: Clock,
}

impl<S, A, B> Service<Request<A>> for Listening<S>
where
    S: Service<Request<A>, Response = Response<B>>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        let (clock, answer) = (self.clock.clone(), self.inner.call(request));
        Box::pin(async move {
            let answer = answer.await?;
            if let Some(date) = answer.headers().get(DATE).and_then(|date| date.to_str().ok())
                && let Ok(date) = rfc2822::parse(date)
            {
                clock.heard(date.timestamp());
            }
            Ok(answer)
        })
    }
}

#[cfg(test)]
mod tests {
    use tower::{ServiceBuilder, ServiceExt, service_fn};

    use super::*;

    #[tokio::test]
    async fn the_wall_clock_is_the_api_servers() {
        let clock = Clock::default();
        let answer = service_fn(async |_: Request<()>| {
            let response = Response::builder().header(DATE, "Sun, 06 Nov 1994 08:49:37 GMT");
            Ok::<_, std::convert::Infallible>(response.body(()).unwrap())
        });
        ServiceBuilder::new().layer(clock.clone()).service(answer).oneshot(Request::new(())).await.unwrap();
        let expected: Timestamp = "1994-11-06T08:49:37Z".parse().unwrap();
        assert!(clock.now().wall.duration_since(expected).as_secs() < 60, "{:?}", clock.now());
    }
}
