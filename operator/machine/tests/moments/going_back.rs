//! `Rollback`: blue's size, blue's traffic, blue's bounds, green's end, in that order.

use dryad_machine::effect::Effect;
use dryad_machine::event::Reason;
use dryad_machine::reading::{Attached, Slot};
use dryad_machine::state::State;

use crate::moment::{Moment, group, resize, weights};

/// A rollback from step 2 that has given blue the traffic.
fn home() -> Moment {
    Moment::weighted(State::Rollback, Some(2))
}

/// One that has not yet.
fn away() -> Moment {
    let mut moment = home();
    moment.reading.traffic = weights(0, 100);
    moment
}

/// One that has done everything.
fn done() -> Moment {
    let mut moment = home();
    moment.reading.groups.remove(&group("green"));
    moment.memory.deletion_answered(&group("green"), moment.now.mono);
    moment
}

fn shrunk_to(mut moment: Moment, size: u32) -> Moment {
    let blue = moment.seen("blue");
    (blue.min, blue.max, blue.desired, blue.healthy) = (size, size, size, size);
    moment
}

#[test]
fn a_blue_that_was_shrunk_is_grown_to_what_it_must_have_and_green_waits_for_that() {
    let grown = vec![resize("blue", 2, 2)];
    assert_eq!(shrunk_to(away(), 1).effects(), grown);
    assert_eq!(shrunk_to(home(), 1).effects(), grown, "though it has the traffic already");
    assert_eq!(shrunk_to(away(), 0).effects(), grown);
    let mut nothing_needed = shrunk_to(away(), 0);
    nothing_needed.plan().floor = 0;
    assert_eq!(nothing_needed.effects(), [resize("blue", 1, 1)], "one at least");
}

#[test]
fn blue_keeps_the_bounds_it_was_held_at_until_it_has_the_traffic() {
    let held = |mut moment: Moment, healthy| {
        moment.hold_blue(Some(2));
        let blue = moment.seen("blue");
        (blue.min, blue.healthy) = (2, healthy);
        moment
    };
    assert_eq!(held(away(), 1).effects(), []);
    assert_eq!(held(away(), 2).effects(), [Effect::Shift(Slot::A)]);
    let detach = Effect::Detach { group: group("green"), slot: Some(Slot::B) };
    assert_eq!(held(home(), 2).effects(), [resize("blue", 1, 4), detach]);
}

#[test]
fn giving_blue_its_bounds_back_takes_no_instance_away() {
    let mut moment = done();
    moment.hold_blue(Some(2));
    let blue = moment.seen("blue");
    (blue.max, blue.desired) = (6, 6);
    assert_eq!(moment.entry().map(|(reason, _)| reason), Some(Reason::RollbackOk), "it has grown past them");
    moment.seen("blue").max = 8;
    assert_eq!(moment.effects(), [resize("blue", 1, 6)]);
}

#[test]
fn a_rollback_ends_once_nothing_is_left_to_be_given_back() {
    let said = "rolled back, green is gone; it began because: asked";
    assert_eq!(done().entry(), Some((Reason::RollbackOk, said.to_owned())));
    let mut held = done();
    held.hold_blue(Some(2));
    held.seen("blue").min = 2;
    assert_eq!(held.effects(), [resize("blue", 1, 4)], "its bounds come first");
    let mut away = done();
    away.reading.traffic = weights(0, 100);
    assert_eq!(away.effects(), [Effect::Shift(Slot::A)], "the traffic comes first");
    let mut unanswered = home();
    unanswered.reading.groups.remove(&group("green"));
    assert_eq!(unanswered.effects(), [Effect::Delete(group("green"))], "absent is not gone");
}

#[test]
fn what_has_lost_its_tags_is_named_when_a_rollback_ends() {
    let lost = |name: &str| {
        let mut moment = done();
        moment.reading.foreign.insert(group(name), "dryad.dev/turn".to_owned());
        moment.entry().map(|(_, message)| message).unwrap_or_default()
    };
    assert!(lost("green").starts_with(
        "rolled back; what is called green does not carry this Deployment's tags (dryad.dev/turn)"
    ));
    assert!(lost("blue").starts_with(
        "rolled back, green is gone; group blue does not carry this Environment's tags any more (dryad.dev/turn)"
    ));
}

#[test]
fn one_group_of_blue_in_the_old_target_group_is_enough_to_shift_and_one_that_is_gone_is_not_there() {
    let mut moment = away();
    moment.plan().blue.insert(0, group("other"));
    moment.seen("blue").attached = Attached::Nowhere;
    let attach = Effect::Attach { group: group("blue"), slot: Some(Slot::A) };
    assert_eq!(moment.effects(), [attach], "the other one is gone");
    let other = moment.seen("blue").clone();
    moment.reading.groups.insert(group("other"), other);
    moment.seen("blue").attached = Attached::To(Slot::A);
    assert_eq!(moment.effects(), [Effect::Shift(Slot::A)]);
}
