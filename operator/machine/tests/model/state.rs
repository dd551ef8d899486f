//! One state of everything: world, API server, processes, requests under way, and what may still go wrong.

use std::sync::Arc;

use crate::api::{Api, DEPLOYMENTS, Subject};
use crate::memory::{Certainty, Remembered};
use crate::restore::{Hindsight, Record};
use crate::rules::{Broken, Request};
use crate::world::World;
use dryad_machine::decide::Write;
use dryad_machine::tenure::Tenure;
use dryad_machine::view::Past;

/// One process: caches, and a memory for each loop.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Operator {
    pub(crate) caches: Api,
    pub(crate) memories: [Arc<Remembered>; DEPLOYMENTS + 1],
    pub(crate) hindsight: Hindsight,
    pub(crate) era: Era,
}

/// When a process began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Era {
    /// Since the record is what it is.
    Present,
    /// Before a restore, through which it was stopped: what it knows has not come to pass. When it wakes up it ends what it
    /// is about, finds that it does not lead any more, and exits.
    Before,
}

impl Operator {
    pub(crate) fn new(caches: Api, certainty: Certainty) -> Self {
        Self {
            caches,
            memories: std::array::from_fn(|_| Arc::new(Remembered::nothing(certainty))),
            hindsight: Hindsight::OF_ITS_OWN,
            era: Era::Present,
        }
    }

    /// Whether it may go by the record that it sees.
    pub(crate) fn past(&self) -> Past {
        self.caches.tenure().map_or(Past::Unknown, |tenure| self.hindsight.of(tenure.turn))
    }

    pub(crate) fn memory(&self, subject: Subject) -> &Remembered {
        &self.memories[subject.index()]
    }

    /// It loses its memory, or gains the lease after somebody else had it.
    pub(crate) fn begin_anew(&mut self) {
        self.memories = std::array::from_fn(|_| Arc::new(Remembered::nothing(Certainty::Uncertain)));
    }

    /// What one loop learned about requests under way holds for all of them.
    pub(crate) fn share(&mut self, certainty: Certainty) {
        for memory in &mut self.memories {
            if memory.certainty != certainty {
                Arc::make_mut(memory).certainty = certainty;
            }
        }
    }
}

/// A write to the API server whose sender has died or lost the lease meanwhile.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct LateWrite {
    pub(crate) subject: Subject,
    pub(crate) seen: Arc<Api>,
    pub(crate) write: Write,
}

/// How often what is not without end may still happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Budget {
    /// Requests of users: abort, rollback, pause, skip, deletion.
    pub(crate) requests: u8,
    /// Dying instances.
    pub(crate) deaths: u8,
    /// Others who resize or delete groups.
    pub(crate) meddling: u8,
    /// Processes that die, or lose the lease.
    pub(crate) crashes: u8,
    /// Mutations that are not answered.
    pub(crate) unanswered: u8,
}

/// Everything.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(crate) world: Arc<World>,
    /// What a stale look may still show.
    pub(crate) before: Option<Arc<World>>,
    pub(crate) api: Api,
    pub(crate) operators: Vec<Operator>,
    pub(crate) leader: usize,
    pub(crate) in_flight: Vec<Request>,
    pub(crate) late_write: Option<LateWrite>,
    pub(crate) budget: Budget,
    /// Whether the record is from a backup.
    pub(crate) record: Record,
    /// What the last look back came to.
    pub(crate) adoption: Option<Arc<Tenure>>,
    pub(crate) broken: Option<Broken>,
}

impl State {
    /// Changes the world; who still looks at a stale copy of it sees what was before.
    pub(crate) fn change_world(&mut self, change: impl FnOnce(&mut World)) {
        let mut world = (*self.world).clone();
        change(&mut world);
        if world != *self.world {
            self.before = Some(std::mem::replace(&mut self.world, Arc::new(world)));
        }
    }
}
