//! What an election gives to those who act.

use std::fmt;

use thiserror::Error;
use tokio::sync::watch;
use tokio::time::Instant;

use super::holder::Holder;

/// The number of a leadership, kept in the Lease as `leaseTransitions`. It grows with every change of hands for
/// as long as the Lease, or somebody who has seen it, exists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Epoch(i32);

impl Epoch {
    pub(super) fn read(transitions: Option<i32>) -> Self {
        Self(transitions.unwrap_or(0).max(0))
    }

    pub(super) fn write(self) -> i32 {
        self.0
    }

    pub(super) fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How a leadership began, and so what may still be on its way from the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Takeover {
    /// There was no Lease, and nobody who could remember one.
    First,
    /// The one before let go: none of its requests is unanswered.
    Clean,
    /// The one before was not heard of any more: its requests may still land.
    Unclean,
}

/// The right to act, until an instant of this process's monotonic clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leadership {
    /// Its number.
    pub epoch: Epoch,
    /// How it began.
    pub takeover: Takeover,
    /// From here on somebody else may act. Every renewal moves it.
    pub valid_until: Instant,
}

impl Leadership {
    /// Whether this process may act now. Ask before every mutation: a process can be stopped for any length of
    /// time between two lines.
    pub fn is_valid(self, now: Instant) -> bool {
        now < self.valid_until
    }
}

/// How this process stands in the election.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The API server has not answered yet.
    Asking,
    /// Somebody else leads, or nobody does yet.
    Standby,
    /// This process leads, while the leadership is valid.
    Leading(Leadership),
    /// This process has led or stood by, and never will again.
    Over,
}

/// Why a leadership ended against its holder's will.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Loss {
    /// No renewal was answered in time.
    #[error("the lease could not be renewed in time")]
    NotRenewed,
    /// The Lease names another holder.
    #[error("the lease is held by {by} now")]
    Taken {
        /// Whom it names.
        by: Holder,
    },
}

/// The view of the election that those who act hold on to. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Seat(watch::Receiver<Standing>);

impl Seat {
    pub(crate) fn new(standing: watch::Receiver<Standing>) -> Self {
        Self(standing)
    }

    /// How this process stands. A leadership in it may have run out: see [`Seat::leadership`].
    pub fn standing(&self) -> Standing {
        *self.0.borrow()
    }

    /// The leadership, if it is valid at this very instant.
    pub fn leadership(&self) -> Option<Leadership> {
        match self.standing() {
            Standing::Leading(leadership) if leadership.is_valid(Instant::now()) => Some(leadership),
            Standing::Leading(_) | Standing::Asking | Standing::Standby | Standing::Over => None,
        }
    }

    /// Waits for the next round of the election; `None` once it is over.
    pub async fn next_round(&mut self) -> Option<Standing> {
        self.0.changed().await.ok()?;
        Some(*self.0.borrow_and_update())
    }
}
