//! What this process knows of each Environment's past: whether its record was held against the cloud, and up to which
//! turn.
//!
//! A record is asked about once in the life of a process, and again when it is seen to have gone back, which only a
//! restore can make it do.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use dryad_machine::name::{Turn, Uid};
use dryad_machine::view::Past;

/// Everybody's past.
#[derive(Debug, Default)]
pub struct Pasts(Mutex<HashMap<Uid, Turn>>);

impl Pasts {
    /// Whether a record that shows this turn may be gone by.
    pub fn of(&self, environment: &Uid, turn: Turn) -> Past {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match known.get_mut(environment) {
            Some(highest) if turn >= *highest => {
                *highest = turn;
                Past::Known
            }
            Some(_) | None => Past::Unknown,
        }
    }

    /// The same of a record that a cache may not show yet.
    pub fn of_newer(&self, environment: &Uid, turn: Turn) -> Past {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.get(environment).is_some_and(|highest| turn >= *highest) {
            Past::Known
        } else {
            Past::Unknown
        }
    }

    /// Takes note that a record of this turn is not older than the cloud.
    pub fn settle(&self, environment: &Uid, turn: Turn) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(environment.clone(), turn);
    }

    /// Forgets Environments that exist no more.
    pub fn keep(&self, exists: impl Fn(&Uid) -> bool) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|uid, _| exists(uid));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_known_until_it_goes_back() {
        let (pasts, uid) = (Pasts::default(), Uid::new("e"));
        let turn = |number| pasts.of(&uid, Turn::new(number));
        assert_eq!(turn(0), Past::Unknown, "nobody asked yet");
        pasts.settle(&uid, Turn::new(3));
        let ahead = |number| pasts.of_newer(&uid, Turn::new(number));
        assert_eq!([ahead(2), ahead(3), ahead(9)], [Past::Unknown, Past::Known, Past::Known]);
        assert_eq!([turn(3), turn(5)], [Past::Known; 2], "the cache may lag behind what was read elsewhere");
        assert_eq!(turn(4), Past::Unknown, "only a restore takes a turn back");
        pasts.settle(&uid, Turn::new(4));
        assert_eq!(turn(4), Past::Known);
        pasts.keep(|_| false);
        assert_eq!(turn(4), Past::Unknown);
    }
}
