//! Arbitrary values out of arbitrary bytes. Few names and small numbers, so that things meet.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use dryad_machine::access::Access;
use dryad_machine::deployed::{Deployed, Shipment};
use dryad_machine::event::Reason;
use dryad_machine::history::{Entry, History};
use dryad_machine::memory::{Look, Memory, Now, Stage, Verdict};
use dryad_machine::name::{AccountName, Arn, GroupName, Place, Region, Turn, Uid};
use dryad_machine::plan::{Pace, Plan, Revision, Route};
use dryad_machine::reading::{Apart, Attached, GroupSeen, Presence, Reach, Reading, Slot, SlotSeen, Traffic};
use dryad_machine::release::Release;
use dryad_machine::state::State;
use dryad_machine::strategy::Strategy;
use dryad_machine::tenure::{Held, Member, Restored, Role, Tenure};
use dryad_machine::view::{
    Bounds, Claim, Deletion, DeploymentView, EndRequest, EnvironmentView, Evaluation, Existence, Finalizer,
    Mark, Others, Past, Paused, PlaceInLine, Queue, Remains, Request, Resolution, Successor,
};
use jiff::Timestamp;

const NAMES: [&str; 4] = ["web-2-d1", "web-1-d0", "web-1-d7", "web-0-d9"];
pub(crate) const TICK: Duration = Duration::from_secs(10);

/// Bytes that are rolled one by one; at their end, zeros.
pub(crate) struct Dice<'a>(std::slice::Iter<'a, u8>);

impl<'a> Dice<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes.iter())
    }

    fn below(&mut self, sides: u8) -> u8 {
        self.0.next().copied().unwrap_or(0) % sides
    }

    pub(crate) fn one_in(&mut self, sides: u8) -> bool {
        self.below(sides) == 1
    }

    pub(crate) fn pick<T: Clone>(&mut self, choices: &[T]) -> T {
        let sides = u8::try_from(choices.len()).expect("few choices");
        choices[usize::from(self.below(sides))].clone()
    }

    fn small(&mut self) -> u32 {
        u32::from(self.below(4))
    }

    fn uid(&mut self) -> Uid {
        self.pick(&[Uid::new("d1"), Uid::new("d1"), Uid::new("d2")])
    }

    fn turn(&mut self) -> Turn {
        Turn::new(self.pick(&[2, 2, 2, 1, 3]))
    }

    fn group(&mut self) -> GroupName {
        self.pick(&NAMES.map(GroupName::new))
    }

    fn time(&mut self) -> Timestamp {
        Timestamp::from_second(self.pick(&[1_000, 1_000, 990, 1_010, 500_000])).expect("a time")
    }

    fn history(&mut self) -> History {
        use State::{EvaluateWait, Pending, Prepare, Resolve, RetainWait, RetireWait, Rollback, RolloutWait};
        let road = [
            (Pending, None, Reason::Created),
            (Resolve, None, Reason::TurnTaken),
            (Prepare, None, Reason::ReleaseResolved),
            (RolloutWait, Some(1), Reason::PrepareOk),
            (EvaluateWait, Some(1), Reason::RolloutOk),
            (RolloutWait, Some(2), Reason::EvaluateOk),
            (EvaluateWait, Some(2), Reason::RolloutOk),
            (RetainWait, None, Reason::EvaluateOk),
            (RetireWait, None, Reason::RetainElapsed),
        ];
        let mut entries = road[..usize::from(self.below(10))].to_vec();
        if !entries.is_empty() && self.one_in(4) {
            entries.push((Rollback, None, self.pick(&Reason::ALL)));
        }
        if !entries.is_empty() && self.one_in(6) {
            entries.push((self.pick(&State::ALL[8..]), None, self.pick(&Reason::ALL)));
        }
        let at = self.time();
        let entries = (0..).zip(entries).map(|(sequence, (state, step, reason))| Entry {
            sequence,
            step,
            state,
            reason,
            message: String::new(),
            at,
        });
        History::new(entries.collect()).expect("whole")
    }

    pub(crate) fn deployment(&mut self) -> DeploymentView {
        let history = self.history();
        DeploymentView {
            uid: Uid::new("d1"),
            name: "d1".to_owned(),
            existence: if self.one_in(6) { Existence::BeingDeleted } else { Existence::Kept },
            finalizer: if self.one_in(8) { Finalizer::Absent } else { Finalizer::Present },
            mark: if self.one_in(8) {
                self.pick(&[Mark::None, Mark::Other(Uid::new("d0"))])
            } else {
                Mark::Own
            },
            created: self.time(),
            request: Request {
                paused: if self.one_in(5) { Paused::Yes } else { Paused::No },
                evaluation: self.pick(&[Evaluation::Full, Evaluation::Full, Evaluation::Skipped]),
                end: self.pick(&[None, None, None, Some(EndRequest::Abort), Some(EndRequest::Rollback)]),
            },
            turn: (!self.one_in(8)).then(|| self.turn()),
            plan: (history.has(State::Prepare) && !self.one_in(10)).then(|| self.plan()),
            history,
        }
    }

    fn plan(&mut self) -> Plan {
        Plan {
            shipment: Shipment { release: Release::default(), committed_at: None, subject: None },
            steps: Strategy::BlueGreen.steps(),
            green: GroupName::new("web-2-d1"),
            blue: self.pick(&[
                vec![],
                vec![GroupName::new("web-1-d0")],
                vec![GroupName::new("web-1-d0")],
                vec![GroupName::new("web-1-d0"), GroupName::new("web-1-d7")],
            ]),
            route: self.pick(&[
                Route::Weighted { green: Slot::A },
                Route::Weighted { green: Slot::B },
                Route::Shared {},
                Route::Workers {},
            ]),
            floor: self.small(),
            pace: pace(),
            environment: Revision { uid: Uid::new("e"), generation: 1 },
        }
    }

    fn deployed(&mut self) -> Option<Deployed> {
        let shipment = Shipment { release: Release::default(), committed_at: None, subject: None };
        let (uid, turn, since) = (self.uid(), self.turn(), self.time());
        self.one_in(2).then(|| Deployed { shipment, deployment: "d1".to_owned(), uid, turn, since })
    }

    fn member(&mut self) -> Member {
        let held = Held {
            desired: self.pick(&[None, Some(1), Some(2)]),
            original_min: self.small(),
            original_max: self.small(),
        };
        Member {
            name: self.group(),
            place: place(),
            access: self.one_in(3).then(|| self.access()),
            owner: self.uid(),
            environment: self.one_in(8).then(|| Uid::new("e0")),
            turn: self.turn(),
            role: self.pick(&[Role::Green, Role::Serving, Role::Doomed]),
            deployed: self.deployed(),
            held: self.one_in(3).then_some(held),
        }
    }

    fn access(&mut self) -> Access {
        let arn = Arn::new;
        let rule =
            |a, b| Access::LoadBalancerRule { rule_arn: arn("rule"), target_group_arns: [arn(a), arn(b)] };
        self.pick(&[
            rule("a", "b"),
            rule("a", "b"),
            rule("a", "c"),
            Access::TargetGroup { arn: arn("a") },
            Access::Workers {},
        ])
    }

    pub(crate) fn environment(&mut self) -> EnvironmentView {
        let mut groups: BTreeMap<GroupName, Member> = BTreeMap::new();
        for _ in 0..self.below(5) {
            let member = self.member();
            groups.insert(member.name.clone(), member);
        }
        EnvironmentView {
            name: "web".to_owned(),
            revision: Revision { uid: Uid::new("e"), generation: 1 },
            deletion: self.pick(&[
                Deletion::None,
                Deletion::None,
                Deletion::None,
                Deletion::Delete,
                Deletion::Retain,
            ]),
            tenure: Tenure {
                turn: self.turn(),
                holder: (!self.one_in(4)).then(|| self.uid()),
                groups: groups.into_values().collect(),
                deployed: self.deployed(),
                restored: self.one_in(6).then(|| Restored { turn: Turn::new(2), at: self.time() }),
            },
            past: if self.one_in(8) { Past::Unknown } else { Past::Known },
            place: place(),
            bounds: Bounds { min: self.small(), max: 4 },
            replicas: self.pick(&[None, None, Some(0), Some(2)]),
            access: self.access(),
            claim: self.pick(&[Claim::Undisputed, Claim::Undisputed, Claim::Lost("shop/api".to_owned())]),
            strategy: Strategy::BlueGreen,
            pace: pace(),
        }
    }

    /// What is left of an Environment that is gone; none where it stands.
    pub(crate) fn home(&mut self) -> Option<Remains> {
        let (since, groups) = (self.pick(&[Duration::ZERO, TICK, Duration::MAX]), self.below(4));
        let groups = (0..groups).map(|_| self.group()).collect();
        self.one_in(4).then_some(Remains { since, groups })
    }

    pub(crate) fn queue(&mut self) -> Queue {
        Queue {
            place: self.pick(&[PlaceInLine::Next, PlaceInLine::Next, PlaceInLine::NotYet]),
            others: self.pick(&[Others::None, Others::Waiting]),
            successor: self.pick(&[Successor::None, Successor::None, Successor::Newer]),
        }
    }

    pub(crate) fn resolution(&mut self) -> Resolution {
        let shipment = Shipment { release: Release::default(), committed_at: None, subject: None };
        self.pick(&[
            Resolution::Resolved(Box::new(shipment)),
            Resolution::Unknown(None),
            Resolution::Rejected("no such commit; ".repeat(200)),
            Resolution::NotPermitted("accounts lacks production".to_owned()),
        ])
    }

    fn seen(&mut self) -> GroupSeen {
        GroupSeen {
            presence: if self.one_in(6) { Presence::BeingDeleted } else { Presence::Here },
            min: self.small(),
            max: self.small(),
            desired: self.small(),
            instances: self.small(),
            in_service: self.small(),
            healthy: self.small(),
            draining: u32::from(self.one_in(4)),
            attached: self.pick(&[
                Attached::Nowhere,
                Attached::To(Slot::A),
                Attached::To(Slot::B),
                Attached::ToBoth,
                Attached::ToShared,
            ]),
            apart: match self.one_in(4) {
                true => Apart {
                    attached: self.pick(&[Attached::Nowhere, Attached::To(Slot::A), Attached::ToShared]),
                    reach: self.pick(&[Reach::Nothing, Reach::Requests, Reach::Work]),
                },
                false => Apart::NO,
            },
        }
    }

    fn slot(&mut self) -> SlotSeen {
        let weight = self.pick(&[None, Some(0), Some(0), Some(1), Some(100)]);
        SlotSeen { weight, strangers: u32::from(self.one_in(6)) }
    }

    fn reading(&mut self) -> Reading {
        let mut groups = BTreeMap::new();
        for _ in 0..self.below(5) {
            groups.insert(self.group(), self.seen());
        }
        let weighted = Traffic::Weighted { a: self.slot(), b: self.slot() };
        let unusable = Traffic::Unusable("odd".to_owned());
        let traffic = [weighted.clone(), weighted, Traffic::Shared, Traffic::Workers, unusable];
        // What is seen and not ours is a blue that has lost its tags.
        let stray = self.one_in(4);
        let taken = NAMES.map(GroupName::new).into_iter().filter(|name| stray || !groups.contains_key(name));
        let taken = taken.map(|name| (name, "dryad.dev/turn".to_owned()));
        let foreign = if self.one_in(2) { taken.collect() } else { BTreeMap::new() };
        Reading { groups, foreign, traffic: self.pick(&traffic) }
    }

    /// What a process may remember, and what time it is.
    pub(crate) fn memory(&mut self, history: &History) -> (Memory, Now) {
        let mut memory = Memory::new(self.pick(&[Duration::ZERO, Duration::ZERO, Duration::from_secs(300)]));
        memory.enter(Stage::from(history));
        let mut mono = Duration::ZERO;
        for _ in 0..self.below(5) {
            mono += self.pick(&[Duration::from_secs(1), TICK, TICK, TICK * 3]);
            let at = Now { wall: self.time(), mono };
            match self.below(8) {
                0 => memory.saw_nothing(),
                1 => memory.mutated(),
                2 => memory.unanswered(mono + TICK),
                3 => memory.deletion_answered(&self.group(), mono),
                _ => {
                    let reading = self.reading();
                    memory.saw(Look { at, reading: reading.clone() }, TICK);
                    if self.one_in(2) {
                        mono += TICK;
                        memory.saw(Look { at: Now { mono, ..at }, reading }, TICK);
                    }
                }
            }
        }
        let verdicts =
            [Verdict::Good, Verdict::Good, Verdict::NotYet(String::new()), Verdict::Bad(String::new())];
        for _ in 0..self.below(3) {
            memory.checked(self.pick(&verdicts), mono, TICK);
        }
        mono += self.pick(&[Duration::ZERO, Duration::from_secs(1), TICK, TICK * 2]);
        (memory, Now { wall: self.time(), mono })
    }
}

fn place() -> Place {
    Place { account: AccountName::new("a"), region: Region::new("r") }
}

fn pace() -> Pace {
    Pace {
        tick_seconds: NonZeroU32::new(10).expect("not zero"),
        rollout_timeout_seconds: 900,
        evaluate_seconds: 0,
        evaluate_timeout_seconds: 900,
        retain_seconds: 900,
    }
}
