//! One tick's decision on one Deployment.
//!
//! Pure and total. A decision is either one write to the API server, or changes of the cloud, or to wait;
//! never a write and a change at once, because what a state does is done only after the state is recorded.

mod close;
mod forward;
mod orphan;
mod retire;
mod rollback;
mod signals;
mod standing;
mod transition;
mod turn;
mod waiting;

use std::time::Duration;

use crate::case::Case;
use crate::effect::Effect;
use crate::event::Event;
use crate::history::Entry;
use crate::memory::{Memory, Now};
use crate::name::Turn;
use crate::plan::Plan;
use crate::reading::Reading;
use crate::state::State;
use crate::tenure::Tenure;
use crate::view::{Existence, Finalizer, Home, Mark, Past, View};

pub(crate) use retire::{Retiring, one_from_users, retire};

/// What one tick does.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Decision {
    /// What is done now.
    pub action: Action,
    /// When to look again; none where only a change of the objects can matter.
    pub wake: Option<Duration>,
    /// What it waits for.
    pub progress: Option<Progress>,
}

/// What is done now.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Nothing.
    Wait,
    /// One guarded write to the API server; nothing else in this tick.
    Write(Write),
    /// Changes of the cloud, in this order.
    Act(Vec<Effect>),
}

/// One write to the API server, guarded by the resourceVersion that was read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Write {
    /// Put our finalizer on the object that was decided on.
    AddFinalizer,
    /// Put our finalizer and the mark of its start on the Deployment that was decided on.
    Start,
    /// Append an entry to the Deployment's history.
    Append(Box<Append>),
    /// Store this as the Environment's tenure.
    Tenure {
        /// The tenure to store.
        to: Box<Tenure>,
        /// What that means.
        change: TenureChange,
    },
    /// Take our finalizer off the object that was decided on.
    RemoveFinalizer,
}

/// One more entry, with what is frozen in the same write.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Append {
    /// The entry.
    pub entry: Entry,
    /// The turn, with `TurnTaken`.
    pub turn: Option<Turn>,
    /// The plan, with `ReleaseResolved`.
    pub plan: Option<Plan>,
}

/// What a change of an Environment's tenure means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TenureChange {
    /// The turn is given out.
    Take,
    /// Blue is about to be held.
    Hold,
    /// What runs is recorded.
    Project,
    /// The turn ends.
    Release,
    /// Groups are held no more.
    LetGo,
    /// Groups that are gone are struck off.
    Forget,
    /// All groups are given up with the Environment.
    Doom,
}

/// What a deploy waits for, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Progress {
    /// In a sentence.
    pub message: String,
    /// How many of green's instances are healthy.
    pub healthy: Option<u32>,
    /// How many are wanted.
    pub wanted: Option<u32>,
}

impl Progress {
    /// A sentence without numbers.
    pub fn of(message: impl Into<String>) -> Self {
        Self { message: message.into(), healthy: None, wanted: None }
    }
}

impl Decision {
    pub(crate) fn write(write: Write) -> Self {
        Self { action: Action::Write(write), wake: Some(Duration::ZERO), progress: None }
    }

    pub(crate) fn wait(wake: Duration, message: impl Into<String>) -> Self {
        Self { action: Action::Wait, wake: Some(wake), progress: Some(Progress::of(message)) }
    }

    /// The same without changes of what does not carry our tags, whatever they are for.
    pub(crate) fn sparing_others(mut self, reading: Option<&Reading>) -> Self {
        if let (Action::Act(effects), Some(reading)) = (&mut self.action, reading) {
            effects.retain(|effect| match effect {
                Effect::Disown(_) => true,
                _ => effect.group().is_none_or(|name| reading.is_ours(name)),
            });
            if effects.is_empty() {
                self.action = Action::Wait;
            }
        }
        self
    }

    pub(crate) fn nothing_more() -> Self {
        Self { action: Action::Wait, wake: None, progress: None }
    }
}

/// Why nothing happens before an Environment's [`Past`] is known.
const LOOKING_BACK: &str = "looking whether its Environment was restored from a backup; should that take long, the \
                            Environment's condition Ready says why";

/// Decides what one tick does for one Deployment.
pub fn decide(view: View<'_>, memory: &Memory, now: Now) -> Decision {
    let case = Case { view, memory, now };
    decided(&case).sparing_others(case.reading())
}

fn decided(case: &Case<'_>) -> Decision {
    let view = case.view;
    let deployment = view.deployment;
    if case.state().is_terminal() {
        return close::close(case);
    }
    match (&deployment.mark, deployment.finalizer, deployment.existence) {
        (_, Finalizer::Absent, Existence::BeingDeleted) => return Decision::nothing_more(),
        (Mark::None, _, Existence::Kept) | (Mark::Own, Finalizer::Absent, _) => {
            return Decision::write(Write::Start);
        }
        // A copy ends without ever having started.
        (Mark::None | Mark::Own | Mark::Other(_), _, _) => {}
    }
    if deployment.history.last().is_none() {
        return Decision::write(transition::created(case));
    }
    if let (Mark::Other(_), Some(append)) = (&deployment.mark, transition::of(case, Event::Restored)) {
        return Decision::write(Write::Append(Box::new(append)));
    }
    if case.state() != State::Pending
        && let Home::Gone(remains) = view.home
    {
        return orphan::orphan(case, remains);
    }
    if view.environment.is_some_and(|environment| environment.past == Past::Unknown) {
        return match transition::of_who_waits(case) {
            Some(append) => Decision::write(Write::Append(Box::new(append))),
            None => Decision::wait(case.tick(), LOOKING_BACK),
        };
    }
    if case.state() != State::Pending && !turn::is_ours(case) {
        if let Some(append) = transition::of(case, Event::Restored) {
            return Decision::write(Write::Append(Box::new(append)));
        }
        return Decision::wait(case.tick(), "waiting to see the turn that it holds");
    }
    if let Some(append) = transition::next(case) {
        return Decision::write(Write::Append(Box::new(append)));
    }
    if let Some((to, change)) = turn::tenure_write(case) {
        return Decision::write(Write::Tenure { to: Box::new(to), change });
    }
    let effects = match case.state() {
        State::RolloutWait => forward::roll_out(case),
        State::EvaluateWait => forward::keep_capacity(case),
        State::RetireWait => retire::retire_blue(case),
        State::Rollback => rollback::roll_back(case),
        State::Pending
        | State::Resolve
        | State::Prepare
        | State::RetainWait
        | State::Done
        | State::Failed
        | State::Aborted
        | State::Canceled => Vec::new(),
    };
    Decision {
        action: if effects.is_empty() { Action::Wait } else { Action::Act(effects) },
        wake: Some(case.tick()),
        progress: Some(waiting::progress(case)),
    }
}
