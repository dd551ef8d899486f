//! What a deploy waits for where nothing is wrong: for two looks and clocks that agree before blue is given up, and for
//! instances and traffic where every check is good.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use dryad_machine::access::Access;
use dryad_machine::decide::{Action, Decision, Write, decide};
use dryad_machine::deployed::{Deployed, Shipment};
use dryad_machine::event::Reason;
use dryad_machine::history::History;
use dryad_machine::memory::{Look, Memory, Now, Stage, Verdict};
use dryad_machine::name::{AccountName, GroupName, Place, Region, Turn, Uid};
use dryad_machine::plan::{Pace, Plan, Revision, Route};
use dryad_machine::reading::{Apart, Attached, GroupSeen, Presence, Reading, Traffic};
use dryad_machine::release::Release;
use dryad_machine::state::State;
use dryad_machine::strategy::Strategy;
use dryad_machine::tenure::Tenure;
use dryad_machine::view::{
    Bounds, Claim, Deletion, DeploymentView, EnvironmentView, Existence, Finalizer, Home, Mark, Others, Past,
    PlaceInLine, Queue, Request, Resolution, Successor, View,
};
use jiff::Timestamp;

const HOUR: i64 = 3600;
/// For how long blue is kept.
const KEPT: u32 = 60;
const PACE: Pace = Pace {
    tick_seconds: NonZeroU32::new(10).unwrap(),
    rollout_timeout_seconds: 900,
    evaluate_seconds: 60,
    evaluate_timeout_seconds: 900,
    retain_seconds: KEPT,
};

/// So many seconds after the process has begun, by a wall clock that is ahead.
fn at(mono: u64, ahead: i64) -> Now {
    let wall = i64::try_from(mono).unwrap() + ahead;
    Now { wall: Timestamp::from_second(wall).unwrap(), mono: Duration::from_secs(mono) }
}

/// A deploy that is there since second 0.
fn deploy_in(state: State, step: Option<i64>) -> DeploymentView {
    let shipment = Shipment { release: Release::default(), committed_at: None, subject: None };
    let history = History::default();
    let since = Timestamp::from_second(0).unwrap();
    let entry = history.next(state, step, Reason::EvaluateOk, "", since);
    DeploymentView {
        uid: Uid::new("d"),
        name: "web-2".to_owned(),
        existence: Existence::Kept,
        finalizer: Finalizer::Present,
        mark: Mark::Own,
        created: since,
        request: Request::default(),
        history: history.with(entry),
        turn: Some(Turn::new(2)),
        plan: Some(Plan {
            shipment,
            steps: Strategy::BlueGreen.steps(),
            green: GroupName::new("green"),
            blue: vec![GroupName::new("blue")],
            route: Route::Shared {},
            floor: 0,
            pace: PACE,
            environment: Revision { uid: Uid::new("e"), generation: 1 },
        }),
    }
}

/// What is recorded as deployed, once that is to be recorded.
fn deployed(deployment: &DeploymentView) -> Option<Deployed> {
    (deployment.history.state() == State::RetireWait).then(|| Deployed {
        shipment: Shipment { release: Release::default(), committed_at: None, subject: None },
        deployment: deployment.name.clone(),
        uid: deployment.uid.clone(),
        turn: Turn::new(2),
        since: deployment.created,
    })
}

/// What is decided on it now, by what is remembered.
fn decided(deployment: &DeploymentView, memory: &Memory, now: Now) -> Decision {
    let environment = EnvironmentView {
        name: "web".to_owned(),
        revision: Revision { uid: Uid::new("e"), generation: 1 },
        deletion: Deletion::None,
        tenure: Tenure {
            turn: Turn::new(2),
            holder: Some(Uid::new("d")),
            deployed: deployed(deployment),
            ..Tenure::default()
        },
        past: Past::Known,
        place: Place { account: AccountName::new("a"), region: Region::new("r") },
        bounds: Bounds { min: 1, max: 2 },
        replicas: Some(2),
        access: Access::Workers {},
        claim: Claim::Undisputed,
        strategy: Strategy::BlueGreen,
        pace: PACE,
    };
    let view = View {
        deployment,
        environment: Some(&environment),
        home: Home::Standing,
        queue: Queue { place: PlaceInLine::Next, others: Others::None, successor: Successor::None },
        resolution: &Resolution::Unknown(None),
    };
    decide(view, memory, now)
}

/// Whether blue is given up now, after these looks.
fn gives_up(looks: &[Now], now: Now) -> bool {
    let deployment = deploy_in(State::RetainWait, None);
    let mut memory = Memory::new(Duration::ZERO);
    memory.enter(Stage::from(&deployment.history));
    for at in looks {
        let reading = Reading { groups: BTreeMap::new(), foreign: BTreeMap::new(), traffic: Traffic::Shared };
        memory.saw(Look { at: *at, reading }, PACE.tick());
    }
    let action = decided(&deployment, &memory, now).action;
    matches!(action, Action::Write(Write::Append(append)) if append.entry.reason == Reason::RetainElapsed)
}

/// What is said in the first evaluation, while every check is good, of a green like this.
fn said_of(healthy: u32, attached: Attached) -> String {
    let green = GroupSeen { healthy, attached, ..pair() };
    said_in(&deploy_in(State::EvaluateWait, Some(1)), [("green", green)])
}

/// A group of two healthy instances that no request reaches.
fn pair() -> GroupSeen {
    GroupSeen {
        presence: Presence::Here,
        min: 1,
        max: 2,
        desired: 2,
        instances: 2,
        in_service: 2,
        healthy: 2,
        draining: 0,
        attached: Attached::Nowhere,
        apart: Apart::NO,
    }
}

/// What is said after one look at these groups, while every check is good.
fn said_in<const N: usize>(deployment: &DeploymentView, groups: [(&str, GroupSeen); N]) -> String {
    let groups = groups.map(|(name, seen)| (GroupName::new(name), seen)).into();
    let reading = Reading { groups, foreign: BTreeMap::new(), traffic: Traffic::Shared };
    let mut memory = Memory::new(Duration::ZERO);
    memory.enter(Stage::from(&deployment.history));
    memory.saw(Look { at: at(10, 0), reading }, PACE.tick());
    memory.checked(Verdict::Good, at(10, 0).mono, PACE.tick());
    decided(deployment, &memory, at(10, 0)).progress.expect("it waits").message
}

#[test]
fn time_alone_gives_up_no_blue() {
    let kept = u64::from(KEPT);
    let rows = [
        ("the time has passed", &[at(50, 0), at(60, 0)][..], at(60, 0), true),
        ("not all of it", &[at(40, 0), at(50, 0)], at(kept - 1, 0), false),
        ("nobody has looked, as after a day", &[], at(kept, 0), false),
        ("nobody has looked twice", &[at(60, 0)], at(60, 0), false),
        ("both looks were at once", &[at(59, 0), at(60, 0)], at(60, 0), false),
        ("the last look is long ago", &[at(50, 0), at(60, 0)], at(71, 0), false),
        ("an hour that did not pass since", &[at(10, 0), at(20, 0)], at(21, HOUR), false),
        ("an hour that did not pass between", &[at(10, 0), at(20, HOUR)], at(21, HOUR), false),
        ("a clock that has been wrong all the time", &[at(10, HOUR), at(20, HOUR)], at(21, HOUR), true),
    ];
    for (case, looks, now, expected) in rows {
        assert_eq!(gives_up(looks, now), expected, "{case}");
    }
}

#[test]
fn of_a_blue_that_is_retired_it_is_said_how_far_it_is_on_its_way_out() {
    let deployment = deploy_in(State::RetireWait, None);
    let draining = GroupSeen { draining: 1, ..pair() };
    assert_eq!(
        said_in(&deployment, [("blue", draining)]),
        "retiring blue: 1 instances of group blue are draining"
    );
    let absent = said_in(&deployment, [("green", pair())]);
    assert_eq!(absent, "retiring blue: it is being made sure that group blue is gone");
}

#[test]
fn good_checks_are_not_all_that_is_waited_for() {
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
        assert_eq!(said_of(healthy, attached), sentence);
    }
}
