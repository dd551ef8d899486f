//! A reading: one complete, successful look at the target.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::name::GroupName;

/// One of the two target groups that a rule spreads traffic over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum Slot {
    /// The first that the Environment names.
    A,
    /// The second.
    B,
}

impl Slot {
    /// The other of the two.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

/// Everything that one look showed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reading {
    /// The groups that exist, of those that the ledger knows.
    pub groups: BTreeMap<GroupName, GroupSeen>,
    /// Names under which there is what does not carry our tags; with the tags that tell so. Under those of groups that are
    /// coming or to go it is somebody else's, and not among the groups. What serves is: it counts, and is never changed.
    pub foreign: BTreeMap<GroupName, String>,
    /// How requests reach them.
    pub traffic: Traffic,
}

/// A group as it was seen.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GroupSeen {
    /// Whether it is on its way out.
    pub presence: Presence,
    /// Its lower bound.
    pub min: u32,
    /// Its upper bound.
    pub max: u32,
    /// Its wanted size.
    pub desired: u32,
    /// How many instances it has, in whatever state.
    pub instances: u32,
    /// How many are in service and healthy by their group's own word.
    pub in_service: u32,
    /// H: of those, how many every target group that the group is attached to calls healthy as well.
    pub healthy: u32,
    /// How many are still draining from a target group.
    pub draining: u32,
    /// Where requests can reach it.
    pub attached: Attached,
    /// Where else, because it was announced there.
    pub apart: Apart,
}

/// How requests reach a group where it was announced, if that is elsewhere than where this look looked for all groups:
/// what reaches an Environment's groups may be edited between two deploys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Apart {
    /// What it is attached to there, in the words of what it was announced with. What is looked at for all groups
    /// anyway is left out.
    pub attached: Attached,
    /// What reaches it there.
    pub reach: Reach,
}

impl Apart {
    /// It was announced where all groups are looked at.
    pub const NO: Self = Self { attached: Attached::Nowhere, reach: Reach::Nothing };
}

/// What reaches a group that stands apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reach {
    /// Nothing.
    Nothing,
    /// Users' requests.
    Requests,
    /// What workers find by themselves, while they are at work.
    Work,
}

/// Whether a group is here to stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Presence {
    /// It takes requests.
    Here,
    /// Its deletion is under way.
    BeingDeleted,
}

/// Which target groups a group is attached to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Attached {
    /// To none that concerns us.
    Nowhere,
    /// To one of the two behind the rule.
    To(Slot),
    /// To both of them, which is never our doing.
    ToBoth,
    /// To the one that all share.
    ToShared,
}

impl Attached {
    /// Whether it is attached to this one of the two.
    pub fn includes(self, slot: Slot) -> bool {
        match self {
            Self::To(own) => own == slot,
            Self::ToBoth => true,
            Self::Nowhere | Self::ToShared => false,
        }
    }
}

#[cfg(test)]
impl GroupSeen {
    /// One of two instances, all of them healthy.
    pub(crate) fn of_two(attached: Attached) -> Self {
        Self {
            presence: Presence::Here,
            min: 2,
            max: 2,
            desired: 2,
            instances: 2,
            in_service: 2,
            healthy: 2,
            draining: 0,
            attached,
            apart: Apart::NO,
        }
    }
}

/// How requests were seen to reach the groups.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Traffic {
    /// By the weights of a rule.
    Weighted {
        /// The first target group.
        a: SlotSeen,
        /// The second.
        b: SlotSeen,
    },
    /// By attachment to the one target group.
    Shared,
    /// By themselves.
    Workers,
    /// By a rule of a shape that we do not change; why, in words.
    Unusable(String),
}

/// One of the rule's target groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SlotSeen {
    /// Its weight; none where the rule does not name it.
    pub weight: Option<u32>,
    /// How many targets it has that belong to no group of the ledger.
    pub strangers: u32,
}

impl Traffic {
    /// The state of one of the two slots, where there are two.
    pub fn slot(&self, slot: Slot) -> Option<SlotSeen> {
        match (self, slot) {
            (Self::Weighted { a, .. }, Slot::A) => Some(*a),
            (Self::Weighted { b, .. }, Slot::B) => Some(*b),
            (Self::Shared | Self::Workers | Self::Unusable(_), _) => None,
        }
    }

    /// Whether this slot gets all requests.
    pub fn is_all_on(&self, slot: Slot) -> bool {
        let weight = |slot| self.slot(slot).and_then(|seen| seen.weight).unwrap_or(0);
        weight(slot) > 0 && weight(slot.other()) == 0
    }
}

/// Whether a group of workers is at work, which no look can tell: it follows from role and step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AtWork {
    /// It takes its share.
    Yes,
    /// It is not meant to yet, or any more.
    No,
}

impl Reading {
    /// Whether nothing was seen that would forbid to change what goes by this name.
    pub fn is_ours(&self, name: &GroupName) -> bool {
        !self.foreign.contains_key(name)
    }

    /// The group, if it exists.
    pub fn group(&self, name: &GroupName) -> Option<&GroupSeen> {
        self.groups.get(name)
    }

    /// H of the group; 0 where it does not exist or is on its way out.
    pub fn healthy(&self, name: &GroupName) -> u32 {
        self.group(name).filter(|group| group.presence == Presence::Here).map_or(0, |group| group.healthy)
    }

    /// Whether users' requests reach the group, wherever that is.
    pub fn carries(&self, name: &GroupName, at_work: AtWork) -> bool {
        self.carries_here(name, at_work) || self.carries_apart(name, at_work)
    }

    /// Whether users' requests reach the group where it was announced, and that is elsewhere.
    pub fn carries_apart(&self, name: &GroupName, at_work: AtWork) -> bool {
        self.group(name).is_some_and(|group| match group.apart.reach {
            Reach::Nothing => false,
            Reach::Requests => true,
            Reach::Work => at_work == AtWork::Yes,
        })
    }

    /// Whether users' requests reach the group by the traffic that this look is about.
    pub fn carries_here(&self, name: &GroupName, at_work: AtWork) -> bool {
        let Some(group) = self.group(name) else { return false };
        match &self.traffic {
            Traffic::Weighted { .. } => [Slot::A, Slot::B].into_iter().any(|slot| {
                group.attached.includes(slot)
                    && self.traffic.slot(slot).and_then(|seen| seen.weight).unwrap_or(0) > 0
            }),
            Traffic::Shared => group.attached == Attached::ToShared,
            Traffic::Workers => at_work == AtWork::Yes,
            Traffic::Unusable(_) => group.attached != Attached::Nowhere,
        }
    }
}
