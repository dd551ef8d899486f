//! One tick's decision on one Environment: what nobody's turn is needed for.
//!
//! It deletes groups that are given up, gives back the turn of a holder that vanished, keeps groups that serve at
//! their declared [capacity](crate::upkeep), and takes an Environment down when it is deleted. It never brings
//! anything in: that takes a Deployment.

use std::time::Duration;

use crate::capacity::{self, Purpose, Removal};
use crate::decide::{Action, Decision, Retiring, TenureChange, Write, one_from_users, retire};
use crate::memory::{Memory, Now};
use crate::name::GroupName;
use crate::reading::{AtWork, Reading};
use crate::tenure::{End, Member, Role, Tenure};
use crate::upkeep::{self, Lack};
use crate::view::{Deletion, EnvironmentView, Finalizer, Past};

/// What a decision about an Environment is made from, apart from memory and clocks.
#[derive(Clone, Copy, Debug)]
pub struct EnvironmentCase<'a> {
    /// The Environment.
    pub environment: &'a EnvironmentView,
    /// Whether our finalizer is on it.
    pub finalizer: Finalizer,
    /// What has become of the Deployment whose turn it is.
    pub holder: Holder,
    /// How far its Deployments are.
    pub deploys: Deploys,
}

/// How far the Deployments of an Environment are, by the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Deploys {
    /// All have ended, or there are none.
    Ended,
    /// At least one has not: it has yet to see that its Environment goes.
    Unended,
}

/// What has become of the Deployment whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Holder {
    /// It exists, nobody knows better, or there is none: it gives the turn back itself.
    Minding,
    /// A quorum read says that no object of that uid exists.
    Vanished,
}

/// Decides what one tick does for one Environment.
pub fn decide(case: EnvironmentCase<'_>, memory: &Memory, now: Now) -> Decision {
    decided(case, memory, now).sparing_others(memory.latest(now, case.environment.pace.tick()))
}

fn decided(case: EnvironmentCase<'_>, memory: &Memory, now: Now) -> Decision {
    let environment = case.environment;
    let (tenure, tick) = (&environment.tenure, environment.pace.tick());
    let certain = memory.is_certain(now);
    if case.finalizer == Finalizer::Absent {
        return match environment.deletion {
            Deletion::None => Decision::write(Write::AddFinalizer),
            Deletion::Delete | Deletion::Retain => Decision::nothing_more(),
        };
    }
    if environment.past == Past::Unknown {
        return Decision { action: Action::Wait, wake: Some(tick), progress: None };
    }
    let readings = memory.two(now, tick);
    if let (Holder::Vanished, true, Some(readings)) = (case.holder, certain, readings) {
        return store(tenure.release(&end_of_vanished(environment, readings)), TenureChange::Release);
    }
    let free = tenure.holder.is_none() && certain;
    if free && environment.deletion == Deletion::Delete && tenure.of_role(Role::Serving).next().is_some() {
        return store(tenure.doom_all(), TenureChange::Doom);
    }
    let settled = match environment.deletion {
        Deletion::None => false,
        Deletion::Delete => tenure.groups.is_empty(),
        // What stays is not left with bounds that only a deploy needed.
        Deletion::Retain => {
            let only_serving = tenure.groups.iter().all(|member| member.role == Role::Serving);
            only_serving && (tenure.groups.is_empty() || upkeep::is_as_declared(environment, memory, now))
        }
    };
    if free && settled && case.deploys == Deploys::Ended {
        return Decision::write(Write::RemoveFinalizer);
    }
    let restored = if free { upkeep::restored(environment, memory, now) } else { Vec::new() };
    if !restored.is_empty() {
        return store(tenure.let_go(&restored), TenureChange::LetGo);
    }
    let doomed: Vec<_> = tenure.of_role(Role::Doomed).map(|member| &member.name).collect();
    let held = tenure.holder.is_none() && tenure.groups.iter().any(|member| member.held.is_some());
    let outstanding = !doomed.is_empty() || held || environment.deletion != Deletion::None;
    let wake = (outstanding || case.holder == Holder::Vanished).then_some(tick);
    let Some(reading) = memory.latest(now, tick) else {
        return Decision { action: Action::Wait, wake, progress: None };
    };
    tidy(environment, &doomed, reading, memory, now, wake)
}

fn tidy(
    environment: &EnvironmentView,
    doomed: &[&GroupName],
    reading: &Reading,
    memory: &Memory,
    now: Now,
    wake: Option<Duration>,
) -> Decision {
    let tick = environment.pace.tick();
    let (mut gone, mut effects) = (Vec::new(), Vec::new());
    for name in doomed {
        match retire(name, reading, memory, now, tick) {
            Retiring::Gone => gone.push((*name).clone()),
            Retiring::Do(effect) if may_remove(environment, name, reading, memory, now) => {
                effects.push(effect);
            }
            Retiring::Do(_) | Retiring::Wait => {}
        }
    }
    if !gone.is_empty() && memory.is_certain(now) {
        return store(environment.tenure.forget(&gone), TenureChange::Forget);
    }
    let mut effects = one_from_users(effects, |name| reading.carries(name, at_work(environment, name)));
    let lacks = kept_up(environment, reading, memory, now);
    let wake = wake.or((!lacks.is_empty()).then_some(tick));
    // A group that goes and another one that is shrunk were each judged as if nothing else were taken. What is added
    // comes first, as nobody knows whether the rest will be answered.
    let alone = effects.is_empty();
    for lack in lacks {
        match lack {
            Lack::Instances(effect) => effects.insert(0, effect),
            Lack::Bounds(effect) if alone => effects.push(effect),
            Lack::Bounds(_) | Lack::Later => {}
        }
    }
    let action = if effects.is_empty() { Action::Wait } else { Action::Act(effects) };
    Decision { action, wake, progress: None }
}

/// What the groups that serve lack, where nobody has the turn and they are to stay.
fn kept_up(environment: &EnvironmentView, reading: &Reading, memory: &Memory, now: Now) -> Vec<Lack> {
    let keeps = environment.tenure.holder.is_none() && environment.deletion != Deletion::Delete;
    if keeps { upkeep::lacks(environment, reading, memory, now).collect() } else { Vec::new() }
}

fn store(to: Tenure, change: TenureChange) -> Decision {
    Decision::write(Write::Tenure { to: Box::new(to), change })
}

/// S1 for a group that is given up: it should carry nothing, and if it does, others must carry enough.
fn may_remove(
    environment: &EnvironmentView,
    name: &GroupName,
    reading: &Reading,
    memory: &Memory,
    now: Now,
) -> bool {
    if reading.group(name).is_none() {
        return true;
    }
    let Some(readings) = memory.two_settled(now, environment.pace.tick()) else { return false };
    if environment.deletion == Deletion::Delete {
        return true;
    }
    let desired = readings.iter().map(|reading| desired(environment, reading)).max().unwrap_or(1);
    capacity::permits(Removal::Group(name), Purpose::Tidy, desired, readings, &|name| {
        at_work(environment, name)
    })
}

/// D between deploys.
fn desired(environment: &EnvironmentView, reading: &Reading) -> u32 {
    let serving = environment.tenure.of_role(Role::Serving).filter_map(|member| reading.group(&member.name));
    let present: u32 = serving.map(|group| group.desired).sum();
    environment.replicas.unwrap_or(present).max(1)
}

/// Of groups whose Deployment is out of sight, those that were found good are at work.
fn at_work(environment: &EnvironmentView, name: &GroupName) -> AtWork {
    match environment.tenure.member(name) {
        Some(member) if member.role == Role::Serving => AtWork::Yes,
        Some(member) if member.role == Role::Green && member.deployed.is_some() => AtWork::Yes,
        _ => AtWork::No,
    }
}

/// The turn of a holder that vanished: what carries traffic in either of two readings serves, all else goes. Where nothing
/// does, because somebody keeps requests away for a while, what served until then is still what serves.
fn end_of_vanished(environment: &EnvironmentView, readings: [&Reading; 2]) -> End {
    let carries =
        |name: &GroupName| readings.iter().any(|reading| reading.carries(name, at_work(environment, name)));
    let names = |of: &dyn Fn(&Member) -> bool| -> Vec<GroupName> {
        let members = environment.tenure.groups.iter().filter(|member| of(member));
        members.map(|member| member.name.clone()).collect()
    };
    let carriers = names(&|member| carries(&member.name));
    let serving = if carriers.is_empty() { names(&|member| member.role == Role::Serving) } else { carriers };
    End { serving, gone: Vec::new(), deployed: None }
}
