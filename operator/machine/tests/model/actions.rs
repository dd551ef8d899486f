//! What can happen next.

use std::sync::Arc;

use dryad_machine::state::State as Phase;
use dryad_machine::tenure::Role;
use dryad_machine::view::{Deletion, EndRequest, Evaluation, Existence, Finalizer, Paused};
use stateright::{Model, Property};

use crate::api::{DEPLOYMENTS, Subject, deployment};
use crate::memory::{Certainty, Remembered};
use crate::properties;
use crate::restore;
use crate::scope::{Caches, Cloud, Declared, Scope};
use crate::seam::Seam;
use crate::state::{Era, State};
use crate::think::{self, Findings, Sight};
use crate::tick::{self, Fate};
use crate::world::{Happening, Id, MAX, World};

/// One thing that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    /// A process runs one of its loops once.
    Tick(usize, Subject, Findings, Fate),
    /// A cache catches up.
    Sync(usize, Subject),
    /// The leader dies or loses the lease.
    HandOver,
    /// A request under way arrives.
    Land(usize),
    /// A request under way never arrives.
    Drop(usize),
    /// The write of a process that has died or lost the lease arrives.
    LandLateWrite,
    /// A process looks back, because the record may be older than the cloud.
    LooksBack,
    /// A round of the sweeper.
    Sweeps,
    /// Z passes without anything under way.
    Settle(usize),
    /// Something happens in the cloud.
    Happens(Happening),
    /// A user asks for something.
    Asks(Ask),
}

/// What a user asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Ask {
    Create(usize),
    End(usize, EndRequest),
    Pause(usize),
    Resume(usize),
    Skip(usize),
    Delete(usize),
    /// The object is gone at once, finalizer or not.
    ForceDelete(usize),
    DeleteEnvironment(Deletion),
    /// The Environment is gone at once, finalizer or not.
    ForceDeleteEnvironment,
    /// This is the size from now on; none: an autoscaler's.
    Scale(Option<u8>),
    /// This is the upper bound from now on.
    Bound(u8),
}

impl Model for Scope {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        self.beginnings()
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        if state.broken.is_some() {
            return;
        }
        self.ticks(state, steps);
        if restore::is_due(state) {
            steps.push(Step::LooksBack);
        }
        let certain =
            state.operators[state.leader].memory(Subject::Environment).certainty == Certainty::Certain;
        if certain && restore::left_behind(state).next().is_some() {
            steps.push(Step::Sweeps);
        }
        self.network(state, steps);
        self.cloud(state, steps);
        if state.budget.requests > 0 {
            steps.extend(self.asks(state).map(Step::Asks));
        }
    }

    fn next_state(&self, last: &State, step: Step) -> Option<State> {
        let mut state = last.clone();
        match step {
            Step::Tick(operator, subject, findings, fate) => {
                let thought = think::think(self.seam, &state, operator, subject, findings)?;
                tick::carry_out(self.seam, &mut state, operator, subject, thought, fate);
            }
            Step::Sync(operator, subject) => sync(&mut state, operator, subject),
            Step::HandOver => tick::hand_over(&mut state),
            Step::Land(index) => tick::land(&mut state, index),
            Step::Drop(index) => drop(state.in_flight.remove(index)),
            Step::LandLateWrite => {
                let late = state.late_write.take()?;
                tick::store(&mut state, Era::Present, late.subject, &late.seen, &late.write);
            }
            Step::LooksBack => restore::look_back(self.seam, &mut state),
            Step::Sweeps => restore::sweep(&mut state),
            Step::Settle(operator) => tick::settle(&mut state, operator),
            Step::Happens(happening) => happens(&mut state, happening),
            Step::Asks(ask) => {
                state.budget.requests -= 1;
                asked(&mut state, ask);
            }
        }
        self.normalise(&mut state);
        (state != *last).then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::all(self)
    }
}

impl Scope {
    fn ticks(&self, state: &State, steps: &mut Vec<Step>) {
        let operators = match self.seam {
            Seam::ActsWithoutAsking => 0..state.operators.len(),
            _ => state.leader..state.leader + 1,
        };
        let stopped = |it: &usize| state.operators[*it].era == Era::Before && *it != state.leader;
        let woken = (0..state.operators.len()).filter(|it| !operators.contains(it) && stopped(it));
        for operator in operators.clone().chain(woken) {
            for subject in Subject::ALL {
                for (wall, said) in think::walls(state, operator, subject).iter().flat_map(|wall| {
                    think::verdicts(state, operator, subject).iter().map(|said| (*wall, *said))
                }) {
                    for sight in self.sights(state) {
                        let findings = Findings { wall, sight, said };
                        let Some(thought) = think::think(self.seam, state, operator, subject, findings)
                        else {
                            continue;
                        };
                        let overtaken = self.late_writes;
                        let fates = tick::fates(state, &thought.decision, self.zombies, overtaken);
                        steps.extend(
                            fates.into_iter().map(|fate| Step::Tick(operator, subject, findings, fate)),
                        );
                    }
                }
            }
        }
    }

    fn sights(&self, state: &State) -> impl Iterator<Item = Sight> {
        let stale = (self.cloud == Cloud::Stale && state.before.is_some()).then_some(Sight::Stale);
        let failed = (self.cloud == Cloud::Failing).then_some(Sight::Failed);
        [Some(Sight::Clear), stale, failed].into_iter().flatten()
    }

    fn network(&self, state: &State, steps: &mut Vec<Step>) {
        for index in 0..state.in_flight.len() {
            steps.extend([Step::Land(index), Step::Drop(index)]);
        }
        if state.late_write.is_some() {
            steps.push(Step::LandLateWrite);
        }
        if state.in_flight.is_empty() {
            steps.extend((0..state.operators.len()).filter(|it| *it == state.leader).map(Step::Settle));
        }
        if state.budget.crashes > 0 {
            steps.push(Step::HandOver);
        }
        if self.caches == Caches::Lagging {
            for operator in 0..state.operators.len() {
                steps.extend(Subject::ALL.map(|subject| Step::Sync(operator, subject)));
            }
        }
    }

    fn cloud(&self, state: &State, steps: &mut Vec<Step>) {
        for id in state.world.groups.keys() {
            for happening in state.world.happenings(*id) {
                let may = match happening {
                    Happening::Up(_) => true,
                    Happening::Warm(_) | Happening::Settles(_) => self.cloud != Cloud::Prompt,
                    Happening::Dies(_) => state.budget.deaths > 0,
                    Happening::Grows(id) | Happening::Shrinks(id) => {
                        state.budget.meddling > 0 && id == Id::BLUE
                    }
                    Happening::Deleted(_) => state.budget.meddling > 0,
                    Happening::Squatted(_) | Happening::Vacated(_) => false,
                };
                if may {
                    steps.push(Step::Happens(happening));
                }
            }
        }
        steps.extend(state.world.squatters.iter().map(|id| Step::Happens(Happening::Vacated(*id))));
        if state.budget.meddling > 0 {
            steps.extend(free_names(state).map(|id| Step::Happens(Happening::Squatted(id))));
        }
    }

    fn asks(&self, state: &State) -> impl Iterator<Item = Ask> {
        let mut asks = Vec::new();
        for place in 0..DEPLOYMENTS {
            let Some(deployment) = state.api.deployment(place) else { continue };
            let request = deployment.request;
            if deployment.existence == Existence::Kept {
                asks.push(Ask::Delete(place));
            }
            if self.forced {
                asks.push(Ask::ForceDelete(place));
            }
            if deployment.history.state().is_terminal() {
                continue;
            }
            if request.end.is_none() {
                asks.extend([EndRequest::Abort, EndRequest::Rollback].map(|end| Ask::End(place, end)));
            }
            asks.push(match request.paused {
                Paused::No => Ask::Pause(place),
                Paused::Yes => Ask::Resume(place),
            });
            if request.evaluation == Evaluation::Full {
                asks.push(Ask::Skip(place));
            }
        }
        if self.forced && state.api.environment.is_some() {
            asks.push(Ask::ForceDeleteEnvironment);
        }
        if state.api.environment.as_ref().is_some_and(|it| it.view.deletion == Deletion::None) {
            asks.extend([Deletion::Delete, Deletion::Retain].map(Ask::DeleteEnvironment));
        }
        if let Some(environment) =
            state.api.environment.as_ref().filter(|_| self.declared == Declared::Changing)
        {
            let view = &environment.view;
            let sizes = [None, Some(1), Some(MAX)].into_iter();
            asks.extend(sizes.filter(|it| it.map(u32::from) != view.replicas).map(Ask::Scale));
            if view.replicas.is_none() {
                asks.extend(
                    [1, MAX].into_iter().filter(|it| u32::from(*it) != view.bounds.max).map(Ask::Bound),
                );
            }
        }
        if state.api.deployments[1].is_none() && self.second && state.budget.requests == self.budget.requests
        {
            asks.push(Ask::Create(1));
        }
        asks.into_iter()
    }

    /// Drops every difference that nothing can depend on any more.
    pub(crate) fn normalise(&self, state: &mut State) {
        if self.cloud == Cloud::Prompt {
            state.change_world(promptly);
        }
        if self.cloud != Cloud::Stale {
            state.before = None;
        }
        if self.caches == Caches::Fresh {
            for operator in 0..state.operators.len() {
                if state.operators[operator].era == Era::Present {
                    for subject in Subject::ALL {
                        sync(state, operator, subject);
                    }
                }
            }
        }
        for operator in &mut state.operators {
            for subject in Subject::ALL {
                let gone = match subject {
                    Subject::Environment => operator.caches.environment.is_none(),
                    Subject::Deployment(place) => operator.caches.deployment(place).is_none(),
                };
                let memory = &mut operator.memories[subject.index()];
                if gone && memory.latest.is_some() {
                    let certainty = memory.certainty;
                    *memory = Arc::new(Remembered::nothing(certainty));
                }
            }
        }
    }
}

/// The cloud does at once what it is asked for.
fn promptly(world: &mut World) {
    world.exhaust(|it| matches!(it, Happening::Warm(_) | Happening::Settles(_)));
}

pub(crate) fn sync(state: &mut State, operator: usize, subject: Subject) {
    let caches = &mut state.operators[operator].caches;
    match subject {
        Subject::Environment => caches.environment.clone_from(&state.api.environment),
        Subject::Deployment(place) => caches.deployments[place].clone_from(&state.api.deployments[place]),
    }
}

pub(crate) fn happens(state: &mut State, happening: Happening) {
    match happening {
        Happening::Dies(_) => state.budget.deaths = state.budget.deaths.saturating_sub(1),
        Happening::Grows(_) | Happening::Shrinks(_) | Happening::Deleted(_) | Happening::Squatted(_) => {
            state.budget.meddling = state.budget.meddling.saturating_sub(1);
        }
        Happening::Up(_) | Happening::Warm(_) | Happening::Settles(_) | Happening::Vacated(_) => {}
    }
    if !matches!(happening, Happening::Up(_) | Happening::Warm(_) | Happening::Settles(_)) {
        somebody_else_acted(state);
    }
    state.change_world(|world| world.happen(happening));
}

/// The names of groups that are coming or to go and are not there, which anybody can take.
fn free_names(state: &State) -> impl Iterator<Item = Id> {
    let members = state.api.tenure().into_iter().flat_map(|tenure| &tenure.groups);
    let expected = members.filter(|member| member.role != Role::Serving).map(|member| Id::of(&member.name));
    expected.filter(|id| !state.world.groups.contains_key(id) && !state.world.squatters.contains(id))
}

/// What is under way was sent before that, and can't know.
fn somebody_else_acted(state: &mut State) {
    for request in &mut state.in_flight {
        request.accountable = false;
    }
}

pub(crate) fn asked(state: &mut State, ask: Ask) {
    if matches!(ask, Ask::ForceDelete(_) | Ask::ForceDeleteEnvironment | Ask::Scale(_) | Ask::Bound(_)) {
        somebody_else_acted(state);
    }
    let api = &mut state.api;
    match ask {
        Ask::Create(place) => api.deployments[place] = Some(Arc::new(deployment(place))),
        Ask::End(place, end) => api.edit(place, |it| it.request.end = Some(end)),
        Ask::Pause(place) => api.edit(place, |it| it.request.paused = Paused::Yes),
        Ask::Resume(place) => api.edit(place, |it| it.request.paused = Paused::No),
        Ask::Skip(place) => api.edit(place, |it| it.request.evaluation = Evaluation::Skipped),
        Ask::Delete(place) => api.edit(place, |it| it.existence = Existence::BeingDeleted),
        Ask::ForceDelete(place) => api.edit(place, |it| {
            (it.existence, it.finalizer) = (Existence::BeingDeleted, Finalizer::Absent);
        }),
        Ask::DeleteEnvironment(deletion) => api.delete_environment(deletion),
        Ask::ForceDeleteEnvironment => api.environment = None,
        Ask::Scale(replicas) => api.edit_environment(|it| {
            it.replicas = replicas.map(u32::from);
            it.bounds.max = it.bounds.max.max(it.replicas.unwrap_or(0));
        }),
        Ask::Bound(max) => api.edit_environment(|it| it.bounds.max = max.into()),
    }
}

/// Whether any deploy is in this state.
pub(crate) fn any_in(state: &State, phase: Phase) -> bool {
    state.api.deployments.iter().flatten().any(|deployment| deployment.history.state() == phase)
}
