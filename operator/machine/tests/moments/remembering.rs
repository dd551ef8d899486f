//! What a process still knows after something has happened, and what it has to look at anew.

use std::time::Duration;

use dryad_machine::decide::Action;
use dryad_machine::event::Reason;
use dryad_machine::memory::{Look, Memory, Stage, Verdict};
use dryad_machine::reading::Reading;
use dryad_machine::state::State;

use crate::moment::{Moment, TICK, at, group, weights};

fn reading() -> Reading {
    Moment::weighted(State::EvaluateWait, Some(1)).reading
}

/// What was seen and heard at seconds 100 and 110.
fn remembered() -> Memory {
    let mut memory = Memory::new(Duration::ZERO);
    for second in [100, 110] {
        memory.saw(Look { at: at(second), reading: reading() }, TICK);
        memory.checked(Verdict::Good, Duration::from_secs(second), TICK);
    }
    memory
}

#[test]
fn what_checks_and_cloud_said_in_one_state_says_nothing_in_the_next() {
    let history = Moment::weighted(State::RolloutWait, Some(1)).deployment.history;
    let mut memory = remembered();
    memory.refused("there is no such image".to_owned());
    assert_eq!((memory.good_for(), memory.refusal()), (TICK, Some("there is no such image")));
    memory.enter(Stage::from(&history));
    assert_eq!((memory.good_for(), memory.verdict(), memory.refusal()), (Duration::ZERO, None, None));
}

#[test]
fn a_rollback_is_given_up_by_the_second_that_it_was_watched_for_in_that_state() {
    let overdue = |stage: Option<u64>, until: u64| {
        let mut moment = Moment::weighted(State::Rollback, Some(2));
        (moment.seen("blue").healthy, moment.reading.traffic) = (0, weights(0, 100));
        for second in (100..until).step_by(10) {
            if stage == Some(second) {
                moment.memory.enter(Stage::default());
                moment.memory.enter(Stage::from(&moment.deployment.history));
            }
            moment.memory.saw(Look { at: at(second), reading: moment.reading.clone() }, TICK);
        }
        moment.now = at(until);
        moment.entry().map(|(reason, _)| reason)
    };
    assert_eq!(overdue(None, 990), None);
    assert_eq!(overdue(None, 1_000), Some(Reason::BlueLost));
    assert_eq!(overdue(Some(500), 1_000), None, "what was seen in another state is not counted");
}

#[test]
fn a_tick_that_saw_nothing_begins_the_evaluation_anew() {
    let mut memory = remembered();
    memory.saw_nothing();
    assert_eq!((memory.good_for(), memory.verdict()), (Duration::ZERO, None));
    assert!(memory.latest(at(110), TICK).is_some(), "what was seen is not wrong");
}

#[test]
fn checks_follow_one_another_as_long_as_no_more_than_one_tick_is_missed() {
    for (second, good_for) in [(130, 30), (131, 0)] {
        let mut memory = remembered();
        memory.checked(Verdict::Good, Duration::from_secs(second), TICK);
        assert_eq!(memory.good_for(), Duration::from_secs(good_for), "{second}");
    }
}

#[test]
fn an_unanswered_change_makes_looks_worthless_and_the_world_uncertain_until_it_must_have_landed() {
    let mut memory = remembered();
    memory.unanswered(Duration::from_secs(400));
    assert!(memory.latest(at(110), TICK).is_none());
    assert_eq!((memory.is_certain(at(399)), memory.is_certain(at(400))), (false, true));
    memory.unanswered(Duration::from_secs(300));
    assert_eq!(memory.certain_from(), Duration::from_secs(400), "the earlier one may still land");
}

#[test]
fn what_another_loop_has_left_under_way_makes_looks_worthless_here_and_nothing_else_does() {
    let knows = |certain_from: u64, last_create: u64| {
        let mut other = Memory::new(Duration::from_secs(certain_from));
        other.creating(Duration::from_secs(last_create));
        other.horizon()
    };
    let mut memory = remembered();
    memory.beyond(knows(400, 500));
    assert!(memory.latest(at(110), TICK).is_none());
    assert_eq!(memory.certain_from(), Duration::from_secs(400));
    memory.saw(Look { at: at(120), reading: reading() }, TICK);
    for known in [knows(400, 0), knows(300, 0)] {
        memory.beyond(known);
        assert!(memory.latest(at(120), TICK).is_some(), "it was known");
        assert_eq!(memory.certain_from(), Duration::from_secs(400));
    }
    memory.deletion_answered(&group("green"), Duration::from_secs(499));
    assert!(!memory.is_deletion_answered(&group("green")), "a creation may still land");
    memory.deletion_answered(&group("green"), Duration::from_secs(500));
    assert!(memory.is_deletion_answered(&group("green")));
}

#[test]
fn gone_takes_two_looks_after_the_answer_and_both_without_the_group() {
    let shown = reading();
    let mut absent = shown.clone();
    absent.groups.remove(&group("green"));
    let gone = |before: Option<&Reading>, after: &[&Reading]| {
        let mut memory = Memory::new(Duration::ZERO);
        let looks = before.into_iter().chain(after.iter().copied());
        let from = if before.is_some() { 100 } else { 110 };
        for (second, reading) in (from..).step_by(10).zip(looks) {
            if second == 110 {
                memory.deletion_answered(&group("green"), Duration::from_secs(second));
            }
            memory.saw(Look { at: at(second), reading: reading.clone() }, TICK);
        }
        memory.is_gone(&group("green"), at(120), TICK)
    };
    assert!(gone(None, &[&absent, &absent]));
    assert!(!gone(None, &[&shown, &absent]) && !gone(None, &[&absent, &shown]));
    assert!(!gone(Some(&absent), &[&absent]), "a look from before the answer is none");
}

#[test]
fn a_look_counts_for_a_tick() {
    let memory = remembered();
    assert!(memory.latest(at(120), TICK).is_some() && memory.latest(at(121), TICK).is_none());
}

#[test]
fn clocks_may_differ_by_a_tick() {
    let mut off_by = at(110);
    for (second, agree) in [(120, true), (121, false), (100, true), (99, false)] {
        off_by.wall = at(second).wall;
        assert_eq!(remembered().clocks_agree(off_by, TICK), agree, "{second}");
    }
}

#[test]
fn what_the_cloud_refuses_for_good_ends_the_launch_in_its_words() {
    let mut moment = Moment::weighted(State::RolloutWait, Some(1));
    moment.reading.groups.remove(&group("green"));
    moment.memory.refused("there is no such image".to_owned());
    assert_eq!(moment.entry(), Some((Reason::LaunchRefused, "there is no such image".to_owned())));
}

#[test]
fn who_has_ended_looks_again_when_nothing_can_land_any_more() {
    let mut moment = Moment::weighted(State::Rollback, Some(2));
    moment.enter(State::Failed, Reason::RollbackOk);
    moment.memory.unanswered(moment.now.mono + TICK * 3);
    let decision = moment.decide();
    assert_eq!((decision.action, decision.wake), (Action::Wait, Some(TICK * 3)));
}
