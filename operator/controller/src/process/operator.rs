//! What every tick shares: clients, caches, clocks, desks, and the mandate to act.

use std::sync::Arc;
use std::time::Duration;

use dryad_crds::deployment::status::Template;
use dryad_crds::{Deployment, Environment};
use dryad_machine::history::Entry;
use dryad_machine::view::{Claim, EnvironmentView};
use kube::runtime::controller;
use kube::runtime::reflector::ObjectRef;
use kube::{Api, Client, Resource, ResourceExt};
use thiserror::Error;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::checks::http::Prober;
use crate::claim::conflict::{self, Lost};
use crate::configuration::{self, Current};
use crate::objects::caches::Caches;
use crate::objects::events::Events;
use crate::objects::record;
use crate::objects::view;
use crate::observe::census::Census;
use crate::observe::survey::Surveys;
use crate::process::clock::Clock;
use crate::process::denials::Denials;
use crate::process::desk::Desks;
use crate::process::mandate::Mandate;
use crate::process::metrics::Metrics;
use crate::process::past::Pasts;
use crate::release::git::Git;
use crate::sweep::Leftovers;
use crate::tags::Owner;

/// Why a tick ended early. It is tried again after a pause; nothing is lost, because nothing was decided.
#[derive(Debug, Error)]
pub enum TickError {
    /// The API server could not be read or written.
    #[error("the API server: {0}")]
    Api(#[from] kube::Error),
}

/// What every tick shares.
pub struct Operator<C> {
    /// The API server.
    pub client: Client,
    /// The cloud.
    pub cloud: Arc<C>,
    /// The two clocks.
    pub clock: Clock,
    /// What this process keeps of each object.
    pub desks: Desks,
    /// What the cloud does not let it do.
    pub denials: Denials,
    /// What this process knows of each Environment's past.
    pub pasts: Pasts,
    /// What it found of it in the cloud.
    pub census: Census,
    /// What the sweeper left alone.
    pub leftovers: Leftovers,
    /// Who asks git.
    pub git: Git,
    /// Who asks instances.
    pub prober: Prober,
    /// Whether this process may act, and how it came to that.
    pub mandate: Mandate,
    /// Where transitions are told to people.
    pub events: Events,
    /// Where they are counted.
    pub metrics: Metrics,
    /// The installation of Dryad, on every group's tags.
    pub installation: String,
    /// Z: for how long an unanswered request may still land.
    pub uncertainty: Duration,
    /// How long an Environment to which nothing happens is left alone.
    pub idle: Duration,
    /// What quiet Environments share of what was seen.
    pub surveys: Surveys,
    /// The caches of both kinds.
    pub caches: Caches,
    /// What each namespace may name.
    pub configuration: Current,
    /// Cancelled when this process is asked to stop. Whoever only looks is not waited for: were it killed in the end, its
    /// successor would have to expect requests of it.
    pub stopping: CancellationToken,
}

impl<C> Operator<C> {
    /// The Environment of a Deployment, as the cache shows it.
    pub fn environment(&self, deployment: &Deployment) -> Option<Arc<Environment>> {
        let name = deployment.spec.environment.as_str();
        let key = ObjectRef::new(name).within(&deployment.namespace().unwrap_or_default());
        self.caches.environments.get(&key)?.0.as_ref().ok().cloned()
    }

    /// Why nothing may be launched from a template of this namespace, in a sentence; none if it may.
    pub fn refusal(&self, namespace: &str, template: &Template) -> Option<String> {
        let refused = configuration::permits(&self.configuration.now(), namespace, template).err()?;
        Some(configuration::sentence(&refused))
    }

    /// An Environment as the machine sees it, with what this process knows of its past and of others.
    pub fn view(&self, environment: &Environment) -> EnvironmentView {
        let tenure = environment.status.as_ref().map(|status| &status.tenure);
        let turn = tenure.map(|tenure| tenure.turn).unwrap_or_default();
        let past = self.pasts.of(&view::uid(environment), turn, self.clock.mono());
        view::environment(environment, past, self.claim(environment))
    }

    /// Whether the Environment may use the target groups and the rule that it names, by the caches. Who may not is
    /// looked at again when that changes to whom it lost.
    fn claim(&self, own: &Environment) -> Claim {
        let Some(lost) = self.lost(own) else { return Claim::Undisputed };
        self.caches.losers.wait(own, lost.to);
        // That may have changed before anybody was said to wait for it.
        self.lost(own).map_or(Claim::Undisputed, |lost| Claim::Lost(lost.to_string()))
    }

    fn lost(&self, own: &Environment) -> Option<Lost> {
        let rivals = self.caches.rivals(own);
        conflict::conflict(own, rivals.iter().map(|rival| &**rival))
    }

    /// On whose behalf an Environment's groups exist.
    pub fn owner(&self, environment: &Environment) -> Owner {
        Owner {
            installation: self.installation.clone(),
            namespace: environment.namespace().unwrap_or_default(),
            environment: environment.name_any(),
            uid: view::uid(environment),
        }
    }

    /// The API of Deployments in a namespace.
    pub fn deployments_api(&self, namespace: &str) -> Api<Deployment> {
        Api::namespaced(self.client.clone(), namespace)
    }

    /// The API of Environments in a namespace.
    pub fn environments_api(&self, namespace: &str) -> Api<Environment> {
        Api::namespaced(self.client.clone(), namespace)
    }

    /// Tells people of a transition: an Event, a count.
    pub async fn announce(&self, deployment: &Deployment, entry: &Entry) {
        self.metrics.transition(entry.state, entry.reason);
        self.events.transition(&deployment.object_ref(&()), entry).await;
    }

    /// Sets aside a Deployment that can't be gone by: a condition and a log line, and nothing else.
    ///
    /// # Errors
    /// When the API server can't be reached or refuses.
    pub async fn stall(
        &self,
        deployment: &Deployment,
        reason: &str,
        why: &str,
    ) -> Result<controller::Action, TickError> {
        warn!(deployment = deployment.name_any(), reason, why, "stalled");
        let api = self.deployments_api(&deployment.namespace().unwrap_or_default());
        record::stalled(&api, deployment, reason, why, self.clock.now().wall).await?;
        Ok(controller::Action::await_change())
    }

    /// Whether this process may act now. Asked before every mutation.
    pub fn may_act(&self) -> bool {
        self.mandate.may_act()
    }

    /// From when on no request of a predecessor can land any more, in time since this process started.
    pub fn certain_from(&self) -> Duration {
        self.mandate.certain_from()
    }
}
