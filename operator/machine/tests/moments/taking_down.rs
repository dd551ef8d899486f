//! `RetireWait`: blue is taken down step by step, and one group at a time where users would notice.

use dryad_machine::decide::Action;
use dryad_machine::effect::Effect;
use dryad_machine::event::Reason;
use dryad_machine::reading::{Attached, GroupSeen, Presence, Reach, Slot};
use dryad_machine::state::State;

use crate::moment::{Moment, group, weights};

fn retiring() -> Moment {
    Moment::weighted(State::RetireWait, Some(2))
}

type Change = fn(&mut GroupSeen);

#[test]
fn a_group_is_detached_drained_emptied_and_then_deleted() {
    let blue = || group("blue");
    let detach = |slot| vec![Effect::Detach { group: blue(), slot: Some(slot) }];
    let steps: [(&str, Change, Vec<Effect>); 10] = [
        ("attached to both", |seen| seen.attached = Attached::ToBoth, detach(Slot::A)),
        ("attached", |seen| seen.attached = Attached::To(Slot::A), detach(Slot::A)),
        (
            "attached elsewhere",
            |seen| {
                seen.attached = Attached::Nowhere;
                seen.apart.attached = Attached::ToShared;
                seen.draining = 1;
            },
            vec![Effect::Leave { group: blue(), slot: None }],
        ),
        ("draining", |seen| seen.apart.attached = Attached::Nowhere, vec![]),
        ("drained", |seen| seen.draining = 0, vec![Effect::Empty(blue())]),
        ("its lower bound is gone", |seen| seen.min = 0, vec![Effect::Empty(blue())]),
        (
            "only its lower bound is left",
            |seen| (seen.min, seen.desired) = (1, 0),
            vec![Effect::Empty(blue())],
        ),
        ("its instances go", |seen| (seen.min, seen.healthy, seen.instances) = (0, 0, 1), vec![]),
        ("empty", |seen| seen.instances = 0, vec![Effect::Delete(blue())]),
        ("being deleted", |seen| seen.presence = Presence::BeingDeleted, vec![]),
    ];
    let mut moment = retiring();
    for (step, change, effects) in steps {
        change(moment.seen("blue"));
        assert_eq!(moment.effects(), effects, "{step}");
    }
}

#[test]
fn what_was_made_for_a_group_goes_after_it_and_nothing_else_of_who_has_its_name_now() {
    let mut moment = retiring();
    moment.reading.groups.remove(&group("blue"));
    assert_eq!(moment.effects(), [Effect::Delete(group("blue"))]);
    moment.reading.foreign.insert(group("blue"), "dryad.dev/turn".to_owned());
    assert_eq!(moment.effects(), [Effect::Disown(group("blue"))]);
    moment.memory.deletion_answered(&group("blue"), moment.now.mono);
    let ended = moment.entry().map(|(reason, _)| reason);
    assert_eq!(ended, Some(Reason::RetireOk), "whoever has its name");
}

#[test]
fn groups_that_nobody_reaches_go_together_and_those_that_somebody_does_one_by_one() {
    let mut moment = retiring();
    moment.plan().blue.push(group("other"));
    let mut member = moment.environment.tenure.groups[0].clone();
    member.name = group("other");
    moment.environment.tenure.groups.push(member);
    moment.seen("blue").attached = Attached::Nowhere;
    let other = moment.seen("blue").clone();
    moment.reading.groups.insert(group("other"), other);
    assert_eq!(moment.effects(), [Effect::Empty(group("blue")), Effect::Empty(group("other"))]);
    for name in ["blue", "other"] {
        let apart = &mut moment.seen(name).apart;
        (apart.attached, apart.reach) = (Attached::ToShared, Reach::Requests);
    }
    assert_eq!(moment.effects(), [Effect::Leave { group: group("blue"), slot: None }]);
}

#[test]
fn a_blue_that_users_still_reach_stays_until_green_is_all_that_it_wants_to_be() {
    for (healthy, effects) in
        [(1, vec![]), (2, vec![Effect::Detach { group: group("blue"), slot: Some(Slot::A) }])]
    {
        let mut moment = retiring();
        moment.reading.traffic = weights(50, 50);
        moment.seen("green").healthy = healthy;
        assert_eq!(moment.effects(), effects, "{healthy}");
    }
}

#[test]
fn what_lacks_our_tags_is_not_changed_whatever_it_was_announced_as() {
    let mut moment = retiring();
    moment.reading.foreign.insert(group("blue"), "dryad.dev/turn".to_owned());
    assert_eq!(moment.decide().action, Action::Wait);
}
