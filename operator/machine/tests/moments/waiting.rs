//! What is waited for before blue is given up, before green is found good, and before blue has the traffic back.

use dryad_machine::effect::Effect;
use dryad_machine::event::Reason;
use dryad_machine::memory::{Look, Now, Verdict};
use dryad_machine::reading::{Attached, Slot, Traffic};
use dryad_machine::state::State;

use crate::moment::{Moment, SINCE, TICK, at, entry, group, weights};

const HOUR: u64 = 3600;
/// For how long blue is kept.
const KEPT: u32 = 60;

/// So many seconds after the state was entered, by a wall clock that is ahead.
fn after(mono: u64, ahead: u64) -> Now {
    Now { wall: at(SINCE + mono + ahead).wall, mono: at(SINCE + mono).mono }
}

/// Whether blue is given up now, after these looks.
fn gives_up(looks: &[Now], now: Now) -> bool {
    let mut moment = Moment::shared(State::RetainWait, Some(2));
    moment.plan().pace.retain_seconds = KEPT;
    moment.now = now;
    let mut memory = moment.memory.clone();
    for at in looks {
        memory.saw(Look { at: *at, reading: moment.reading.clone() }, TICK);
    }
    entry(moment.decide_by(&memory)).is_some_and(|(reason, _)| reason == Reason::RetainElapsed)
}

#[test]
fn time_alone_gives_up_no_blue() {
    let kept = u64::from(KEPT);
    let rows = [
        ("the time has passed", &[after(50, 0), after(60, 0)][..], after(60, 0), true),
        ("not all of it", &[after(40, 0), after(50, 0)], after(kept - 1, 0), false),
        ("nobody has looked, as after a day", &[], after(kept, 0), false),
        ("nobody has looked twice", &[after(60, 0)], after(60, 0), false),
        ("both looks were at once", &[after(59, 0), after(60, 0)], after(60, 0), false),
        ("the last look is long ago", &[after(50, 0), after(60, 0)], after(71, 0), false),
        ("an hour that did not pass since", &[after(10, 0), after(20, 0)], after(21, HOUR), false),
        ("an hour that did not pass between", &[after(10, 0), after(20, HOUR)], after(21, HOUR), false),
        ("a clock that is wrong all the time", &[after(10, HOUR), after(20, HOUR)], after(21, HOUR), true),
    ];
    for (case, looks, now, expected) in rows {
        assert_eq!(gives_up(looks, now), expected, "{case}");
    }
}

#[test]
fn good_checks_are_not_all_that_is_waited_for() {
    let said = |healthy, attached| {
        let mut moment = Moment::shared(State::EvaluateWait, Some(1));
        let green = moment.seen("green");
        (green.healthy, green.attached) = (healthy, attached);
        moment.memory.checked(Verdict::Good, moment.now.mono, TICK);
        moment.said()
    };
    let rows = [
        (2, Attached::Nowhere, "every check is good; that has to last for 60s without a gap"),
        (1, Attached::Nowhere, "every check is good, but only 1 of 2 instances are healthy"),
        (
            1,
            Attached::ToShared,
            "every check is good, but the new group is attached to a target group already",
        ),
    ];
    for (healthy, attached, sentence) in rows {
        assert_eq!(said(healthy, attached), sentence);
    }
}

/// What a rollback does, and says, where so many instances of blue are healthy, and this is the traffic.
fn rolls_back(healthy: u32, traffic: Traffic) -> (Vec<Effect>, String) {
    let mut moment = Moment::weighted(State::Rollback, Some(2));
    moment.seen("blue").healthy = healthy;
    moment.reading.traffic = traffic;
    (moment.effects(), moment.said())
}

#[test]
fn blue_has_the_traffic_back_as_soon_as_it_can_take_it_and_until_then_it_is_said_what_it_lacks() {
    let returned = (vec![Effect::Shift(Slot::A)], "rolling back".to_owned());
    assert_eq!(rolls_back(2, weights(0, 100)), returned);
    let lacks = "rolling back: 1 of 2 instances of blue are healthy, and green stays until they are";
    assert_eq!(rolls_back(1, weights(0, 100)), (Vec::new(), lacks.to_owned()));
}

#[test]
fn a_rule_of_another_shape_is_left_as_somebody_made_it_and_that_is_said() {
    let left = (Vec::new(), "rolling back, but the rule also forwards to c".to_owned());
    assert_eq!(rolls_back(2, Traffic::Unusable("the rule also forwards to c".to_owned())), left);
}

#[test]
fn a_blue_without_its_tags_is_not_attached_again() {
    let mut moment = Moment::shared(State::Rollback, Some(2));
    moment.reading.foreign.insert(group("blue"), "dryad.dev/turn".to_owned());
    moment.seen("blue").attached = Attached::Nowhere;
    moment.seen("green").attached = Attached::ToShared;
    assert_eq!(moment.effects(), []);
}
