//! What a deploy says that it waits for: the words that people see in its status.

use dryad_machine::access::Access;
use dryad_machine::memory::Verdict;
use dryad_machine::name::{Arn, Uid};
use dryad_machine::reading::{Attached, Reach, Slot, Traffic};
use dryad_machine::state::State;
use dryad_machine::view::{Claim, Paused};

use crate::moment::{Moment, TICK, group};

#[test]
fn a_rollout_counts_its_instances_and_says_what_else_is_missing() {
    let said = |healthy| {
        let mut moment = Moment::weighted(State::RolloutWait, Some(1));
        moment.seen("green").attached = Attached::Nowhere;
        moment.seen("green").healthy = healthy;
        moment.said()
    };
    assert_eq!(said(1), "1 of 2 instances are healthy");
    let but = "instances are healthy, but the new group is not attached to its target group yet";
    assert_eq!(said(2), format!("2 of 2 {but}"));
    assert_eq!(said(3), format!("3 of 2 {but}"));
    let mut squatted = Moment::weighted(State::RolloutWait, Some(1));
    squatted.seen("green").attached = Attached::Nowhere;
    let mut old = squatted.seen("blue").clone();
    old.attached = Attached::To(Slot::B);
    squatted.reading.groups.insert(group("old"), old);
    squatted.environment.tenure.groups[0].name = group("old");
    let another = "2 of 2 instances are healthy, but another group is still in the new group's target group";
    assert_eq!(squatted.said(), another);
}

#[test]
fn what_is_told_with_the_counts_is_what_is_wanted_in_this_step() {
    let mut moment = Moment::weighted(State::RolloutWait, Some(1));
    moment.seen("green").healthy = 1;
    let progress = moment.decide().progress.expect("it says");
    assert_eq!((progress.healthy, progress.wanted), (Some(1), Some(2)));
}

#[test]
fn the_cloud_s_own_words_and_a_doubt_are_added_to_what_is_waited_for() {
    let mut moment = Moment::weighted(State::RolloutWait, Some(1));
    moment.seen("green").healthy = 1;
    moment.memory.explained(Some("no capacity in us-east-1a".to_owned()));
    assert_eq!(moment.said(), "1 of 2 instances are healthy: no capacity in us-east-1a");
    moment.memory.unanswered(moment.now.mono + TICK);
    assert_eq!(
        moment.said(),
        "1 of 2 instances are healthy; an unanswered request to the cloud may still land: no capacity in us-east-1a"
    );
    let mut pending = Moment::weighted(State::Pending, None);
    pending.environment.tenure.holder = None;
    pending.memory.explained(Some("no capacity in us-east-1a".to_owned()));
    assert_eq!(pending.said(), "waiting for its turn", "that is nothing to who waits");
}

#[test]
fn a_paused_deploy_says_so_until_green_was_found_good() {
    let said = |state, step| {
        let mut moment = Moment::weighted(state, step);
        moment.deployment.request.paused = Paused::Yes;
        moment.said()
    };
    assert_eq!(said(State::EvaluateWait, Some(1)), "paused");
    assert_eq!(said(State::RetainWait, Some(2)), "keeping blue for an instant return");
    assert_eq!(said(State::RetireWait, Some(2)), "retiring blue: group blue is attached to a target group");
}

#[test]
fn who_waits_says_what_for() {
    let mut moment = Moment::weighted(State::Pending, None);
    moment.environment.tenure.holder = Some(Uid::new("d3"));
    assert_eq!(moment.said(), "waiting for its turn; another Deployment has it");
    moment.environment.tenure.holder = None;
    assert_eq!(moment.said(), "waiting for its turn");
    moment.memory.unanswered(moment.now.mono + TICK);
    assert_eq!(moment.said(), "waiting until no earlier request can land any more");
    moment.environment.claim = Claim::Lost("shop/api names them too".to_owned());
    assert_eq!(moment.said(), "shop/api names them too");
}

#[test]
fn an_evaluation_says_what_the_checks_say() {
    let mut moment = Moment::weighted(State::EvaluateWait, Some(1));
    assert_eq!(moment.said(), "waiting for the checks");
    moment.memory.checked(Verdict::NotYet("front answered 503".to_owned()), moment.now.mono, TICK);
    assert_eq!(moment.said(), "front answered 503");
    moment.memory.checked(Verdict::Good, moment.now.mono, TICK);
    assert_eq!(moment.said(), "every check is good; that has to last for 60s without a gap");
}

#[test]
fn it_is_said_by_what_requests_still_reach_a_blue_that_is_kept() {
    let mut moment = Moment::weighted(State::RetainWait, Some(2));
    moment.environment.tenure.groups[0].access = Some(Access::TargetGroup { arn: Arn::new("old") });
    moment.seen("blue").apart.reach = Reach::Requests;
    let said = "keeping blue for an instant return; requests still reach it by old, where nobody answers them once it is \
                retired";
    assert_eq!(moment.said(), said);
}

#[test]
fn who_is_attached_elsewhere_is_on_its_way_out_as_little_as_who_is_attached_here() {
    let mut moment = Moment::weighted(State::RetireWait, Some(2));
    let blue = moment.seen("blue");
    (blue.attached, blue.apart.attached) = (Attached::Nowhere, Attached::ToShared);
    assert_eq!(moment.said(), "retiring blue: group blue is attached to a target group");
    moment.seen("blue").apart.attached = Attached::Nowhere;
    assert_eq!(moment.said(), "retiring blue: group blue has 2 instances");
    moment.memory.deletion_answered(&group("blue"), moment.now.mono);
    moment.plan().blue.insert(0, group("gone"));
    moment.memory.deletion_answered(&group("gone"), moment.now.mono);
    assert_eq!(moment.said(), "retiring blue: group blue has 2 instances", "of those that are left");
}

#[test]
fn a_retirement_says_why_nobody_can_be_taken_from_the_rule() {
    let mut moment = Moment::weighted(State::RetireWait, Some(2));
    moment.reading.traffic = Traffic::Unusable("the rule is a redirect".to_owned());
    assert_eq!(moment.said(), "retiring blue, but the rule is a redirect");
}
