//! What one process remembers of one deploy between two ticks.
//!
//! Nothing here is needed for progress: a process that forgets it all looks again and waits a little longer.
//! That is its purpose: everything irreversible asks for what only a process that kept looking can know.

mod horizon;
mod looks;
mod watch;

use std::collections::BTreeSet;
use std::time::Duration;

use crate::history::History;
use crate::name::GroupName;
use crate::reading::Reading;
use crate::tenure::{Role, Tenure};
pub use horizon::Horizon;
use looks::Looks;
pub use looks::{Look, Now};
use watch::Watch;

/// What one tick learned from the checks.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Every check is content.
    Good,
    /// At least one did not say, or is not content yet; why, in words.
    NotYet(String),
    /// One has said no for good; why, in words.
    Bad(String),
}

/// What was recorded when something was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Stage(i64);

impl From<&History> for Stage {
    /// A deploy's stage: how many entries its history has.
    fn from(history: &History) -> Self {
        Self(history.next_sequence())
    }
}

impl From<&Tenure> for Stage {
    /// An Environment's stage changes with every turn and with every group that is given up.
    fn from(tenure: &Tenure) -> Self {
        let doomed = i64::try_from(tenure.of_role(Role::Doomed).count()).unwrap_or(i64::MAX);
        Self(tenure.turn.number().saturating_mul(1024).saturating_add(doomed))
    }
}

/// One process's memory of one deploy, or of one Environment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Memory {
    stage: Stage,
    looks: Looks,
    horizon: Horizon,
    /// How long the checks have been good without interruption, and when they last were.
    good: Option<(Duration, Duration)>,
    verdict: Option<Verdict>,
    refused: Option<String>,
    /// Why things are not as they should be, in the cloud's own words.
    note: Option<String>,
    /// What kept the last change from being made.
    hindrance: Option<String>,
    /// For how long the cloud was seen.
    watch: Watch,
    confirmed: BTreeSet<GroupName>,
}

impl Memory {
    /// The memory of a process that has seen nothing yet.
    ///
    /// `certain_from` is Z after its start where its predecessor may have left requests under way, else zero.
    pub fn new(certain_from: Duration) -> Self {
        Self {
            stage: Stage::default(),
            looks: Looks::default(),
            horizon: Horizon { certain_from, ..Horizon::default() },
            good: None,
            verdict: None,
            refused: None,
            note: None,
            hindrance: None,
            watch: Watch::default(),
            confirmed: BTreeSet::new(),
        }
    }

    /// Begins anew when something was recorded: what was seen before was not seen since.
    pub fn enter(&mut self, stage: Stage) {
        if self.stage != stage {
            self.stage = stage;
            self.looks = Looks::default();
            self.good = None;
            self.verdict = None;
            self.refused = None;
            self.note = None;
            self.hindrance = None;
            self.watch = Watch::default();
        }
    }

    /// Takes in a reading. Two that count as two are at least a tick apart.
    pub fn saw(&mut self, look: Look, tick: Duration) {
        self.watch.looked(look.at.mono, tick);
        self.looks.take(look, tick);
    }

    /// Takes in a failed look: what is known grows old, but is not wrong.
    pub fn saw_nothing(&mut self) {
        self.good = None;
        self.verdict = None;
    }

    /// Takes in what the checks said at `at`.
    ///
    /// Good ticks only count while they follow one another: a process that was stopped for an hour has not
    /// watched for an hour.
    pub fn checked(&mut self, verdict: Verdict, at: Duration, tick: Duration) {
        self.good = match (&verdict, self.good) {
            (Verdict::Good, Some((good, last))) if at.saturating_sub(last) <= tick * 2 => {
                Some((good + at.saturating_sub(last), at))
            }
            (Verdict::Good, _) => Some((Duration::ZERO, at)),
            (Verdict::NotYet(_) | Verdict::Bad(_), _) => None,
        };
        self.verdict = Some(verdict);
    }

    /// Takes note that a mutation was answered: what was seen before no longer counts.
    pub fn mutated(&mut self) {
        self.looks = Looks::default();
    }

    /// Takes note that a mutation was not answered, and may take effect until `certain_from`.
    pub fn unanswered(&mut self, certain_from: Duration) {
        self.horizon.certain_from = self.horizon.certain_from.max(certain_from);
        self.looks = Looks::default();
    }

    /// Takes in what another memory of the same Environment knows to be under way there.
    pub fn beyond(&mut self, horizon: Horizon) {
        if horizon.certain_from > self.horizon.certain_from {
            self.looks = Looks::default();
        }
        self.horizon = self.horizon.later(horizon);
    }

    /// Until when requests that this memory knows of may still land.
    pub fn horizon(&self) -> Horizon {
        self.horizon
    }

    /// Takes note that a group's creation was sent, which may land until `settled`.
    pub fn creating(&mut self, settled: Duration) {
        self.horizon.last_create = self.horizon.last_create.max(settled);
    }

    /// Takes note that who carries traffic was changed, which looks may not show before `shown_from`.
    pub fn rerouted(&mut self, shown_from: Duration) {
        self.horizon.shown_from = self.horizon.shown_from.max(shown_from);
    }

    /// Takes note that the cloud refused for good what this state needs.
    pub fn refused(&mut self, why: String) {
        self.refused = Some(why);
    }

    /// Takes note that the deletion of an absent group was answered at `at`. It counts only once no creation
    /// of it can land any more.
    pub fn deletion_answered(&mut self, group: &GroupName, at: Duration) {
        if at >= self.horizon.last_create && at >= self.horizon.certain_from {
            self.confirmed.insert(group.clone());
            self.looks = Looks::default();
        }
    }

    /// Takes note of why things are not as they should be, in the cloud's own words, or that they are.
    pub fn explained(&mut self, note: Option<String>) {
        self.note = note;
    }

    /// Takes note of what kept a change from being made, or that nothing does. A look says nothing of that: it stands
    /// until the next change is tried, or none is due.
    pub fn hindered(&mut self, by: Option<String>) {
        self.hindrance = by;
    }

    /// Why things are not as they should be, in the cloud's own words: what kept us from changing that, else what a look
    /// told.
    pub fn note(&self) -> Option<&str> {
        self.hindrance.as_deref().or(self.note.as_deref())
    }

    /// The newest reading, not older than a tick.
    pub fn latest(&self, now: Now, tick: Duration) -> Option<&Reading> {
        let look = self.looks.latest()?;
        (now.mono.saturating_sub(look.at.mono) <= tick).then_some(&look.reading)
    }

    /// Until when the newest reading will not be older than a tick.
    pub fn fresh_until(&self, tick: Duration) -> Duration {
        self.looks.latest().map_or(Duration::ZERO, |look| look.at.mono + tick)
    }

    /// The two readings that a removal needs: at least a tick apart, the newest not older than a tick.
    pub fn two(&self, now: Now, tick: Duration) -> Option<[&Reading; 2]> {
        self.two_since(Duration::ZERO, now, tick)
    }

    /// Two readings, both made when looks had to show where our last change has brought the traffic: descriptions may
    /// be from the past, all of them alike.
    pub fn two_settled(&self, now: Now, tick: Duration) -> Option<[&Reading; 2]> {
        self.two_since(self.horizon.shown_from, now, tick)
    }

    /// Two settled readings, both made when nothing sent earlier could land any more: what they show stays as it is until
    /// somebody acts.
    pub fn two_certain(&self, now: Now, tick: Duration) -> Option<[&Reading; 2]> {
        self.two_since(self.horizon.shown_from.max(self.horizon.certain_from), now, tick)
    }

    fn two_since(&self, since: Duration, now: Now, tick: Duration) -> Option<[&Reading; 2]> {
        let looks = self.looks.two(now, tick).filter(|[earlier, _]| earlier.at.mono >= since)?;
        Some(looks.map(|look| &look.reading))
    }

    /// Whether the wall clock moved as the monotonic one did between the two readings.
    pub fn clocks_agree(&self, now: Now, tick: Duration) -> bool {
        self.looks.clocks_agree(now, tick)
    }

    /// Whether every request of ours, and of whoever came before, has landed or never will.
    pub fn is_certain(&self, now: Now) -> bool {
        now.mono >= self.horizon.certain_from
    }

    /// When the world will be certain again.
    pub fn certain_from(&self) -> Duration {
        self.horizon.certain_from
    }

    /// For how long the checks have been good without interruption.
    pub fn good_for(&self) -> Duration {
        self.good.map_or(Duration::ZERO, |(good, _)| good)
    }

    /// What the checks said last, in this state.
    pub fn verdict(&self) -> Option<&Verdict> {
        self.verdict.as_ref()
    }

    /// Why the cloud refused for good, in this state.
    pub fn refusal(&self) -> Option<&str> {
        self.refused.as_deref()
    }

    /// For how long this process has seen the cloud, in this state.
    pub fn watched_for(&self) -> Duration {
        self.watch.so_far()
    }

    /// Whether the group is gone: its deletion was answered after its last creation could land, and two
    /// readings since then have not shown it.
    pub fn is_gone(&self, group: &GroupName, now: Now, tick: Duration) -> bool {
        self.is_deletion_answered(group)
            && self.two(now, tick).is_some_and(|readings| readings.iter().all(|r| r.group(group).is_none()))
    }

    /// Whether a deletion of the absent group was answered after its last creation could land.
    pub fn is_deletion_answered(&self, group: &GroupName) -> bool {
        self.confirmed.contains(group)
    }
}

#[cfg(test)]
mod tests;
