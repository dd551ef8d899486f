//! For how long the cloud was seen.

use std::time::Duration;

/// Looks further apart than so many ticks count as no further apart: nobody was watching in between. Less would be short
/// of what a throttled cloud needs from one look to the next.
const FURTHEST: u32 = 6;

/// The time from one look to the next, all together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Watch {
    so_far: Duration,
    last: Option<Duration>,
}

impl Watch {
    pub(super) fn looked(&mut self, at: Duration, tick: Duration) {
        let since = self.last.map_or(Duration::ZERO, |last| at.saturating_sub(last));
        self.so_far += since.min(tick * FURTHEST);
        self.last = Some(at);
    }

    pub(super) fn so_far(self) -> Duration {
        self.so_far
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_saw_is_not_counted() {
        let mut watch = Watch::default();
        let so_far = [100, 110, 140, 4_000, 4_010].map(|second| {
            watch.looked(Duration::from_secs(second), Duration::from_secs(10));
            watch.so_far().as_secs()
        });
        assert_eq!(so_far, [0, 10, 40, 100, 110]);
    }
}
