//! One tick of one Environment: what its record does not know after a restore, groups that are given up, a turn whose
//! holder vanished, the end, the release that it declares, and pruning.

mod coordinates;
mod holder;
mod lingering;
mod permission;
mod project;
mod prune;
mod report;
mod requested;
mod rest;
mod restore;
mod trigger;

use std::mem::discriminant;
use std::sync::Arc;
use std::time::Duration;

use dryad_cloud::Cloud;
use dryad_crds::{Deployment, Environment};
use dryad_machine::decide::{Action, Decision, Write};
use dryad_machine::effect::Effect;
use dryad_machine::environment::{EnvironmentCase, Holder, decide};
use dryad_machine::memory::{Look, Memory, Stage as Recorded};
use dryad_machine::reading::Reading;
use dryad_machine::tenure::Role;
use dryad_machine::view::{Deletion, EnvironmentView, Finalizer, Past};
use futures::FutureExt;
use kube::runtime::controller;
use kube::{Resource, ResourceExt};
use tracing::{info, warn};

use self::restore::Looked;
use crate::act::{self, Again, Stage};
use crate::objects::guarded::Guarded;
use crate::objects::{fence, record, view};
use crate::observe::{self, Blind, Strays};
use crate::process::denials::Ask;
use crate::process::desk::Desk;
use crate::process::operator::{Operator, TickError};
use crate::target::Target;

pub(crate) use lingering::Lingering;
use rest::Rest;
pub(crate) use trigger::Known;
use trigger::Pulled;
pub use trigger::already_requested;

/// How soon the end of an Environment is tried again that something of it still holds up.
const UNFINISHED: Duration = Duration::from_secs(5);
/// How soon after a write, should its event not come first.
const SOON: Duration = Duration::from_millis(100);

/// One tick.
///
/// # Errors
/// When the API server could not be read or written; the tick is tried again after a pause.
pub async fn reconcile<C: Cloud>(
    guard: Arc<Guarded<Environment>>,
    operator: Arc<Operator<C>>,
) -> Result<controller::Action, TickError> {
    let object = match guard.0.as_deref() {
        Ok(object) => object,
        Err(broken) => {
            warn!(name = broken.metadata.name, error = %broken.error, "this Environment can't be read");
            return Ok(controller::Action::await_change());
        }
    };
    if !operator.may_act() {
        return Ok(controller::Action::requeue(operator.idle));
    }
    // 1. Read.
    let environment = operator.view(object);
    let uid = &environment.revision.uid;
    let desk = operator.desks.of(uid, Some(&environment), operator.certain_from());
    let mut desk = desk.lock().await;
    desk.memory.enter(Recorded::from(&environment.tenure));
    operator.desks.tell(uid, &mut desk.memory);
    let namespace = object.namespace().unwrap_or_default();
    let deployments = operator.caches.deployments_of(&namespace, &environment.name);
    let mut tick = Tick { operator: &operator, object, environment, deployments };
    let finalizer = view::finalizer(object);
    if tick.environment.past == Past::Unknown && finalizer == Finalizer::Present {
        match restore::look(&tick, &mut desk).await? {
            Looked::Current => tick.environment.past = Past::Known,
            Looked::Unseen => {}
            Looked::Again(after) => return Ok(controller::Action::requeue(after)),
        }
    }
    let holder = holder::holder(&tick).await?;

    // 2. Observe.
    let target = coordinates::target(&tick);
    let seen = match &target {
        Some(target) => {
            let look = tick.observe(target, holder, &mut desk);
            let Some(seen) = operator.stopping.run_until_cancelled(look).await else {
                return Ok(controller::Action::await_change());
            };
            seen
        }
        None => Seen::Nothing,
    };

    // 3. Decide.
    let case = EnvironmentCase {
        environment: &tick.environment,
        finalizer,
        holder,
        deploys: holder::deploys(&tick),
    };
    let decision = decide(case, &desk.memory, operator.clock.now());

    // 4. Record, or act. What is declared waits for no group that can't be deleted.
    if let Action::Write(write) = &decision.action {
        if *write == Write::RemoveFinalizer && !project::is_withdrawn(&tick, &mut desk).await? {
            report::report(&tick, &seen, &Pulled::Rest, &desk).await?;
            return Ok(controller::Action::requeue(UNFINISHED));
        }
        tick.write(write).await?;
        return Ok(tick.requeue(&decision, &seen));
    }
    if tick.environment.past == Past::Unknown {
        report::report(&tick, &seen, &Pulled::Rest, &desk).await?;
        return Ok(tick.requeue(&decision, &seen));
    }
    let pulled = trigger::pull(&tick, &mut desk.declared).await?;
    match (&decision.action, &pulled) {
        (_, Pulled::Wrote) => return Ok(controller::Action::requeue(SOON)),
        (Action::Act(effects), _) => {
            if let (Some(target), Seen::Reading { reading, .. }) = (&target, &seen) {
                tick.act(effects, target, reading, &mut desk.memory).await?;
            }
            // What is denied is tried again in every tick, and is to be known all the same.
            report::report(&tick, &seen, &pulled, &desk).await?;
        }
        (Action::Wait | Action::Write(_), _) => {
            project::project(&tick, &mut desk).await?;
            report::report(&tick, &seen, &pulled, &desk).await?;
            prune::prune(&tick).await?;
        }
    }

    // 5. Requeue.
    Ok(tick.requeue(&decision, &seen))
}

/// What a tick knows of the cloud.
enum Seen {
    /// Nothing: there is nothing to see, or it can't be seen.
    Nothing,
    /// Nothing, because what serves has lost its tags; in words.
    Stray(String),
    /// This, which is good until then, in time since the process started.
    Reading { reading: Reading, until: Duration },
    /// That the record still holds.
    AsRecorded(Rest),
}

/// Everything one tick goes by.
struct Tick<'a, C> {
    operator: &'a Operator<C>,
    object: &'a Environment,
    environment: EnvironmentView,
    /// The Deployments to it.
    deployments: Vec<Arc<Deployment>>,
}

impl<C: Cloud> Tick<'_, C> {
    async fn observe(&self, target: &Target, holder: Holder, desk: &mut Desk) -> Seen {
        if self.environment.tenure.groups.is_empty() {
            return Seen::Nothing;
        }
        let (at, tick) = (self.operator.clock.now(), self.environment.pace.tick());
        let memory = &mut desk.memory;
        // While a deploy looks every tick itself, each of its writes wakes this loop.
        if let (true, Some(reading)) = (self.is_minded(holder), memory.latest(at, tick)) {
            return Seen::Reading { reading: reading.clone(), until: memory.fresh_until(tick) };
        }
        let owner = self.operator.owner(self.object);
        match rest::rest(self, target, holder, desk.looked).await {
            Ok(Some(rest)) => return Seen::AsRecorded(rest),
            Ok(None) => {}
            Err(error) => {
                self.operator.denials.answered(&owner.uid, Ask::Target, Err(&error));
                warn!(environment = %self.environment.name, %error, "the account can't be surveyed");
                return Seen::Nothing;
            }
        }
        desk.looked = Some(at.mono);
        let groups = &self.environment.tenure.groups;
        let seen = observe::look(&*self.operator.cloud, target, groups, &owner, Strays::Blind, None).await;
        self.operator.denials.answered(&owner.uid, Ask::Target, observe::answer(&seen));
        match seen {
            Ok(sight) => {
                memory.saw(Look { at, reading: sight.reading.clone() }, tick);
                desk.lingering =
                    lingering::seen(desk.lingering.take(), &self.environment.tenure, &sight.reading, at.mono);
                Seen::Reading { reading: sight.reading, until: Duration::MAX }
            }
            Err(blind) => {
                warn!(environment = %self.environment.name, error = %blind, "the target can't be seen");
                memory.saw_nothing();
                match blind {
                    Blind::Foreign { .. } => Seen::Stray(blind.to_string()),
                    Blind::Cloud(_) => Seen::Nothing,
                }
            }
        }
    }

    /// Whether a deploy is under way, and nothing is left for this loop to do.
    fn is_minded(&self, holder: Holder) -> bool {
        let tenure = &self.environment.tenure;
        holder == Holder::Minding
            && tenure.holder.is_some()
            && self.environment.deletion == Deletion::None
            && tenure.of_role(Role::Doomed).next().is_none()
    }

    fn requeue(&self, decision: &Decision, seen: &Seen) -> controller::Action {
        let until = match seen {
            Seen::Nothing | Seen::Stray(_) => Duration::MAX,
            Seen::Reading { until, .. } | Seen::AsRecorded(Rest { until, .. }) => *until,
        };
        // Whoever waits for this Environment's past waits for this loop.
        let known = self.operator.pasts.counts_until(&self.environment.revision.uid).unwrap_or(Duration::MAX);
        let again = until.min(known).saturating_sub(self.operator.clock.mono());
        let wake = decision.wake.unwrap_or(self.operator.idle);
        controller::Action::requeue(wake.min(again).max(SOON))
    }

    async fn write(&self, write: &Write) -> Result<(), TickError> {
        let environments = self.operator.environments_api(&self.namespace());
        match write {
            Write::AddFinalizer => {
                record::add_finalizer(&environments, self.object).await?;
            }
            Write::RemoveFinalizer => {
                if let record::Recorded::Stored(_) =
                    record::remove_finalizer(&environments, self.object).await?
                {
                    self.take_leave().await;
                }
            }
            Write::Tenure { to, change } => {
                record::tenure(&environments, self.object, to, None).await?;
                info!(environment = %self.environment.name, ?change, turn = %to.turn, "tenure");
            }
            Write::Append(_) | Write::Start => {}
        }
        Ok(())
    }

    /// Says which groups are left to whoever deleted the Environment: nobody else has a list of them any more.
    async fn take_leave(&self) {
        let groups = &self.environment.tenure.groups;
        if groups.is_empty() {
            return;
        }
        let names = groups.iter().map(|member| format!("{} in {}", member.name, member.place));
        let names = names.collect::<Vec<_>>().join(", ");
        let note = format!(
            "deletionPolicy Retain: what serves goes on, and nobody looks after it any more; delete by hand what is not \
             needed: {names}"
        );
        info!(environment = %self.environment.name, groups = names, "left behind by deletionPolicy Retain");
        self.operator.events.retained(&self.object.object_ref(&()), &note).await;
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
            owner: &self.operator.owner(self.object),
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
