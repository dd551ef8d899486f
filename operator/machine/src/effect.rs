//! What a tick does to the cloud.
//!
//! Effects are derived from what is observed, and derived again until the observation shows them done.
//! Each is idempotent.

use crate::name::GroupName;
use crate::reading::{GroupSeen, Slot};

/// One change of the cloud.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Create the group and its launch template, attached to nothing.
    Launch {
        /// Its name.
        group: GroupName,
        /// Its size.
        desired: u32,
    },
    /// Change a group's bounds, and its size with them.
    Resize {
        /// Which.
        group: GroupName,
        /// Its bounds and size from now on.
        size: Size,
    },
    /// Name this slot in the rule, at weight 0.
    Enlist(Slot),
    /// Attach the group to its slot, or to the one target group.
    Attach {
        /// Which.
        group: GroupName,
        /// Where; none for the target group that all share.
        slot: Option<Slot>,
    },
    /// Give all weight to this slot.
    Shift(Slot),
    /// Detach the group from its slot, or from the one target group.
    Detach {
        /// Which.
        group: GroupName,
        /// Where from; none for the target group that all share.
        slot: Option<Slot>,
    },
    /// Detach the group from where it was announced, which is elsewhere than where all groups are looked at.
    Leave {
        /// Which.
        group: GroupName,
        /// Its slot there; none for a target group that all share.
        slot: Option<Slot>,
    },
    /// Take a group's size down to nothing.
    Empty(GroupName),
    /// Delete the group, and once it is absent, what was made for it.
    Delete(GroupName),
    /// Delete only what was made for the group: under its name there is somebody else's.
    Disown(GroupName),
}

impl Effect {
    /// The group that it is about; none where it is about a slot.
    pub fn group(&self) -> Option<&GroupName> {
        match self {
            Self::Launch { group, .. }
            | Self::Resize { group, .. }
            | Self::Attach { group, .. }
            | Self::Detach { group, .. }
            | Self::Leave { group, .. }
            | Self::Empty(group)
            | Self::Delete(group)
            | Self::Disown(group) => Some(group),
            Self::Enlist(_) | Self::Shift(_) => None,
        }
    }

    /// Whether it is a step on a group's way out, and nothing else.
    pub fn takes_down(&self) -> bool {
        match self {
            Self::Detach { .. } | Self::Leave { .. } | Self::Empty(_) | Self::Delete(_) | Self::Disown(_) => {
                true
            }
            Self::Launch { .. }
            | Self::Resize { .. }
            | Self::Enlist(_)
            | Self::Attach { .. }
            | Self::Shift(_) => false,
        }
    }

    /// Whether it changes who carries traffic. What is in a slot carries by the slot's weight.
    pub fn reroutes(&self) -> bool {
        match self {
            Self::Shift(_) | Self::Leave { .. } => true,
            Self::Attach { slot, .. } | Self::Detach { slot, .. } => slot.is_none(),
            Self::Launch { .. }
            | Self::Resize { .. }
            | Self::Enlist(_)
            | Self::Empty(_)
            | Self::Delete(_)
            | Self::Disown(_) => false,
        }
    }
}

/// A group's bounds and size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Size {
    /// Never fewer.
    pub min: u32,
    /// Never more.
    pub max: u32,
    /// As many as that now; none: as many as there are, moved into the bounds.
    pub desired: Option<u32>,
}

impl Size {
    /// At least `wanted` instances, whenever this lands: a higher lower bound takes nothing away, not even from a
    /// group that has been grown further meanwhile.
    pub fn at_least(wanted: u32, seen: &GroupSeen) -> Self {
        Self { min: seen.min.max(wanted), max: seen.max.max(wanted), desired: None }
    }

    /// The size that a group of `present` instances has once this has landed.
    pub fn settles_at(self, present: u32) -> u32 {
        self.desired.unwrap_or_else(|| present.min(self.max).max(self.min))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_carries_traffic_is_changed_by_weights_and_by_where_it_follows_from_being_attached() {
        let group = || GroupName::new("web-1");
        let attach = |slot| Effect::Attach { group: group(), slot };
        let detach = |slot| Effect::Detach { group: group(), slot };
        let changed = [
            Effect::Shift(Slot::A),
            Effect::Leave { group: group(), slot: None },
            attach(None),
            detach(None),
        ];
        assert!(changed.iter().all(Effect::reroutes));
        let launch = Effect::Launch { group: group(), desired: 2 };
        let size = Size { min: 1, max: 2, desired: None };
        let resize = Effect::Resize { group: group(), size };
        let slot = Some(Slot::A);
        let left =
            [Effect::Enlist(Slot::A), attach(slot), detach(slot), launch, resize, Effect::Empty(group())];
        assert!(!left.iter().any(Effect::reroutes));
        assert!(![Effect::Delete(group()), Effect::Disown(group())].iter().any(Effect::reroutes));
    }
}
