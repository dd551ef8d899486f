//! How long a lease holds, and how soon its holder gives up.

use std::time::Duration;

use thiserror::Error;

/// The three durations of an election, in their order: retry < renew < lease.
///
/// A holder acts for `renew` from the moment it asked for its last successful renewal; the others wait for
/// `lease` from the moment they saw that renewal. The gap between the two is what clocks may differ by in speed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Durations {
    lease: Duration,
    renew: Duration,
    retry: Duration,
}

/// Why three durations make no election.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DurationsError {
    /// The lease is shorter than a Lease object can say, or longer than others will believe.
    #[error("the lease duration must be between 1s and {}s", Durations::LONGEST.as_secs())]
    Lease,
    /// The holder would still act when others may already do so.
    #[error("the renew deadline must be at most nine tenths of the lease duration")]
    Renew,
    /// One lost answer would end a leadership.
    #[error("the retry period must be more than zero and at most half the renew deadline")]
    Retry,
}

impl Durations {
    /// The longest lease there is. What a Lease claims beyond it is not believed, so that a garbled one doesn't
    /// stop the operator for good.
    pub const LONGEST: Duration = Duration::from_secs(600);

    /// # Errors
    /// When the three don't leave room for one another.
    pub fn new(lease: Duration, renew: Duration, retry: Duration) -> Result<Self, DurationsError> {
        if lease < Duration::from_secs(1) || lease > Self::LONGEST {
            Err(DurationsError::Lease)
        } else if renew > lease * 9 / 10 {
            Err(DurationsError::Renew)
        } else if retry.is_zero() || retry > renew / 2 {
            Err(DurationsError::Retry)
        } else {
            Ok(Self { lease, renew, retry })
        }
    }

    /// How long a lease holds after its last renewal was seen.
    pub fn lease(self) -> Duration {
        self.lease
    }

    /// How long its holder acts on one renewal.
    pub fn renew(self) -> Duration {
        self.renew
    }

    /// How long to wait between two rounds.
    pub fn retry(self) -> Duration {
        self.retry
    }

    /// How long one request may take, so that a holder has more than one try.
    pub fn patience(self) -> Duration {
        self.renew / 2
    }
}

/// What Kubernetes' own controllers use.
impl Default for Durations {
    fn default() -> Self {
        Self { lease: Duration::from_secs(15), renew: Duration::from_secs(10), retry: Duration::from_secs(2) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_keep_the_rule() {
        let Durations { lease, renew, retry } = Durations::default();
        assert_eq!(Durations::new(lease, renew, retry), Ok(Durations::default()));
    }

    #[test]
    fn durations_without_room_for_one_another_are_refused() {
        let new = |lease, renew, retry| {
            Durations::new(
                Duration::from_millis(lease),
                Duration::from_millis(renew),
                Duration::from_millis(retry),
            )
        };
        assert_eq!(new(999, 500, 100), Err(DurationsError::Lease));
        assert_eq!(new(601_000, 500, 100), Err(DurationsError::Lease));
        assert_eq!(new(10_000, 9001, 100), Err(DurationsError::Renew));
        assert_eq!(new(10_000, 9000, 4501), Err(DurationsError::Retry));
        assert_eq!(new(10_000, 9000, 0), Err(DurationsError::Retry));
        assert!(new(10_000, 9000, 4500).is_ok());
    }
}
