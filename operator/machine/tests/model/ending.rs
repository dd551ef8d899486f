//! L1 to L3: from any state, once faults stop, everything comes to an end and nothing is left over.
//!
//! Not by Stateright's `eventually`, which overlooks cycles, but by running one fair course of events to its end
//! from the state in question. There are two: in the kind one all goes well from now on; in the hostile one no
//! instance comes up, no check answers, nothing drains or vanishes, and only time passes.

use dryad_machine::decide::Action;
use dryad_machine::event::Reason;
use dryad_machine::reading::Presence;
use dryad_machine::state::State as Phase;
use dryad_machine::tenure::Role;
use dryad_machine::view::{Deletion, Existence, Finalizer, Paused};

use crate::actions::sync;
use crate::api::{DEPLOYMENTS, Subject};
use crate::memory::{Said, Wall};
use crate::restore::{self, Record};
use crate::rules;
use crate::scope::Scope;
use crate::state::State;
use crate::think::{self, Findings, Sight};
use crate::tick::{self, Fate};
use crate::world::{Happening, Id, World};
use crate::writes;

/// How the rest goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Course {
    Kind,
    Hostile,
}

/// More rounds than any deploy and its successor can need.
const ROUNDS: usize = 120;

/// What a round changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Round {
    Quiet,
    Busy,
}

/// Every state on the kind course, the first included.
pub(crate) fn happy_path(scope: &Scope, first: &State) -> Vec<State> {
    let mut states = vec![first.clone()];
    run(scope, first, Course::Kind, &mut |state| {
        if states.last() != Some(state) {
            states.push(state.clone());
        }
    });
    states
}

/// Runs the course to its end, and shows every state on it. Says how it came to a rest, if it did.
fn run(scope: &Scope, state: &State, course: Course, show: &mut dyn FnMut(&State)) -> (State, Round) {
    let mut state = state.clone();
    let (mut quiet, mut wall) = (0, Wall::Early);
    for _ in 0..ROUNDS {
        let round = round(scope, &mut state, course, wall, show);
        quiet = if round == Round::Quiet { quiet + 1 } else { 0 };
        // What waits for time waits long enough; one look must not be enough for that.
        wall = if quiet >= 3 || course == Course::Hostile { Wall::Late } else { Wall::Early };
        if quiet >= 8 || state.broken.is_some() {
            return (state, Round::Quiet);
        }
    }
    (state, Round::Busy)
}

/// Runs the course to its end; says what is wrong with it, if anything is.
pub(crate) fn end(scope: &Scope, state: &State, course: Course) -> Result<(), &'static str> {
    let first = state;
    let (state, rest) = run(scope, state, course, &mut |_| {});
    if let Some(broken) = state.broken {
        return Err(broken.how);
    }
    if restore::is_stalled(&state) {
        return Ok(());
    }
    if !restore::knows_its_own(first) {
        return Err("L4: a record that never was restored is taken for an old one");
    }
    for place in 0..DEPLOYMENTS {
        deploy_has_ended(&state, place)?;
    }
    if course == Course::Kind {
        if rest == Round::Busy {
            return Err("L2: something is written for ever");
        }
        nothing_is_left(&state)?;
        orphans_have_tidied_up(first, &state)?;
    }
    Ok(())
}

fn round(
    scope: &Scope,
    state: &mut State,
    course: Course,
    wall: Wall,
    show: &mut dyn FnMut(&State),
) -> Round {
    let before = (state.api.clone(), state.world.clone());
    while !state.in_flight.is_empty() {
        tick::land(state, 0);
    }
    state.late_write = None;
    let leader = state.leader;
    tick::settle(state, leader);
    if restore::is_due(state) {
        restore::look_back(scope.seam, state);
    }
    restore::sweep(state);
    let mut acted = false;
    for subject in Subject::ALL {
        for subject in Subject::ALL {
            sync(state, leader, subject);
        }
        if course == Course::Kind {
            state.change_world(thrive);
        }
        let said = match course {
            Course::Kind => Said::Good,
            Course::Hostile => Said::NotYet,
        };
        let evaluating = think::verdicts(state, leader, subject).len() > 1;
        let said = evaluating.then_some(said);
        let findings = Findings { wall, sight: Sight::Clear, said };
        if let Some(thought) = think::think(scope.seam, state, leader, subject, findings) {
            acted |= matches!(thought.decision.action, Action::Act(_));
            tick::carry_out(scope.seam, state, leader, subject, thought, Fate::Answered);
            show(state);
        }
    }
    let same = before.0 == state.api && before.1 == state.world;
    if same && !acted { Round::Quiet } else { Round::Busy }
}

/// Everything comes up and everything settles.
fn thrive(world: &mut World) {
    world.exhaust(|it| matches!(it, Happening::Up(_) | Happening::Warm(_) | Happening::Settles(_)));
}

fn deploy_has_ended(state: &State, place: usize) -> Result<(), &'static str> {
    let Some(deployment) = state.api.deployment(place) else { return Ok(()) };
    if deployment.existence == Existence::BeingDeleted {
        return Err("L3: a Deployment that is being deleted never goes");
    }
    let may_wait = deployment.history.state() == Phase::Pending
        && !think::holds(&state.api, place)
        && (deployment.request.paused == Paused::Yes || state.api.environment.is_none());
    if may_wait {
        return Ok(());
    }
    if !deployment.history.state().is_terminal() {
        return Err("L1: a deploy never ends");
    }
    if think::holds(&state.api, place) || deployment.finalizer == Finalizer::Present {
        return Err("L1: a deploy that has ended never lets go");
    }
    Ok(())
}

/// A deploy that ended on this course because its Environment was gone has taken down what it could.
fn orphans_have_tidied_up(first: &State, last: &State) -> Result<(), &'static str> {
    for place in 0..DEPLOYMENTS {
        let went_on = first.api.deployment(place).is_some_and(|it| !it.history.state().is_terminal());
        let Some(deployment) = last.api.deployment(place).filter(|_| went_on) else { continue };
        let orphaned = deployment.history.last().is_some_and(|entry| entry.reason == Reason::EnvironmentGone);
        let left = last.world.groups.keys().any(|id| {
            rules::is_superfluous(deployment, *id) && !rules::is_missed(deployment, &last.world, *id)
        });
        if orphaned && left {
            return Err("L3: a deploy without an Environment leaves something that carries nothing");
        }
    }
    Ok(())
}

fn nothing_is_left(state: &State) -> Result<(), &'static str> {
    let Some(environment) = &state.api.environment else { return Ok(()) };
    if environment.view.deletion != Deletion::None {
        return Err("L3: an Environment that is being deleted never goes");
    }
    let tenure = &environment.view.tenure;
    if tenure.holder.is_some() {
        return Err("L1: a turn never ends");
    }
    let reported = |id: &Id| restore::is_reported(state, *id);
    for group in state.world.groups.iter().filter(|(id, _)| !reported(id)).map(|(_, group)| group) {
        if !writes::is_as_declared(&environment.view, group) {
            return Err("L1: a group that serves is never given back its bounds");
        }
        let size = environment.view.replicas.filter(|_| state.world.groups.len() == 1);
        if size.is_some_and(|size| size != u32::from(group.desired)) && group.presence == Presence::Here {
            return Err("L1: a group that serves never gets its declared size");
        }
    }
    if tenure.groups.iter().any(|member| member.held.is_some()) {
        return Err("L1: a group is on record as held for ever");
    }
    let serves = |id: &Id| state.api.member(*id).is_some_and(|member| member.role == Role::Serving);
    let serves_users = |id: &Id| serves(id) && state.world.groups[id].presence == Presence::Here;
    let users = state.world.serves(&|id| rules::at_work(&state.api, id));
    // Without a restore only others can bring that about, and then nobody but them can tell.
    let restored = state.record != Record::Own;
    if restored && state.world.groups.keys().any(serves_users) && users == 0 {
        return Err("L1: users are left without an instance");
    }
    if !state.world.groups.keys().all(|id| serves(id) || reported(id))
        || tenure.of_role(Role::Doomed).next().is_some()
    {
        return Err("L3: something is left that does not serve");
    }
    Ok(())
}
