//! The two reconcile loops, and what wakes which object.

use std::collections::HashSet;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dryad_cloud::Cloud;
use dryad_crds::{Deployment, Environment};
use futures::channel::mpsc;
use futures::{FutureExt, Stream, StreamExt};
use k8s_openapi::NamespaceResourceScope;
use kube::core::{DeserializeGuard, Status};
use kube::runtime::reflector::{self, ObjectRef, Store, reflector};
use kube::runtime::{Config, Controller, WatchStreamExt, controller, watcher};
use kube::{Api, Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use crate::configuration::Current;
use crate::operator::{Operator, TickError};
use crate::{deployment, environment, sweep, view};

/// How many objects are looked at at once. More does not help: kube polls them all on every wake.
const AT_ONCE: u16 = 32;
/// After how many leases without a word a watch is begun anew: its connection may have gone silent, and a cache that
/// nobody fills holds every deploy up. Quiet watches end on their own as often, which costs the API server little.
const LEASES_OF_SILENCE: u32 = 4;
/// No watch goes on for longer, in seconds: the API server would not have it.
const LONGEST_WATCH: u64 = 290;
/// How many objects are asked for at once, when a cache is filled: what they take until they are in it is not given back.
const PAGE: u32 = 100;
/// How long after a failed tick the next one is tried.
const AFTER_FAILURE: Duration = Duration::from_secs(5);

/// An object that may turn out not to be readable.
pub type Guarded<K> = DeserializeGuard<K>;

/// Whose objects are reconciled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Those of every namespace.
    Cluster,
    /// Those of this namespace.
    Namespace(String),
}

impl Scope {
    /// The API of one kind of object.
    pub(crate) fn api<K>(&self, client: &Client) -> Api<Guarded<K>>
    where
        Guarded<K>: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    {
        match self {
            Self::Cluster => Api::all(client.clone()),
            Self::Namespace(namespace) => Api::namespaced(client.clone(), namespace),
        }
    }
}

/// The loops before they run: their caches are needed by the operator that they run with.
pub struct Loops {
    scope: Scope,
    client: Client,
    watching: watcher::Config,
    deployments: Controller<Guarded<Deployment>>,
    environments: Controller<Guarded<Environment>>,
    woken: mpsc::UnboundedReceiver<ObjectRef<Guarded<Environment>>>,
}

/// Where an Environment is sent that is to be looked at again.
pub type Wake = mpsc::UnboundedSender<ObjectRef<Guarded<Environment>>>;

/// The caches of both kinds.
#[derive(Clone)]
pub struct Caches {
    /// All Deployments.
    pub deployments: Store<Guarded<Deployment>>,
    /// All Environments.
    pub environments: Store<Guarded<Environment>>,
}

impl Loops {
    /// Loops over the objects of both kinds in this scope, in a process whose lease holds for so long.
    ///
    /// What is sent to the last of the three is looked at again.
    pub fn new(client: &Client, scope: Scope, lease: Duration) -> (Self, Caches, Wake) {
        let (wake, woken) = mpsc::unbounded();
        let config = || Config::default().concurrency(AT_ONCE);
        let silence = (lease * LEASES_OF_SILENCE).as_secs().clamp(1, LONGEST_WATCH);
        let watching =
            watcher::Config::default().timeout(u32::try_from(silence).unwrap_or(u32::MAX)).page_size(PAGE);
        let deployments = cached(scope.api(client), watching.clone()).with_config(config());
        let environments = cached(scope.api(client), watching.clone()).with_config(config());
        let caches = Caches { deployments: deployments.store(), environments: environments.store() };
        (Self { scope, client: client.clone(), watching, deployments, environments, woken }, caches, wake)
    }

    /// Runs until `stop`; ticks that are under way then are finished first.
    pub async fn run<C: Cloud>(self, operator: Arc<Operator<C>>, sweep: Duration, stop: CancellationToken) {
        let siblings = operator.caches.deployments.clone();
        let changes = operator.configuration.clone();
        let deployments = self
            .deployments
            .watches(self.scope.api::<Environment>(&self.client), self.watching.clone(), move |environment| {
                of_environment(&siblings, &environment)
            })
            .graceful_shutdown_on(stop.clone().cancelled_owned())
            .run(timed, |_, error, _| after(error), operator.clone())
            .for_each(async |outcome| tell("Deployments", outcome));
        let environments = self
            .environments
            .watches(
                self.scope.api::<Deployment>(&self.client),
                self.watching,
                |deployment: Guarded<Deployment>| environment_of(&deployment),
            )
            .reconcile_all_on(changed(changes))
            .reconcile_on(self.woken)
            .graceful_shutdown_on(stop.clone().cancelled_owned())
            .run(environment::reconcile, |_, error, _| after(error), operator.clone())
            .for_each(async |outcome| tell("Environments", outcome));
        let sweeper = sweep::run(operator.clone(), self.scope, sweep, stop.clone());
        let upkeep = keep_up(operator, stop);
        futures::join!(deployments.boxed(), environments.boxed(), sweeper.boxed(), upkeep);
    }
}

/// A loop over all objects of a kind, with a cache that keeps of them what Dryad goes by. Who has managed which of their
/// fields is the largest part of most of them, and the API server keeps it where a write does not mention it.
fn cached<K>(api: Api<Guarded<K>>, watching: watcher::Config) -> Controller<Guarded<K>>
where
    K: Resource<DynamicType = ()> + DeserializeOwned + Clone + Debug + Send + Sync + 'static,
{
    let (cache, writer) = reflector::store();
    let without_managers = |object: &mut Guarded<K>| object.meta_mut().managed_fields = None;
    let all = reflector(writer, watcher(api, watching).modify(without_managers));
    Controller::for_stream(all.applied_objects(), cache)
}

/// The changes of the configuration: each may permit, or no longer, what an Environment names. A Deployment asks when it
/// gets there.
fn changed(configuration: Current) -> impl Stream<Item = ()> + Send + Sync {
    futures::stream::unfold(configuration, async |mut configuration| {
        configuration.next().await.map(|_| ((), configuration))
    })
}

/// One tick of a Deployment, and how long it took.
async fn timed<C: Cloud>(
    deployment: Arc<Guarded<Deployment>>,
    operator: Arc<Operator<C>>,
) -> Result<controller::Action, TickError> {
    let started = Instant::now();
    let result = deployment::reconcile(deployment, operator.clone()).await;
    operator.metrics.tick(started.elapsed());
    result
}

fn after(error: &TickError) -> controller::Action {
    let TickError::Api(cause) = error;
    if let Some(denial) = forbidden(cause) {
        error!(denial, "{RIGHT_LACKS}");
    } else {
        warn!(%error, "a tick ended early");
    }
    controller::Action::requeue(AFTER_FAILURE)
}

/// What is logged where the API server turns the operator away. Its own words name verb, resource and namespace.
const RIGHT_LACKS: &str = "the operator's service account lacks a right, and what needs it is tried again in vain; \
                           the roles of the Helm chart hold all that it needs";

/// The API server's words, if it is a right that is lacking.
fn forbidden(error: &kube::Error) -> Option<&str> {
    match error {
        kube::Error::Api(status) => denied(status),
        _ => None,
    }
}

/// Quotas, and namespaces that are being deleted, forbid as well, but name no user.
fn denied(status: &Status) -> Option<&str> {
    (status.is_forbidden() && status.message.contains("User \"")).then_some(&status.message)
}

/// Tells of a cache that can't be filled or kept: without it nothing of that kind is reconciled. Ticks have told of
/// their own failures.
fn tell<T>(kind: &'static str, outcome: Result<T, controller::Error<TickError, watcher::Error>>) {
    let Err(controller::Error::QueueError(failure)) = outcome else { return };
    let denial = match &failure {
        watcher::Error::InitialListFailed(cause)
        | watcher::Error::WatchStartFailed(cause)
        | watcher::Error::WatchFailed(cause) => forbidden(cause),
        watcher::Error::WatchError(status) => denied(status),
        watcher::Error::NoResourceVersion => None,
    };
    if let Some(denial) = denial {
        error!(kind, denial, "{RIGHT_LACKS}");
    } else {
        warn!(kind, error = %failure, "the cache is not up to date");
    }
}

/// The Deployments to this Environment: a change of it may be what they wait for.
fn of_environment(
    siblings: &Store<Guarded<Deployment>>,
    environment: &Guarded<Environment>,
) -> Vec<ObjectRef<Guarded<Deployment>>> {
    let (name, namespace) = (environment.name_any(), environment.namespace());
    let concerns = |deployment: &Deployment| {
        deployment.spec.environment.as_str() == name && deployment.namespace() == namespace
    };
    let all = siblings.state();
    let concerned = all.iter().filter(|guard| guard.0.as_ref().is_ok_and(concerns));
    concerned.map(|guard| ObjectRef::from_obj(&**guard)).collect()
}

/// The Environment of this Deployment: it prunes, and minds a holder that vanished.
fn environment_of(deployment: &Guarded<Deployment>) -> Option<ObjectRef<Guarded<Environment>>> {
    let readable = deployment.0.as_ref().ok()?;
    let key = ObjectRef::new(readable.spec.environment.as_str());
    Some(key.within(deployment.meta().namespace.as_deref()?))
}

/// Now and then: counts Deployments by state, and clears the desks of objects that are gone.
async fn keep_up<C: Cloud>(operator: Arc<Operator<C>>, stop: CancellationToken) {
    const NOW_AND_THEN: Duration = Duration::from_secs(15);
    while stop.run_until_cancelled(tokio::time::sleep(NOW_AND_THEN)).await.is_some() {
        let deployments = operator.caches.deployments.state();
        let environments = operator.caches.environments.state();
        let state = |guard: &Arc<Guarded<Deployment>>| {
            let status = guard.0.as_ref().ok()?.status.as_ref()?;
            status.state
        };
        operator.metrics.deployments(deployments.iter().filter_map(state));
        let uids: HashSet<_> = deployments
            .iter()
            .map(|deployment| view::uid(&**deployment))
            .chain(environments.iter().map(|environment| view::uid(&**environment)))
            .collect();
        operator.desks.keep(|uid| uids.contains(uid));
        operator.denials.keep(|uid| uids.contains(uid));
        operator.pasts.keep(|uid| uids.contains(uid));
        operator.leftovers.keep(|uid| uids.contains(uid));
    }
}
