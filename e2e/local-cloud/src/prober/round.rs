//! Which target is checked when. Pure: it is told the time.

use std::collections::BTreeMap;

use tokio::time::Instant;

use super::check::{Registration, Watched};

/// Everything that is watched.
#[derive(Debug, Default)]
pub(super) struct Round {
    entries: BTreeMap<Registration, Entry>,
}

#[derive(Debug)]
struct Entry {
    watched: Watched,
    due: Instant,
    under_way: bool,
}

impl Round {
    /// Watches exactly these from now on.
    pub(super) fn adopt(&mut self, targets: Vec<Watched>, now: Instant) {
        let mut old = std::mem::take(&mut self.entries);
        for watched in targets {
            let entry = match old.remove(&watched.registration) {
                // A shorter interval counts from now on, not only after the next check.
                Some(entry) => Entry { due: entry.due.min(now + watched.check.interval), watched, ..entry },
                None => Entry { watched, due: now, under_way: false },
            };
            self.entries.insert(entry.watched.registration.clone(), entry);
        }
    }

    /// When the next check begins. A target whose last check is still under way has to wait for it.
    pub(super) fn due(&self) -> Option<Instant> {
        self.entries.values().filter(|entry| !entry.under_way).map(|entry| entry.due).min()
    }

    /// The checks that begin now.
    pub(super) fn begin(&mut self, now: Instant) -> Vec<Watched> {
        let due = self.entries.values_mut().filter(|entry| !entry.under_way && entry.due <= now);
        due.map(|entry| {
            entry.under_way = true;
            entry.due = now + entry.watched.check.interval;
            entry.watched.clone()
        })
        .collect()
    }

    /// A check has ended. Says whether its target is still watched: of others it says nothing.
    pub(super) fn conclude(&mut self, registration: &Registration) -> bool {
        let entry = self.entries.get_mut(registration);
        entry.map(|entry| entry.under_way = false).is_some()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::check::{Check, CheckPort};
    use super::*;

    fn watched(target: &str) -> Watched {
        Watched {
            registration: Registration { group: "g".to_owned(), target: target.to_owned(), number: 1 },
            address: ([127, 0, 0, 1], 1).into(),
            check: Check {
                path: "/".to_owned(),
                port: CheckPort::Traffic,
                interval: Duration::from_secs(10),
                timeout: Duration::from_mins(1),
                matcher: "200".parse().expect("a matcher"),
            },
        }
    }

    #[test]
    fn a_slow_target_is_waited_for_while_the_others_go_on() {
        let names = |begun: Vec<Watched>| -> Vec<String> {
            begun.into_iter().map(|watched| watched.registration.target).collect()
        };
        let (slow, quick) = (watched("slow"), watched("quick"));
        let (start, later) = (Instant::now(), |seconds| Duration::from_secs(seconds));
        let mut round = Round::default();
        round.adopt(vec![slow.clone(), quick.clone()], start);
        assert_eq!(names(round.begin(start)), ["quick", "slow"]);
        assert_eq!(round.due(), None);

        round.conclude(&quick.registration);
        assert_eq!(round.due(), Some(start + later(10)));
        assert_eq!(names(round.begin(start + later(15))), ["quick"]);
        round.conclude(&slow.registration);
        assert_eq!(names(round.begin(start + later(15))), ["slow"]);
    }

    #[test]
    fn a_shorter_interval_counts_at_once() {
        let (before, start) = (watched("t"), Instant::now());
        let mut round = Round::default();
        round.adopt(vec![before.clone()], start);
        round.begin(start);
        round.conclude(&before.registration);
        let mut after = before;
        after.check.interval = Duration::from_secs(2);
        round.adopt(vec![after], start + Duration::from_secs(1));
        assert_eq!(round.due(), Some(start + Duration::from_secs(3)));
    }
}
