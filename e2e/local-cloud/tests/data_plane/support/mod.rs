//! What the tests share.

pub(crate) mod balancer;
pub(crate) mod client;
pub(crate) mod fifo;
pub(crate) mod target;

use std::future::Future;
use std::time::Duration;

/// Long enough for anything that comes at all, on the busiest machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// So long that a test which waits for it fails.
pub(crate) const NEVER: Duration = Duration::from_hours(1);

/// What is waited for, or a failure that says what did not come.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    let Ok(value) = tokio::time::timeout(PATIENCE, future).await else { panic!("did not come: {what}") };
    value
}
