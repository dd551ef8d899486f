//! Deploys told from beginning to end, one tick after the other, and what their histories say.

use std::sync::Arc;

use dryad_machine::reading::{Attached, Slot};
use dryad_machine::state::State as Phase;
use dryad_machine::tenure::Role;
use dryad_machine::view::{Deletion, EndRequest, Routing};

use crate::actions::Ask;
use crate::memory::{Said, Wall};
use crate::scope::Beginning;
use crate::story::{GREEN, SECOND, Story, Weather};
use crate::world::{Happening, Id};

const TO_THE_TOP: [&str; 8] = [
    "Pending: Created",
    "Resolve: TurnTaken",
    "Prepare: ReleaseResolved",
    "RolloutWait 1: PrepareOk",
    "EvaluateWait 1: RolloutOk",
    "RolloutWait 2: EvaluateOk",
    "EvaluateWait 2: RolloutOk",
    "RetainWait: EvaluateOk",
];

fn then(rest: &[&str]) -> Vec<String> {
    TO_THE_TOP.iter().chain(rest).map(ToString::to_string).collect()
}

#[test]
fn a_good_release_replaces_blue_whatever_brings_the_traffic() {
    for routing in [Routing::Weighted, Routing::Shared, Routing::Workers] {
        let mut story = Story::new(routing, Beginning::Serving);
        story.until(Phase::Done, None);
        story.rest();
        assert_eq!(story.history(0), then(&["RetireWait: RetainElapsed", "Done: RetireOk"]), "{routing:?}");
        assert!(story.carries(GREEN) && !story.exists(Id::BLUE), "{routing:?}");
        assert_eq!(story.role(GREEN), Some(Role::Serving));
    }
}

#[test]
fn a_first_deploy_has_nothing_to_retain() {
    for routing in [Routing::Weighted, Routing::Shared, Routing::Workers] {
        let mut story = Story::new(routing, Beginning::First);
        story.rest();
        assert_eq!(story.history(0), then(&["RetireWait: RetainElapsed", "Done: RetireOk"]), "{routing:?}");
        assert!(story.carries(Id { turn: 1, owner: 1 }), "{routing:?}");
    }
}

#[test]
fn an_abort_in_any_state_ends_with_blue_serving_until_blue_is_retired() {
    let until_now = |count: usize| TO_THE_TOP[..count].iter().map(ToString::to_string).collect::<Vec<_>>();
    let rows: [(Phase, Option<i64>, usize, &[&str]); 8] = [
        (Phase::Pending, None, 1, &["Canceled: AbortRequested"]),
        (Phase::Resolve, None, 2, &["Aborted: AbortRequested"]),
        (Phase::Prepare, None, 3, &["Rollback: AbortRequested", "Aborted: RollbackOk"]),
        (Phase::RolloutWait, Some(1), 4, &["Rollback: AbortRequested", "Aborted: RollbackOk"]),
        (Phase::EvaluateWait, Some(1), 5, &["Rollback: AbortRequested", "Aborted: RollbackOk"]),
        (Phase::RolloutWait, Some(2), 6, &["Rollback: AbortRequested", "Aborted: RollbackOk"]),
        (Phase::EvaluateWait, Some(2), 7, &["Rollback: AbortRequested", "Aborted: RollbackOk"]),
        (Phase::RetainWait, None, 8, &["Rollback: AbortRequested", "Aborted: RollbackOk"]),
    ];
    for routing in [Routing::Weighted, Routing::Shared, Routing::Workers] {
        for (phase, step, entries, end) in rows {
            let mut story = Story::new(routing, Beginning::Serving);
            story.ticks(1);
            story.until(phase, step);
            story.ask(Ask::End(0, EndRequest::Abort));
            story.rest();
            let expected: Vec<_> =
                until_now(entries).into_iter().chain(end.iter().map(ToString::to_string)).collect();
            assert_eq!(story.history(0), expected, "{routing:?} {phase}");
            assert!(story.carries(Id::BLUE) && !story.exists(GREEN), "{routing:?} {phase}");
            assert_eq!(story.state.world.groups[&Id::BLUE].min, 0, "its bounds are its own again");
        }
    }
    let mut story = Story::weighted();
    story.until(Phase::RetireWait, None);
    story.ask(Ask::End(0, EndRequest::Rollback));
    story.rest();
    assert_eq!(story.phase(0), Phase::Done, "too late");
}

#[test]
fn a_bad_release_is_rolled_back_before_and_after_it_has_the_traffic() {
    for step in [1, 2] {
        let mut story = Story::weighted();
        story.until(Phase::EvaluateWait, Some(step));
        story.said = Said::Bad;
        story.rest();
        let history = story.history(0);
        assert_eq!(history[history.len() - 2..], ["Rollback: CheckFailed", "Failed: RollbackOk"], "{step}");
        assert!(story.carries(Id::BLUE) && !story.exists(GREEN));
    }
}

#[test]
fn a_green_that_never_comes_up_ends_by_its_deadline() {
    let mut story = Story::weighted();
    story.until(Phase::RolloutWait, Some(1));
    story.weather = Weather::NoInstances;
    story.ticks(10);
    assert_eq!(story.phase(0), Phase::RolloutWait, "time has not passed yet");
    story.wall = Wall::Late;
    story.tick();
    story.wall = Wall::Early;
    story.rest();
    assert_eq!(story.history(0)[4..], ["Rollback: TimedOut", "Failed: RollbackOk"]);
    assert!(story.carries(Id::BLUE) && !story.exists(GREEN));
}

#[test]
fn a_green_that_joins_a_shared_target_group_may_take_its_time_to_be_found_healthy() {
    let mut story = Story::new(Routing::Shared, Beginning::Serving);
    story.until(Phase::RolloutWait, Some(2));
    story.weather = Weather::NoneHealthy;
    story.ticks(10);
    assert_eq!(story.state.world.groups[&GREEN].attached, Attached::ToShared);
    assert_eq!((story.phase(0), story.carries(Id::BLUE)), (Phase::RolloutWait, true));
    story.weather = Weather::Fair;
    story.until(Phase::Done, None);
}

#[test]
fn a_green_that_is_lost_brings_blue_back() {
    let mut story = Story::weighted();
    story.until(Phase::RetainWait, None);
    story.state.change_world(|world| world.happen(Happening::Deleted(GREEN)));
    story.wall = Wall::Early;
    story.rest();
    assert_eq!(story.history(0), then(&["Rollback: GreenLost", "Failed: RollbackOk"]));
    assert!(story.carries(Id::BLUE));
}

#[test]
fn a_green_that_is_gone_is_lost_whatever_is_waited_for() {
    for (phase, step) in [
        (Phase::EvaluateWait, Some(1)),
        (Phase::RolloutWait, Some(2)),
        (Phase::EvaluateWait, Some(2)),
        (Phase::RetainWait, None),
    ] {
        let mut story = Story::weighted();
        story.until(phase, step);
        story.wall = Wall::Early;
        story.state.change_world(|world| world.groups.retain(|id, _| *id != GREEN));
        story.rest();
        let history = story.history(0);
        assert_eq!(
            history[history.len() - 2..],
            ["Rollback: GreenLost", "Failed: RollbackOk"],
            "{phase} {step:?}"
        );
        assert!(story.carries(Id::BLUE), "{phase} {step:?}");
    }
}

#[test]
fn a_name_that_somebody_else_has_ends_a_deploy_by_itself_and_the_next_one_takes_another() {
    for routing in [Routing::Weighted, Routing::Shared, Routing::Workers] {
        let mut story = Story::new(routing, Beginning::Serving);
        story.until(Phase::Prepare, None);
        story.state.change_world(|world| world.happen(Happening::Squatted(GREEN)));
        story.rest();
        let last = story.history(0).split_off(3);
        assert_eq!(last, ["RolloutWait 1: PrepareOk", "Rollback: LaunchRefused", "Failed: RollbackOk"]);
        assert!(!story.exists(GREEN) && story.role(GREEN).is_none() && story.carries(Id::BLUE));
        story.ask(Ask::Create(1));
        story.rest();
        story.wall = Wall::Late;
        story.rest();
        assert_eq!(story.phase(1), Phase::Done);
        assert!(story.carries(SECOND) && story.state.world.squatters.contains(&GREEN));
    }
}

#[test]
fn a_group_that_is_given_up_and_whose_name_somebody_else_has_holds_nothing_up() {
    let mut story = Story::weighted();
    let doomed = story.serve_beside_blue(Role::Doomed);
    story.state.change_world(|world| {
        world.groups.remove(&doomed);
        world.happen(Happening::Squatted(doomed));
    });
    story.ask(Ask::DeleteEnvironment(Deletion::Delete));
    story.rest();
    assert!(story.state.api.environment.is_none() && story.state.world.squatters.contains(&doomed));
}

#[test]
fn where_blue_is_lost_a_failed_green_keeps_serving_and_the_next_deploy_replaces_it() {
    let mut story = Story::weighted();
    story.until(Phase::EvaluateWait, Some(2));
    story.state.change_world(|world| world.happen(Happening::Deleted(Id::BLUE)));
    story.said = Said::Bad;
    story.ticks(8);
    assert_eq!(story.phase(0), Phase::Rollback);
    story.wall = Wall::Late;
    story.ticks(1);
    story.wall = Wall::Early;
    story.rest();
    assert_eq!(story.history(0)[7..], ["Rollback: CheckFailed", "Failed: BlueLost"]);
    assert!(story.carries(GREEN));
    assert_eq!(story.role(GREEN), Some(Role::Serving));
    story.said = Said::Good;
    story.ask(Ask::Create(1));
    story.rest();
    story.wall = Wall::Late;
    story.rest();
    assert_eq!(story.phase(1), Phase::Done);
    assert!(story.carries(SECOND) && !story.exists(GREEN));
}

#[test]
fn a_second_deploy_waits_its_turn_and_need_not_wait_for_the_retain_window() {
    let mut story = Story::weighted();
    story.until(Phase::EvaluateWait, Some(1));
    story.ask(Ask::Create(1));
    story.said = Said::NotYet;
    story.ticks(5);
    assert_eq!((story.phase(0), story.phase(1)), (Phase::EvaluateWait, Phase::Pending));
    story.said = Said::Good;
    story.rest();
    assert_eq!(story.history(0), then(&["RetireWait: Superseded", "Done: Superseded"]));
    story.wall = Wall::Late;
    story.rest();
    assert_eq!(story.phase(1), Phase::Done);
    assert!(story.carries(SECOND) && !story.exists(GREEN) && !story.exists(Id::BLUE));
}

#[test]
fn a_paused_deploy_goes_no_further_and_its_deadline_runs_on() {
    let mut story = Story::weighted();
    story.until(Phase::EvaluateWait, Some(1));
    story.ask(Ask::Pause(0));
    story.ticks(10);
    assert_eq!(story.phase(0), Phase::EvaluateWait);
    story.wall = Wall::Late;
    story.tick();
    story.wall = Wall::Early;
    story.rest();
    assert_eq!(story.history(0)[5..], ["Rollback: TimedOut", "Failed: RollbackOk"]);
}

#[test]
fn a_skipped_evaluation_is_on_record() {
    let mut story = Story::weighted();
    story.said = Said::NotYet;
    story.until(Phase::EvaluateWait, Some(1));
    story.ask(Ask::Skip(0));
    story.until(Phase::RetainWait, None);
    assert_eq!(
        story.history(0)[5..],
        ["RolloutWait 2: EvaluationSkipped", "EvaluateWait 2: RolloutOk", "RetainWait: EvaluationSkipped"]
    );
}

#[test]
fn a_rollback_brings_traffic_back_to_every_group_of_blue() {
    let mut story = Story::new(Routing::Shared, Beginning::Serving);
    let beside = story.serve_beside_blue(Role::Serving);
    story.until(Phase::RetainWait, None);
    assert!(!story.carries(Id::BLUE) && !story.carries(beside));
    story.ask(Ask::End(0, EndRequest::Rollback));
    story.wall = Wall::Early;
    story.rest();
    assert_eq!(story.phase(0), Phase::Aborted);
    assert!(story.carries(Id::BLUE) && story.carries(beside) && !story.exists(GREEN));
}

#[test]
fn groups_that_carry_traffic_are_given_up_one_at_a_time() {
    let mut story = Story::new(Routing::Shared, Beginning::Serving);
    story.state.api.deployments[0] = None;
    story.serve_beside_blue(Role::Doomed);
    let environment = story.state.api.environment.as_mut().map(Arc::make_mut).expect("it exists");
    environment.view.tenure.groups[0].role = Role::Doomed;
    for _ in 0..20 {
        story.tick();
        let serving = story.state.world.groups.keys().filter(|id| story.carries(**id)).count();
        assert!(serving >= 1, "users are left without an instance");
    }
}

#[test]
fn a_blue_that_was_announced_elsewhere_keeps_its_users_until_it_is_retired() {
    for routing in [Routing::Weighted, Routing::Shared, Routing::Workers] {
        let mut story = Story::moved(routing);
        story.until(Phase::RetainWait, None);
        assert!(
            story.carries(GREEN) && story.state.world.groups[&Id::BLUE].apart == Attached::ToShared,
            "{routing:?}"
        );
        story.until(Phase::Done, None);
        story.rest();
        assert!(story.carries(GREEN) && !story.exists(Id::BLUE), "{routing:?}");
    }
}

#[test]
fn a_rollback_leaves_a_blue_that_was_announced_elsewhere_exactly_as_it_was() {
    for routing in [Routing::Weighted, Routing::Shared, Routing::Workers] {
        for (phase, step) in
            [(Phase::EvaluateWait, Some(1)), (Phase::EvaluateWait, Some(2)), (Phase::RetainWait, None)]
        {
            let mut story = Story::moved(routing);
            let before = story.state.world.clone();
            story.until(phase, step);
            story.ask(Ask::End(0, EndRequest::Rollback));
            story.rest();
            assert_eq!(story.phase(0), Phase::Aborted, "{routing:?} {phase} {step:?}");
            assert_eq!(story.state.world.groups, before.groups, "{routing:?} {phase} {step:?}");
        }
    }
}

#[test]
fn a_first_green_may_take_its_time_until_the_one_target_group_finds_it_healthy() {
    let mut story = Story::new(Routing::Shared, Beginning::First);
    story.until(Phase::RolloutWait, Some(2));
    story.weather = Weather::NoneHealthy;
    story.ticks(8);
    assert_eq!((story.phase(0), story.carries(Id { turn: 1, owner: 1 })), (Phase::RolloutWait, true));
    story.weather = Weather::Fair;
    story.until(Phase::Done, None);
}

#[test]
fn bounds_that_somebody_has_changed_are_given_back() {
    let mut story = Story::weighted();
    story.state.api.deployments[0] = None;
    story.state.change_world(|world| world.groups.get_mut(&Id::BLUE).expect("it serves").min = 1);
    story.rest();
    assert_eq!(story.state.world.groups[&Id::BLUE].min, 0);
}

#[test]
fn a_blue_that_is_held_when_its_deploy_vanishes_is_let_go_of() {
    let mut story = Story::weighted();
    let is_held = |story: &Story| story.state.api.member(Id::BLUE).expect("it serves").held.is_some();
    story.until(Phase::RolloutWait, Some(2));
    let held = (0..20).any(|_| {
        story.tick();
        is_held(&story)
    });
    assert!(held, "never");
    story.ask(Ask::ForceDelete(0));
    story.rest();
    assert!(!is_held(&story) && story.carries(Id::BLUE) && !story.exists(GREEN));
    assert_eq!(story.state.world.groups[&Id::BLUE].min, 0);
}

#[test]
fn whoever_has_the_traffic_by_hand_serves_when_another_deploy_cuts_the_retiring_short() {
    let mut story = Story::weighted();
    story.until(Phase::RetainWait, None);
    story.state.change_world(|world| world.weights.swap(0, 1));
    story.ask(Ask::Create(1));
    story.rest();
    assert_eq!(story.history(0), then(&["RetireWait: Superseded", "Done: Superseded"]));
    assert_eq!((story.phase(1), story.role(Id::BLUE)), (Phase::RetainWait, Some(Role::Serving)));
    assert!(story.carries(SECOND) && !story.exists(GREEN));
}

#[test]
fn where_a_holder_vanishes_while_nobody_gets_requests_what_served_is_kept() {
    let mut story = Story::weighted();
    story.until(Phase::EvaluateWait, Some(1));
    story.state.change_world(|world| world.weights = [Some(0); 2]);
    story.ask(Ask::ForceDelete(0));
    story.rest();
    assert_eq!(story.role(Id::BLUE), Some(Role::Serving));
    assert!(!story.exists(GREEN));
}

#[test]
fn one_that_serves_without_requests_makes_room_and_a_rollback_needs_only_the_other_one() {
    let two = || {
        let mut story = Story::weighted();
        let beside = story.serve_beside_blue(Role::Serving);
        story.state.change_world(|world| {
            world.groups.get_mut(&beside).expect("it serves").attached = Attached::To(Slot::B);
        });
        (story, beside)
    };
    let (mut story, beside) = two();
    story.until(Phase::Done, None);
    story.rest();
    assert!(story.carries(GREEN) && !story.exists(Id::BLUE) && !story.exists(beside));
    let (mut story, _) = two();
    story.until(Phase::EvaluateWait, Some(2));
    story.ask(Ask::End(0, EndRequest::Abort));
    story.rest();
    assert_eq!(story.phase(0), Phase::Aborted);
    assert!(story.carries(Id::BLUE) && !story.exists(GREEN));
}
