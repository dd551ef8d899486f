//! Which Deployments end because of a restore, and which do not: each row beside its neighbour.

use std::num::NonZeroU32;
use std::time::Duration;

use dryad_machine::access::Access;
use dryad_machine::decide::{Action, Write, decide};
use dryad_machine::event::Reason;
use dryad_machine::history::History;
use dryad_machine::memory::{Memory, Now};
use dryad_machine::name::{AccountName, Place, Region, Turn, Uid};
use dryad_machine::plan::{Pace, Revision};
use dryad_machine::state::State;
use dryad_machine::strategy::Strategy;
use dryad_machine::tenure::{Restored, Tenure};
use dryad_machine::view::{
    Bounds, Claim, Deletion, DeploymentView, EndRequest, EnvironmentView, Existence, Finalizer, Home, Mark,
    Others, Past, Paused, PlaceInLine, Queue, Request, Resolution, Successor, View,
};
use jiff::Timestamp;

fn second(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// A Deployment created at second 100 that has come this far.
fn deployment(states: &[State], turn: Option<i64>) -> DeploymentView {
    let history = states.iter().fold(History::default(), |history, state| {
        history.with(history.next(*state, None, Reason::Created, "", second(100)))
    });
    DeploymentView {
        uid: Uid::new("d1"),
        name: "web-1".to_owned(),
        existence: Existence::Kept,
        finalizer: Finalizer::Present,
        mark: Mark::Own,
        created: second(100),
        request: Request::default(),
        history,
        turn: turn.map(Turn::new),
        plan: None,
    }
}

fn environment(tenure: Tenure) -> EnvironmentView {
    EnvironmentView {
        name: "web".to_owned(),
        revision: Revision { uid: Uid::new("e"), generation: 1 },
        deletion: Deletion::None,
        tenure,
        past: Past::Known,
        place: Place { account: AccountName::new("a"), region: Region::new("r") },
        bounds: Bounds { min: 1, max: 2 },
        replicas: None,
        access: Access::Workers {},
        claim: Claim::Undisputed,
        strategy: Strategy::BlueGreen,
        pace: Pace {
            tick_seconds: NonZeroU32::MIN,
            rollout_timeout_seconds: 900,
            evaluate_seconds: 60,
            evaluate_timeout_seconds: 900,
            retain_seconds: 60,
        },
    }
}

fn tenure(turn: i64, holder: Option<&str>, restored: Option<i64>) -> Tenure {
    Tenure {
        turn: Turn::new(turn),
        holder: holder.map(Uid::new),
        restored: restored.map(|at| Restored { turn: Turn::new(turn), at: second(at) }),
        ..Tenure::default()
    }
}

fn action(deployment: &DeploymentView, environment: Option<&EnvironmentView>) -> Action {
    let view = View {
        deployment,
        environment,
        home: Home::Standing,
        queue: Queue { place: PlaceInLine::Next, others: Others::None, successor: Successor::None },
        resolution: &Resolution::Unknown(None),
    };
    let now = Now { wall: second(600), mono: Duration::from_secs(600) };
    decide(view, &Memory::new(Duration::ZERO), now).action
}

/// What is appended, in short; other writes by their names.
fn short(action: &Action) -> String {
    match action {
        Action::Wait => "wait".to_owned(),
        Action::Act(_) => "act".to_owned(),
        Action::Write(Write::Append(append)) => format!("{} {}", append.entry.state, append.entry.reason),
        Action::Write(Write::Tenure { change, .. }) => format!("{change:?}"),
        Action::Write(Write::AddFinalizer | Write::Start | Write::RemoveFinalizer) => "object".to_owned(),
    }
}

#[test]
fn who_has_ended_and_let_go_does_not_wait_for_another_environment_of_the_same_name() {
    let ended = deployment(&[State::Pending, State::Resolve, State::Failed], Some(3));
    let (newer, own) = (environment(tenure(0, None, None)), environment(tenure(3, None, None)));
    let decided = |deployment: &DeploymentView, environment| short(&action(deployment, Some(environment)));
    assert_eq!(decided(&ended, &newer), "wait", "the cache may not show its turn yet");
    assert_eq!(decided(&ended, &own), "object", "it lets go");
    let closed = DeploymentView { finalizer: Finalizer::Absent, ..ended };
    let view = View {
        deployment: &closed,
        environment: Some(&newer),
        home: Home::Standing,
        queue: Queue { place: PlaceInLine::Next, others: Others::None, successor: Successor::None },
        resolution: &Resolution::Unknown(None),
    };
    let now = Now { wall: second(600), mono: Duration::from_secs(600) };
    let decision = decide(view, &Memory::new(Duration::ZERO), now);
    assert_eq!((decision.action, decision.wake, decision.progress), (Action::Wait, None, None));
}

#[test]
fn who_waits_since_before_the_restore_is_canceled_and_who_came_after_runs() {
    for (restored, expected) in [
        (None, "Take"),
        (Some(99), "Take"),
        (Some(100), "Canceled Restored"),
        (Some(500), "Canceled Restored"),
    ] {
        let environment = environment(tenure(3, None, restored));
        let waiting = deployment(&[State::Pending], None);
        assert_eq!(short(&action(&waiting, Some(&environment))), expected, "{restored:?}");
    }
}

#[test]
fn a_deploy_whose_turn_went_to_somebody_else_ends() {
    use State::{Pending, Resolve};
    let under_way = deployment(&[Pending, Resolve], Some(3));
    let rows = [
        (tenure(3, Some("d1"), None), "wait"),
        (tenure(3, None, None), "Canceled TurnLost"),
        (tenure(4, Some("d2"), None), "Canceled TurnLost"),
        // The cache has not shown its turn yet.
        (tenure(2, None, None), "wait"),
        (tenure(2, Some("d0"), Some(500)), "wait"),
    ];
    for (tenure, expected) in rows {
        let environment = environment(tenure);
        let action = action(&under_way, Some(&environment));
        assert_eq!(short(&action), expected, "{environment:?}");
    }
}

#[test]
fn who_waits_can_be_canceled_though_nobody_goes_by_the_record_yet() {
    let asked = |states: &[State], turn| {
        let mut deployment = deployment(states, turn);
        deployment.request.end = Some(EndRequest::Abort);
        deployment
    };
    let (waiting, under_way) =
        (asked(&[State::Pending], None), asked(&[State::Pending, State::Resolve], Some(3)));
    let rows = [
        (&waiting, None, "Canceled AbortRequested"),
        (&waiting, Some("d0"), "Canceled AbortRequested"),
        (&waiting, Some("d1"), "wait"),
        (&under_way, Some("d1"), "wait"),
    ];
    for (deployment, holder, expected) in rows {
        let mut unknown = environment(tenure(3, holder, None));
        unknown.past = Past::Unknown;
        assert_eq!(short(&action(deployment, Some(&unknown))), expected, "{holder:?}");
    }
}

#[test]
fn a_turn_is_taken_from_nobody_and_by_nobody_who_is_paused() {
    let mut waiting = deployment(&[State::Pending], None);
    for (holder, expected) in [(None, "Take"), (Some("d0"), "wait")] {
        let environment = environment(tenure(3, holder, None));
        assert_eq!(short(&action(&waiting, Some(&environment))), expected, "{holder:?}");
    }
    waiting.request.paused = Paused::Yes;
    assert_eq!(short(&action(&waiting, Some(&environment(tenure(3, None, None))))), "wait");
}

#[test]
fn a_copy_ends_whether_or_not_there_is_an_environment() {
    let mut copy = deployment(&[State::Pending], None);
    copy.mark = Mark::Other(Uid::new("d0"));
    let mut unknown = environment(tenure(3, None, None));
    unknown.past = Past::Unknown;
    let known = environment(tenure(3, None, None));
    for environment in [None, Some(&unknown), Some(&known)] {
        let action = action(&copy, environment);
        let Action::Write(Write::Append(append)) = &action else { panic!("{action:?}") };
        assert_eq!(short(&action), "Canceled Restored");
        assert!(append.entry.message.contains("uid d0"), "{}", append.entry.message);
    }
    copy.history = History::default();
    copy.finalizer = Finalizer::Absent;
    assert_eq!(short(&action(&copy, None)), "Pending Created", "and it never starts");
}

#[test]
fn a_deployment_is_marked_before_anything_is_recorded_of_it() {
    for (mark, finalizer) in
        [(Mark::None, Finalizer::Absent), (Mark::None, Finalizer::Present), (Mark::Own, Finalizer::Absent)]
    {
        let mut fresh = deployment(&[], None);
        (fresh.mark, fresh.finalizer) = (mark, finalizer);
        assert_eq!(action(&fresh, None), Action::Write(Write::Start));
    }
}
