//! What must always hold, and what must happen at least once for the rest to mean anything.

use std::hash::{DefaultHasher, Hash, Hasher};

use dryad_machine::event::Reason;
use dryad_machine::state::State as Phase;
use dryad_machine::view::Deletion;
use stateright::Property;

use crate::actions::any_in;
use crate::ending::{self, Course};
use crate::restore::{self, Record};
use crate::rules::Rule;
use crate::scope::Scope;
use crate::state::State;
use crate::world::{Id, MAX, MIN};

fn holds(state: &State, rule: Rule) -> bool {
    state.broken.is_none_or(|broken| broken.rule != rule)
}

/// S6, over everything that is: no group exists that the ledger does not know.
fn every_group_is_known(state: &State) -> bool {
    holds(state, Rule::S6)
        && (state.api.environment.is_none()
            || state.record != Record::Own
            || state.world.groups.keys().all(|id| state.api.member(*id).is_some()))
}

/// Following every state to its end would take most of the time: this picks as many as the scope wants.
fn is_sampled(scope: &Scope, state: &State) -> bool {
    let mut hasher = DefaultHasher::new();
    state.hash(&mut hasher);
    hasher.finish().is_multiple_of(scope.endings_one_in)
}

fn ends(scope: &Scope, state: &State) -> bool {
    state.broken.is_some()
        || !is_sampled(scope, state)
        || [Course::Kind, Course::Hostile].into_iter().all(|course| ending::end(scope, state, course).is_ok())
}

/// What is wrong with a state that a property refused.
pub(crate) fn why(scope: &Scope, state: &State) -> String {
    if let Some(broken) = state.broken {
        return broken.how.to_owned();
    }
    let ends = [Course::Kind, Course::Hostile].map(|course| ending::end(scope, state, course).err());
    format!("{ends:?}")
}

fn has_reason(state: &State, reason: Reason) -> bool {
    let mut deployments = state.api.deployments.iter().flatten();
    deployments.any(|it| it.history.entries().iter().any(|entry| entry.reason == reason))
}

/// Whether no deploy has begun yet and blue is of the declared size, which it was not to begin with.
fn is_at(state: &State, size: u8) -> bool {
    let declared = state.api.environment.as_ref().and_then(|it| it.view.replicas);
    let free = state.api.tenure().is_some_and(|tenure| tenure.holder.is_none());
    let blue = state.world.groups.get(&Id::BLUE).filter(|blue| blue.desired == size);
    free && declared == Some(size.into()) && blue.is_some() && state.world.groups.len() == 1
}

pub(crate) fn all(scope: &Scope) -> Vec<Property<Scope>> {
    let mut properties = vec![
        Property::always("S1", |_: &Scope, state: &State| holds(state, Rule::S1)),
        Property::always("S2", |_, state| holds(state, Rule::S2)),
        Property::always("S3", |_, state| holds(state, Rule::S3)),
        Property::always("S4", |_, state| holds(state, Rule::S4)),
        Property::always("S5", |_, state| holds(state, Rule::S5)),
        Property::always("S6", |_, state| every_group_is_known(state)),
        Property::always("S7", |_, state| holds(state, Rule::S7)),
        Property::always("L4", |_, state| holds(state, Rule::L4)),
        Property::always("L", ends),
        // Never found: with it the checker goes on until there is nothing left to find.
        Property::sometimes("never", |_, _| false),
    ];
    properties.extend(scope.reaches.iter().map(|reached| reached.property()));
    properties
}

/// Something that a scope must reach, or its silence proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reached {
    Done,
    Failed,
    Aborted,
    Canceled,
    BlueLost,
    GreenLost,
    RetireTimedOut,
    Returned,
    InFlight,
    LateWrite,
    Uncertain,
    BlueGone,
    Vanished,
    EnvironmentGone,
    SecondTurn,
    Grown,
    Shrunk,
    Restored,
    Orphaned,
    Adopted,
    TurnLost,
    Swept,
    Copied,
    Taken,
}

impl Reached {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Done => "Done",
            Self::Failed => "Failed",
            Self::Aborted => "Aborted",
            Self::Canceled => "Canceled",
            Self::BlueLost => "BlueLost",
            Self::GreenLost => "GreenLost",
            Self::RetireTimedOut => "retire timed out",
            Self::Returned => "rollback while blue was retained",
            Self::InFlight => "a request under way",
            Self::LateWrite => "a late write",
            Self::Uncertain => "uncertain",
            Self::BlueGone => "blue gone",
            Self::Vanished => "a holder that vanished",
            Self::EnvironmentGone => "the Environment gone",
            Self::SecondTurn => "a second turn",
            Self::Grown => "grown to what is declared, with no deploy under way",
            Self::Shrunk => "shrunk to what is declared",
            Self::Taken => "a launch given up because somebody else has the name",
            Self::Orphaned => "a deploy whose Environment was deleted by force",
            Self::Adopted => "what serves is adopted",
            Self::TurnLost => "a deploy has lost its turn to a restore",
            Self::Swept => "something is left behind by a restore",
            Self::Copied => "a copy of what ran has ended",
            Self::Restored => "a blue on record as held without a deploy, with its bounds given back",
        }
    }

    fn property(self) -> Property<Scope> {
        let name = self.name();
        match self {
            Self::Done => Property::sometimes(name, |_, state| any_in(state, Phase::Done)),
            Self::Failed => Property::sometimes(name, |_, state| any_in(state, Phase::Failed)),
            Self::Aborted => Property::sometimes(name, |_, state| any_in(state, Phase::Aborted)),
            Self::Canceled => Property::sometimes(name, |_, state| any_in(state, Phase::Canceled)),
            Self::BlueLost => Property::sometimes(name, |_, state| has_reason(state, Reason::BlueLost)),
            Self::GreenLost => Property::sometimes(name, |_, state| has_reason(state, Reason::GreenLost)),
            Self::RetireTimedOut => Property::sometimes(name, |_, state: &State| {
                let mut last = state.api.deployments.iter().flatten().filter_map(|it| it.history.last());
                last.any(|entry| entry.state == Phase::Done && entry.reason == Reason::TimedOut)
            }),
            Self::Returned => Property::sometimes(name, |_, state: &State| {
                state
                    .api
                    .deployments
                    .iter()
                    .flatten()
                    .any(|it| it.history.has(Phase::RetainWait) && it.history.state() == Phase::Aborted)
            }),
            Self::InFlight => Property::sometimes(name, |_, state: &State| !state.in_flight.is_empty()),
            Self::LateWrite => Property::sometimes(name, |_, state: &State| state.late_write.is_some()),
            Self::Uncertain => Property::sometimes(name, |scope: &Scope, state: &State| {
                state.budget.crashes < scope.budget.crashes
            }),
            Self::BlueGone => {
                Property::sometimes(name, |_, state: &State| !state.world.groups.contains_key(&Id::BLUE))
            }
            Self::Vanished => Property::sometimes(name, |_, state: &State| {
                state.api.deployments[0].is_none()
                    && state.api.tenure().is_some_and(|tenure| tenure.holder.is_some())
            }),
            Self::EnvironmentGone => Property::sometimes(name, |_, state: &State| {
                state.api.environment.is_none()
                    && state.operators.iter().all(|it| {
                        it.caches.environment.as_ref().is_none_or(|it| it.view.deletion != Deletion::None)
                    })
            }),
            Self::Orphaned => {
                Property::sometimes(name, |_, state: &State| has_reason(state, Reason::EnvironmentGone))
            }
            Self::Taken => Property::sometimes(name, |scope: &Scope, state: &State| {
                let only =
                    !state.world.squatters.is_empty() && state.budget.meddling + 1 == scope.budget.meddling;
                only && has_reason(state, Reason::LaunchRefused) && any_in(state, Phase::Failed)
            }),
            Self::Adopted => Property::sometimes(name, |_, state: &State| {
                state.api.tenure().is_some_and(|tenure| tenure.restored.is_some())
            }),
            Self::TurnLost => {
                Property::sometimes(name, |_, state: &State| has_reason(state, Reason::TurnLost))
            }
            Self::Swept => {
                Property::sometimes(name, |_, state: &State| restore::left_behind(state).next().is_some())
            }
            Self::Copied => Property::sometimes(name, |_, state: &State| has_reason(state, Reason::Restored)),
            Self::Grown => Property::sometimes(name, |_, state: &State| is_at(state, MAX)),
            Self::Shrunk => Property::sometimes(name, |_, state: &State| is_at(state, 1)),
            Self::Restored => Property::sometimes(name, |_, state: &State| {
                let free = state.api.tenure().filter(|tenure| tenure.holder.is_none());
                let held =
                    free.is_some_and(|tenure| tenure.groups.iter().any(|member| member.held.is_some()));
                held && state.world.groups.values().all(|group| group.min == MIN)
            }),
            Self::SecondTurn => Property::sometimes(name, |_, state: &State| {
                state.api.deployment(1).is_some_and(|it| it.turn.is_some())
            }),
        }
    }
}
