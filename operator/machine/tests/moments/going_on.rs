//! Which entry comes next, and why: what is good enough to go on, what is lost, what has failed, whose time is up.

use std::time::Duration;

use dryad_machine::decide::{Action, TenureChange, Write};
use dryad_machine::deployed::{Deployed, Shipment};
use dryad_machine::effect::Effect;
use dryad_machine::event::Reason;
use dryad_machine::memory::{Look, Verdict};
use dryad_machine::name::{Region, Uid};
use dryad_machine::reading::{Attached, Presence, Reading, Slot};
use dryad_machine::release::Release;
use dryad_machine::state::State;
use dryad_machine::tenure::Held;
use dryad_machine::view::{Deletion, Resolution, Successor};

use crate::moment::{Moment, Sight, TICK, at, entry, group, weights};

fn reason(moment: &Moment) -> Option<Reason> {
    moment.entry().map(|(reason, _)| reason)
}

/// Green is evaluated in this step, and every check has been good for so long.
fn evaluated(step: i64, good_for: u64) -> Moment {
    let mut moment = Moment::weighted(State::EvaluateWait, Some(step));
    let from = moment.now.mono.as_secs() - good_for;
    for second in (from..=moment.now.mono.as_secs()).step_by(5) {
        moment.memory.checked(Verdict::Good, Duration::from_secs(second), TICK);
    }
    moment
}

/// Blue is being retired: it is gone, and that is confirmed.
fn retired() -> Moment {
    let mut moment = Moment::weighted(State::RetireWait, Some(2));
    moment.reading.groups.remove(&group("blue"));
    moment.memory.deletion_answered(&group("blue"), Duration::ZERO);
    moment
}

#[test]
fn a_step_goes_on_with_as_many_instances_as_are_wanted_or_more() {
    for (healthy, expected) in [(1, None), (2, Some(Reason::RolloutOk)), (3, Some(Reason::RolloutOk))] {
        let mut moment = Moment::weighted(State::RolloutWait, Some(1));
        moment.seen("green").healthy = healthy;
        assert_eq!(reason(&moment), expected, "{healthy}");
    }
    for (healthy, expected) in [(1, None), (2, Some(Reason::EvaluateOk)), (3, Some(Reason::EvaluateOk))] {
        let mut moment = evaluated(1, 60);
        moment.seen("green").healthy = healthy;
        assert_eq!(reason(&moment), expected, "{healthy}");
    }
}

#[test]
fn checks_have_to_be_good_for_as_long_as_was_asked_with_the_traffic_where_the_step_wants_it() {
    for (good_for, expected) in [(55, None), (60, Some(Reason::EvaluateOk)), (65, Some(Reason::EvaluateOk))] {
        assert_eq!(reason(&evaluated(2, good_for)), expected, "{good_for}");
    }
    let mut moved = evaluated(2, 60);
    moved.reading.traffic = weights(100, 0);
    assert_eq!(reason(&moved), None, "what gets no requests proves nothing");
}

#[test]
fn blue_is_retired_once_it_is_gone_and_what_runs_is_on_record() {
    assert_eq!(retired().entry(), Some((Reason::RetireOk, "blue is gone".to_owned())));
    let mut first = retired();
    first.plan().blue.clear();
    assert_eq!(first.entry(), Some((Reason::RetireOk, "there was no blue".to_owned())));
    let of_another = |uid: Option<&str>| {
        let mut moment = retired();
        let deployed = moment.environment.tenure.deployed.take();
        moment.environment.tenure.deployed =
            uid.and_then(|uid| Some(Deployed { uid: Uid::new(uid), ..deployed? }));
        moment.tenure().map(|(change, tenure)| (change, tenure.deployed.map(|deployed| deployed.uid)))
    };
    let projected = Some((TenureChange::Project, Some(Uid::new("d"))));
    assert_eq!(of_another(None), projected);
    assert_eq!(of_another(Some("d0")), projected);
}

#[test]
fn time_is_up_at_the_second_that_was_set() {
    let waits = |state, step| {
        let mut moment = Moment::weighted(state, step);
        moment.seen("green").healthy = 1;
        moment
    };
    for (state, step) in [
        (State::Resolve, None),
        (State::RolloutWait, Some(1)),
        (State::EvaluateWait, Some(1)),
        (State::RetireWait, Some(2)),
    ] {
        let mut moment = waits(state, step);
        moment.now = at(100 + 899);
        assert_eq!(reason(&moment), None, "{state}");
        moment.now = at(100 + 900);
        assert_eq!(reason(&moment), Some(Reason::TimedOut), "{state}");
    }
}

#[test]
fn retiring_blue_is_given_up_only_with_nothing_under_way_and_with_what_runs_on_record() {
    let overdue = || {
        let mut moment = Moment::weighted(State::RetireWait, Some(2));
        moment.now = at(100 + 900);
        moment
    };
    assert_eq!(reason(&overdue()), Some(Reason::TimedOut));
    let mut uncertain = overdue();
    uncertain.memory.unanswered(uncertain.now.mono + TICK);
    assert_eq!(reason(&uncertain), None);
    let mut unrecorded = overdue();
    unrecorded.environment.tenure.deployed = None;
    assert_eq!(unrecorded.tenure().map(|(change, _)| change), Some(TenureChange::Project));
}

#[test]
fn green_is_lost_where_it_is_gone_going_or_serves_without_one_healthy_instance() {
    let lost = |step, change: fn(&mut Moment)| {
        let mut moment = Moment::weighted(State::EvaluateWait, Some(step));
        change(&mut moment);
        moment.entry().filter(|(reason, _)| *reason == Reason::GreenLost).map(|(_, message)| message)
    };
    let gone = |moment: &mut Moment| moment.reading.groups.retain(|name, _| *name != group("green"));
    assert_eq!(lost(1, gone).as_deref(), Some("group green is lost: it does not exist"));
    let stray = |moment: &mut Moment| {
        moment.reading.groups.remove(&group("green"));
        moment.reading.foreign.insert(group("green"), "dryad.dev/turn".to_owned());
    };
    assert_eq!(
        lost(1, stray).as_deref(),
        Some("group green is lost: what has its name does not carry its tags")
    );
    let going = |moment: &mut Moment| moment.seen("green").presence = Presence::BeingDeleted;
    assert_eq!(lost(1, going).as_deref(), Some("group green is lost: it is being deleted"));
    let sick = |moment: &mut Moment| moment.seen("green").healthy = 0;
    assert_eq!(lost(1, sick), None, "it carries nothing yet");
    let workers = |step| {
        let mut moment = Moment::workers(State::EvaluateWait, Some(step));
        moment.seen("green").healthy = 0;
        reason(&moment)
    };
    assert_eq!((workers(1), workers(2)), (None, Some(Reason::GreenLost)), "they are at work from step 2 on");
    let said = "group green is lost: it carries traffic without one healthy instance";
    assert_eq!(lost(2, sick).as_deref(), Some(said));
}

#[test]
fn one_look_loses_nobody() {
    let moment = Moment::weighted(State::EvaluateWait, Some(1));
    let mut gone = moment.reading.clone();
    gone.groups.remove(&group("green"));
    for looks in [[&moment.reading, &gone], [&gone, &moment.reading]] {
        assert_eq!(moment.decide_on(looks).action, Action::Wait);
    }
}

#[test]
fn a_green_that_is_yet_to_be_launched_is_not_lost() {
    let mut moment = Moment::weighted(State::RolloutWait, Some(1));
    moment.reading.groups.remove(&group("green"));
    assert_eq!(moment.effects(), [Effect::Launch { group: group("green"), desired: 2 }]);
}

#[test]
fn a_green_that_takes_over_has_to_be_healthy_and_one_that_joins_may_take_its_time() {
    let sick = |mut moment: Moment, blue: Attached| {
        moment.hold_blue(Some(2));
        moment.seen("blue").attached = blue;
        (moment.seen("blue").min, moment.seen("green").healthy) = (2, 0);
        moment
    };
    let shared = |state, blue| {
        let mut moment = sick(Moment::shared(state, Some(2)), blue);
        moment.seen("green").attached = Attached::ToShared;
        moment
    };
    let lost = Some(Reason::GreenLost);
    let weighted = || {
        let mut moment = sick(Moment::weighted(State::RolloutWait, Some(2)), Attached::To(Slot::A));
        moment.reading.traffic = weights(0, 100);
        moment
    };
    assert_eq!(reason(&weighted()), lost);
    let mut alone = weighted();
    alone.reading.groups.remove(&group("blue"));
    assert_eq!(reason(&alone), lost, "by a rule it takes over at once");
    assert_eq!(reason(&shared(State::RolloutWait, Attached::ToShared)), None, "blue serves meanwhile");
    assert_eq!(reason(&shared(State::RolloutWait, Attached::Nowhere)), lost, "blue could");
    assert_eq!(reason(&shared(State::EvaluateWait, Attached::ToShared)), lost, "it has joined");
    let mut alone = shared(State::RolloutWait, Attached::Nowhere);
    alone.reading.groups.remove(&group("blue"));
    assert_eq!(reason(&alone), None, "there is nobody to go back to");
    let mut one_of_two = shared(State::RolloutWait, Attached::ToShared);
    one_of_two.plan().blue.push(group("other"));
    assert_eq!(reason(&one_of_two), None, "one that serves is enough");
}

#[test]
fn a_release_that_can_t_be_what_was_asked_for_ends_the_deploy_in_words() {
    let mut moment = Moment::weighted(State::Resolve, None);
    moment.resolution = Resolution::Rejected("no such commit".to_owned());
    assert_eq!(moment.entry(), Some((Reason::ReleaseRejected, "no such commit".to_owned())));
    moment.resolution = Resolution::NotPermitted("no such subnet".to_owned());
    assert_eq!(moment.entry(), Some((Reason::NotPermitted, "no such subnet".to_owned())));
}

#[test]
fn only_who_waits_is_given_up_for_a_newer_declaration_and_not_where_nobody_sees_the_environment() {
    let mut moment = Moment::weighted(State::Pending, None);
    moment.queue.successor = Successor::Newer;
    assert_eq!(reason(&moment), Some(Reason::TurnTaken), "its turn has come");
    moment.environment.tenure.holder = None;
    assert_eq!(reason(&moment), Some(Reason::Superseded));
    moment.queue.successor = Successor::None;
    moment.sight = Sight::Unseen;
    let said = "its Environment does not exist; create it, or delete this Deployment";
    assert_eq!((moment.entry(), moment.said()), (None, said.to_owned()));
    moment.sight = Sight::Shown;
    moment.environment.deletion = Deletion::Retain;
    assert_eq!(reason(&moment), Some(Reason::EnvironmentDeleted));
}

/// A deploy of which everything is known that its plan is made from.
fn resolved() -> Moment {
    let mut moment = Moment::weighted(State::Resolve, None);
    let release = Release::default();
    moment.resolution =
        Resolution::Resolved(Box::new(Shipment { release, committed_at: None, subject: None }));
    moment.reading.groups.remove(&group("green"));
    moment
}

#[test]
fn as_much_of_blue_is_enough_for_a_rollback_as_users_need_and_blue_had() {
    for (healthy, floor) in [(1, 1), (2, 2), (3, 2)] {
        let mut moment = resolved();
        moment.seen("blue").healthy = healthy;
        let Action::Write(Write::Append(append)) = moment.decide().action else { panic!("it has a plan") };
        assert_eq!(append.plan.map(|plan| plan.floor), Some(floor), "{healthy}");
    }
}

#[test]
fn an_environment_that_moved_after_the_turn_was_taken_gets_no_plan_and_says_where_to() {
    let mut moment = resolved();
    moment.environment.place.region = Region::new("s");
    let said = "the Environment moved from a/r to a/s after this Deployment took its turn; abort it and deploy again";
    assert_eq!((moment.entry(), moment.said()), (None, said.to_owned()));
}

#[test]
fn a_ledger_that_does_not_say_what_reaches_green_keeps_no_plan_from_being_made() {
    let mut moment = resolved();
    moment.environment.tenure.groups[1].access = None;
    assert_eq!(reason(&moment), Some(Reason::ReleaseResolved));
}

#[test]
fn blue_is_held_at_what_it_has_and_what_users_need_beyond_that_is_the_first_one_s() {
    let held = |moment: &Moment| {
        let (change, tenure) = moment.tenure().expect("blue is put on record");
        assert_eq!(change, TenureChange::Hold);
        tenure.groups.iter().filter_map(|member| member.held).collect::<Vec<_>>()
    };
    let bounds = |desired| Held { desired: Some(desired), original_min: 1, original_max: 4 };
    let mut moment = Moment::weighted(State::RolloutWait, Some(2));
    assert_eq!(held(&moment), [bounds(2)]);
    moment.environment.replicas = Some(5);
    assert_eq!(held(&moment), [bounds(5)]);
    moment.plan().blue.push(group("other"));
    let mut member = moment.environment.tenure.groups[0].clone();
    member.name = group("other");
    moment.environment.tenure.groups.push(member);
    let other = moment.seen("blue").clone();
    moment.reading.groups.insert(group("other"), other);
    assert_eq!(held(&moment), [bounds(3), bounds(2)]);
    let first = Moment::weighted(State::RolloutWait, Some(1));
    assert_eq!(first.tenure(), None, "nothing is taken from it yet");
}

#[test]
fn a_rollback_is_given_up_only_once_two_looks_agree_on_who_carries_the_traffic() {
    let mut moment = Moment::weighted(State::Rollback, Some(2));
    moment.seen("blue").healthy = 0;
    moment.reading.traffic = weights(0, 100);

    let on_blue = Reading { traffic: weights(100, 0), ..moment.reading.clone() };
    watched(&mut moment, 900);
    assert_eq!(moment.entry().map(|(reason, _)| reason), Some(Reason::BlueLost));
    let decision = moment.decide_on([&on_blue, &moment.reading]);
    assert_eq!(entry(decision), None);
    moment.memory.rerouted(moment.now.mono);
    assert_eq!(moment.entry(), None, "looks may not show it yet");
    let mut stuck = Moment::weighted(State::Rollback, Some(2));
    watched(&mut stuck, 900);
    assert_eq!(reason(&stuck), Some(Reason::TimedOut), "blue has the traffic, only green is still there");
}

/// So many seconds of looks, one a tick, before this moment.
fn watched(moment: &mut Moment, seconds: u64) {
    let from = moment.now.mono.as_secs();
    for second in (from..from + seconds).step_by(10) {
        let look = Look { at: at(second), reading: moment.reading.clone() };
        moment.memory.saw(look, TICK);
    }
    moment.now = at(from + seconds + 20);
}
