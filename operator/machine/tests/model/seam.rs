//! The machine, whole, or with one of its guards taken out.
//!
//! Each variant but the first breaks one promise on purpose. The tests in `seeded` show that the model check
//! notices: what no seeded bug breaks, no property guards.

use dryad_machine::decide::{self, Action, Append, Decision, TenureChange, Write};
use dryad_machine::effect::{Effect, Size};
use dryad_machine::environment::{self, EnvironmentCase};
use dryad_machine::event::Reason;
use dryad_machine::memory::{Memory, Now};
use dryad_machine::name::GroupName;
use dryad_machine::plan::Route;
use dryad_machine::reading::Slot;
use dryad_machine::state::State;
use dryad_machine::tenure::{End, Held, Role};
use dryad_machine::view::{Deletion, DeploymentView, Finalizer, Home, Mark, View};

use crate::memory::{Certainty, PRESENT, Remembered, TICK, Wall};

/// Which guard is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Seam {
    /// None: the machine as it is.
    Whole,
    /// Changes are sent without a look at who holds the turn and the lease.
    ActsWithoutAsking,
    /// What one loop learned about requests under way is not told to the others.
    KeepsUncertaintyToItself,
    /// Nothing under way is waited for.
    IgnoresUncertainty,
    /// What one look does not show is gone.
    TakesAbsenceForGone,
    /// One look counts as two.
    LooksOnce,
    /// Blue is reduced without D on record.
    SkipsHold,
    /// Green gets the traffic while it is still being evaluated.
    ActsBeforeRecording,
    /// A deploy goes on after its end.
    GoesOnAfterTheEnd,
    /// An abort brings the traffic back even while blue is being retired.
    ReturnsToRetiredBlue,
    /// A group is launched under a name that was not announced.
    LaunchesUnannounced,
    /// Groups are forgotten as soon as they are given up.
    ForgetsEarly,
    /// The turn is given back in the middle of a rollback.
    ReleasesEarly,
    /// A deploy that has ended is let go of before its turn is given back.
    LetsGoEarly,
    /// Time never passes.
    NeverGivesUp,
    /// What has ended still acts.
    NeverRests,
    /// Groups that were given up stay.
    NeverTidies,
    /// A deploy does not ask what became of its Environment.
    NeverAsksForItsHome,
    /// A group is deleted whoever has its name.
    DeletesBlindly,
    /// Where somebody else has a name of ours, nothing is seen.
    BlindedByOthers,
    /// A group is shrunk to its declared size whatever state its instances are in.
    ShrinksBlindly,
    /// What was held stays as it is between deploys.
    NeverRestores,
    /// What stands apart is emptied before it has left the target group that it was announced with.
    NeverLeaves,
    /// A rollback attaches blue wherever the Environment's groups are attached by now.
    AttachesAnywhere,
    /// A record is gone by though it was restored.
    GoesByOldRecords,
    /// What serves is adopted while requests of before the restore may still land.
    AdoptsEarly,
    /// A record that was found to be whole while something could still land is not asked about again.
    AsksOnce,
    /// Nobody writes down for which uid an adopted group was launched.
    ForgetsOldUids,
    /// The mark of another one is taken for its own.
    RunsCopies,
    /// A retained Environment is let go of with what serves still held.
    LeavesHeld,
}

impl Seam {
    /// What a loop remembers.
    pub(crate) fn recall(self, remembered: &Remembered) -> Memory {
        match self {
            Self::IgnoresUncertainty | Self::TakesAbsenceForGone => {
                let mut certain = remembered.clone();
                certain.certainty = Certainty::Certain;
                certain.recall()
            }
            _ => remembered.recall(),
        }
    }

    pub(crate) fn deployment(self, view: View<'_>, memory: &Memory, now: Now) -> Decision {
        let deployment = view.deployment;
        let history = &deployment.history;
        let act = |effects| Decision { action: Action::Act(effects), wake: None, progress: None };
        let write = |write| Decision { action: Action::Write(write), wake: None, progress: None };
        let slot = match deployment.plan.as_ref().map(|plan| plan.route) {
            Some(Route::Weighted { green }) => green,
            _ => Slot::A,
        };
        match (self, history.state()) {
            (Self::SkipsHold, State::RolloutWait) => pretend_held(view, memory, now),
            (Self::ActsBeforeRecording, State::EvaluateWait)
                if memory.two(now, crate::memory::TICK).is_some() =>
            {
                act(vec![Effect::Shift(slot)])
            }
            (Self::GoesOnAfterTheEnd, State::Done | State::Failed) => {
                let entry = history.next(State::Rollback, None, Reason::GreenLost, "", now.wall);
                write(Write::Append(Box::new(Append { entry, turn: None, plan: None })))
            }
            (Self::ReturnsToRetiredBlue, State::RetireWait) if deployment.request.end.is_some() => {
                let entry = history.next(State::Rollback, None, Reason::AbortRequested, "", now.wall);
                write(Write::Append(Box::new(Append { entry, turn: None, plan: None })))
            }
            (Self::LaunchesUnannounced, State::Prepare) => {
                act(vec![Effect::Launch { group: GroupName::new("web-8-d8"), desired: 1 }])
            }
            (Self::ReleasesEarly, State::Rollback) => {
                let tenure = view.environment.map(|environment| &environment.tenure);
                let end = End { serving: Vec::new(), gone: Vec::new(), deployed: None };
                let to = tenure.map(|tenure| Box::new(tenure.release(&end))).unwrap_or_default();
                write(Write::Tenure { to, change: TenureChange::Release })
            }
            (Self::DeletesBlindly, State::Rollback) => {
                let decision = decide::decide(view, memory, now);
                match &decision.action {
                    Action::Act(effects) => match &effects[..] {
                        [Effect::Disown(group)] => act(vec![Effect::Delete(group.clone())]),
                        _ => decision,
                    },
                    _ => decision,
                }
            }
            (Self::LetsGoEarly, state)
                if state.is_terminal() && deployment.finalizer == Finalizer::Present =>
            {
                write(Write::RemoveFinalizer)
            }
            (Self::NeverAsksForItsHome, _) => {
                decide::decide(View { home: Home::Standing, ..view }, memory, now)
            }
            (Self::NeverLeaves, _) => never_leaves(decide::decide(view, memory, now)),
            (Self::RunsCopies, _) => {
                let own = DeploymentView { mark: Mark::Own, ..deployment.clone() };
                decide::decide(View { deployment: &own, ..view }, memory, now)
            }
            (Self::AttachesAnywhere, State::Rollback) => forget_announcements(view, memory, now),
            (Self::NeverGivesUp, _) => decide::decide(view, memory, Wall::Early.now(PRESENT)),
            (Self::NeverRests, state) if state.is_terminal() => act(vec![Effect::Enlist(slot)]),
            _ => decide::decide(view, memory, now),
        }
    }

    pub(crate) fn environment(self, case: EnvironmentCase<'_>, memory: &Memory, now: Now) -> Decision {
        let tenure = &case.environment.tenure;
        let doomed = tenure.of_role(Role::Doomed).map(|member| member.name.clone());
        let doomed: Vec<_> = doomed.collect();
        let decision = environment::decide(case, memory, now);
        match self {
            Self::ForgetsEarly if !doomed.is_empty() => {
                let to = Box::new(tenure.forget(&doomed));
                let action = Action::Write(Write::Tenure { to, change: TenureChange::Forget });
                Decision { action, ..decision }
            }
            Self::NeverLeaves => never_leaves(decision),
            Self::NeverTidies => Decision { action: Action::Wait, ..decision },
            Self::ShrinksBlindly => shrink_blindly(case, memory, now).unwrap_or(decision),
            Self::NeverRestores => match decision.action {
                Action::Act(ref effects) if matches!(effects[..], [Effect::Resize { .. }]) => {
                    Decision { action: Action::Wait, ..decision }
                }
                _ => decision,
            },
            Self::LeavesHeld if case.environment.deletion == Deletion::Retain => {
                let only_serving = tenure.groups.iter().all(|member| member.role == Role::Serving);
                let free = only_serving && tenure.holder.is_none() && memory.is_certain(now);
                let action = if free { Action::Write(Write::RemoveFinalizer) } else { decision.action };
                Decision { action, ..decision }
            }
            _ => decision,
        }
    }
}

fn never_leaves(mut decision: Decision) -> Decision {
    if let Action::Act(effects) = &mut decision.action {
        for effect in effects {
            if let Effect::Leave { group, .. } = effect {
                *effect = Effect::Empty(group.clone());
            }
        }
    }
    decision
}

/// Shows an Environment whose ledger does not say where its groups were announced.
fn forget_announcements(view: View<'_>, memory: &Memory, now: Now) -> Decision {
    let mut forgetful = view.environment.cloned();
    for member in forgetful.iter_mut().flat_map(|environment| &mut environment.tenure.groups) {
        member.access = None;
    }
    decide::decide(View { environment: forgetful.as_ref(), ..view }, memory, now)
}

/// Shrinks what serves to its declared size as soon as it was looked at twice.
fn shrink_blindly(case: EnvironmentCase<'_>, memory: &Memory, now: Now) -> Option<Decision> {
    let environment = case.environment;
    let declared = environment.replicas.filter(|_| environment.tenure.holder.is_none())?;
    let [_, latest] = memory.two(now, TICK)?;
    let mut serving = environment.tenure.of_role(Role::Serving);
    let group = serving.find_map(|member| {
        let larger = latest.group(&member.name).is_some_and(|seen| seen.desired > declared);
        larger.then(|| member.name.clone())
    })?;
    let size = Size { min: declared, max: declared, desired: Some(declared) };
    let action = Action::Act(vec![Effect::Resize { group, size }]);
    Some(Decision { action, wake: Some(TICK), progress: None })
}

/// Shows an Environment in which blue is held already.
fn pretend_held(view: View<'_>, memory: &Memory, now: Now) -> Decision {
    let mut pretended = view.environment.cloned();
    for member in pretended.iter_mut().flat_map(|environment| &mut environment.tenure.groups) {
        member.held = Some(Held { desired: Some(1), original_min: 0, original_max: 2 });
    }
    decide::decide(View { environment: pretended.as_ref(), ..view }, memory, now)
}
