//! `RolloutWait` and `EvaluateWait`: green comes into its place, grows with blue, and takes the traffic once blue is held.

use dryad_machine::decide::Action;
use dryad_machine::effect::Effect;
use dryad_machine::reading::{Attached, Presence, Slot, SlotSeen, Traffic};
use dryad_machine::state::State;
use dryad_machine::tenure::Role;
use dryad_machine::view::Paused;

use crate::moment::{Moment, group, resize, weights};

/// Step 1: green is up and attached nowhere yet.
fn up() -> Moment {
    let mut moment = Moment::weighted(State::RolloutWait, Some(1));
    moment.seen("green").attached = Attached::Nowhere;
    moment
}

/// Step 2 before the traffic is moved: what blue was like is on record.
fn about_to_shift() -> Moment {
    let mut moment = Moment::weighted(State::RolloutWait, Some(2));
    moment.hold_blue(Some(2));
    moment
}

fn attach() -> [Effect; 1] {
    [Effect::Attach { group: group("green"), slot: Some(Slot::B) }]
}

#[test]
fn green_joins_a_target_group_in_which_nobody_else_is_and_to_which_nothing_is_sent() {
    assert_eq!(up().effects(), attach());
    for (weight, strangers) in [(100, 0), (0, 1)] {
        let mut moment = up();
        let (a, b) =
            (SlotSeen { weight: Some(100), strangers: 0 }, SlotSeen { weight: Some(weight), strangers });
        moment.reading.traffic = Traffic::Weighted { a, b };
        assert_eq!(moment.effects(), [], "weight {weight}, {strangers} strangers");
    }
}

#[test]
fn only_who_is_given_up_or_gets_no_requests_is_taken_out_of_the_target_group_that_green_needs() {
    let squatted_by = |role, weight| {
        let mut moment = up();
        let mut member = moment.environment.tenure.groups[0].clone();
        (member.name, member.role) = (group("old"), role);
        moment.environment.tenure.groups.push(member);
        let old = moment.seen("blue").clone();
        moment.reading.groups.insert(group("old"), old);
        moment.seen("old").attached = Attached::To(Slot::B);
        moment.reading.traffic = weights(100 - weight, weight);
        moment.effects()
    };
    assert_eq!(squatted_by(Role::Doomed, 0), [Effect::Detach { group: group("old"), slot: Some(Slot::B) }]);
    let grow = || resize("green", 4, 4);
    let detach = Effect::Detach { group: group("old"), slot: Some(Slot::B) };
    assert_eq!(squatted_by(Role::Serving, 0), [grow(), detach], "as users need four by then");
    assert_eq!(squatted_by(Role::Serving, 1), [grow()], "some users are on it");
    assert_eq!(squatted_by(Role::Doomed, 100), [], "users are on it");
}

#[test]
fn green_grows_with_blue_for_as_long_as_it_may_have_to_take_its_place() {
    for (state, step) in [(State::RolloutWait, 1), (State::EvaluateWait, 1), (State::EvaluateWait, 2)] {
        let mut moment = Moment::weighted(state, Some(step));
        moment.deployment.request.paused = Paused::Yes;
        assert_eq!(moment.effects(), [], "{state} {step}: it is as large");
        moment.seen("blue").desired = 3;
        assert_eq!(moment.effects(), [resize("green", 3, 4)], "{state} {step}");
        moment.seen("blue").desired = 1;
        assert_eq!(moment.effects(), [], "{state} {step}: nor does it shrink with it");
        moment.seen("blue").desired = 3;
        let before = moment.reading.clone();
        moment.seen("green").presence = Presence::BeingDeleted;
        let decision = moment.decide_on([&before, &moment.reading]);
        assert_eq!(decision.action, Action::Wait, "{state} {step}: it is going");
    }
}

#[test]
fn the_traffic_moves_once_blue_is_held_at_what_it_has() {
    let mut moment = about_to_shift();
    assert_eq!(moment.effects(), [resize("blue", 2, 4)]);
    moment.seen("blue").min = 2;
    assert_eq!(moment.effects(), [Effect::Shift(Slot::B)]);
    let blue = moment.seen("blue");
    (blue.min, blue.presence) = (1, Presence::BeingDeleted);
    assert_eq!(moment.effects(), [Effect::Shift(Slot::B)], "one that is going is not held any more");
}

#[test]
fn blue_leaves_the_one_target_group_once_it_is_held_at_what_it_has() {
    let mut moment = Moment::shared(State::RolloutWait, Some(2));
    moment.hold_blue(Some(2));
    moment.seen("green").attached = Attached::ToShared;
    assert_eq!(moment.effects(), [resize("blue", 2, 4)]);
    moment.seen("blue").min = 2;
    assert_eq!(moment.effects(), [Effect::Detach { group: group("blue"), slot: None }]);
}

#[test]
fn what_a_step_has_done_is_not_done_again_while_it_waits() {
    let mut moment = about_to_shift();
    moment.deployment.request.paused = Paused::Yes;
    moment.reading.traffic = weights(0, 100);
    assert_eq!(moment.effects(), []);
}

#[test]
fn the_traffic_waits_for_a_green_that_has_what_users_need_however_few_of_blue_are_left() {
    let mut moment = about_to_shift();
    for name in ["blue", "green"] {
        (moment.seen(name).min, moment.seen(name).healthy) = (2, 1);
    }
    assert_eq!(moment.effects(), []);
}
