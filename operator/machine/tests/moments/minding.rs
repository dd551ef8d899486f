//! The Environment's own loop: what it gives back, keeps up, takes down and lets go of, and when it looks again.

use dryad_machine::decide::{Action, Decision, TenureChange, Write};
use dryad_machine::effect::{Effect, Size};
use dryad_machine::environment::{Deploys, EnvironmentCase, Holder, decide};
use dryad_machine::memory::{Look, Memory};
use dryad_machine::name::Uid;
use dryad_machine::reading::{Attached, GroupSeen, Reading, Slot};
use dryad_machine::state::State;
use dryad_machine::tenure::{
    Held,
    Role::{self, Doomed, Serving},
};
use dryad_machine::view::{Deletion, EnvironmentView, Finalizer};

use crate::moment::{Moment, TICK, at, group, resize, weights};

/// An Environment that nobody works on: blue serves, two instances of it, at the declared bounds of 1 and 4.
struct Idle {
    environment: EnvironmentView,
    reading: Reading,
    memory: Memory,
    holder: Holder,
    deploys: Deploys,
}

fn idle() -> Idle {
    idle_of(Moment::weighted(State::RolloutWait, Some(1)))
}

fn idle_of(moment: Moment) -> Idle {
    let Moment { mut environment, mut reading, memory, .. } = moment;
    environment.tenure.holder = None;
    environment.tenure.groups.truncate(1);
    reading.groups.remove(&group("green"));
    Idle { environment, reading, memory, holder: Holder::Minding, deploys: Deploys::Ended }
}

const NOW: u64 = 200;

impl Idle {
    fn seen(&mut self, name: &str) -> &mut GroupSeen {
        self.reading.groups.get_mut(&group(name)).expect("it is there")
    }

    /// One more group like blue.
    fn add(&mut self, name: &str, role: Role) {
        let mut member = self.environment.tenure.groups[0].clone();
        (member.name, member.role) = (group(name), role);
        self.environment.tenure.groups.push(member);
        let seen = self.seen("blue").clone();
        self.reading.groups.insert(group(name), seen);
    }

    fn hold(&mut self, desired: Option<u32>) {
        let held = Held { desired, original_min: 1, original_max: 4 };
        self.environment.tenure.groups[0].held = Some(held);
    }

    fn decide_on(&self, readings: [&Reading; 2]) -> Decision {
        let mut memory = self.memory.clone();
        for (second, reading) in [NOW - 10, NOW].into_iter().zip(readings) {
            memory.saw(Look { at: at(second), reading: reading.clone() }, TICK);
        }
        let Self { environment, holder, deploys, .. } = self;
        let case = EnvironmentCase {
            environment,
            finalizer: Finalizer::Present,
            holder: *holder,
            deploys: *deploys,
        };
        decide(case, &memory, at(NOW))
    }

    fn decide(&self) -> Decision {
        self.decide_on([&self.reading; 2])
    }

    fn effects(&self) -> Vec<Effect> {
        match self.decide().action {
            Action::Act(effects) => effects,
            Action::Wait => Vec::new(),
            Action::Write(write) => panic!("a write and no change: {write:?}"),
        }
    }
}

fn uncertain(mut idle: Idle) -> Idle {
    idle.memory.unanswered(at(NOW).mono + TICK);
    idle
}

/// Looks may not show yet who carries the traffic.
fn unsettled(mut idle: Idle) -> Idle {
    idle.memory.rerouted(at(NOW).mono);
    idle
}

fn going(deletion: Deletion) -> Idle {
    let mut idle = idle();
    idle.environment.deletion = deletion;
    idle
}

/// The roles once the turn of a holder that vanished was given back.
fn roles_after(decision: Decision) -> Vec<Role> {
    match decision.action {
        Action::Write(Write::Tenure { to, change: TenureChange::Release }) => {
            to.groups.iter().map(|member| member.role).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_environment_that_leaves_what_serves_behind_leaves_it_as_declared() {
    let gone = |idle: &Idle| idle.decide().action == Action::Write(Write::RemoveFinalizer);
    assert!(gone(&going(Deletion::Retain)));
    let mut raised = going(Deletion::Retain);
    raised.seen("blue").min = 2;
    assert_eq!(raised.effects(), [resize("blue", 1, 4)]);
    let as_declared = going(Deletion::Retain).reading;
    assert_eq!(
        raised.decide_on([&raised.reading, &as_declared]).action,
        Action::Wait,
        "one look is not enough"
    );
    let mut two = going(Deletion::Retain);
    two.add("other", Role::Serving);
    assert!(gone(&two));
    two.seen("other").min = 2;
    assert_eq!(two.effects(), [resize("other", 1, 4)]);
    let mut doomed = going(Deletion::Retain);
    doomed.add("old", Role::Doomed);
    doomed.reading.groups.remove(&group("old"));
    assert_eq!(doomed.effects(), [Effect::Delete(group("old"))]);
    let mut empty = unsettled(going(Deletion::Retain));
    empty.environment.tenure.groups.clear();
    assert!(gone(&empty), "nothing is left to be looked at");
}

#[test]
fn nobody_lets_go_of_an_environment_that_somebody_may_still_work_on() {
    let waits = |idle: &Idle| idle.decide().action == Action::Wait;
    assert!(waits(&unsettled(going(Deletion::Retain))));
    assert!(waits(&uncertain(going(Deletion::Retain))));
    let mut unended = going(Deletion::Retain);
    unended.deploys = Deploys::Unended;
    assert!(waits(&unended));
    let mut held = going(Deletion::Retain);
    held.environment.tenure.holder = Some(Uid::new("d"));
    assert!(waits(&held));
}

#[test]
fn it_looks_again_only_where_something_is_left_to_be_done() {
    let wakes = |idle: &Idle| {
        let decision = idle.decide();
        assert_eq!(decision.action, Action::Wait);
        decision.wake.is_some()
    };
    assert!(!wakes(&idle()), "a change of its objects will wake it");
    assert!(wakes(&uncertain(going(Deletion::Retain))));
    let mut lacks = uncertain(idle());
    lacks.seen("blue").min = 2;
    assert!(wakes(&lacks), "its bounds are given back later");
    let mut vanished = unsettled(uncertain(idle()));
    (vanished.holder, vanished.environment.tenure.holder) = (Holder::Vanished, Some(Uid::new("d")));
    assert!(wakes(&vanished));
    let mut held = uncertain(idle());
    held.hold(None);
    assert!(wakes(&held));
    held.add("other", Role::Serving);
    held.environment.tenure.groups[1].held = None;
    assert!(wakes(&held), "one that is held is enough");
    held.environment.tenure.holder = Some(Uid::new("d"));
    assert!(!wakes(&held), "that is for who has the turn");
    let mut doomed = uncertain(idle());
    doomed.add("old", Role::Doomed);
    (doomed.seen("old").attached, doomed.seen("old").draining) = (Attached::Nowhere, 1);
    assert!(wakes(&doomed));
}

#[test]
fn who_was_held_is_let_go_of_once_two_looks_show_the_declared_bounds() {
    let mut idle = idle();
    idle.hold(None);
    let let_go = |decision: Decision| match decision.action {
        Action::Write(Write::Tenure { to, change: TenureChange::LetGo }) => to.groups[0].held.is_none(),
        _ => false,
    };
    assert!(let_go(idle.decide()));
    let mut raised = idle.reading.clone();
    raised.groups.get_mut(&group("blue")).expect("it is there").min = 2;
    assert!(!let_go(idle.decide_on([&raised, &idle.reading])));
    assert!(!let_go(idle.decide_on([&idle.reading, &raised])));
}

#[test]
fn bounds_and_fewer_instances_wait_until_nothing_can_land_and_more_instances_do_not() {
    let with = |min, replicas| {
        let mut idle = idle();
        idle.seen("blue").min = min;
        idle.environment.replicas = replicas;
        idle
    };
    let size = |min, desired| Effect::Resize { group: group("blue"), size: Size { min, max: 4, desired } };
    assert_eq!(with(2, None).effects(), [size(1, None)]);
    assert_eq!(uncertain(with(2, None)).effects(), []);
    assert_eq!(with(1, Some(3)).effects(), [size(1, Some(3))]);
    assert_eq!(uncertain(with(1, Some(3))).effects(), [size(3, None)], "by its lower bound");
    assert_eq!(with(2, Some(2)).effects(), [size(1, None)], "its size is as it should be");
    assert_eq!(with(1, Some(1)).effects(), [size(1, Some(1))]);
    assert_eq!(unsettled(with(1, Some(1))).effects(), [], "looks may not show who carries the traffic");
    assert_eq!(uncertain(with(1, Some(1))).effects(), []);
}

#[test]
fn of_several_that_serve_the_newest_makes_up_for_what_all_lack_and_none_is_shrunk() {
    let with = |replicas, [min, max]: [u32; 2]| {
        let mut idle = idle();
        idle.add("newer", Role::Serving);
        idle.environment.replicas = Some(replicas);
        (idle.environment.bounds.min, idle.environment.bounds.max) = (min, max);
        for name in ["blue", "newer"] {
            (idle.seen(name).min, idle.seen(name).max) = (min, max.max(2));
        }
        idle
    };
    let grown =
        |name, min, max, desired| Effect::Resize { group: group(name), size: Size { min, max, desired } };
    assert_eq!(with(5, [1, 4]).effects(), [grown("newer", 1, 4, Some(3))]);
    assert_eq!(with(9, [1, 4]).effects(), [grown("newer", 1, 4, Some(4))], "as far as it may");
    assert_eq!(with(1, [1, 4]).effects(), []);
    assert_eq!(with(1, [1, 1]).effects(), []);
    let mut small = with(4, [3, 4]);
    small.seen("blue").min = 2;
    assert_eq!(
        small.effects(),
        [grown("newer", 3, 4, Some(3)), grown("blue", 3, 4, Some(3))],
        "as many as declared"
    );
}

#[test]
fn one_thing_is_taken_at_a_time_and_what_is_added_comes_first() {
    let mut idle = idle();
    idle.add("old", Role::Doomed);
    idle.seen("blue").min = 2;
    idle.seen("old").attached = Attached::To(Slot::B);
    let detach = Effect::Detach { group: group("old"), slot: Some(Slot::B) };
    assert_eq!(idle.effects(), std::slice::from_ref(&detach), "the bounds come afterwards");
    idle.environment.replicas = Some(3);
    let grow = Effect::Resize { group: group("blue"), size: Size { min: 1, max: 4, desired: Some(3) } };
    assert_eq!(idle.effects(), [grow, detach]);
}

#[test]
fn who_is_given_up_and_still_serves_goes_once_the_others_are_what_users_need() {
    let with = |healthy, replicas| {
        let mut idle = idle_of(Moment::shared(State::RolloutWait, Some(1)));
        idle.add("old", Role::Doomed);
        idle.seen("blue").healthy = healthy;
        idle.environment.replicas = replicas;
        idle.effects()
    };
    let detach = || Effect::Detach { group: group("old"), slot: None };
    assert_eq!(with(2, None), [detach()]);
    assert_eq!(with(1, None), []);
    let grown = Effect::Resize { group: group("blue"), size: Size { min: 1, max: 4, desired: Some(3) } };
    assert_eq!(with(2, Some(3)), std::slice::from_ref(&grown), "three are needed");
    assert_eq!(with(3, Some(3)), [grown, detach()]);
}

#[test]
fn of_a_holder_that_vanished_whoever_carries_in_either_look_serves() {
    let with = |moment: Moment| {
        let mut idle = idle_of(moment);
        idle.add("green", Role::Green);
        (idle.holder, idle.environment.tenure.holder) = (Holder::Vanished, Some(Uid::new("d")));
        idle
    };
    let mut weighted = with(Moment::weighted(State::RolloutWait, Some(2)));
    weighted.seen("green").attached = Attached::To(Slot::B);
    let on_green = Reading { traffic: weights(0, 100), ..weighted.reading.clone() };
    assert_eq!(roles_after(weighted.decide()), [Serving, Doomed]);
    assert_eq!(roles_after(weighted.decide_on([&on_green; 2])), [Doomed, Serving]);
    for looks in [[&weighted.reading, &on_green], [&on_green, &weighted.reading]] {
        assert_eq!(roles_after(weighted.decide_on(looks)), [Serving, Serving]);
    }
    let mut workers = with(Moment::workers(State::RolloutWait, Some(2)));
    assert_eq!(roles_after(workers.decide()), [Serving, Doomed]);
    let proven = Moment::workers(State::RetainWait, Some(2)).environment.tenure.deployed;
    workers.environment.tenure.groups[1].deployed = proven;
    assert_eq!(roles_after(workers.decide()), [Serving, Serving], "it was found good");
    workers.environment.tenure.groups[0].role = Doomed;
    workers.environment.tenure.groups[0].deployed = workers.environment.tenure.groups[1].deployed.clone();
    assert_eq!(roles_after(workers.decide()), [Doomed, Serving], "given up is given up");
}
