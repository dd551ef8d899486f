//! One arbitrary case, and what is asked of it.

use dryad_machine::decide::{Action, Decision, decide};
use dryad_machine::effect::Effect;
use dryad_machine::environment::{self, Deploys, EnvironmentCase, Holder};
use dryad_machine::memory::{Memory, Now};
use dryad_machine::name::GroupName;
use dryad_machine::state::State;
use dryad_machine::view::{
    DeploymentView, EnvironmentView, Finalizer, Home, Queue, Remains, Resolution, View,
};

use crate::dice::{Dice, TICK};

/// One arbitrary case.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) deployment: DeploymentView,
    pub(crate) environment: Option<EnvironmentView>,
    pub(crate) queue: Queue,
    pub(crate) resolution: Resolution,
    pub(crate) memory: Memory,
    pub(crate) now: Now,
    pub(crate) holder: Holder,
    pub(crate) deploys: Deploys,
    pub(crate) home: Option<Remains>,
    pub(crate) finalizer: Finalizer,
}

impl Case {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let mut dice = Dice::new(bytes);
        let deployment = dice.deployment();
        let environment = (!dice.one_in(12)).then(|| dice.environment());
        let (memory, now) = dice.memory(&deployment.history);
        Self {
            queue: dice.queue(),
            resolution: dice.resolution(),
            holder: dice.pick(&[Holder::Minding, Holder::Vanished]),
            deploys: dice.pick(&[Deploys::Ended, Deploys::Ended, Deploys::Unended]),
            home: dice.home(),
            finalizer: dice.pick(&[Finalizer::Present, Finalizer::Present, Finalizer::Absent]),
            deployment,
            environment,
            memory,
            now,
        }
    }

    pub(crate) fn decide(&self) -> Decision {
        let view = View {
            deployment: &self.deployment,
            environment: self.environment.as_ref(),
            home: self.home.as_ref().map_or(Home::Standing, Home::Gone),
            queue: self.queue,
            resolution: &self.resolution,
        };
        decide(view, &self.memory, self.now)
    }

    /// What the Environment's loop decides, where there is one.
    pub(crate) fn decide_of_environment(&self) -> Option<Decision> {
        let Self { finalizer, holder, deploys, .. } = *self;
        let environment = self.environment.as_ref()?;
        let of = EnvironmentCase { environment, finalizer, holder, deploys };
        Some(environment::decide(of, &self.memory, self.now))
    }

    pub(crate) fn state(&self) -> State {
        self.deployment.history.state()
    }

    pub(crate) fn holds_its_turn(&self) -> bool {
        self.environment.as_ref().is_some_and(|environment| {
            environment.tenure.holder.as_ref() == Some(&self.deployment.uid)
                && self.deployment.turn == Some(environment.tenure.turn)
        })
    }

    pub(crate) fn has_two_readings(&self) -> bool {
        self.memory.two(self.now, TICK).is_some()
    }

    pub(crate) fn is_present(&self, group: &GroupName) -> bool {
        self.memory.latest(self.now, TICK).is_some_and(|reading| reading.group(group).is_some())
    }

    /// Whether the effect takes something that is there.
    pub(crate) fn removes(&self, effect: &Effect) -> bool {
        let weighs = |slot| {
            let reading = self.memory.latest(self.now, TICK);
            reading.is_some_and(|it| it.traffic.slot(slot).and_then(|seen| seen.weight).unwrap_or(0) > 0)
        };
        match effect {
            Effect::Detach { .. } | Effect::Leave { .. } | Effect::Empty(_) => true,
            Effect::Delete(group) => self.is_present(group),
            Effect::Shift(slot) => weighs(slot.other()),
            Effect::Resize { group, size } => {
                let reading = self.memory.latest(self.now, TICK);
                let desired = reading.and_then(|it| it.group(group)).map_or(0, |seen| seen.desired);
                size.settles_at(desired) < desired
            }
            Effect::Launch { .. } | Effect::Enlist(_) | Effect::Attach { .. } | Effect::Disown(_) => false,
        }
    }
}

/// What is done to the cloud.
pub(crate) fn effects(decision: &Decision) -> &[Effect] {
    match &decision.action {
        Action::Act(effects) => effects,
        Action::Wait | Action::Write(_) => &[],
    }
}
