//! The rest of a pass of the controller's loop: what was decided is written or done, as far as its fate lets it.

use std::sync::Arc;

use dryad_machine::decide::{Action, Decision, Write};
use dryad_machine::effect::Effect;

use crate::api::{Api, Subject};
use crate::memory::{Certainty, PRESENT, Remembered, UNCERTAINTY};
use crate::restore::{Hindsight, Record};
use crate::rules::{self, Request, Sender};
use crate::seam::Seam;
use crate::state::{Era, LateWrite, Operator, State};
use crate::think::{Sight, Thought, ids};
use crate::world::Id;
use crate::writes;

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
                let Operator { caches: seen, era, .. } = state.operators[operator].clone();
                store(state, era, subject, &seen, &write);
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
    if state.operators[operator].era == Era::Before {
        exit(state, operator);
        return;
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
    let request = Request { sender: Sender::Loop(subject), effect, accountable: sees };
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
pub(crate) fn store(state: &mut State, era: Era, subject: Subject, seen: &Api, write: &Write) {
    let mut after = state.api.clone();
    if after.store(subject, seen, write).is_ok() {
        match writes::writing(state, era, subject, write) {
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
    if state.record != Record::Own {
        let caches = state.api.clone();
        let operator = &mut state.operators[leader];
        (operator.caches, operator.hindsight, operator.era) = (caches, Hindsight::None, Era::Present);
        state.adoption = None;
    }
}

/// It has found that it does not lead; in its place another process waits for the lease.
fn exit(state: &mut State, operator: usize) {
    let waiting = Operator::new(state.api.clone(), Certainty::Uncertain);
    state.operators[operator] = Operator { hindsight: Hindsight::None, ..waiting };
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
    for stopped in 0..state.operators.len() {
        if state.operators[stopped].era == Era::Before {
            exit(state, stopped);
        }
    }
    let operator = &mut state.operators[operator];
    operator.share(Certainty::Certain);
    operator.hindsight = operator.hindsight.once_certain();
}
