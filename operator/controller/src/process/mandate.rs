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

#[cfg(test)]
mod tests {
    use tokio::sync::watch;

    use super::*;
    use crate::elector::{Epoch, Leadership, Standing};

    /// A process can be stopped for any length of time between two lines, and wake up with what it knew then.
    #[tokio::test(start_paused = true)]
    async fn who_does_not_lead_at_this_very_instant_may_not_act() {
        const LEASE: Duration = Duration::from_secs(10);
        let (standing, watched) = watch::channel(Standing::Asking);
        let mandate = Mandate::new(Seat::new(watched), Takeover::Clean, Duration::ZERO, Duration::ZERO);
        let valid_until = Instant::now() + LEASE;
        let leads = Leadership { epoch: Epoch::default(), takeover: Takeover::Clean, valid_until };
        for (stands, may_act) in [
            (Standing::Asking, false),
            (Standing::Standby, false),
            (Standing::Leading(leads), true),
            (Standing::Over, false),
        ] {
            standing.send_replace(stands);
            assert_eq!(mandate.may_act(), may_act, "{stands:?}");
        }
        standing.send_replace(Standing::Leading(leads));
        tokio::time::advance(LEASE).await;
        assert!(!mandate.may_act(), "it has run out, though nobody has said so yet");
    }

    #[tokio::test]
    async fn only_who_let_go_by_itself_left_nothing_under_way() {
        let (start, uncertainty) = (Duration::from_secs(7), Duration::from_secs(300));
        let (_, watched) = watch::channel(Standing::Asking);
        let certain_from =
            |takeover| Mandate::new(Seat::new(watched.clone()), takeover, start, uncertainty).certain_from();
        assert_eq!(certain_from(Takeover::Clean), Duration::ZERO);
        assert_eq!(certain_from(Takeover::First), start + uncertainty);
        assert_eq!(certain_from(Takeover::Unclean), start + uncertainty);
    }
}
