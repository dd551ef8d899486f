//! What this process knows of each Environment's past: whether its record was held against the cloud, and up to which
//! turn.
//!
//! A record is asked about once in the life of a process, and again when it is seen to have gone back, which only a
//! restore can make it do. What was found while a request of the process before could still land counts until none can.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use dryad_machine::name::{Turn, Uid};
use dryad_machine::view::Past;

/// Everybody's past.
#[derive(Debug, Default)]
pub struct Pasts(Mutex<HashMap<Uid, Found>>);

/// What was found of a record: that it is not older than the cloud.
#[derive(Clone, Copy, Debug)]
struct Found {
    /// The highest turn that it has shown.
    turn: Turn,
    /// Until when that counts, in time since the process started; none where it counts for good.
    until: Option<Duration>,
}

impl Found {
    fn covers(self, turn: Turn, now: Duration) -> bool {
        turn >= self.turn && self.until.is_none_or(|until| now < until)
    }
}

impl Pasts {
    /// Whether a record that shows this turn may be gone by at `now`.
    pub fn of(&self, environment: &Uid, turn: Turn, now: Duration) -> Past {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match known.get_mut(environment) {
            Some(found) if found.covers(turn, now) => {
                found.turn = turn;
                Past::Known
            }
            Some(_) | None => Past::Unknown,
        }
    }

    /// The same of a record that a cache may not show yet.
    pub fn of_newer(&self, environment: &Uid, turn: Turn, now: Duration) -> Past {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.get(environment).is_some_and(|found| found.covers(turn, now)) {
            Past::Known
        } else {
            Past::Unknown
        }
    }

    /// Takes note at `now` that a record of this turn is not older than the cloud, in which requests may land until
    /// `certain_from`.
    pub fn settle(&self, environment: &Uid, turn: Turn, certain_from: Duration, now: Duration) {
        let until = (now < certain_from).then_some(certain_from);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(environment.clone(), Found { turn, until });
    }

    /// Until when what was found counts, if not for good.
    pub fn counts_until(&self, environment: &Uid) -> Option<Duration> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(environment).and_then(|found| found.until)
    }

    /// Forgets Environments that exist no more.
    pub fn keep(&self, exists: impl Fn(&Uid) -> bool) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|uid, _| exists(uid));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(100);

    #[test]
    fn a_record_is_known_until_it_goes_back() {
        let (pasts, uid) = (Pasts::default(), Uid::new("e"));
        let turn = |number| pasts.of(&uid, Turn::new(number), NOW);
        assert_eq!(turn(0), Past::Unknown, "nobody asked yet");
        pasts.settle(&uid, Turn::new(3), NOW, NOW);
        let ahead = |number| pasts.of_newer(&uid, Turn::new(number), NOW);
        assert_eq!([ahead(2), ahead(3), ahead(9)], [Past::Unknown, Past::Known, Past::Known]);
        assert_eq!([turn(3), turn(5)], [Past::Known; 2], "the cache may lag behind what was read elsewhere");
        assert_eq!(turn(4), Past::Unknown, "only a restore takes a turn back");
        pasts.settle(&uid, Turn::new(4), Duration::ZERO, NOW);
        assert_eq!(turn(4), Past::Known);
        pasts.keep(|_| false);
        assert_eq!(turn(4), Past::Unknown);
    }

    #[test]
    fn what_was_found_while_something_could_land_counts_until_nothing_can() {
        let (pasts, uid) = (Pasts::default(), Uid::new("e"));
        pasts.settle(&uid, Turn::new(3), Duration::from_secs(200), NOW);
        assert_eq!(pasts.counts_until(&uid), Some(Duration::from_secs(200)));
        for (now, expected) in [(100, Past::Known), (199, Past::Known), (200, Past::Unknown)] {
            let now = Duration::from_secs(now);
            assert_eq!(pasts.of(&uid, Turn::new(3), now), expected, "{now:?}");
            assert_eq!(pasts.of_newer(&uid, Turn::new(3), now), expected, "{now:?}");
        }
        pasts.settle(&uid, Turn::new(3), Duration::from_secs(200), Duration::from_secs(200));
        assert_eq!(pasts.counts_until(&uid), None);
    }
}
