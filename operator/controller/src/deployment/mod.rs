//! One tick of one Deployment.
//!
//! Reads as the list it is: read, observe, decide, record or act, requeue. Only the ends do IO; what happens
//! is decided by [`dryad_machine::decide`].

mod evaluate;
mod home;
mod line;
mod look;
mod queue;
mod resolve;
mod settled;

use std::mem::discriminant;
use std::sync::Arc;
use std::time::Duration;

use dryad_cloud::{Cloud, CloudError};
use dryad_crds::deployment::status::Template;
use dryad_crds::{Deployment, Environment};
use dryad_machine::decide::{self, Action, Append, Decision, Progress, Write};
use dryad_machine::effect::Effect;
use dryad_machine::memory::Memory;
use dryad_machine::plan::Plan;
use dryad_machine::reading::Reading;
use dryad_machine::state::State;
use dryad_machine::tenure::Member;
use dryad_machine::view::{DeploymentView, EnvironmentView, Home, View};
use futures::FutureExt;
use kube::runtime::controller;
use kube::{Api, ResourceExt};
use tracing::{info, warn};

use crate::act::{self, Again, Blueprint, Stage};
use crate::green::blueprint;
use crate::green::launch::{self, Obstacle};
use crate::objects::fence;
use crate::objects::guarded::Guarded;
use crate::objects::record::{self, Recorded};
use crate::objects::view;
use crate::process::denials::Ask;
use crate::process::desk::Desk;
use crate::process::operator::{Operator, TickError};
use crate::tags::{Freight, Owner};
use home::Gone;

pub(crate) use settled::Settled;

/// How often an unchanged object is looked at again when nothing else wakes it.
const IDLE: Duration = Duration::from_secs(300);
/// How soon a Deployment is looked at again whose Environment is not in the cache: that fills by itself, and a process
/// that has just begun may know the one before the other.
const UNSEEN: Duration = Duration::from_secs(1);

/// One tick.
///
/// # Errors
/// When the API server could not be read or written; the tick is tried again after a pause.
pub async fn reconcile<C: Cloud>(
    guard: Arc<Guarded<Deployment>>,
    operator: Arc<Operator<C>>,
) -> Result<controller::Action, TickError> {
    let object = match guard.0.as_deref() {
        Ok(object) => object,
        Err(broken) => {
            warn!(name = broken.metadata.name, error = %broken.error, "this Deployment can't be read");
            return Ok(controller::Action::await_change());
        }
    };
    if !operator.may_act() {
        return Ok(controller::Action::requeue(IDLE));
    }
    // 1. Read: the objects from the caches, and what the history says.
    let deployment = match view::deployment(object) {
        Ok(deployment) => deployment,
        Err(illegal) => return operator.stall(object, "IllegalHistory", &illegal.to_string()).await,
    };
    let environment = operator.environment(object);
    let environment_view = environment.as_deref().map(|environment| operator.view(environment));
    let desk = operator.desks.of(&deployment.uid, environment_view.as_ref(), operator.certain_from());
    let mut desk = desk.lock().await;
    desk.memory.enter((&deployment.history).into());
    if let Some(environment) = &environment_view {
        operator.desks.tell(&environment.revision.uid, &mut desk.memory);
    }
    let mut tick =
        Tick { operator: &operator, object, deployment, environment, environment_view, gone: None };
    tick.gone = home::gone(&tick).await?;
    let now = operator.clock.now();
    desk.gone_since = tick.gone.as_ref().and(desk.gone_since.or(Some(now.mono)));
    let known_for = desk.gone_since.map_or(Duration::ZERO, |since| now.mono.saturating_sub(since));
    let remains = tick.gone.as_ref().map(|gone| gone.remains(known_for));

    // 2. Observe: the target, the release, the checks.
    let look = async {
        let sight = tick.observe(&mut desk).await;
        let resolution = resolve::resolve(&tick, &mut desk).await;
        evaluate::evaluate(&tick, &mut desk.memory, sight.as_ref()).await;
        (sight, resolution)
    };
    let Some((sight, resolution)) = operator.stopping.run_until_cancelled(look).await else {
        return Ok(controller::Action::await_change());
    };

    // 3. Decide.
    let view = View {
        deployment: &tick.deployment,
        environment: tick.environment_view.as_ref(),
        home: remains.as_ref().map_or(Home::Standing, Home::Gone),
        queue: line::queue(&tick),
        resolution: &resolution,
    };
    let decision = decide::decide(view, &desk.memory, operator.clock.now());

    // 4. Record, or act.
    match &decision.action {
        Action::Write(write) => tick.write(write, desk.settled.as_ref().and_then(Settled::template)).await?,
        Action::Act(effects) => {
            if let Some(sight) = &sight {
                tick.act(effects, &sight.reading, &mut desk.memory).await?;
            }
        }
        // On one look alone nothing is taken away that two would show to be due.
        Action::Wait if desk.memory.two(now, tick.tick()).is_some() => desk.memory.hindered(None),
        Action::Wait => {}
    }
    match (&decision.action, line::explained(&tick), &decision.progress) {
        (Action::Write(_), _, _) | (_, None, None) => {}
        (_, Some(why), _) => tick.report(&Progress::of(why), &mut desk).await?,
        (_, None, Some(progress)) => tick.report(progress, &mut desk).await?,
    }
    if tick.state().is_terminal() && decision.action == Action::Wait {
        record::observed(&operator.deployments_api(&tick.namespace()), object).await?;
        if decision.wake.is_none() && tick.gone.is_none() {
            operator.desks.clear(&tick.deployment.uid, &desk, operator.certain_from().max(now.mono));
        }
    }

    // 5. Requeue. A write wakes this Deployment by itself once the cache shows it.
    Ok(requeue(&decision, &tick))
}

fn requeue<C: Cloud>(decision: &Decision, tick: &Tick<'_, C>) -> controller::Action {
    let longest = if tick.environment.is_none() { UNSEEN } else { Duration::MAX };
    match (&decision.action, decision.wake) {
        (Action::Write(_), _) => controller::Action::requeue(tick.tick().min(longest)),
        (_, Some(wake)) => controller::Action::requeue(wake.min(longest)),
        (_, None) => controller::Action::await_change(),
    }
}

/// Everything one tick goes by.
struct Tick<'a, C> {
    operator: &'a Operator<C>,
    object: &'a Deployment,
    deployment: DeploymentView,
    environment: Option<Arc<Environment>>,
    environment_view: Option<EnvironmentView>,
    /// Set once the Environment whose turn it took is gone.
    gone: Option<Gone>,
}

impl<C: Cloud> Tick<'_, C> {
    fn state(&self) -> State {
        self.deployment.history.state()
    }

    fn tick(&self) -> Duration {
        let plan = self.deployment.plan.as_ref().map(|plan| plan.pace);
        let pace = plan.or(self.environment_view.as_ref().map(|environment| environment.pace));
        pace.map_or(Duration::from_secs(10), |pace| pace.tick())
    }

    /// The part of the Environment that this deploy goes by: frozen with its plan, until then as it is.
    fn template(&self) -> Option<Template> {
        let frozen = self.object.status.as_ref().and_then(|status| status.template.clone());
        frozen.or_else(|| self.environment.as_ref().map(|environment| Template::of(&environment.spec)))
    }

    /// Why nothing may be launched from the template, by what the operator's configuration says now.
    fn refusal(&self) -> Option<String> {
        self.operator.refusal(&self.namespace(), &self.template()?)
    }

    /// The groups that exist as far as this deploy is concerned, and where.
    fn ledger(&self) -> &[Member] {
        match (&self.gone, &self.environment_view) {
            (Some(gone), _) => &gone.groups,
            (None, Some(environment)) => &environment.tenure.groups,
            (None, None) => &[],
        }
    }

    /// On whose behalf they exist.
    fn owner(&self) -> Option<Owner> {
        match &self.gone {
            Some(gone) => gone.owner.clone(),
            None => self.environment.as_ref().map(|environment| self.operator.owner(environment)),
        }
    }

    /// Records; `settled` is what a plan is frozen with.
    async fn write(&self, write: &Write, settled: Option<&Template>) -> Result<(), TickError> {
        let (deployments, environments) = self.apis();
        match write {
            Write::Start => {
                record::start(&deployments, self.object).await?;
            }
            Write::AddFinalizer => {}
            Write::RemoveFinalizer => {
                record::remove_finalizer(&deployments, self.object).await?;
            }
            Write::Append(append) => {
                let stored = record::append(&deployments, self.object, append, settled).await?;
                if let Recorded::Stored(_) = stored {
                    self.announce(append).await;
                }
            }
            Write::Tenure { to, change } => {
                if let Some(environment) = &self.environment {
                    record::tenure(&environments, environment, to, Some(&self.deployment.name)).await?;
                    info!(deployment = %self.deployment.name, ?change, turn = %to.turn, "tenure");
                }
            }
        }
        Ok(())
    }

    async fn announce(&self, append: &Append) {
        let entry = &append.entry;
        info!(
            deployment = %self.deployment.name,
            state = %entry.state,
            step = entry.step,
            reason = %entry.reason,
            message = %entry.message,
            "transition"
        );
        self.operator.announce(self.object, entry).await;
    }

    async fn act(&self, effects: &[Effect], reading: &Reading, memory: &mut Memory) -> Result<(), TickError> {
        let (Some(template), Some(owner)) = (self.template(), self.owner()) else { return Ok(()) };
        let launches = effects.iter().any(|effect| matches!(effect, Effect::Launch { .. }));
        let blueprint = if launches { self.blueprint(&template, &owner).await } else { Ok(None) };
        let blueprint = match blueprint {
            Ok(blueprint) => blueprint,
            Err(Obstacle::Lasting(why)) => {
                memory.refused(why);
                return Ok(());
            }
            Err(Obstacle::Passing(why)) => {
                memory.hindered(Some(why));
                return Ok(());
            }
        };
        let stands = || self.may_still_act().map(|stands| stands.unwrap_or(false)).boxed();
        let stage = Stage {
            cloud: &*self.operator.cloud,
            target: &blueprint::target(&template),
            reading,
            ledger: self.ledger(),
            owner: &owner,
            blueprint: blueprint.as_ref(),
            tick: self.tick(),
            uncertainty: self.operator.uncertainty,
            clock: &self.operator.clock,
            again: Again { until: memory.fresh_until(self.tick()), stands: &stands },
        };
        for effect in effects {
            // All else that a deploy does to what it launched goes on, should the configuration get narrower meanwhile:
            // it must be able to end.
            if let (Effect::Launch { .. }, Some(why)) = (effect, self.refusal()) {
                memory.refused(why);
                break;
            }
            if !self.may_still_act().await? {
                break;
            }
            info!(deployment = %self.deployment.name, ?effect, "effect");
            let sent = act::act(&stage, effect, memory).await;
            self.operator.desks.hear(&owner.uid, memory);
            let answer = sent.as_ref().copied();
            self.operator.denials.answered(&owner.uid, Ask::Change(discriminant(effect)), answer);
            if let Err(error) = sent {
                warn!(deployment = %self.deployment.name, ?effect, %error, "the cloud did not say yes");
                break;
            }
        }
        Ok(())
    }

    /// What green is made of.
    async fn blueprint(&self, template: &Template, owner: &Owner) -> Result<Option<Blueprint>, Obstacle> {
        let plan = self.deployment.plan.as_ref();
        let green = |plan: &Plan| self.ledger().iter().find(|member| member.name == plan.green);
        let Some((plan, member)) = plan.and_then(|plan| Some((plan, green(plan)?))) else {
            return Ok(None);
        };
        let hear = |answer: Result<(), &CloudError>| {
            self.operator.denials.answered(&owner.uid, Ask::Template, answer);
        };
        let launch = template.launch.as_ref();
        let base = launch::base(&*self.operator.cloud, &template.target, launch, hear).await?;
        let freight = Freight { deployment: &self.deployment.name, release: &plan.shipment.release };
        let made = blueprint::blueprint(template, base.as_ref(), freight, owner, member);
        made.map(Some).map_err(|unbuildable| Obstacle::Lasting(unbuildable.to_string()))
    }

    /// Whether what was decided on still stands: asked of the quorum, then of the lease, before every change.
    async fn may_still_act(&self) -> Result<bool, TickError> {
        let (deployments, environments) = self.apis();
        let history = &self.deployment.history;
        let passes = match &self.gone {
            None => fence::deployment(&deployments, &environments, self.object, history).await,
            Some(_) => fence::orphan(&deployments, &environments, self.object, history).await,
        };
        match passes {
            Ok(()) => Ok(self.operator.may_act()),
            Err(fence::Fenced::Moved { .. }) => Ok(false),
            Err(fence::Fenced::Api(error)) => Err(error.into()),
        }
    }

    /// Says why it waits, on change: at once after a transition, from then on at most every ten seconds.
    async fn report(&self, progress: &Progress, desk: &mut Desk) -> Result<(), TickError> {
        const AT_MOST_EVERY: Duration = Duration::from_secs(10);
        let now = self.operator.clock.now();
        let stored = self.object.status.as_ref().and_then(|status| status.progress.as_ref());
        let unchanged = stored.map_or(progress.message.is_empty(), |stored| {
            stored.message == progress.message
                && stored.healthy == progress.healthy
                && stored.wanted == progress.wanted
        });
        let entry = self.deployment.history.next_sequence();
        let recent = desk
            .reported
            .is_some_and(|(at, told)| told == entry && now.mono.saturating_sub(at) < AT_MOST_EVERY);
        if unchanged || recent || self.deployment.history.last().is_none() {
            return Ok(());
        }
        let (deployments, _) = self.apis();
        record::progress(&deployments, self.object, progress, now.wall).await?;
        desk.reported = Some((now.mono, entry));
        Ok(())
    }

    fn apis(&self) -> (Api<Deployment>, Api<Environment>) {
        let namespace = self.namespace();
        (self.operator.deployments_api(&namespace), self.operator.environments_api(&namespace))
    }

    fn namespace(&self) -> String {
        self.object.namespace().unwrap_or_default()
    }
}
