//! Which target is checked when. Pure: it is told the time.

use std::collections::BTreeMap;

use tokio::time::Instant;

use super::check::{Registration, Watched};
use super::verdict::{Health, Outcome, Verdict};

/// Everything that is watched.
#[derive(Debug, Default)]
pub(super) struct Round {
    entries: BTreeMap<Registration, Entry>,
}

#[derive(Debug)]
struct Entry {
    watched: Watched,
    verdict: Verdict,
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
                None => Entry { watched, verdict: Verdict::INITIAL, due: now, under_way: false },
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

    /// A check has ended. Of a target that is no longer watched it says nothing.
    pub(super) fn conclude(&mut self, registration: &Registration, outcome: Outcome) -> Option<Health> {
        let entry = self.entries.get_mut(registration)?;
        let (verdict, change) = entry.verdict.after(outcome, &entry.watched.check);
        entry.verdict = verdict;
        entry.under_way = false;
        change
    }
}
