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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::table::{Group, Target, TargetState};
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn table(states: &[TargetState]) -> Arc<Table> {
        let target = |state: &TargetState| Target {
            id: "t".to_owned(),
            address: ([127, 0, 0, 1], 1).into(),
            state: *state,
        };
        let group = Group { targets: states.iter().map(target).collect(), drain: Duration::ZERO };
        Arc::new(Table::new(vec![], BTreeMap::from([("g".to_owned(), group)])).expect("a sound table"))
    }

    #[tokio::test(start_paused = true)]
    async fn the_drain_time_counts_from_when_the_target_went_and_anew_if_it_came_back() {
        let (tables, current) = watch::channel(table(&[TargetState::Healthy]));
        let start = Instant::now();
        let cut = tokio::spawn(async move {
            let cause = drained(current, "g".to_owned(), "t".to_owned(), 10 * SECOND).await;
            (cause, start.elapsed())
        });
        sleep(100 * SECOND).await;
        tables.send_replace(table(&[TargetState::Draining]));
        sleep(9 * SECOND).await;
        tables.send_replace(table(&[TargetState::NotHealthy]));
        sleep(100 * SECOND).await;
        tables.send_replace(table(&[TargetState::Draining]));
        sleep(4 * SECOND).await;
        // From draining to gone is no coming back.
        tables.send_replace(table(&[]));
        assert_eq!(cut.await.expect("an end"), (Cause::Drained, 219 * SECOND));
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_request_that_has_not_moved_for_the_whole_time_is_still() {
        let (pulse, start) = (Pulse::new(), Instant::now());
        let still = tokio::spawn(pulse.clone().still_for(10 * SECOND));
        for _ in 0..3 {
            sleep(9 * SECOND).await;
            pulse.beat();
        }
        still.await.expect("an end");
        assert_eq!(start.elapsed(), 37 * SECOND);
    }
}
