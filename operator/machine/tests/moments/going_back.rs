//! `Rollback`: blue's size, blue's traffic, blue's bounds, green's end, in that order.

use dryad_machine::access::Access;
use dryad_machine::effect::Effect;
use dryad_machine::event::Reason;
use dryad_machine::name::Arn;
use dryad_machine::reading::{Attached, Reach, Slot, Traffic};
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
fn a_rollback_of_a_first_deploy_takes_green_down_as_nobody_is_there_to_go_back_to() {
    let first = |mut moment: Moment| {
        moment.plan().blue.clear();
        moment.plan().floor = 0;
        moment.reading.groups.remove(&group("blue"));
        moment
    };
    let mut shared = first(Moment::shared(State::Rollback, Some(2)));
    shared.seen("green").attached = Attached::ToShared;
    assert_eq!(shared.effects(), [Effect::Detach { group: group("green"), slot: None }]);
    let workers = first(Moment::workers(State::Rollback, Some(2)));
    assert_eq!(workers.effects(), [Effect::Empty(group("green"))]);
}

#[test]
fn of_a_blue_without_its_tags_it_is_said_whether_anything_reaches_it() {
    let said = |mut moment: Moment| {
        moment.reading.foreign.insert(group("blue"), "dryad.dev/turn".to_owned());
        moment.said()
    };
    let detached = |mut moment: Moment| {
        moment.seen("blue").attached = Attached::Nowhere;
        moment
    };
    let again = "it can't be attached again, so give it its tags back, and it is";
    let serves = "it serves and is left as it is, so give it its tags back, and it gets the declared bounds";
    assert!(said(away()).ends_with(serves));
    assert!(said(detached(away())).ends_with(again));
    assert!(said(moved(weights(0, 100))).ends_with(serves), "it has its own requests elsewhere");
    assert!(said(detached(Moment::shared(State::Rollback, Some(2)))).ends_with(again));
    assert!(said(Moment::workers(State::Rollback, Some(1))).ends_with(serves));
    let mut absent = away();
    absent.reading.groups.remove(&group("blue"));
    assert!(said(absent).ends_with(serves));
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

/// Blue was announced elsewhere and has its own traffic there.
fn moved(traffic: Traffic) -> Moment {
    let mut moment = home();
    moment.environment.tenure.groups[0].access = Some(Access::TargetGroup { arn: Arn::new("old") });
    let blue = moment.seen("blue");
    (blue.attached, blue.apart.attached, blue.apart.reach) =
        (Attached::Nowhere, Attached::ToShared, Reach::Requests);
    moment.reading.traffic = traffic;
    moment
}

#[test]
fn a_blue_that_stands_elsewhere_has_nothing_given_to_it_here_but_what_green_took_is_taken_from_green() {
    let detach = Effect::Detach { group: group("green"), slot: Some(Slot::B) };
    assert_eq!(moved(weights(100, 0)).effects(), std::slice::from_ref(&detach));
    assert_eq!(moved(weights(0, 100)).effects(), [Effect::Shift(Slot::A)]);
    let unusable = Traffic::Unusable("the rule is a redirect".to_owned());
    assert_eq!(moved(unusable).effects(), [], "nobody knows whom it sends requests to");
    let mut one_of_two = moved(weights(50, 0));
    one_of_two.plan().blue.push(group("other"));
    let mut other = one_of_two.environment.tenure.groups[0].clone();
    (other.name, other.access) = (group("other"), one_of_two.environment.tenure.groups[1].access.clone());
    one_of_two.environment.tenure.groups.push(other);
    assert_eq!(one_of_two.effects(), [detach]);
    one_of_two.reading.traffic = weights(0, 0);
    assert_eq!(one_of_two.effects(), [Effect::Shift(Slot::A)], "the other one's traffic is here");
}

#[test]
fn a_blue_of_which_the_ledger_does_not_say_what_reaches_it_belongs_here() {
    let mut moment = away();
    moment.environment.tenure.groups[0].access = None;
    moment.seen("blue").attached = Attached::Nowhere;
    assert_eq!(moment.effects(), [Effect::Attach { group: group("blue"), slot: Some(Slot::A) }]);
}

#[test]
fn in_one_target_group_blue_is_back_once_green_has_left_it() {
    let mut moment = Moment::shared(State::Rollback, Some(2));
    moment.hold_blue(Some(2));
    moment.seen("blue").min = 2;
    moment.seen("green").attached = Attached::ToShared;
    assert_eq!(moment.effects(), [Effect::Detach { group: group("green"), slot: None }]);
    moment.seen("blue").healthy = 1;
    assert_eq!(moment.effects(), [], "its bounds stay as well");
    moment.seen("green").attached = Attached::Nowhere;
    assert_eq!(moment.effects(), [resize("blue", 1, 4), Effect::Empty(group("green"))]);
}

#[test]
fn one_group_of_blue_that_can_t_be_attached_again_keeps_no_rollback_from_ending() {
    let mut moment = Moment::shared(State::Rollback, Some(2));
    moment.plan().blue.push(group("stray"));
    let mut stray = moment.environment.tenure.groups[0].clone();
    stray.name = group("stray");
    moment.environment.tenure.groups.push(stray);
    let mut seen = moment.seen("blue").clone();
    seen.attached = Attached::Nowhere;
    moment.reading.groups.insert(group("stray"), seen);
    moment.reading.foreign.insert(group("stray"), "dryad.dev/turn".to_owned());
    assert_eq!(moment.effects(), [Effect::Empty(group("green"))]);
}

#[test]
fn workers_are_home_once_as_many_of_blue_are_at_work_as_must_be() {
    let with = |in_service, floor| {
        let mut moment = Moment::workers(State::Rollback, Some(1));
        moment.plan().floor = floor;
        moment.seen("blue").in_service = in_service;
        moment.effects()
    };
    for (in_service, floor) in [(1, 2), (0, 0)] {
        assert_eq!(with(in_service, floor), [], "{in_service} of {floor}");
    }
    for (in_service, floor) in [(2, 2), (3, 2), (1, 0)] {
        assert_eq!(with(in_service, floor), [Effect::Empty(group("green"))], "{in_service} of {floor}");
    }
}

/// A first deploy that takes the traffic of so many targets in A, which are nobody's that we know.
fn first_deploy(moment: Moment, strangers: u32) -> Moment {
    let mut moment = moment;
    moment.plan().blue.clear();
    moment.reading.groups.remove(&group("blue"));
    moment.environment.tenure.groups.remove(0);
    if let Traffic::Weighted { a, .. } = &mut moment.reading.traffic {
        a.strangers = strangers;
    }
    moment
}

#[test]
fn a_first_deploy_gives_the_traffic_back_to_whoever_had_it_before() {
    let detach = [Effect::Detach { group: group("green"), slot: Some(Slot::B) }];
    assert_eq!(first_deploy(away(), 2).effects(), [Effect::Shift(Slot::A)]);
    assert_eq!(first_deploy(home(), 2).effects(), detach);
    assert_eq!(first_deploy(away(), 0).effects(), detach, "there is nobody to give it to");
}
