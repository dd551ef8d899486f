//! One pass of the controller's loop, as the design has it: look, decide, then write or act.

use std::sync::Arc;
use std::time::Duration;

use dryad_machine::decide::{Action, Decision, Write};
use dryad_machine::effect::Effect;
use dryad_machine::environment::{Deploys, EnvironmentCase, Holder};
use dryad_machine::memory::{Look, Memory, Stage};
use dryad_machine::name::Uid;
use dryad_machine::state::State as Phase;
use dryad_machine::view::{
    DeploymentView, Existence, Home, Others, Paused, PlaceInLine, Queue, Remains, Resolution, Successor, View,
};

use crate::api::{Api, DEPLOYMENTS, Subject, number, shipment};
use crate::memory::{
    BEFORE_LAST_TICK, Certainty, LAST_TICK, PRESENT, Remembered, Said, Seen, TICK, UNCERTAINTY, Wall,
};
use crate::rules::{self, Request};
use crate::seam::Seam;
use crate::state::{LateWrite, State};
use crate::world::{Id, uid};

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

/// What becomes of what was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Fate {
    /// It is done, and the answer arrives.
    Answered,
    /// It never arrives, and nobody learns why.
    Lost,
    /// The process dies or loses the lease meanwhile, and the write to the API server arrives later.
    Overtaken,
    /// The change with this index is not answered and may land later; those after it are not sent.
    Unanswered(u8),
    /// The process dies after this many changes.
    CutShort(u8),
    /// The cloud refuses for good.
    Refused,
}

/// A tick up to its decision.
pub(crate) struct Thought {
    pub(crate) decision: Decision,
    memory: Memory,
    stage: Stage,
    look: Option<Seen>,
    sight: Sight,
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

/// Looks and decides. `None` where the loop has no object.
pub(crate) fn think(
    seam: Seam,
    state: &State,
    operator: usize,
    subject: Subject,
    findings: Findings,
) -> Option<Thought> {
    let caches = &state.operators[operator].caches;
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
            let environment = caches.environment.as_ref()?;
            let holder = environment.view.tenure.holder.as_ref();
            let exists = |holder: &Uid| state.api.deployments.iter().flatten().any(|it| it.uid == *holder);
            let case = EnvironmentCase {
                environment: &environment.view,
                finalizer: environment.finalizer,
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
                environment: caches.environment.as_ref().map(|environment| &environment.view),
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

/// What can become of it.
pub(crate) fn fates(state: &State, decision: &Decision, zombies: usize, overtaken: bool) -> Vec<Fate> {
    match &decision.action {
        Action::Wait => vec![Fate::Answered],
        Action::Write(_) => {
            let late = overtaken && state.late_write.is_none() && state.budget.crashes > 0;
            let late = late.then_some([Fate::Lost, Fate::Overtaken]);
            [Fate::Answered].into_iter().chain(late.into_iter().flatten()).collect()
        }
        Action::Act(effects) => {
            let mut fates = vec![Fate::Answered];
            let count = u8::try_from(effects.len()).expect("a handful");
            if state.in_flight.len() < zombies && state.budget.unanswered > 0 {
                fates.extend((0..count).map(Fate::Unanswered));
            }
            if state.budget.crashes > 0 {
                fates.extend((0..count).map(Fate::CutShort));
            }
            if matches!(effects[..], [Effect::Launch { .. }]) && state.budget.meddling > 0 {
                fates.push(Fate::Refused);
            }
            fates
        }
    }
}

/// Does what was decided, as far as its fate lets it.
pub(crate) fn carry_out(
    seam: Seam,
    state: &mut State,
    operator: usize,
    subject: Subject,
    mut thought: Thought,
    fate: Fate,
) {
    let mut created = false;
    match thought.decision.action.clone() {
        // Only a change of the objects makes it look again, and by then what it saw is old.
        Action::Wait if thought.decision.wake.is_none() => return,
        Action::Wait => {}
        Action::Write(write) => match fate {
            Fate::Lost => {}
            Fate::Overtaken => {
                let seen = Arc::new(state.operators[operator].caches.clone());
                state.late_write = Some(LateWrite { subject, seen, write });
                hand_over(state);
                return;
            }
            _ => {
                let seen = state.operators[operator].caches.clone();
                store(state, subject, &seen, &write);
            }
        },
        Action::Act(effects) => {
            for (index, effect) in (0..).zip(effects) {
                if fate == Fate::CutShort(index) {
                    hand_over(state);
                    return;
                }
                if !may_still_act(seam, state, operator, subject) {
                    break;
                }
                created |= matches!(effect, Effect::Launch { .. });
                if created {
                    thought.memory.creating(PRESENT + UNCERTAINTY);
                }
                let fate_of_this = if let Fate::Unanswered(lost) = fate
                    && lost != index
                {
                    Fate::Answered
                } else {
                    fate
                };
                send(state, operator, subject, &mut thought, effect, fate_of_this);
                if fate == Fate::Unanswered(index) || state.broken.is_some() {
                    break;
                }
            }
        }
    }
    if thought.sight == Sight::Stale {
        state.before = None;
    }
    remember(seam, state, operator, subject, &thought, created);
}

/// The quorum read of turn and sequence, and the lease.
fn may_still_act(seam: Seam, state: &State, operator: usize, subject: Subject) -> bool {
    if seam == Seam::ActsWithoutAsking {
        return true;
    }
    let (truth, caches) = (&state.api, &state.operators[operator].caches);
    let same_turn = match (truth.tenure(), caches.tenure(), subject) {
        (Some(stored), Some(seen), _) => stored.turn == seen.turn && stored.holder == seen.holder,
        // Nobody else has a turn where there is no Environment.
        (None, _, Subject::Deployment(_)) => true,
        (None, _, Subject::Environment) | (Some(_), None, _) => false,
    };
    let same_entry = match subject {
        // What is declared counts as much as what is recorded.
        Subject::Environment => truth.environment == caches.environment,
        Subject::Deployment(place) => match (truth.deployment(place), caches.deployment(place)) {
            (Some(stored), Some(seen)) => {
                stored.history.next_sequence() == seen.history.next_sequence() && stored.turn == seen.turn
            }
            _ => false,
        },
    };
    same_turn && same_entry && state.leader == operator
}

fn send(
    state: &mut State,
    operator: usize,
    subject: Subject,
    thought: &mut Thought,
    effect: Effect,
    fate: Fate,
) {
    let remembered = state.operators[operator].memory(subject);
    let sees = match &thought.look {
        Some(look) => *look.world == *state.world,
        None => remembered.saw_the_truth(&state.world),
    };
    let request = Request { sender: subject, effect, accountable: sees };
    let looks = looks(remembered, thought);
    if let Err(broken) = rules::sending(state, &request, looks) {
        state.broken = Some(broken);
        return;
    }
    match fate {
        Fate::Unanswered(_) => {
            thought.memory.unanswered(PRESENT + UNCERTAINTY);
            state.budget.unanswered -= 1;
            state.in_flight.push(request);
        }
        Fate::Refused => thought.memory.refused(String::new()),
        _ => {
            match &request.effect {
                Effect::Delete(group) => match state.world.groups.get(&Id::of(group)) {
                    None => thought.memory.deletion_answered(group, PRESENT),
                    Some(group) if group.is_empty() => thought.memory.mutated(),
                    // Refused, and so nothing has changed.
                    Some(_) => {}
                },
                Effect::Disown(group) => thought.memory.deletion_answered(group, PRESENT),
                _ => thought.memory.mutated(),
            }
            state.change_world(|world| world.land(&request.effect));
        }
    }
}

/// How many looks, a tick apart, were made since the last entry and the last answer.
fn looks(remembered: &Remembered, thought: &Thought) -> u8 {
    if !remembered.is_in(thought.stage) {
        return u8::from(thought.look.is_some());
    }
    let before = [&remembered.earlier, &remembered.latest].into_iter().flatten().count();
    u8::try_from(before).expect("two") + u8::from(thought.look.is_some())
}

/// The API server's answer to a write, and whether it should ever have been asked.
pub(crate) fn store(state: &mut State, subject: Subject, seen: &Api, write: &Write) {
    let mut after = state.api.clone();
    if after.store(subject, seen, write).is_ok() {
        match rules::writing(state, subject, write) {
            Ok(()) => state.api = after,
            Err(broken) => state.broken = Some(broken),
        }
    }
}

/// The leader dies, or loses the lease; whoever leads next remembers nothing.
pub(crate) fn hand_over(state: &mut State) {
    state.budget.crashes = state.budget.crashes.saturating_sub(1);
    state.leader = (state.leader + 1) % state.operators.len();
    let leader = state.leader;
    state.operators[leader].begin_anew();
}

fn remember(
    seam: Seam,
    state: &mut State,
    operator: usize,
    subject: Subject,
    thought: &Thought,
    created: bool,
) {
    let ids: Vec<Id> = ids(state).collect();
    let before = state.operators[operator].memory(subject);
    let after = before.after(&thought.memory, thought.stage, thought.look.as_ref(), created, ids.into_iter());
    let worsened = after.certainty != before.certainty;
    let certainty = after.certainty;
    state.operators[operator].memories[subject.index()] = Arc::new(after);
    if worsened && seam != Seam::KeepsUncertaintyToItself {
        state.operators[operator].share(certainty);
    }
}

/// Every group that was ever announced, or could have been.
fn ids(state: &State) -> impl Iterator<Item = Id> {
    let announced = state.api.tenure().into_iter().flat_map(|tenure| &tenure.groups);
    let announced = announced.map(|member| Id::of(&member.name));
    // Whoever has no ledger any more goes by its plan.
    let orphaned = state.api.deployments.iter().flatten().filter(|_| state.api.environment.is_none());
    let plans = orphaned.filter_map(|deployment| deployment.plan.as_ref());
    let planned = plans.flat_map(|plan| plan.blue.iter().chain([&plan.green])).map(Id::of);
    announced.chain(planned).chain(state.world.groups.keys().copied())
}

/// A request under way arrives.
pub(crate) fn land(state: &mut State, index: usize) {
    let request = state.in_flight.remove(index);
    match rules::landing(state, &request) {
        Ok(()) => state.change_world(|world| world.land(&request.effect)),
        Err(broken) => state.broken = Some(broken),
    }
}

/// Z has passed, and nothing is under way any more.
pub(crate) fn settle(state: &mut State, operator: usize) {
    state.operators[operator].share(Certainty::Certain);
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
    api.tenure().is_some_and(|tenure| tenure.holder == Some(uid(number(place))))
}
