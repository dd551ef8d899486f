//! One tick of one Environment: groups that are given up, a turn whose holder vanished, the end, the release that it
//! declares, and pruning.

mod holder;
mod permission;
mod project;
mod prune;
mod report;
mod requested;
mod trigger;

use std::mem::discriminant;
use std::sync::Arc;
use std::time::Duration;

use dryad_cloud::Cloud;
use dryad_crds::Environment;
use dryad_machine::decide::{Action, Decision, Write};
use dryad_machine::effect::Effect;
use dryad_machine::environment::{EnvironmentCase, decide};
use dryad_machine::memory::{Look, Memory, Stage as Recorded};
use dryad_machine::reading::Reading;
use dryad_machine::view::EnvironmentView;
use futures::FutureExt;
use kube::ResourceExt;
use kube::core::DeserializeGuard;
use kube::runtime::controller;
use tracing::{info, warn};

use crate::act::{self, Again, Stage};
use crate::denials::Ask;
use crate::operator::{Operator, TickError};
use crate::target::Target;
use crate::{blueprint, fence, observe, record, view};

pub(crate) use trigger::Known;
use trigger::Pulled;
pub use trigger::already_requested;

/// How often an unchanged object is looked at again when nothing else wakes it.
const IDLE: Duration = Duration::from_secs(60);
/// How soon the end of an Environment is tried again that something of it still holds up.
const UNFINISHED: Duration = Duration::from_secs(5);
/// How soon after a write, should its event not come first.
const SOON: Duration = Duration::from_millis(100);

/// One tick.
///
/// # Errors
/// When the API server could not be read or written; the tick is tried again after a pause.
pub async fn reconcile<C: Cloud>(
    guard: Arc<DeserializeGuard<Environment>>,
    operator: Arc<Operator<C>>,
) -> Result<controller::Action, TickError> {
    let object = match &guard.0 {
        Ok(object) => object,
        Err(broken) => {
            warn!(name = broken.metadata.name, error = %broken.error, "this Environment can't be read");
            return Ok(controller::Action::await_change());
        }
    };
    if !operator.may_act() {
        return Ok(controller::Action::requeue(IDLE));
    }
    // 1. Read.
    let environment = view::environment(object);
    let uid = &environment.revision.uid;
    let desk = operator.desks.of(uid, Some(&environment), operator.certain_from());
    let mut desk = desk.lock().await;
    desk.memory.enter(Recorded::from(&environment.tenure));
    operator.desks.tell(uid, &mut desk.memory);
    let tick = Tick { operator: &operator, object, environment };
    let holder = holder::holder(&tick).await?;

    // 2. Observe.
    let target = permission::template(&tick).as_ref().map(blueprint::target);
    let reading = match &target {
        Some(target) => tick.observe(target, &mut desk.memory).await,
        None => None,
    };

    // 3. Decide.
    let case = EnvironmentCase { environment: &tick.environment, finalizer: view::finalizer(object), holder };
    let decision = decide(case, &desk.memory, operator.clock.now());

    // 4. Record, or act. What is declared waits for no group that can't be deleted.
    if let Action::Write(write) = &decision.action {
        if *write == Write::RemoveFinalizer && !project::is_withdrawn(&tick, &mut desk).await? {
            report::report(&tick, reading.as_ref(), &Pulled::Rest, desk.projected.as_ref()).await?;
            return Ok(controller::Action::requeue(UNFINISHED));
        }
        tick.write(write).await?;
        return Ok(requeue(&decision));
    }
    let pulled = trigger::pull(&tick, &mut desk.declared).await?;
    match (&decision.action, &pulled) {
        (_, Pulled::Wrote) => return Ok(controller::Action::requeue(SOON)),
        (Action::Act(effects), _) => {
            if let (Some(target), Some(reading)) = (&target, &reading) {
                tick.act(effects, target, reading, &mut desk.memory).await?;
            }
        }
        (Action::Wait | Action::Write(_), _) => {
            project::project(&tick, &mut desk).await?;
            report::report(&tick, reading.as_ref(), &pulled, desk.projected.as_ref()).await?;
            prune::prune(&tick).await?;
        }
    }

    // 5. Requeue.
    Ok(requeue(&decision))
}

fn requeue(decision: &Decision) -> controller::Action {
    controller::Action::requeue(decision.wake.map_or(IDLE, |wake| wake.max(SOON)))
}

/// Everything one tick goes by.
struct Tick<'a, C> {
    operator: &'a Operator<C>,
    object: &'a Environment,
    environment: EnvironmentView,
}

impl<C: Cloud> Tick<'_, C> {
    async fn observe(&self, target: &Target, memory: &mut Memory) -> Option<Reading> {
        if self.environment.tenure.groups.is_empty() {
            return None;
        }
        let owner = self.operator.owner(self.object);
        let (at, tick) = (self.operator.clock.now(), self.environment.pace.tick());
        let groups = &self.environment.tenure.groups;
        let seen = observe::look(&*self.operator.cloud, target, groups, &owner, None).await;
        self.operator.denials.answered(&owner.uid, Ask::Target, observe::answer(&seen));
        match seen {
            Ok(sight) => {
                memory.saw(Look { at, reading: sight.reading.clone() }, tick);
                Some(sight.reading)
            }
            Err(blind) => {
                warn!(environment = %self.environment.name, error = %blind, "the target can't be seen");
                memory.saw_nothing();
                None
            }
        }
    }

    async fn write(&self, write: &Write) -> Result<(), TickError> {
        let environments = self.operator.environments_api(&self.namespace());
        match write {
            Write::AddFinalizer => {
                record::add_finalizer(&environments, self.object).await?;
            }
            Write::RemoveFinalizer => {
                record::remove_finalizer(&environments, self.object).await?;
            }
            Write::Tenure { to, change } => {
                record::tenure(&environments, self.object, to, None).await?;
                info!(environment = %self.environment.name, ?change, turn = %to.turn, "tenure");
            }
            Write::Append(_) => {}
        }
        Ok(())
    }

    async fn act(
        &self,
        effects: &[Effect],
        target: &Target,
        reading: &Reading,
        memory: &mut Memory,
    ) -> Result<(), TickError> {
        let tenure = &self.environment.tenure;
        let stands = || self.may_still_act().map(|stands| stands.unwrap_or(false)).boxed();
        let stage = Stage {
            cloud: &*self.operator.cloud,
            target,
            reading,
            ledger: &tenure.groups,
            blueprint: None,
            tick: self.environment.pace.tick(),
            uncertainty: self.operator.uncertainty,
            clock: &self.operator.clock,
            again: Again { until: memory.fresh_until(self.environment.pace.tick()), stands: &stands },
        };
        for effect in effects {
            if !self.may_still_act().await? {
                break;
            }
            info!(environment = %self.environment.name, ?effect, "effect");
            let sent = act::act(&stage, effect, memory).await;
            let uid = &self.environment.revision.uid;
            self.operator.desks.hear(uid, memory);
            let answer = sent.as_ref().copied();
            self.operator.denials.answered(uid, Ask::Change(discriminant(effect)), answer);
            if let Err(error) = sent {
                warn!(environment = %self.environment.name, ?effect, %error, "the cloud did not say yes");
                break;
            }
        }
        Ok(())
    }

    /// Whether what was decided on still stands: asked of the quorum, then of the lease, before every change.
    async fn may_still_act(&self) -> Result<bool, TickError> {
        let environments = self.operator.environments_api(&self.namespace());
        match fence::environment(&environments, self.object, &self.environment.tenure).await {
            Ok(()) => Ok(self.operator.may_act()),
            Err(fence::Fenced::Moved { .. }) => Ok(false),
            Err(fence::Fenced::Api(error)) => Err(error.into()),
        }
    }

    fn namespace(&self) -> String {
        self.object.namespace().unwrap_or_default()
    }
}
