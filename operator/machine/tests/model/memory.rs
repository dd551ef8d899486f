//! What a process remembers, told so that two moments that are alike are equal.
//!
//! The real [`Memory`] counts time from the start of its process. Here it is taken apart after each tick, through
//! its own questions, and put together again before the next one at fixed times: as far as any decision can tell,
//! it is the same memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use dryad_machine::memory::{Look, Memory, Now, Stage, Verdict};
use dryad_machine::reading::{Reading, Traffic};
use jiff::Timestamp;

use crate::api::TICK_SECONDS;
use crate::world::{Id, World};

/// From one look to the next.
pub(crate) const TICK: Duration = Duration::from_secs(TICK_SECONDS as u64);

/// When a tick takes place, by the clock of its process.
pub(crate) const PRESENT: Duration = Duration::from_secs(40);
pub(crate) const LAST_TICK: Duration = Duration::from_secs(30);
pub(crate) const BEFORE_LAST_TICK: Duration = Duration::from_secs(10);
const LONG_AGO: Duration = Duration::ZERO;

/// From one tick to the next it can be as long as a rollback may take.
pub(crate) const LONG: Duration = Duration::from_secs(30);

/// Z.
pub(crate) const UNCERTAINTY: Duration = Duration::from_secs(5_000);

/// What the API server's clock says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Wall {
    /// Before the last entry: it jumped back, or no time has passed.
    Early,
    /// Beyond every deadline: it jumped ahead, or much time has passed.
    Late,
}

impl Wall {
    pub(crate) fn now(self, mono: Duration) -> Now {
        let base = match self {
            Self::Early => 900,
            Self::Late => 1_000_000,
        };
        let second = base + i64::try_from(mono.as_secs()).expect("small");
        Now { wall: Timestamp::from_second(second).expect("a time"), mono }
    }
}

/// A look: what it showed, and what time it was then.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Seen {
    pub(crate) world: Arc<World>,
    pub(crate) wall: Wall,
}

/// What the checks said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Said {
    Good,
    Bad,
    NotYet,
}

impl Said {
    pub(crate) fn verdict(self) -> Verdict {
        match self {
            Self::Good => Verdict::Good,
            Self::Bad => Verdict::Bad(String::new()),
            Self::NotYet => Verdict::NotYet(String::new()),
        }
    }
}

/// Whether requests of this process or of its predecessor may still land.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Certainty {
    Certain,
    /// A creation was answered less than Z ago.
    Created,
    Uncertain,
}

fn empty() -> Reading {
    Reading { groups: BTreeMap::new(), foreign: BTreeMap::new(), traffic: Traffic::Workers }
}

/// One loop's memory.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Remembered {
    stage: Stage,
    pub(crate) earlier: Option<Seen>,
    pub(crate) latest: Option<Seen>,
    /// Whether `latest` was made in the last tick.
    fresh: bool,
    verdict: Option<Said>,
    refused: bool,
    /// Whether there was a look in an earlier tick.
    watched: bool,
    confirmed: BTreeSet<Id>,
    pub(crate) certainty: Certainty,
}

impl Remembered {
    pub(crate) fn nothing(certainty: Certainty) -> Self {
        Self {
            stage: Stage::default(),
            earlier: None,
            latest: None,
            fresh: false,
            verdict: None,
            refused: false,
            watched: false,
            confirmed: BTreeSet::new(),
            certainty,
        }
    }

    /// The memory as the process has it when a tick begins.
    pub(crate) fn recall(&self) -> Memory {
        let mut memory = Memory::new(Duration::ZERO);
        memory.enter(self.stage);
        if self.watched {
            for mono in [LONG_AGO, LONG_AGO + LONG] {
                memory.saw(Look { at: Wall::Early.now(mono), reading: empty() }, TICK);
            }
            memory.mutated();
        }
        for id in &self.confirmed {
            memory.deletion_answered(&id.name(), Duration::ZERO);
        }
        match self.certainty {
            Certainty::Certain => {}
            Certainty::Created => memory.creating(UNCERTAINTY),
            Certainty::Uncertain => {
                memory.creating(UNCERTAINTY);
                memory.unanswered(UNCERTAINTY);
            }
        }
        let latest = if self.fresh { LAST_TICK } else { BEFORE_LAST_TICK };
        for (seen, mono) in [(&self.earlier, LONG_AGO), (&self.latest, latest)] {
            if let Some(seen) = seen {
                let look = Look { at: seen.wall.now(mono), reading: seen.world.reading() };
                memory.saw(look, TICK);
            }
        }
        if let Some(said) = self.verdict {
            memory.checked(said.verdict(), LAST_TICK, TICK);
        }
        if self.refused {
            memory.refused(String::new());
        }
        memory
    }

    /// What is left of it after a tick that began with `self`, had this look, and is in this stage.
    pub(crate) fn after(
        &self,
        memory: &Memory,
        stage: Stage,
        look: Option<&Seen>,
        created: bool,
        ids: impl Iterator<Item = Id>,
    ) -> Self {
        let always = Wall::Early.now(Duration::ZERO);
        let (mut earlier, mut latest) = (None, None);
        if memory.latest(always, TICK).is_some() {
            latest = look.cloned().or_else(|| self.latest.clone());
            if let Some([first, _]) = memory.two(always, TICK) {
                let candidates = [self.latest.as_ref().filter(|_| look.is_some()), self.earlier.as_ref()];
                let seen = candidates.into_iter().flatten().find(|seen| seen.world.reading() == *first);
                earlier = seen.cloned();
            }
        }
        let next = PRESENT + TICK;
        Self {
            stage,
            earlier,
            fresh: latest.is_some() && memory.latest(Wall::Early.now(next), TICK).is_some(),
            latest,
            verdict: memory.verdict().map(|verdict| match verdict {
                Verdict::Good => Said::Good,
                Verdict::Bad(_) => Said::Bad,
                Verdict::NotYet(_) => Said::NotYet,
            }),
            refused: memory.refusal().is_some(),
            watched: look.is_some() || (self.watched && self.stage == stage),
            confirmed: ids.filter(|id| memory.is_deletion_answered(&id.name())).collect(),
            certainty: match memory.is_certain(Wall::Early.now(PRESENT)) {
                false => Certainty::Uncertain,
                true if created || self.certainty == Certainty::Created => Certainty::Created,
                true => Certainty::Certain,
            },
        }
    }

    /// Whether it is about what was recorded last.
    pub(crate) fn is_in(&self, stage: Stage) -> bool {
        self.stage == stage
    }

    /// Whether the newest look, if it counts, shows what is there.
    pub(crate) fn saw_the_truth(&self, world: &World) -> bool {
        self.latest.as_ref().is_some_and(|seen| *seen.world == *world)
    }
}
