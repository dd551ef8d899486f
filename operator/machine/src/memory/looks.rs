//! The newest look at the cloud, and one that is at least a tick older.
//!
//! Whatever takes something away goes by both: what one look shows may be an accident of the moment.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::reading::Reading;

/// Two clocks at one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Now {
    /// The API server's clock, never before the last entry of the history. It can jump.
    pub wall: Timestamp,
    /// Time since this process started. It can't jump, and means nothing to any other process.
    pub mono: Duration,
}

/// A reading with the instant its request was sent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Look {
    /// When it was asked for.
    pub at: Now,
    /// What was seen.
    pub reading: Reading,
}

/// The two of them, as far as they were made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Looks {
    earlier: Option<Look>,
    /// One made since the earlier one, to take its place once it is a tick old. Where looks always come sooner than a
    /// tick, the earlier one would else stay the first of them, and two since a later moment would never come about.
    next: Option<Look>,
    latest: Option<Look>,
}

impl Looks {
    /// Takes in a look. The newest of those kept that is a tick older becomes the earlier one.
    pub(super) fn take(&mut self, look: Look, tick: Duration) {
        let is_older = |kept: &Look| kept.at.mono + tick <= look.at.mono;
        if let Some(latest) = self.latest.take() {
            if self.earlier.is_none() || is_older(&latest) {
                (self.earlier, self.next) = (Some(latest), None);
            } else if let Some(next) = self.next.take_if(|next| is_older(next)) {
                (self.earlier, self.next) = (Some(next), Some(latest));
            } else {
                self.next.get_or_insert(latest);
            }
        }
        self.latest = Some(look);
    }

    /// The newest one.
    pub(super) fn latest(&self) -> Option<&Look> {
        self.latest.as_ref()
    }

    /// Both, where they are at least a tick apart and the newest is not older than a tick.
    pub(super) fn two(&self, now: Now, tick: Duration) -> Option<[&Look; 2]> {
        let (earlier, latest) = (self.earlier.as_ref()?, self.latest.as_ref()?);
        let apart = earlier.at.mono + tick <= latest.at.mono;
        let fresh = now.mono.saturating_sub(latest.at.mono) <= tick;
        (apart && fresh).then_some([earlier, latest])
    }

    /// Whether the wall clock moved as the monotonic one did from the one to the other, and since.
    pub(super) fn clocks_agree(&self, now: Now, tick: Duration) -> bool {
        let (Some(earlier), Some(latest)) = (&self.earlier, &self.latest) else { return false };
        let agree = |from: Now, to: Now| {
            let wall = to.wall.duration_since(from.wall);
            let mono = to.mono.saturating_sub(from.mono);
            let mono = SignedDuration::try_from(mono).unwrap_or(SignedDuration::MAX);
            wall.saturating_sub(mono).unsigned_abs() <= tick
        };
        agree(earlier.at, latest.at) && agree(latest.at, now)
    }
}
