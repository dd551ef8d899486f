//! What may cut a request short: its target is drained, or silent.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::record::Cause;
use super::table::Table;

/// When a request last moved, in either direction.
#[derive(Debug, Clone)]
pub(super) struct Pulse {
    start: Instant,
    millis: Arc<AtomicU64>,
}

impl Pulse {
    pub(super) fn new() -> Self {
        Self { start: Instant::now(), millis: Arc::default() }
    }

    /// It has moved now.
    pub(super) fn beat(&self) {
        let millis = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.millis.store(millis, Ordering::Relaxed);
    }

    fn last(&self) -> Instant {
        self.start + Duration::from_millis(self.millis.load(Ordering::Relaxed))
    }

    /// Ends when nothing has moved for so long.
    pub(super) async fn still_for(self, idle: Duration) {
        while self.last().elapsed() < idle {
            sleep_until(self.last() + idle).await;
        }
    }
}

/// Ends when a request's target has not been admitted for the whole of its group's drain time.
pub(super) async fn drained(
    mut tables: watch::Receiver<Arc<Table>>,
    group: String,
    target: String,
    drain: Duration,
) -> Cause {
    loop {
        // An error means that the listener is gone, and with it whoever could drain the target.
        if tables.wait_for(|table| !table.admits(&group, &target)).await.is_err() {
            return std::future::pending().await;
        }
        tokio::select! {
            () = sleep(drain) => return Cause::Drained,
            Ok(_) = tables.wait_for(|table| table.admits(&group, &target)) => {}
        }
    }
}
