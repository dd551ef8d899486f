//! Whether this process lives and can be of use, as its probes ask.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The health of one process. Cheap to clone; all clones are one.
#[derive(Clone, Debug)]
pub struct Health {
    silence: Duration,
    state: Arc<Mutex<Vitals>>,
}

#[derive(Debug)]
struct Vitals {
    beat: Instant,
    readiness: Readiness,
}

/// What the process can be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// Nothing yet: the API server has not answered.
    Starting,
    /// It would take over.
    StandingBy,
    /// It leads, and has seen all objects.
    Synced,
}

impl Health {
    /// A process that has just begun, and is taken for dead when it doesn't beat for as long as `silence`.
    pub fn new(silence: Duration) -> Self {
        let vitals = Vitals { beat: Instant::now(), readiness: Readiness::Starting };
        Self { silence, state: Arc::new(Mutex::new(vitals)) }
    }

    /// The main loop is alive, and this is what it can be used for.
    pub fn beat(&self, readiness: Readiness) {
        *self.vitals() = Vitals { beat: Instant::now(), readiness };
    }

    /// Whether the last beat is fresh.
    pub fn is_alive(&self) -> bool {
        self.vitals().beat.elapsed() < self.silence
    }

    /// What the process could be used for at the last beat.
    pub fn readiness(&self) -> Readiness {
        self.vitals().readiness
    }

    fn vitals(&self) -> MutexGuard<'_, Vitals> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_process_that_stops_beating_is_dead_after_the_silence() {
        let health = Health::new(Duration::from_secs(30));
        advance(Duration::from_secs(20)).await;
        health.beat(Readiness::StandingBy);
        advance(Duration::from_secs(29)).await;
        assert!(health.is_alive());
        advance(Duration::from_secs(1)).await;
        assert!(!health.is_alive());
    }
}
