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
    sight: Sight,
}

/// Whether this process has ever seen all objects.
#[derive(Clone, Copy, Debug)]
enum Sight {
    NotYet,
    Whole,
}

/// What the process can be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// Nothing yet: the API server has not answered.
    Starting,
    /// It would take over.
    StandingBy,
    /// It leads, and has yet to see all objects: until then nothing is reconciled.
    Filling,
    /// It leads, and has seen all objects.
    Synced,
}

impl Health {
    /// A process that has just begun, and is taken for dead when it doesn't beat for as long as `silence`.
    pub fn new(silence: Duration) -> Self {
        let vitals = Vitals { beat: Instant::now(), readiness: Readiness::Starting, sight: Sight::NotYet };
        Self { silence, state: Arc::new(Mutex::new(vitals)) }
    }

    /// The main loop is alive, and this is what it can be used for.
    pub fn beat(&self, readiness: Readiness) {
        let mut vitals = self.vitals();
        (vitals.beat, vitals.readiness) = (Instant::now(), readiness);
    }

    /// All objects were seen: what leads from here on is of use.
    pub fn sees_all(&self) {
        self.vitals().sight = Sight::Whole;
    }

    /// Whether the last beat is fresh.
    pub fn is_alive(&self) -> bool {
        self.vitals().beat.elapsed() < self.silence
    }

    /// What the process can be used for, by the last beat and by what it has seen.
    pub fn readiness(&self) -> Readiness {
        let vitals = self.vitals();
        match (vitals.readiness, vitals.sight) {
            (Readiness::Filling, Sight::Whole) => Readiness::Synced,
            (readiness, Sight::Whole | Sight::NotYet) => readiness,
        }
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

    #[tokio::test]
    async fn who_leads_is_of_use_once_all_objects_were_seen() {
        let health = Health::new(Duration::from_secs(30));
        let at = |readiness| {
            health.beat(readiness);
            health.readiness()
        };
        assert_eq!(at(Readiness::Filling), Readiness::Filling);
        health.sees_all();
        assert_eq!(health.readiness(), Readiness::Synced);
        assert_eq!(at(Readiness::Filling), Readiness::Synced, "nor does the next beat take that back");
        assert_eq!(at(Readiness::StandingBy), Readiness::StandingBy);
    }
}
