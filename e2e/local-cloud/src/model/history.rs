//! What regions looked like a while ago, kept only while a fault asks for stale answers.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use super::caller::Place;
use super::region::Region;

/// The recent past of every region, as far back as the stalest answer asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct History(BTreeMap<Place, VecDeque<(Timestamp, Region)>>);

impl History {
    /// Remembers `region` as of `now`, and forgets what lies further back than `window`.
    pub(crate) fn record(&mut self, now: Timestamp, region: &Region, window: SignedDuration) {
        let past = self.0.entry(region.place.clone()).or_default();
        if past.back().is_some_and(|(_, last)| last.revision == region.revision) {
            return;
        }
        past.push_back((now, region.clone()));
        // The newest snapshot at or before the horizon is what an answer of exactly that age needs.
        while past.len() > 1 && past[1].0 + window <= now {
            past.pop_front();
        }
    }

    /// The region as it was at `then`, or the oldest that is known.
    pub(crate) fn at(&self, place: &Place, then: Timestamp) -> Option<&Region> {
        let past = self.0.get(place)?;
        past.iter().rev().find(|(at, _)| *at <= then).or_else(|| past.front()).map(|(_, region)| region)
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}
