//! One moment of a deploy of green over blue, two instances each: everything as it should be in the state that it is in,
//! until a test says what is not.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use dryad_machine::access::Access;
use dryad_machine::decide::{Action, Decision, TenureChange, Write, decide};
use dryad_machine::deployed::{Deployed, Shipment};
use dryad_machine::effect::{Effect, Size};
use dryad_machine::event::Reason;
use dryad_machine::history::History;
use dryad_machine::memory::{Look, Memory, Now, Stage};
use dryad_machine::name::{AccountName, Arn, GroupName, Place, Region, Turn, Uid};
use dryad_machine::plan::{Pace, Plan, Revision, Route};
use dryad_machine::reading::{Apart, Attached, GroupSeen, Presence, Reading, Slot, SlotSeen, Traffic};
use dryad_machine::release::Release;
use dryad_machine::state::State;
use dryad_machine::strategy::Strategy;
use dryad_machine::tenure::{Held, Member, Role, Tenure};
use dryad_machine::view::{
    Bounds, Claim, Deletion, DeploymentView, EnvironmentView, Existence, Finalizer, Home, Mark, Others, Past,
    PlaceInLine, Queue, Remains, Request, Resolution, Successor, View,
};
use jiff::Timestamp;

pub(crate) const TICK: Duration = Duration::from_secs(10);
const PACE: Pace = Pace {
    tick_seconds: NonZeroU32::new(10).unwrap(),
    rollout_timeout_seconds: 900,
    evaluate_seconds: 60,
    evaluate_timeout_seconds: 900,
    retain_seconds: 600,
};
/// When it entered its state.
pub(crate) const SINCE: u64 = 100;

pub(crate) fn at(second: u64) -> Now {
    let wall = Timestamp::from_second(i64::try_from(second).unwrap()).unwrap();
    Now { wall, mono: Duration::from_secs(second) }
}

pub(crate) fn group(name: &str) -> GroupName {
    GroupName::new(name)
}

/// A rule with these weights.
pub(crate) fn weights(a: u32, b: u32) -> Traffic {
    let slot = |weight| SlotSeen { weight: Some(weight), strangers: 0 };
    Traffic::Weighted { a: slot(a), b: slot(b) }
}

/// The bounds that a group is given.
pub(crate) fn resize(name: &str, min: u32, max: u32) -> Effect {
    Effect::Resize { group: group(name), size: Size { min, max, desired: None } }
}

/// What is seen of the Environment.
pub(crate) enum Sight {
    Shown,
    /// The cache does not show it.
    Unseen,
    /// It is gone.
    Gone(Remains),
}

/// What is known at one moment.
pub(crate) struct Moment {
    pub(crate) deployment: DeploymentView,
    pub(crate) environment: EnvironmentView,
    pub(crate) sight: Sight,
    /// What both looks show.
    pub(crate) reading: Reading,
    pub(crate) resolution: Resolution,
    pub(crate) queue: Queue,
    /// What is known but for the looks.
    pub(crate) memory: Memory,
    pub(crate) now: Now,
}

impl Moment {
    /// By a rule, blue in A.
    pub(crate) fn weighted(state: State, step: Option<i64>) -> Self {
        let access = Access::LoadBalancerRule {
            rule_arn: Arn::new("rule"),
            target_group_arns: ["a", "b"].map(Arn::new),
        };
        let green_serves = has_traffic(state, step);
        let traffic = if green_serves { weights(0, 100) } else { weights(100, 0) };
        let attached = [Attached::To(Slot::A), Attached::To(Slot::B)];
        Self::of(state, step, access, Route::Weighted { green: Slot::B }, traffic, attached)
    }

    /// Workers, which find their work themselves.
    pub(crate) fn workers(state: State, step: Option<i64>) -> Self {
        let attached = [Attached::Nowhere; 2];
        Self::of(state, step, Access::Workers {}, Route::Workers {}, Traffic::Workers, attached)
    }

    /// By one target group for all.
    pub(crate) fn shared(state: State, step: Option<i64>) -> Self {
        let access = Access::TargetGroup { arn: Arn::new("t") };
        let attached = match has_traffic(state, step) {
            true => [Attached::Nowhere, Attached::ToShared],
            false => [Attached::ToShared, Attached::Nowhere],
        };
        Self::of(state, step, access, Route::Shared {}, Traffic::Shared, attached)
    }

    fn of(
        state: State,
        step: Option<i64>,
        access: Access,
        route: Route,
        traffic: Traffic,
        [blue, green]: [Attached; 2],
    ) -> Self {
        let place = Place { account: AccountName::new("a"), region: Region::new("r") };
        let revision = Revision { uid: Uid::new("e"), generation: 1 };
        let member = |name, role| Member {
            name: group(name),
            place: place.clone(),
            access: Some(access.clone()),
            owner: Uid::new(if role == Role::Green { "d" } else { "d0" }),
            environment: None,
            turn: Turn::new(if role == Role::Green { 2 } else { 1 }),
            role,
            deployed: None,
            held: None,
        };
        let groups = vec![member("blue", Role::Serving), member("green", Role::Green)];
        let history = History::default();
        let rung = step.filter(|_| !matches!(state, State::RolloutWait | State::EvaluateWait));
        let history = rung.map_or(history.clone(), |rung| {
            history.with(history.next(
                State::EvaluateWait,
                Some(rung),
                Reason::RolloutOk,
                "",
                at(SINCE - 50).wall,
            ))
        });
        let own_step = step.filter(|_| rung.is_none());
        let entry = history.next(state, own_step, Reason::RollbackRequested, "asked", at(SINCE).wall);
        let deployment = DeploymentView {
            uid: Uid::new("d"),
            name: "web-2".to_owned(),
            existence: Existence::Kept,
            finalizer: Finalizer::Present,
            mark: Mark::Own,
            created: at(SINCE).wall,
            request: Request::default(),
            history: history.with(entry),
            turn: Some(Turn::new(2)),
            plan: Some(Plan {
                shipment: Shipment { release: Release::default(), committed_at: None, subject: None },
                steps: Strategy::BlueGreen.steps(),
                green: group("green"),
                blue: vec![group("blue")],
                route,
                floor: 2,
                pace: PACE,
                environment: revision.clone(),
            }),
        };
        let proven = matches!(state, State::RetainWait | State::RetireWait);
        let deployed = proven.then(|| Deployed {
            shipment: Shipment { release: Release::default(), committed_at: None, subject: None },
            deployment: "web-2".to_owned(),
            uid: Uid::new("d"),
            turn: Turn::new(2),
            since: at(SINCE).wall,
        });
        let holder = Some(Uid::new("d"));
        let tenure = Tenure { turn: Turn::new(2), holder, groups, deployed, restored: None };
        let environment = EnvironmentView {
            name: "web".to_owned(),
            revision,
            deletion: Deletion::None,
            tenure,
            past: Past::Known,
            place,
            bounds: Bounds { min: 1, max: 4 },
            replicas: None,
            access,
            claim: Claim::Undisputed,
            strategy: Strategy::BlueGreen,
            pace: PACE,
        };
        let seen = |attached| GroupSeen {
            presence: Presence::Here,
            min: 1,
            max: 4,
            desired: 2,
            instances: 2,
            in_service: 2,
            healthy: 2,
            draining: 0,
            attached,
            apart: Apart::NO,
        };
        let groups = BTreeMap::from([(group("blue"), seen(blue)), (group("green"), seen(green))]);
        let mut memory = Memory::new(Duration::ZERO);
        memory.enter(Stage::from(&deployment.history));
        Self {
            deployment,
            environment,
            sight: Sight::Shown,
            reading: Reading { groups, foreign: BTreeMap::new(), traffic },
            resolution: Resolution::Unknown(None),
            queue: Queue { place: PlaceInLine::NotYet, others: Others::None, successor: Successor::None },
            memory,
            now: at(SINCE + 100),
        }
    }

    /// What has been recorded of blue before it was reduced.
    pub(crate) fn hold_blue(&mut self, desired: Option<u32>) {
        let held = Held { desired, original_min: 1, original_max: 4 };
        self.environment.tenure.groups[0].held = Some(held);
    }

    pub(crate) fn plan(&mut self) -> &mut Plan {
        self.deployment.plan.as_mut().expect("it has one")
    }

    pub(crate) fn seen(&mut self, name: &str) -> &mut GroupSeen {
        self.reading.groups.get_mut(&group(name)).expect("it is there")
    }

    /// Records this entry, and begins anew.
    pub(crate) fn enter(&mut self, state: State, reason: Reason) {
        let history = &self.deployment.history;
        self.deployment.history = history.with(history.next(state, None, reason, "", self.now.wall));
        self.memory.enter(Stage::from(&self.deployment.history));
        self.now = at(self.now.mono.as_secs() + 100);
    }

    /// What is decided after a look at the first of these readings and then one at the other.
    pub(crate) fn decide_on(&self, readings: [&Reading; 2]) -> Decision {
        let mut memory = self.memory.clone();
        for (reading, mono) in readings.into_iter().zip([self.now.mono.saturating_sub(TICK), self.now.mono]) {
            memory.saw(Look { at: at(mono.as_secs()), reading: reading.clone() }, TICK);
        }
        self.decide_by(&memory)
    }

    /// What is decided by what is remembered.
    pub(crate) fn decide_by(&self, memory: &Memory) -> Decision {
        let view = View {
            deployment: &self.deployment,
            environment: matches!(self.sight, Sight::Shown).then_some(&self.environment),
            home: if let Sight::Gone(remains) = &self.sight { Home::Gone(remains) } else { Home::Standing },
            queue: self.queue,
            resolution: &self.resolution,
        };
        decide(view, memory, self.now)
    }

    pub(crate) fn decide(&self) -> Decision {
        self.decide_on([&self.reading; 2])
    }

    /// What is changed in the cloud.
    pub(crate) fn effects(&self) -> Vec<Effect> {
        match self.decide().action {
            Action::Act(effects) => effects,
            Action::Wait => Vec::new(),
            Action::Write(write) => panic!("a write and no change: {write:?}"),
        }
    }

    /// The reason and the message of the entry that is appended.
    pub(crate) fn entry(&self) -> Option<(Reason, String)> {
        entry(self.decide())
    }

    /// What is stored of the Environment.
    pub(crate) fn tenure(&self) -> Option<(TenureChange, Tenure)> {
        match self.decide().action {
            Action::Write(Write::Tenure { to, change }) => Some((change, *to)),
            Action::Write(_) | Action::Wait | Action::Act(_) => None,
        }
    }

    /// What it says that it waits for.
    pub(crate) fn said(&self) -> String {
        self.decide().progress.unwrap_or_default().message
    }
}

/// The reason and the message of the entry that is appended.
pub(crate) fn entry(decision: Decision) -> Option<(Reason, String)> {
    match decision.action {
        Action::Write(Write::Append(append)) => Some((append.entry.reason, append.entry.message)),
        Action::Write(_) | Action::Wait | Action::Act(_) => None,
    }
}

/// Whether green has the traffic where all is as it should be.
fn has_traffic(state: State, step: Option<i64>) -> bool {
    matches!(state, State::RetainWait | State::RetireWait)
        || (state == State::EvaluateWait && step == Some(2))
}
