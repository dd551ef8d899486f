//! The cloud, as small as the machine's promises allow: groups, the rule's weights, and what happens by itself.

use std::collections::{BTreeMap, BTreeSet};

use dryad_machine::effect::{Effect, Size};
use dryad_machine::name::{GroupName, Turn, Uid};
use dryad_machine::reading::{Apart, Attached, GroupSeen, Presence, Reach, Reading, Slot, SlotSeen, Traffic};
use dryad_machine::view::Routing;

/// The Environment's name, of which every group's name is made.
pub(crate) const ENVIRONMENT: &str = "web";

/// The bounds that the Environment declares to begin with.
pub(crate) const MIN: u8 = 0;
pub(crate) const MAX: u8 = 2;

/// A group, told by what its name is computed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Id {
    /// The turn it was announced in.
    pub(crate) turn: u8,
    /// The number in its owner's uid.
    pub(crate) owner: u8,
}

impl Id {
    /// The group that serves before the first deploy.
    pub(crate) const BLUE: Self = Self { turn: 1, owner: 0 };

    pub(crate) fn name(self) -> GroupName {
        GroupName::of(ENVIRONMENT, Turn::new(i64::from(self.turn)), &uid(self.owner))
    }

    pub(crate) fn of(name: &GroupName) -> Self {
        let mut parts = name.as_str().rsplit('-');
        let owner = parts.next().and_then(|uid| uid.trim_start_matches('d').parse().ok());
        let turn = parts.next().and_then(|turn| turn.parse().ok());
        Self { turn: turn.expect("a computed name"), owner: owner.expect("a computed name") }
    }
}

/// The uid of the Deployment with this number.
pub(crate) fn uid(number: u8) -> Uid {
    Uid::new(format!("d{number}"))
}

/// A group as it really is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Group {
    pub(crate) presence: Presence,
    pub(crate) min: u8,
    pub(crate) max: u8,
    pub(crate) desired: u8,
    /// In service and healthy by the group's own word.
    pub(crate) up: u8,
    /// Whether the target groups that it is attached to call those healthy, too.
    pub(crate) warm: bool,
    /// Whether some that were told to go still linger.
    pub(crate) terminating: bool,
    pub(crate) draining: bool,
    pub(crate) attached: Attached,
    /// What it is attached to where it was announced, if that is elsewhere. It has users there, who stay.
    pub(crate) apart: Attached,
}

impl Group {
    fn launched(desired: u8) -> Self {
        Self {
            presence: Presence::Here,
            min: MIN,
            max: MAX,
            desired,
            up: 0,
            warm: true,
            terminating: false,
            draining: false,
            attached: Attached::Nowhere,
            apart: Attached::Nowhere,
        }
    }

    /// Whether no load balancer sends it anything.
    pub(crate) fn is_out_of_traffic(&self) -> bool {
        [self.attached, self.apart] == [Attached::Nowhere; 2]
    }

    /// H.
    pub(crate) fn healthy(&self) -> u8 {
        let counts = self.presence == Presence::Here && (self.warm || self.is_out_of_traffic());
        if counts { self.up } else { 0 }
    }

    /// Whether it could be deleted.
    pub(crate) fn is_empty(&self) -> bool {
        self.desired == 0 && !self.terminating
    }

    fn resized(&mut self, size: Size) {
        let small = |number: u32| u8::try_from(number).expect("sizes are small here");
        let settled = small(size.settles_at(self.desired.into()));
        // Of those it had, or was about to have, it may be the healthy ones that go.
        let lost = self.desired.saturating_sub(settled);
        (self.min, self.max, self.desired) = (small(size.min), small(size.max), settled);
        self.terminating |= lost > 0 && self.up > 0;
        self.up = self.up.saturating_sub(lost);
    }

    fn attach(&mut self, to: Attached) {
        if self.attached != to {
            self.attached = match (self.attached, to) {
                (Attached::To(_) | Attached::ToBoth, Attached::To(_)) => Attached::ToBoth,
                _ => to,
            };
            self.warm = self.up == 0;
        }
    }

    fn detach(&mut self, from: Option<Slot>) {
        let left = match (self.attached, from) {
            (Attached::To(own), Some(slot)) if own == slot => Attached::Nowhere,
            (Attached::ToBoth, Some(slot)) => Attached::To(slot.other()),
            (Attached::ToShared, None) => Attached::Nowhere,
            (stays, _) => stays,
        };
        self.draining |= left != self.attached && self.up > 0;
        self.attached = left;
        self.warm |= self.is_out_of_traffic();
    }

    fn leave(&mut self) {
        self.draining |= self.apart != Attached::Nowhere && self.up > 0;
        self.apart = Attached::Nowhere;
        self.warm |= self.is_out_of_traffic();
    }
}

/// What happens in the cloud without us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Happening {
    /// An instance comes into service.
    Up(Id),
    /// The load balancer finds the instances healthy.
    Warm(Id),
    /// An instance dies.
    Dies(Id),
    /// What drains has drained, what terminates has terminated, what is being deleted is gone.
    Settles(Id),
    /// Somebody's autoscaler wants one more.
    Grows(Id),
    /// Somebody's autoscaler wants one less.
    Shrinks(Id),
    /// Somebody deletes the group.
    Deleted(Id),
    /// Somebody else's group gets its name.
    Squatted(Id),
    /// That one goes.
    Vacated(Id),
}

/// Where what serves was announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Announced {
    /// Where new groups are.
    Here,
    /// Elsewhere: the Environment's traffic was edited since.
    Elsewhere,
}

/// Everything there is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct World {
    pub(crate) groups: BTreeMap<Id, Group>,
    /// The names that groups of others have.
    pub(crate) squatters: BTreeSet<Id>,
    /// The weights of the rule, where a rule is in front.
    pub(crate) weights: [Option<u8>; 2],
    pub(crate) routing: Routing,
}

impl World {
    /// Nothing but the rule.
    pub(crate) fn empty(routing: Routing) -> Self {
        Self { groups: BTreeMap::new(), squatters: BTreeSet::new(), weights: [Some(1), None], routing }
    }

    /// One group that serves, with this many instances.
    pub(crate) fn serving(routing: Routing, announced: Announced, size: u8) -> Self {
        let mut world = Self::empty(routing);
        let (attached, apart) = match (announced, routing) {
            (Announced::Here, Routing::Weighted) => (Attached::To(Slot::A), Attached::Nowhere),
            (Announced::Here, Routing::Shared) => (Attached::ToShared, Attached::Nowhere),
            (Announced::Here, Routing::Workers) => (Attached::Nowhere, Attached::Nowhere),
            (Announced::Elsewhere, _) => (Attached::Nowhere, Attached::ToShared),
        };
        let group = Group { up: size, attached, apart, ..Group::launched(size) };
        world.groups.insert(Id::BLUE, group);
        world
    }

    pub(crate) fn weight(&self, slot: Slot) -> u8 {
        self.weights[index(slot)].unwrap_or(0)
    }

    /// Whether requests reach the group. Which workers are at work is for the ledger to say.
    pub(crate) fn carries(&self, id: Id, at_work: &dyn Fn(Id) -> bool) -> bool {
        let Some(group) = self.groups.get(&id) else { return false };
        group.apart != Attached::Nowhere
            || match self.routing {
                Routing::Weighted => [Slot::A, Slot::B]
                    .iter()
                    .any(|slot| group.attached.includes(*slot) && self.weight(*slot) > 0),
                Routing::Shared => group.attached == Attached::ToShared,
                Routing::Workers => at_work(id),
            }
    }

    /// How many healthy instances requests reach.
    pub(crate) fn serves(&self, at_work: &dyn Fn(Id) -> bool) -> u8 {
        let carriers = self.groups.iter().filter(|(id, _)| self.carries(**id, at_work));
        carriers.map(|(_, group)| group.healthy()).sum()
    }

    /// What a complete look at it shows.
    pub(crate) fn reading(&self) -> Reading {
        let seen = |group: &Group| GroupSeen {
            presence: group.presence,
            min: group.min.into(),
            max: group.max.into(),
            desired: group.desired.into(),
            instances: u32::from(group.desired.max(group.up)) + u32::from(group.terminating),
            in_service: group.up.into(),
            healthy: group.healthy().into(),
            draining: group.draining.into(),
            attached: group.attached,
            apart: Apart {
                attached: group.apart,
                reach: if group.apart == Attached::Nowhere { Reach::Nothing } else { Reach::Requests },
            },
        };
        let slot = |weight: Option<u8>| SlotSeen { weight: weight.map(u32::from), strangers: 0 };
        Reading {
            groups: self.groups.iter().map(|(id, group)| (id.name(), seen(group))).collect(),
            foreign: self.squatters.iter().map(|id| (id.name(), String::new())).collect(),
            traffic: match self.routing {
                Routing::Weighted => Traffic::Weighted { a: slot(self.weights[0]), b: slot(self.weights[1]) },
                Routing::Shared => Traffic::Shared,
                Routing::Workers => Traffic::Workers,
            },
        }
    }

    /// A request arrives. What it asks of a group that is absent or on its way out is refused.
    pub(crate) fn land(&mut self, effect: &Effect) {
        match effect {
            Effect::Launch { group, desired } => {
                let (id, desired) = (Id::of(group), u8::try_from(*desired).expect("sizes are small here"));
                if !self.squatters.contains(&id) {
                    self.groups.entry(id).or_insert_with(|| Group::launched(desired));
                }
            }
            Effect::Enlist(slot) => {
                self.weights[index(*slot)].get_or_insert(0);
            }
            Effect::Shift(slot) => {
                self.weights[index(*slot)] = Some(1);
                self.weights[index(slot.other())] = Some(0);
            }
            Effect::Resize { group, size } => self.change(group, |group| group.resized(*size)),
            Effect::Empty(group) => self.change(group, |group| {
                let max = group.max.into();
                group.resized(Size { min: 0, max, desired: Some(0) });
            }),
            Effect::Attach { group, slot } => {
                let to = slot.map_or(Attached::ToShared, Attached::To);
                self.change(group, |group| group.attach(to));
            }
            Effect::Detach { group, slot } => self.change(group, |group| group.detach(*slot)),
            Effect::Leave { group, .. } => self.change(group, Group::leave),
            Effect::Delete(group) => self.change(group, |group| {
                if group.is_empty() {
                    group.presence = Presence::BeingDeleted;
                }
            }),
            // Launch templates are not in this world.
            Effect::Disown(_) => {}
        }
    }

    fn change(&mut self, name: &GroupName, change: impl FnOnce(&mut Group)) {
        let group = self.groups.get_mut(&Id::of(name));
        if let Some(group) = group.filter(|group| group.presence == Presence::Here) {
            change(group);
        }
    }

    /// What could happen by itself to this group.
    pub(crate) fn happenings(&self, id: Id) -> impl Iterator<Item = Happening> + use<> {
        let group = self.groups.get(&id).copied();
        let here = group.filter(|group| group.presence == Presence::Here);
        let when = |holds: bool, happening| holds.then_some(happening);
        [
            when(here.is_some_and(|group| group.up < group.desired), Happening::Up(id)),
            when(here.is_some_and(|group| !group.warm && group.up > 0), Happening::Warm(id)),
            when(here.is_some_and(|group| group.up > 0), Happening::Dies(id)),
            when(group.is_some_and(|group| group.unsettled()), Happening::Settles(id)),
            when(here.is_some_and(|group| group.desired < group.max), Happening::Grows(id)),
            when(
                here.is_some_and(|group| group.desired > group.min && group.desired > 1),
                Happening::Shrinks(id),
            ),
            when(here.is_some(), Happening::Deleted(id)),
        ]
        .into_iter()
        .flatten()
    }

    /// Whatever of this kind can happen does, until no more of it can.
    pub(crate) fn exhaust(&mut self, kind: fn(Happening) -> bool) {
        for id in self.groups.keys().copied().collect::<Vec<_>>() {
            while let Some(happening) = {
                let mut happenings = self.happenings(id);
                happenings.find(|happening| kind(*happening))
            } {
                self.happen(happening);
            }
        }
    }

    /// It happens.
    pub(crate) fn happen(&mut self, happening: Happening) {
        let (Happening::Up(id)
        | Happening::Warm(id)
        | Happening::Dies(id)
        | Happening::Settles(id)
        | Happening::Grows(id)
        | Happening::Shrinks(id)
        | Happening::Deleted(id)
        | Happening::Squatted(id)
        | Happening::Vacated(id)) = happening;
        match happening {
            Happening::Squatted(_) => drop(self.squatters.insert(id)),
            Happening::Vacated(_) => drop(self.squatters.remove(&id)),
            _ => self.happen_to(id, happening),
        }
    }

    fn happen_to(&mut self, id: Id, happening: Happening) {
        let Some(group) = self.groups.get_mut(&id) else { return };
        match happening {
            Happening::Up(_) => {
                group.warm &= group.up > 0 || group.is_out_of_traffic();
                group.up += 1;
            }
            Happening::Warm(_) => group.warm = true,
            Happening::Dies(_) => {
                group.up -= 1;
                group.warm |= group.up == 0;
            }
            Happening::Settles(_) if group.presence == Presence::BeingDeleted => {
                self.groups.remove(&id);
            }
            Happening::Settles(_) => (group.draining, group.terminating) = (false, false),
            Happening::Grows(_) => group.desired += 1,
            Happening::Shrinks(_) => {
                group.desired -= 1;
                group.up = group.up.min(group.desired);
            }
            Happening::Deleted(_) => group.presence = Presence::BeingDeleted,
            Happening::Squatted(_) | Happening::Vacated(_) => {}
        }
    }
}

impl Group {
    fn unsettled(&self) -> bool {
        self.presence == Presence::BeingDeleted || self.draining || self.terminating
    }
}

fn index(slot: Slot) -> usize {
    match slot {
        Slot::A => 0,
        Slot::B => 1,
    }
}
