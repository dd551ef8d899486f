//! The mandate: whether this process may act, and what its predecessor may have left under way.

use std::time::Duration;

use tokio::time::Instant;

use crate::elector::{Seat, Takeover};

/// A leadership that was won, as the ticks see it.
#[derive(Clone, Debug)]
pub struct Mandate {
    seat: Seat,
    certain_from: Duration,
}

impl Mandate {
    /// The mandate of a leadership that began with `takeover`, `since_start` after the process did. Unless the
    /// predecessor let go by itself, its requests may land until `uncertainty` has passed.
    pub fn new(seat: Seat, takeover: Takeover, since_start: Duration, uncertainty: Duration) -> Self {
        let certain_from = match takeover {
            Takeover::Clean => Duration::ZERO,
            Takeover::First | Takeover::Unclean => since_start + uncertainty,
        };
        Self { seat, certain_from }
    }

    /// Whether this process leads at this instant.
    pub fn may_act(&self) -> bool {
        self.seat.leadership().is_some_and(|leadership| leadership.is_valid(Instant::now()))
    }

    /// From when on no request of a predecessor can land any more, in time since this process started.
    pub fn certain_from(&self) -> Duration {
        self.certain_from
    }
}
