//! What the groups that serve are kept at while no deploy has the turn: the bounds that the Environment declares and,
//! where it declares one, the size.
//!
//! It gives back what a deploy left behind too: a blue that was held, a green that grew by its lower bound. Growing is
//! adding and waits for nothing. Whatever else is changed waits until nothing is under way, so that no two of these
//! changes can overtake one another, and shrinking is a removal under S1.

use crate::capacity;
use crate::effect::{Effect, Size};
use crate::memory::{Memory, Now};
use crate::name::GroupName;
use crate::reading::{GroupSeen, Presence, Reading};
use crate::tenure::{Member, Role};
use crate::view::{Bounds, EnvironmentView};

/// What a group that serves lacks of what is declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Lack {
    /// More instances, which this brings.
    Instances(Effect),
    /// Its bounds or fewer instances, which this brings.
    Bounds(Effect),
    /// Something that has to wait until more is known.
    Later,
}

/// What the groups that serve lack, by the newest reading.
pub(crate) fn lacks(
    environment: &EnvironmentView,
    reading: &Reading,
    memory: &Memory,
    now: Now,
) -> impl Iterator<Item = Lack> {
    let readings = memory.two_certain(now, environment.pace.tick());
    let certain = memory.is_certain(now);
    serving(environment).filter_map(move |member| {
        let name = &member.name;
        let seen = here(reading, name)?;
        let wanted = wanted(environment, name, reading, seen);
        let resize = |size| Effect::Resize { group: name.clone(), size };
        if wanted > seen.desired {
            let size =
                if certain { declared(environment, seen, wanted) } else { Size::at_least(wanted, seen) };
            return Some(Lack::Instances(resize(size)));
        }
        let may_shrink = readings.is_some_and(|it| capacity::permits_shrinking(name, wanted, it));
        let size = declared(environment, seen, if may_shrink { wanted } else { seen.desired });
        match is_at(seen, size) {
            true if wanted < seen.desired => Some(Lack::Later),
            true => None,
            false if certain => Some(Lack::Bounds(resize(size))),
            false => Some(Lack::Later),
        }
    })
}

/// The groups that serve and are on record as held, but were seen not to be, with nothing under way that could still
/// hold them.
pub(crate) fn restored(environment: &EnvironmentView, memory: &Memory, now: Now) -> Vec<GroupName> {
    let Some(readings) = memory.two_certain(now, environment.pace.tick()) else { return Vec::new() };
    let held = serving(environment).filter(|member| member.held.is_some()).map(|member| &member.name);
    held.filter(|name| has_declared_bounds(environment, name, readings)).cloned().collect()
}

/// Whether every group that serves was seen with the bounds that are declared, with nothing under way.
pub(crate) fn is_as_declared(environment: &EnvironmentView, memory: &Memory, now: Now) -> bool {
    memory.two_certain(now, environment.pace.tick()).is_some_and(|readings| {
        serving(environment).all(|member| has_declared_bounds(environment, &member.name, readings))
    })
}

/// In both readings, as far as the size that the group has lets it. One that does not exist lacks nothing.
fn has_declared_bounds(environment: &EnvironmentView, name: &GroupName, readings: [&Reading; 2]) -> bool {
    readings.into_iter().filter_map(|reading| here(reading, name)).all(|seen| {
        let size = declared(environment, seen, seen.desired);
        (seen.min, seen.max) == (size.min, size.max)
    })
}

fn serving(environment: &EnvironmentView) -> impl Iterator<Item = &Member> {
    environment.tenure.of_role(Role::Serving)
}

fn here<'a>(reading: &'a Reading, name: &GroupName) -> Option<&'a GroupSeen> {
    reading.group(name).filter(|seen| seen.presence == Presence::Here)
}

/// The size that the group should have. Of several that serve, the newest makes up for what all of them lack, and none
/// is shrunk: the next deploy replaces them by one.
fn wanted(environment: &EnvironmentView, name: &GroupName, reading: &Reading, seen: &GroupSeen) -> u32 {
    let Bounds { min, max } = environment.bounds;
    let present = || serving(environment).filter(|member| here(reading, &member.name).is_some());
    if present().count() == 1 {
        return environment.replicas.unwrap_or(seen.desired).min(max).max(min);
    }
    let all: u32 = present().filter_map(|member| Some(here(reading, &member.name)?.desired)).sum();
    let is_newest = present().last().is_some_and(|member| member.name == *name);
    let lacking =
        environment.replicas.filter(|_| is_newest).map_or(0, |replicas| replicas.saturating_sub(all));
    seen.desired.saturating_add(lacking).min(max).max(min).max(seen.desired)
}

/// The declared bounds, widened as far as this size needs it.
fn declared(environment: &EnvironmentView, seen: &GroupSeen, size: u32) -> Size {
    let bounds = environment.bounds;
    let desired = environment.replicas.filter(|_| size != seen.desired).map(|_| size);
    Size { min: bounds.min, max: bounds.max.max(size), desired }
}

fn is_at(seen: &GroupSeen, size: Size) -> bool {
    (seen.min, seen.max, seen.desired) == (size.min, size.max, size.settles_at(seen.desired))
}
