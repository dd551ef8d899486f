//! What a Deployment looks at of its target, and when: at the groups that its ledger names, while it has the turn.

use dryad_cloud::Cloud;
use dryad_machine::memory::Look;
use dryad_machine::name::GroupName;
use dryad_machine::state::State;
use tracing::warn;

use super::Tick;
use crate::green::blueprint;
use crate::observe::{self, Blind, Sight, Strays};
use crate::process::denials::Ask;
use crate::process::desk::Desk;

impl<C: Cloud> Tick<'_, C> {
    /// Whether it is for this deploy to look at the target.
    fn looks(&self) -> bool {
        let holder =
            self.environment_view.as_ref().and_then(|environment| environment.tenure.holder.as_ref());
        match self.state() {
            State::Pending => false,
            state if self.gone.is_some() => !state.is_terminal(),
            _ => holder == Some(&self.deployment.uid),
        }
    }

    /// The group that has to come up: green, and on the way back blue.
    fn awaited(&self) -> Option<&GroupName> {
        let plan = self.deployment.plan.as_ref()?;
        match self.state() {
            State::Rollback => plan.blue.first(),
            _ => Some(&plan.green),
        }
    }

    /// Whether blue may have lost its tags. Going on takes changes of it, sooner or later, so that waits until it has
    /// them again. Going back only takes that it serves.
    fn strays(&self) -> Strays {
        let asked = self.deployment.request.end.is_some();
        match self.state() {
            _ if self.gone.is_some() => Strays::Blind,
            State::RetainWait if asked => Strays::Count,
            State::Rollback | State::Done | State::Failed | State::Aborted | State::Canceled => Strays::Count,
            State::Pending
            | State::Resolve
            | State::Prepare
            | State::RolloutWait
            | State::EvaluateWait
            | State::RetainWait
            | State::RetireWait => Strays::Blind,
        }
    }

    /// Looks, if it is to, and takes note of what it saw.
    pub(super) async fn observe(&self, desk: &mut Desk) -> Option<Sight> {
        if !self.looks() {
            return None;
        }
        // Nobody looks at what somebody only wrote down. What is frozen was permitted when it was.
        if self.deployment.plan.is_none() && self.refusal().is_some() {
            return None;
        }
        let target = blueprint::target(&self.template()?);
        let owner = self.owner()?;
        let at = self.operator.clock.now();
        let (ledger, strays) = (self.ledger(), self.strays());
        let seen =
            observe::look(&*self.operator.cloud, &target, ledger, &owner, strays, self.awaited()).await;
        self.operator.denials.answered(&owner.uid, Ask::Target, observe::answer(&seen));
        match seen {
            Ok(sight) => {
                desk.memory.saw(Look { at, reading: sight.reading.clone() }, self.tick());
                desk.memory.explained(sight.note.clone());
                Some(sight)
            }
            Err(blind) => {
                self.unseen(&blind, desk);
                None
            }
        }
    }

    fn unseen(&self, blind: &Blind, desk: &mut Desk) {
        warn!(deployment = %self.deployment.name, error = %blind, "the target can't be seen");
        desk.memory.saw_nothing();
        desk.memory.explained(Some(blind.to_string()));
    }
}
