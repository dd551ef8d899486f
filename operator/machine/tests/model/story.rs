//! What stories are told with: a world in which a tick of every loop follows the other, and what is asked of it.

use std::sync::Arc;

use dryad_machine::state::State as Phase;
use dryad_machine::tenure::{Member, Role};
use dryad_machine::view::Routing;

use crate::actions::{Ask, asked, sync};
use crate::api::Subject;
use crate::memory::{Said, Wall};
use crate::rules::at_work;
use crate::scope::{Beginning, Cloud, Scope};
use crate::state::State;
use crate::think::{self, Findings, Sight};
use crate::tick::{self, Fate};
use crate::world::{Announced, Happening, Id};

pub(crate) const GREEN: Id = Id { turn: 2, owner: 1 };
pub(crate) const SECOND: Id = Id { turn: 3, owner: 2 };

/// What the cloud does by itself between two ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weather {
    /// All that should come comes.
    Fair,
    /// Nothing comes up, all else happens.
    NoInstances,
    /// Instances come up, and the load balancer finds none of them healthy.
    NoneHealthy,
}

/// A deploy, or several, told one tick after the other.
pub(crate) struct Story {
    pub(crate) scope: Scope,
    pub(crate) state: State,
    pub(crate) weather: Weather,
    pub(crate) wall: Wall,
    pub(crate) said: Said,
}

impl Story {
    /// From this beginning, with nothing going wrong that the story does not tell.
    pub(crate) fn new(routing: Routing, beginning: Beginning) -> Self {
        Self::of(&Scope { routing, beginning, ..Scope::PLAIN })
    }

    /// The Environment's traffic was edited since blue was launched.
    pub(crate) fn moved(routing: Routing) -> Self {
        Self::of(&Scope { routing, announced: Announced::Elsewhere, ..Scope::PLAIN })
    }

    pub(crate) fn of(scope: &Scope) -> Self {
        let scope = Scope { cloud: Cloud::Slow, second: true, ..scope.clone() };
        let state = scope.beginnings().remove(0);
        Self { scope, state, weather: Weather::Fair, wall: Wall::Early, said: Said::Good }
    }

    pub(crate) fn weighted() -> Self {
        Self::new(Routing::Weighted, Beginning::Serving)
    }

    /// Every loop runs once, and since nothing is under way, Z has passed.
    pub(crate) fn tick(&mut self) {
        tick::settle(&mut self.state, 0);
        for subject in Subject::ALL {
            let weather = self.weather;
            self.state.change_world(|world| match weather {
                Weather::Fair => world.exhaust(|it| {
                    matches!(it, Happening::Up(_) | Happening::Warm(_) | Happening::Settles(_))
                }),
                Weather::NoInstances => world.exhaust(|it| matches!(it, Happening::Settles(_))),
                Weather::NoneHealthy => {
                    world.exhaust(|it| matches!(it, Happening::Up(_) | Happening::Settles(_)));
                }
            });
            for subject in Subject::ALL {
                sync(&mut self.state, 0, subject);
            }
            let said = (think::verdicts(&self.state, 0, subject).len() > 1).then_some(self.said);
            let findings = Findings { wall: self.wall, sight: Sight::Clear, said };
            if let Some(thought) = think::think(self.scope.seam, &self.state, 0, subject, findings) {
                tick::carry_out(self.scope.seam, &mut self.state, 0, subject, thought, Fate::Answered);
            }
            assert_eq!(self.state.broken, None);
        }
    }

    pub(crate) fn ticks(&mut self, count: usize) {
        for _ in 0..count {
            self.tick();
        }
    }

    pub(crate) fn phase(&self, place: usize) -> Phase {
        self.state.api.deployment(place).expect("it exists").history.state()
    }

    pub(crate) fn step(&self) -> Option<i64> {
        self.state.api.deployment(0).and_then(|deployment| deployment.history.step())
    }

    /// Ticks until the first deploy is there, for the retain window as long as it takes.
    pub(crate) fn until(&mut self, phase: Phase, step: Option<i64>) {
        for _ in 0..200 {
            if self.phase(0) == phase && (step.is_none() || self.step() == step) {
                return;
            }
            let retaining = self.phase(0) == Phase::RetainWait;
            self.wall = if retaining { Wall::Late } else { Wall::Early };
            self.tick();
        }
        panic!("never {phase} {step:?}: {:#?}", self.history(0));
    }

    pub(crate) fn ask(&mut self, ask: Ask) {
        asked(&mut self.state, ask);
    }

    /// Ticks until nothing changes any more; deadlines pass only where `wall` says so.
    pub(crate) fn rest(&mut self) {
        for _ in 0..200 {
            let before = (self.state.api.clone(), self.state.world.clone());
            self.ticks(4);
            if before == (self.state.api.clone(), self.state.world.clone()) {
                self.wall = Wall::Early;
                return;
            }
        }
        panic!("never at rest: {:#?}", self.history(0));
    }

    pub(crate) fn history(&self, place: usize) -> Vec<String> {
        let deployment = self.state.api.deployment(place).expect("it exists");
        let told = deployment.history.entries().iter().map(|entry| match entry.step {
            Some(step) => format!("{} {step}: {}", entry.state, entry.reason),
            None => format!("{}: {}", entry.state, entry.reason),
        });
        told.collect()
    }

    pub(crate) fn role(&self, id: Id) -> Option<Role> {
        self.state.api.member(id).map(|member| member.role)
    }

    pub(crate) fn carries(&self, id: Id) -> bool {
        self.state.world.carries(id, &|id| at_work(&self.state.api, id))
    }

    pub(crate) fn exists(&self, id: Id) -> bool {
        self.state.world.groups.contains_key(&id)
    }

    /// A second group of this role beside blue, and like it, as a holder that vanished may leave it.
    pub(crate) fn serve_beside_blue(&mut self, role: Role) -> Id {
        let beside = Id { turn: 1, owner: 7 };
        self.state.change_world(|world| {
            let group = world.groups[&Id::BLUE];
            world.groups.insert(beside, group);
        });
        let environment = self.state.api.environment.as_mut().map(Arc::make_mut).expect("it exists");
        let groups = &mut environment.view.tenure.groups;
        let member = groups[0].clone();
        groups.push(Member { name: beside.name(), role, ..member });
        beside
    }
}
