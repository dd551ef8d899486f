//! One pass of the controller's loop up to its decision: look, then decide.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use dryad_machine::decide::Decision;
use dryad_machine::environment::{Deploys, EnvironmentCase, Holder};
use dryad_machine::memory::{Look, Memory, Stage};
use dryad_machine::name::Uid;
use dryad_machine::state::State as Phase;
use dryad_machine::view::{
    DeploymentView, EnvironmentView, Existence, Home, Others, Past, Paused, PlaceInLine, Queue, Remains,
    Resolution, Successor, View,
};

use crate::api::{Api, DEPLOYMENTS, Subject, shipment};
use crate::memory::{BEFORE_LAST_TICK, LAST_TICK, PRESENT, Said, Seen, TICK, Wall};
use crate::seam::Seam;
use crate::state::State;
use crate::world::Id;

/// What a tick finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Findings {
    pub(crate) wall: Wall,
    pub(crate) sight: Sight,
    pub(crate) said: Option<Said>,
}

/// What a look at the cloud shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Sight {
    /// What is there.
    Clear,
    /// What was there before the last change; once, because no two looks a tick apart are both that late.
    Stale,
    /// Nothing; it failed.
    Failed,
}

/// A tick up to its decision.
pub(crate) struct Thought {
    pub(crate) decision: Decision,
    pub(crate) memory: Memory,
    pub(crate) stage: Stage,
    pub(crate) look: Option<Seen>,
    pub(crate) sight: Sight,
}

fn runnable(deployment: &DeploymentView) -> bool {
    deployment.history.state() == Phase::Pending
        && deployment.existence == Existence::Kept
        && deployment.request.paused == Paused::No
        && deployment.request.end.is_none()
}

fn queue(caches: &Api, place: usize) -> Queue {
    let waits = |other: usize| caches.deployment(other).is_some_and(runnable);
    Queue {
        place: if (0..place).any(waits) { PlaceInLine::NotYet } else { PlaceInLine::Next },
        others: if (0..DEPLOYMENTS).any(|other| other != place && waits(other)) {
            Others::Waiting
        } else {
            Others::None
        },
        successor: Successor::None,
    }
}

/// The state of the deploy that the loop is about.
fn phase(caches: &Api, subject: Subject) -> Option<Phase> {
    match subject {
        Subject::Environment => None,
        Subject::Deployment(place) => Some(caches.deployment(place)?.history.state()),
    }
}

/// The Environment with what the process knows of its past.
fn seen(stored: &EnvironmentView, past: Past) -> Cow<'_, EnvironmentView> {
    match past == stored.past {
        true => Cow::Borrowed(stored),
        false => Cow::Owned(EnvironmentView { past, ..stored.clone() }),
    }
}

/// Looks and decides. `None` where the loop has no object.
pub(crate) fn think(
    seam: Seam,
    state: &State,
    operator: usize,
    subject: Subject,
    findings: Findings,
) -> Option<Thought> {
    let caches = &state.operators[operator].caches;
    let past = state.operators[operator].past();
    let environment = caches.environment.as_ref().map(|stored| seen(&stored.view, past));
    let remembered = state.operators[operator].memory(subject);
    let mut memory = seam.recall(remembered);
    let now = findings.wall.now(PRESENT);
    let stage = match subject {
        Subject::Environment => Stage::from(caches.tenure()?),
        Subject::Deployment(place) => Stage::from(&caches.deployment(place)?.history),
    };
    memory.enter(stage);
    let world = match findings.sight {
        Sight::Clear => Some(&state.world),
        Sight::Stale => Some(state.before.as_ref()?),
        Sight::Failed => None,
    };
    let phase = phase(caches, subject);
    // Who waits for a turn or has given it back does not look; and only `RetainWait` compares clocks.
    let looks = match subject {
        Subject::Environment => true,
        Subject::Deployment(place) => {
            phase != Some(Phase::Pending) && (holds(caches, place) || state.api.environment.is_none())
        }
    };
    let world = world.filter(|_| looks);
    let world = world.filter(|world| seam != Seam::BlindedByOthers || world.squatters.is_empty());
    let wall = if phase == Some(Phase::RetainWait) { findings.wall } else { Wall::Early };
    let look = world.map(|world| Seen { world: Arc::clone(world), wall });
    match &look {
        Some(seen) => {
            if seam == Seam::LooksOnce {
                memory.saw(Look { at: seen.wall.now(LAST_TICK), reading: seen.world.reading() }, TICK);
            }
            memory.saw(Look { at: seen.wall.now(PRESENT), reading: seen.world.reading() }, TICK);
        }
        None => memory.saw_nothing(),
    }
    if let Some(said) = findings.said {
        memory.checked(said.verdict(), PRESENT, TICK);
    }
    if seam == Seam::TakesAbsenceForGone {
        for id in ids(state).filter(|id| !state.world.groups.contains_key(id)).collect::<Vec<_>>() {
            memory.deletion_answered(&id.name(), PRESENT);
            for at in [BEFORE_LAST_TICK, PRESENT] {
                memory.saw(Look { at: Wall::Early.now(at), reading: state.world.reading() }, TICK);
            }
        }
    }
    let decision = match subject {
        Subject::Environment => {
            let (stored, environment) = caches.environment.as_ref().zip(environment.as_deref())?;
            let holder = environment.tenure.holder.as_ref();
            let exists = |holder: &Uid| state.api.deployments.iter().flatten().any(|it| it.uid == *holder);
            let case = EnvironmentCase {
                environment,
                finalizer: stored.finalizer,
                holder: if holder.is_none_or(exists) { Holder::Minding } else { Holder::Vanished },
                deploys: if caches.deployments.iter().flatten().all(|it| it.history.state().is_terminal()) {
                    Deploys::Ended
                } else {
                    Deploys::Unended
                },
            };
            seam.environment(case, &memory, now)
        }
        Subject::Deployment(place) => {
            let resolution = Resolution::Resolved(Box::new(shipment()));
            let remains = remains(caches.deployment(place)?, findings.wall);
            let view = View {
                deployment: caches.deployment(place)?,
                environment: environment.as_deref(),
                home: if state.api.environment.is_some() { Home::Standing } else { Home::Gone(&remains) },
                queue: queue(caches, place),
                resolution: &resolution,
            };
            seam.deployment(view, &memory, now)
        }
    };
    Some(Thought { decision, memory, stage, look, sight: findings.sight })
}

/// What a deploy knows of an Environment that is gone: every group of its plan.
fn remains(deployment: &DeploymentView, wall: Wall) -> Remains {
    let groups = deployment.plan.iter().flat_map(|plan| plan.blue.iter().chain([&plan.green]));
    let since = match wall {
        Wall::Early => Duration::ZERO,
        Wall::Late => Duration::MAX,
    };
    Remains { since, groups: groups.cloned().collect() }
}

/// Every group that was ever announced, or could have been.
pub(crate) fn ids(state: &State) -> impl Iterator<Item = Id> {
    let announced = state.api.tenure().into_iter().flat_map(|tenure| &tenure.groups);
    let announced = announced.map(|member| Id::of(&member.name));
    // Whoever has no ledger any more goes by its plan.
    let orphaned = state.api.deployments.iter().flatten().filter(|_| state.api.environment.is_none());
    let plans = orphaned.filter_map(|deployment| deployment.plan.as_ref());
    let planned = plans.flat_map(|plan| plan.blue.iter().chain([&plan.green])).map(Id::of);
    announced.chain(planned).chain(state.world.groups.keys().copied())
}

/// Which verdicts could come in this tick.
pub(crate) fn verdicts(state: &State, operator: usize, subject: Subject) -> &'static [Option<Said>] {
    let evaluating = phase(&state.operators[operator].caches, subject) == Some(Phase::EvaluateWait);
    if evaluating { &[Some(Said::Good), Some(Said::Bad), Some(Said::NotYet)] } else { &[None] }
}

/// Whether time could decide anything in this tick.
pub(crate) fn walls(state: &State, operator: usize, subject: Subject) -> &'static [Wall] {
    match phase(&state.operators[operator].caches, subject) {
        None | Some(Phase::Pending | Phase::Done | Phase::Failed | Phase::Aborted | Phase::Canceled) => {
            &[Wall::Early]
        }
        Some(_) => &[Wall::Early, Wall::Late],
    }
}

/// Whether the holder is this one.
pub(crate) fn holds(api: &Api, place: usize) -> bool {
    let uid = api.deployment(place).map(|deployment| &deployment.uid);
    api.tenure().is_some_and(|tenure| tenure.holder.is_some() && tenure.holder.as_ref() == uid)
}
