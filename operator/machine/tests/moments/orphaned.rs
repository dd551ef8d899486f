//! A deploy whose Environment is gone: what it made superfluous and nobody reaches is taken down, everything else is named.

use std::time::Duration;

use dryad_machine::decide::Action;
use dryad_machine::effect::Effect;
use dryad_machine::event::Reason;
use dryad_machine::reading::{Reading, Slot};
use dryad_machine::state::State;
use dryad_machine::view::Remains;

use crate::moment::{Moment, Sight, TICK, entry, group, weights};

/// Its Environment is gone since this second, and both groups can still be told apart from anybody else's.
fn orphaned(mut moment: Moment, since: u64) -> Moment {
    let groups = vec![group("blue"), group("green")];
    moment.sight = Sight::Gone(Remains { since: Duration::from_secs(since), groups });
    moment
}

fn coming_in() -> Moment {
    orphaned(Moment::weighted(State::EvaluateWait, Some(1)), 0)
}

fn found_good() -> Moment {
    orphaned(Moment::weighted(State::RetainWait, Some(2)), 0)
}

fn detach(name: &str, slot: Slot) -> [Effect; 1] {
    [Effect::Detach { group: group(name), slot: Some(slot) }]
}

fn ends_naming(names: &str) -> (Reason, String) {
    let left = match names {
        "" => String::new(),
        names => format!("; left as they are, delete by hand what is not needed: {names}"),
    };
    let said = format!("the Environment was deleted in spite of its finalizer{left}");
    (Reason::EnvironmentGone, said)
}

#[test]
fn green_goes_until_it_was_found_good_and_blue_afterwards() {
    assert_eq!(coming_in().effects(), detach("green", Slot::B));
    assert_eq!(coming_in().said(), "its Environment is gone; taking down what carries nothing");
    assert_eq!(found_good().effects(), detach("blue", Slot::A));
    let mut back = found_good();
    back.enter(State::Rollback, Reason::RollbackRequested);
    back.reading.traffic = weights(100, 0);
    assert_eq!(back.effects(), detach("green", Slot::B), "nobody found it good in the end");
}

#[test]
fn what_users_reach_stays_and_is_named() {
    let mut on_green = coming_in();
    on_green.reading.traffic = weights(0, 100);
    assert_eq!(on_green.entry(), Some(ends_naming("blue, green")));
    let mut on_both = found_good();
    on_both.reading.traffic = weights(50, 50);
    assert_eq!(on_both.entry(), Some(ends_naming("blue, green")));
    let on_blue = Reading { traffic: weights(100, 0), ..on_green.reading.clone() };
    let on_both = Reading { traffic: weights(50, 50), ..on_blue.clone() };
    for looks in [[&on_green.reading, &on_blue], [&on_blue, &on_green.reading], [&on_both, &on_blue]] {
        let decision = on_green.decide_on(looks);
        assert_eq!(entry(decision.clone()), None, "nobody knows yet");
        assert_eq!(decision.action, Action::Wait);
    }
}

#[test]
fn looks_that_may_not_show_the_last_change_of_traffic_end_nothing_and_take_nothing_down() {
    for traffic in [weights(0, 100), weights(100, 0)] {
        let mut moment = coming_in();
        moment.reading.traffic = traffic;
        moment.memory.rerouted(moment.now.mono);
        assert_eq!((moment.entry(), moment.effects()), (None, vec![]));
    }
}

#[test]
fn nothing_is_done_while_a_request_may_still_land() {
    let mut moment = coming_in();
    moment.memory.unanswered(moment.now.mono + TICK);
    assert_eq!(moment.effects(), []);
    assert_eq!(moment.said(), "its Environment is gone; an unanswered request to the cloud may still land");
    moment.reading.traffic = weights(0, 100);
    assert_eq!(moment.entry(), None);
}

#[test]
fn it_ends_once_what_it_made_is_gone() {
    let mut moment = coming_in();
    moment.reading.groups.remove(&group("green"));
    assert_eq!(moment.effects(), [Effect::Delete(group("green"))], "absent is not gone");
    moment.memory.deletion_answered(&group("green"), moment.now.mono);
    assert_eq!(moment.entry(), Some(ends_naming("blue")));
    moment.reading.groups.remove(&group("blue"));
    assert_eq!(moment.entry(), Some(ends_naming("")));
}

#[test]
fn what_can_t_be_told_apart_from_anybody_else_s_is_left_and_named() {
    let mut moment = coming_in();
    moment.sight = Sight::Gone(Remains::default());
    assert_eq!(moment.entry(), Some(ends_naming("blue, green")));
}

#[test]
fn it_ends_when_its_time_is_up_though_green_is_still_there() {
    let coming_in = |since| orphaned(Moment::weighted(State::EvaluateWait, Some(1)), since);
    assert_eq!(coming_in(899).effects(), detach("green", Slot::B));
    assert_eq!(coming_in(900).entry(), Some(ends_naming("blue, green")));
}

#[test]
fn workers_go_once_those_that_stay_are_enough() {
    let idle = orphaned(Moment::workers(State::EvaluateWait, Some(1)), 0);
    assert_eq!(idle.effects(), [Effect::Empty(group("green"))]);
    let at_work = orphaned(Moment::workers(State::EvaluateWait, Some(2)), 0);
    assert_eq!(at_work.entry(), Some(ends_naming("blue, green")));
    let both_at_work = orphaned(Moment::workers(State::RetainWait, Some(2)), 0);
    assert_eq!(both_at_work.entry(), Some(ends_naming("blue, green")));
    let mut replaced = orphaned(Moment::workers(State::RetainWait, Some(2)), 0);
    replaced.enter(State::RetireWait, Reason::RetainElapsed);
    assert_eq!(replaced.effects(), [Effect::Empty(group("blue"))]);
    replaced.seen("green").healthy = 1;
    assert_eq!(replaced.effects(), []);
}
