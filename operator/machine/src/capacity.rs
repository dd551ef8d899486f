//! S1: nothing we send takes users' capacity below what they need.
//!
//! Every removal passes through [`permits`], whoever wants it and for whatever reason. It judges by the worst
//! case: a group that is detached, emptied or deleted loses all its instances, healthy ones included.

use crate::name::GroupName;
use crate::plan::Share;
use crate::reading::{AtWork, Reading, Slot, Traffic};

/// A write that can take instances away from users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal<'a> {
    /// All weight goes to this slot, so the other slot's groups lose theirs.
    Shift(Slot),
    /// The group leaves a target group, is emptied, or is deleted.
    Group(&'a GroupName),
}

/// On whose behalf, and so by which measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose<'a> {
    /// Bringing green in: it must be ready for its share.
    Forward {
        /// The group that comes.
        green: &'a GroupName,
        /// The step's share of the capacity.
        share: Share,
    },
    /// Going back: blue must be able to take what green gives up.
    Back {
        /// The group that goes.
        green: &'a GroupName,
        /// The groups that stay.
        blue: &'a [GroupName],
        /// F.
        floor: u32,
    },
    /// Tidying up a group that carries nothing.
    Tidy,
}

/// Whose word counts on who is at work, where no look can tell.
pub type Workers<'a> = &'a dyn Fn(&GroupName) -> AtWork;

/// Whether the removal may be sent: both readings must allow it. `desired` is D.
pub fn permits(
    removal: Removal<'_>,
    purpose: Purpose<'_>,
    desired: u32,
    readings: [&Reading; 2],
    workers: Workers<'_>,
) -> bool {
    readings.into_iter().all(|reading| permitted_by(removal, purpose, desired, reading, workers))
}

/// Whether a group that serves may be shrunk to a declared size, which is D then: both readings must allow it. Which
/// instances go is the cloud's choice, so it may be all that are healthy.
pub fn permits_shrinking(name: &GroupName, to: u32, readings: [&Reading; 2]) -> bool {
    readings.into_iter().all(|reading| {
        let lost = reading.group(name).map_or(0, |group| group.instances.saturating_sub(to));
        let healthy = reading.healthy(name);
        healthy.saturating_sub(lost) >= to.min(healthy)
    })
}

fn permitted_by(
    removal: Removal<'_>,
    purpose: Purpose<'_>,
    desired: u32,
    reading: &Reading,
    workers: Workers<'_>,
) -> bool {
    let carriers = Carriers { reading, workers };
    match purpose {
        Purpose::Forward { green, share } => {
            let healthy = reading.healthy(green);
            healthy > 0 && healthy >= share.of(desired) && carriers.keep_enough(removal, desired)
        }
        Purpose::Back { green, blue, floor } => {
            // What has lost its tags may still be the group that carries.
            let may_carry = reading.foreign.contains_key(green) && matches!(removal, Removal::Shift(_));
            let takes_from_green = may_carry || (carriers.before(green) && !carriers.after(removal, green));
            if !takes_from_green {
                return carriers.keep_enough(removal, desired);
            }
            let staying = blue.iter().filter(|name| carriers.after(removal, name));
            let back: u32 = staying.map(|name| reading.healthy(name)).sum();
            blue.is_empty() || back >= floor.max(1)
        }
        Purpose::Tidy => carriers.keep_enough(removal, desired),
    }
}

/// Who carries traffic, by one reading.
#[derive(Clone, Copy)]
struct Carriers<'a> {
    reading: &'a Reading,
    workers: Workers<'a>,
}

impl Carriers<'_> {
    fn before(self, name: &GroupName) -> bool {
        self.reading.carries(name, (self.workers)(name))
    }

    /// Whether the group is known to carry traffic once the removal has landed. A shift takes nothing from who is reached
    /// apart. By a rule of a shape that is not ours whoever is attached may carry it, and nobody is known to.
    fn after(self, removal: Removal<'_>, name: &GroupName) -> bool {
        match removal {
            Removal::Group(gone) if gone == name => false,
            Removal::Group(_) if matches!(self.reading.traffic, Traffic::Unusable(_)) => {
                self.reading.carries_apart(name, (self.workers)(name))
            }
            Removal::Group(_) => self.before(name),
            Removal::Shift(slot) => {
                self.reading.group(name).is_some_and(|group| group.attached.includes(slot))
                    || self.reading.carries_apart(name, (self.workers)(name))
            }
        }
    }

    /// Σ|H∖V| over the groups that carry traffic afterwards ≥ min(D, Σ|H| over those that carry it before). Whoever
    /// carries nothing takes nothing along.
    fn keep_enough(self, removal: Removal<'_>, desired: u32) -> bool {
        if let Removal::Group(name) = removal
            && !self.before(name)
        {
            return true;
        }
        let sum = |carries: &dyn Fn(&GroupName) -> bool| -> u32 {
            let names = self.reading.groups.keys().filter(|name| carries(name));
            names.map(|name| self.reading.healthy(name)).sum()
        };
        sum(&|name| self.after(removal, name)) >= desired.min(sum(&|name| self.before(name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::{Attached, GroupSeen, SlotSeen};

    /// Whether a group may be taken down, of `old` in A and `new` in B with two healthy instances each, and of `spare` in
    /// neither.
    fn may_go(name: &str, traffic: Traffic) -> bool {
        let groups = [
            ("old", GroupSeen::of_two(Attached::To(Slot::A))),
            ("new", GroupSeen::of_two(Attached::To(Slot::B))),
            ("spare", GroupSeen::of_two(Attached::Nowhere)),
        ];
        let groups = groups.map(|(name, seen)| (GroupName::new(name), seen)).into();
        let reading = Reading { groups, foreign: [].into(), traffic };
        let removal = GroupName::new(name);
        permits(Removal::Group(&removal), Purpose::Tidy, 2, [&reading, &reading], &|_| AtWork::No)
    }

    #[test]
    fn nobody_is_relied_on_whom_a_rule_of_another_shape_may_pass_over() {
        let slot = |weight| SlotSeen { weight: Some(weight), strangers: 0 };
        let on_new = || Traffic::Weighted { a: slot(0), b: slot(1) };
        let on_both = || Traffic::Weighted { a: slot(1), b: slot(1) };
        let unusable = || Traffic::Unusable("the rule also forwards to c".to_owned());
        assert_eq!(["old", "new", "spare"].map(|name| may_go(name, on_new())), [true, false, true]);
        assert_eq!(["old", "new", "spare"].map(|name| may_go(name, on_both())), [true, true, true]);
        assert_eq!(["old", "new", "spare"].map(|name| may_go(name, unusable())), [false, false, true]);
    }
}
