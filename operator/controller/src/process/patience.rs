//! How long the API server may take to begin an answer.
//!
//! The client itself waits for ever: a tick whose connection had gone silent, as when one of several API servers dies,
//! would never end, and no other would begin. What comes after the head of an answer is not bounded here: a watch goes on
//! for as long as it likes, and minds its own silence.

use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use http::{Request, Response};
use thiserror::Error;
use tower::{BoxError, Layer, Service};

/// How long to wait.
#[derive(Clone, Copy, Debug)]
pub struct Patience(Duration);

/// It was too long. Whether the request took effect is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("no answer within {0:?}")]
pub struct Unanswered(Duration);

impl Patience {
    /// To wait for so long.
    pub fn new(longest: Duration) -> Self {
        Self(longest)
    }
}

impl<S> Layer<S> for Patience {
    type Service = Waiting<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Waiting { inner, patience: *self }
    }
}

/// A service whose answers are waited for.
#[derive(Clone, Debug)]
pub struct Waiting<S> {
    inner: S,
    patience: Patience,
}

impl<S, A, B> Service<Request<A>> for Waiting<S>
where
    S: Service<Request<A>, Response = Response<B>>,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        let (answer, Patience(longest)) = (self.inner.call(request), self.patience);
        Box::pin(async move {
            match tokio::time::timeout(longest, answer).await {
                Ok(answer) => answer.map_err(Into::into),
                Err(_) => Err(Unanswered(longest).into()),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use tower::{ServiceBuilder, ServiceExt, service_fn};

    use super::*;

    /// What is made of an answer that takes so many seconds.
    async fn answered_after(seconds: u64) -> Result<(), BoxError> {
        let slow = service_fn(move |_: Request<()>| async move {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            Ok::<_, Infallible>(Response::new(()))
        });
        let patience = Patience::new(Duration::from_secs(10));
        let answer = ServiceBuilder::new().layer(patience).service(slow).oneshot(Request::new(())).await;
        answer.map(|_| ())
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_does_not_come_is_an_error_in_the_end() {
        assert!(answered_after(9).await.is_ok());
        assert_eq!(answered_after(11).await.unwrap_err().to_string(), "no answer within 10s");
    }
}
