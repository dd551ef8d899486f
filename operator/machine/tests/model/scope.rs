//! How much of everything a check looks at.

use std::sync::Arc;

use dryad_machine::view::Routing;

use crate::actions::sync;
use crate::api::{self, Api, Subject};
use crate::backup::{self, Uids};
use crate::ending;
use crate::memory::Certainty;
use crate::properties::Reached;
use crate::restore::Record;
use crate::seam::Seam;
use crate::state::{Budget, Operator, State};
use crate::world::{Announced, World};

/// How the cloud behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cloud {
    /// Instances come up in their own time, all else is done at once.
    Prompt,
    /// Everything takes its own time.
    Slow,
    /// And a look may show what was before the last change.
    Stale,
    /// And a look may fail.
    Failing,
}

/// What processes see of the objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caches {
    /// What is stored.
    Fresh,
    /// What was stored at some time, each object for itself.
    Lagging,
}

/// From where a check begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beginning {
    /// Something serves, and a Deployment is applied.
    Serving,
    /// Nothing was ever deployed.
    First,
    /// The same as `Serving`, and every state on its happy path.
    Everywhere,
    /// Any moment of a deploy, good or rolled back, at which a backup of any earlier moment was restored.
    Restored,
}

/// What becomes of the size that is declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Declared {
    /// It stays.
    Kept,
    /// Its user may change it.
    Changing,
}

/// One check: from where, with which faults, up to where.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    pub(crate) name: &'static str,
    pub(crate) routing: Routing,
    pub(crate) beginning: Beginning,
    /// Where what serves to begin with was announced.
    pub(crate) announced: Announced,
    pub(crate) cloud: Cloud,
    pub(crate) caches: Caches,
    pub(crate) operators: usize,
    /// How many requests may be under way at once; of before a restore, too.
    pub(crate) zombies: usize,
    /// Whether writes of processes that are dead or no longer lead may land.
    pub(crate) late_writes: bool,
    /// Whether a second Deployment may come.
    pub(crate) second: bool,
    pub(crate) declared: Declared,
    /// Whether objects may be deleted in spite of their finalizers.
    pub(crate) forced: bool,
    /// Under which uids a backup is restored.
    pub(crate) uids: Uids,
    pub(crate) size: u8,
    pub(crate) budget: Budget,
    pub(crate) seam: Seam,
    /// One state in so many is followed to its end.
    pub(crate) endings_one_in: u64,
    pub(crate) reaches: &'static [Reached],
    /// Where to stop, in generated states, if it is too large to exhaust.
    pub(crate) limit: Option<usize>,
}

impl Scope {
    pub(crate) const PLAIN: Self = Self {
        name: "plain",
        routing: Routing::Weighted,
        beginning: Beginning::Serving,
        announced: Announced::Here,
        cloud: Cloud::Slow,
        caches: Caches::Fresh,
        operators: 1,
        zombies: 0,
        late_writes: false,
        second: false,
        declared: Declared::Kept,
        forced: false,
        uids: Uids::Kept,
        size: 1,
        budget: Budget { requests: 0, deaths: 0, meddling: 0, crashes: 0, unanswered: 0 },
        seam: Seam::Whole,
        endings_one_in: 16,
        reaches: &[],
        limit: None,
    };

    pub(crate) fn beginnings(&self) -> Vec<State> {
        let first = self.first();
        match self.beginning {
            Beginning::Serving | Beginning::First => vec![first],
            Beginning::Everywhere => ending::happy_path(self, &first),
            Beginning::Restored => backup::at_any_moment(self, &first),
        }
    }

    fn first(&self) -> State {
        let mut environment = api::environment(self.routing);
        let world = match self.beginning {
            Beginning::First => World::empty(self.routing),
            Beginning::Serving | Beginning::Everywhere | Beginning::Restored => {
                api::serving(&mut environment, self.announced);
                World::serving(self.routing, self.announced, self.size)
            }
        };
        let api = Api {
            environment: Some(Arc::new(environment)),
            deployments: [Some(Arc::new(api::deployment(0))), None],
        };
        let mut state = State {
            world: Arc::new(world),
            before: None,
            operators: vec![Operator::new(api.clone(), Certainty::Certain); self.operators],
            api,
            leader: 0,
            in_flight: Vec::new(),
            late_write: None,
            budget: self.budget,
            record: Record::Own,
            adoption: None,
            broken: None,
        };
        for subject in Subject::ALL {
            sync(&mut state, 0, subject);
        }
        state
    }
}
