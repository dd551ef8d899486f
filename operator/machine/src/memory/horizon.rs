//! Until when requests may still land.

use std::time::Duration;

/// What may still be under way, by the clock that can't jump. Shared by all that one process does to one Environment: what
/// one deploy left under way concerns the next one, and the Environment itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Horizon {
    /// Whatever was sent has landed by then, or never will.
    pub(super) certain_from: Duration,
    /// So has every creation of a group.
    pub(super) last_create: Duration,
    /// Looks made from then on show who carries traffic since that was changed last.
    pub(super) shown_from: Duration,
}

impl Horizon {
    /// The later of the two, each way.
    #[must_use]
    pub fn later(self, other: Self) -> Self {
        Self {
            certain_from: self.certain_from.max(other.certain_from),
            last_create: self.last_create.max(other.last_create),
            shown_from: self.shown_from.max(other.shown_from),
        }
    }
}
