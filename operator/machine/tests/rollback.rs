//! What a rollback does about traffic that it can't give back at once, and what it says.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use dryad_machine::access::Access;
use dryad_machine::decide::{Action, Decision, Write, decide};
use dryad_machine::deployed::Shipment;
use dryad_machine::effect::Effect;
use dryad_machine::event::Reason;
use dryad_machine::history::History;
use dryad_machine::memory::{Look, Memory, Now, Stage};
use dryad_machine::name::{AccountName, Arn, GroupName, Place, Region, Turn, Uid};
use dryad_machine::plan::{Pace, Plan, Revision, Route};
use dryad_machine::reading::{Apart, Attached, GroupSeen, Presence, Reading, Slot, SlotSeen, Traffic};
use dryad_machine::release::Release;
use dryad_machine::state::State;
use dryad_machine::strategy::Strategy;
use dryad_machine::tenure::{Member, Role, Tenure};
use dryad_machine::view::{
    Bounds, Claim, Deletion, DeploymentView, EnvironmentView, Existence, Finalizer, Home, Mark, Others, Past,
    PlaceInLine, Queue, Request, Resolution, Successor, View,
};
use jiff::Timestamp;

const TICK: Duration = Duration::from_secs(1);
const PACE: Pace = Pace {
    tick_seconds: NonZeroU32::MIN,
    rollout_timeout_seconds: 900,
    evaluate_seconds: 60,
    evaluate_timeout_seconds: 900,
    retain_seconds: 60,
};

fn at(second: u64) -> Now {
    let wall = Timestamp::from_second(i64::try_from(second).unwrap()).unwrap();
    Now { wall, mono: Duration::from_secs(second) }
}

fn access() -> Access {
    Access::LoadBalancerRule { rule_arn: Arn::new("rule"), target_group_arns: ["a", "b"].map(Arn::new) }
}

fn place() -> Place {
    Place { account: AccountName::new("a"), region: Region::new("r") }
}

fn member(name: &str, role: Role) -> Member {
    Member {
        name: GroupName::new(name),
        place: place(),
        access: Some(access()),
        owner: Uid::new("d"),
        environment: None,
        turn: Turn::new(2),
        role,
        deployed: None,
        held: None,
    }
}

/// A deploy of green, in B, over blue, in A, that is rolling back.
fn deployment() -> DeploymentView {
    let history = [State::Pending, State::Prepare, State::RolloutWait, State::Rollback];
    let history = history.into_iter().fold(History::default(), |history, state| {
        let step = (state == State::RolloutWait).then_some(2);
        history.with(history.next(state, step, Reason::AbortRequested, "", at(100).wall))
    });
    DeploymentView {
        uid: Uid::new("d"),
        name: "web-2".to_owned(),
        existence: Existence::Kept,
        finalizer: Finalizer::Present,
        mark: Mark::Own,
        created: at(100).wall,
        request: Request::default(),
        history,
        turn: Some(Turn::new(2)),
        plan: Some(Plan {
            shipment: Shipment { release: Release::default(), committed_at: None, subject: None },
            steps: Strategy::BlueGreen.steps(),
            green: GroupName::new("green"),
            blue: vec![GroupName::new("blue")],
            route: Route::Weighted { green: Slot::B },
            floor: 2,
            pace: PACE,
            environment: Revision { uid: Uid::new("e"), generation: 1 },
        }),
    }
}

fn environment() -> EnvironmentView {
    EnvironmentView {
        name: "web".to_owned(),
        revision: Revision { uid: Uid::new("e"), generation: 1 },
        deletion: Deletion::None,
        tenure: Tenure {
            turn: Turn::new(2),
            holder: Some(Uid::new("d")),
            groups: vec![member("blue", Role::Serving), member("green", Role::Green)],
            ..Tenure::default()
        },
        past: Past::Known,
        place: place(),
        bounds: Bounds { min: 2, max: 4 },
        replicas: None,
        access: access(),
        claim: Claim::Undisputed,
        strategy: Strategy::BlueGreen,
        pace: PACE,
    }
}

fn group(slot: Slot, healthy: u32) -> GroupSeen {
    GroupSeen {
        presence: Presence::Here,
        min: 2,
        max: 4,
        desired: 2,
        instances: 2,
        in_service: healthy,
        healthy,
        draining: 0,
        attached: Attached::To(slot),
        apart: Apart::NO,
    }
}

/// What is decided where two looks show so many healthy instances of blue, and this traffic.
fn decided(blue: u32, traffic: Traffic) -> Decision {
    decided_on(&two_of_each(blue, traffic))
}

/// What is decided where two looks show this.
fn decided_on(reading: &Reading) -> Decision {
    let (deployment, environment) = (deployment(), environment());
    let mut memory = Memory::new(Duration::ZERO);
    memory.enter(Stage::from(&deployment.history));
    for second in [109, 110] {
        memory.saw(Look { at: at(second), reading: reading.clone() }, TICK);
    }
    decide(view(&deployment, &environment), &memory, at(110))
}

/// A look at two instances of each group, so many of blue's healthy, and this traffic.
fn two_of_each(blue: u32, traffic: Traffic) -> Reading {
    let groups = [("blue", group(Slot::A, blue)), ("green", group(Slot::B, 2))];
    let groups = groups.map(|(name, seen)| (GroupName::new(name), seen)).into();
    Reading { groups, foreign: BTreeMap::new(), traffic }
}

fn view<'a>(deployment: &'a DeploymentView, environment: &'a EnvironmentView) -> View<'a> {
    View {
        deployment,
        environment: Some(environment),
        home: Home::Standing,
        queue: Queue { place: PlaceInLine::NotYet, others: Others::None, successor: Successor::None },
        resolution: &Resolution::Unknown(None),
    }
}

fn on_green() -> Traffic {
    let slot = |weight| SlotSeen { weight: Some(weight), strangers: 0 };
    Traffic::Weighted { a: slot(0), b: slot(100) }
}

fn said(decision: &Decision) -> &str {
    decision.progress.as_ref().map_or("", |progress| &progress.message)
}

#[test]
fn blue_has_the_traffic_back_as_soon_as_it_can_take_it() {
    let decision = decided(2, on_green());
    assert_eq!(decision.action, Action::Act(vec![Effect::Shift(Slot::A)]));
    assert_eq!(said(&decision), "rolling back");
}

#[test]
fn until_blue_can_take_the_traffic_it_is_said_what_it_lacks() {
    let decision = decided(1, on_green());
    assert_eq!(decision.action, Action::Wait);
    let lacks = "rolling back: 1 of 2 instances of blue are healthy, and green stays until they are";
    assert_eq!(said(&decision), lacks);
}

#[test]
fn once_the_traffic_is_back_it_is_said_how_far_green_is_on_its_way_out() {
    let slot = |weight| SlotSeen { weight: Some(weight), strangers: 0 };
    let on_blue = || Traffic::Weighted { a: slot(100), b: slot(0) };
    assert_eq!(said(&decided(2, on_blue())), "rolling back: group green is attached to a target group");
    let detached = || GroupSeen { attached: Attached::Nowhere, ..group(Slot::B, 2) };
    let empty = || GroupSeen { min: 0, desired: 0, ..detached() };
    let rows = [
        (Some(GroupSeen { draining: 2, ..detached() }), "2 instances of group green are draining"),
        (Some(empty()), "group green has 2 instances"),
        (Some(GroupSeen { presence: Presence::BeingDeleted, ..empty() }), "group green is being deleted"),
        (None, "it is being made sure that group green is gone"),
    ];
    for (green, expected) in rows {
        let mut reading = two_of_each(2, on_blue());
        reading.groups.remove(&GroupName::new("green"));
        reading.groups.extend(green.map(|green| (GroupName::new("green"), green)));
        assert_eq!(said(&decided_on(&reading)), format!("rolling back: {expected}"));
    }
}

#[test]
fn a_rule_of_another_shape_is_left_as_somebody_made_it_and_that_is_said() {
    let decision = decided(2, Traffic::Unusable("the rule also forwards to c".to_owned()));
    assert_eq!(decision.action, Action::Wait);
    assert_eq!(said(&decision), "rolling back, but the rule also forwards to c");
}

#[test]
fn a_rollback_ends_in_time_though_somebody_undoes_every_change_of_the_weights() {
    let (deployment, environment) = (deployment(), environment());
    let mut memory = Memory::new(Duration::ZERO);
    memory.enter(Stage::from(&deployment.history));
    let mut shifts = 0;
    let ended = (101..1_100).find(|second| {
        let now = at(*second);
        memory.saw(Look { at: now, reading: two_of_each(2, on_green()) }, TICK);
        match decide(view(&deployment, &environment), &memory, now).action {
            Action::Act(_) => {
                shifts += 1;
                memory.rerouted(now.mono + TICK * 3);
                memory.mutated();
                false
            }
            Action::Write(write) => {
                assert!(matches!(write, Write::Append(_)), "{write:?}");
                true
            }
            Action::Wait => false,
        }
    });
    assert!(shifts > 100, "until then it goes on trying: {shifts}");
    assert!(ended.is_some_and(|second| (1_000..1_010).contains(&second)), "{ended:?}");
}

#[test]
fn a_rollback_that_nobody_could_watch_over_still_gives_blue_the_traffic_back() {
    let (deployment, environment) = (deployment(), environment());
    let mut memory = Memory::new(Duration::ZERO);
    memory.enter(Stage::from(&deployment.history));
    let decided = [101, 5_000, 5_001].map(|second| {
        memory.saw(Look { at: at(second), reading: two_of_each(2, on_green()) }, TICK);
        decide(view(&deployment, &environment), &memory, at(second)).action
    });
    assert_eq!(decided[2], Action::Act(vec![Effect::Shift(Slot::A)]));
}
