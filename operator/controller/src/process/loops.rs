//! The two reconcile loops, and what wakes which object.

use std::collections::HashSet;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dryad_cloud::Cloud;
use dryad_crds::{Deployment, Environment};
use futures::channel::mpsc;
use futures::{FutureExt, Stream, StreamExt, TryStreamExt};
use k8s_openapi::NamespaceResourceScope;
use kube::core::Status;
use kube::runtime::reflector::store::Writer;
use kube::runtime::reflector::{self, ObjectRef, Store, reflector};
use kube::runtime::watcher::Event;
use kube::runtime::{Config, Controller, WatchStreamExt, controller, watcher};
use kube::{Api, Client, Resource};
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use crate::configuration::Current;
use crate::objects::caches::{Caches, Wake};
use crate::objects::guarded::Guarded;
use crate::objects::view;
use crate::process::operator::{Operator, TickError};
use crate::{deployment, environment, sweep};

/// How many objects are looked at at once. More does not help: kube polls them all on every wake.
const AT_ONCE: u16 = 32;
/// After how many leases without a word a watch is begun anew: its connection may have gone silent, and a cache that
/// nobody fills holds every deploy up. Quiet watches end on their own as often, which costs the API server little.
const LEASES_OF_SILENCE: u32 = 4;
/// No watch goes on for longer, in seconds: the API server would not have it.
const LONGEST_WATCH: u64 = 290;
/// How many objects are asked for at once, when a cache is filled: what they take until they are in it is not given back.
pub(crate) const PAGE: u32 = 100;
/// How long after a failed tick the next one is tried.
const AFTER_FAILURE: Duration = Duration::from_secs(5);

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
    deployments: Loop<Deployment>,
    environments: Loop<Environment>,
}

/// The objects of one kind: as they come, and those that are to be looked at because of something else.
struct Loop<K: Resource<DynamicType = ()> + Clone + Debug + Send + Sync + 'static> {
    all: Controller<Guarded<K>>,
    woken: mpsc::UnboundedReceiver<ObjectRef<Guarded<K>>>,
}

impl Loops {
    /// Loops over the objects of both kinds in this scope, in a process whose lease holds for so long.
    ///
    /// What is sent to the last of the three is looked at again.
    pub fn new(client: &Client, scope: Scope, lease: Duration) -> (Self, Caches, Wake<Environment>) {
        let (deployments, of_deployments) = reflector::store();
        let (environments, of_environments) = reflector::store();
        let caches = Caches::new(deployments, environments);
        let (wake_deployment, woken_deployments) = mpsc::unbounded();
        let (wake_environment, woken_environments) = mpsc::unbounded();
        let silence = (lease * LEASES_OF_SILENCE).as_secs().clamp(1, LONGEST_WATCH);
        let watching =
            watcher::Config::default().timeout(u32::try_from(silence).unwrap_or(u32::MAX)).page_size(PAGE);
        let (all, wake) = (caches.clone(), wake_environment.clone());
        let heard = move |event: &_| all.heard_of_deployment(event, &wake);
        let deployments =
            cached(watcher(scope.api(client), watching.clone()), &caches.deployments, of_deployments, heard);
        let (all, wake) = (caches.clone(), wake_environment.clone());
        let heard = move |event: &_| all.heard_of_environment(event, (&wake_deployment, &wake));
        let environments =
            cached(watcher(scope.api(client), watching), &caches.environments, of_environments, heard);
        let deployments = Loop { all: deployments, woken: woken_deployments };
        let environments = Loop { all: environments, woken: woken_environments };
        (Self { scope, deployments, environments }, caches, wake_environment)
    }

    /// Runs until `stop`; ticks that are under way then are finished first.
    pub async fn run<C: Cloud>(self, operator: Arc<Operator<C>>, sweep: Duration, stop: CancellationToken) {
        let changes = operator.configuration.clone();
        let deployments = self
            .deployments
            .all
            .reconcile_on(self.deployments.woken)
            .graceful_shutdown_on(stop.clone().cancelled_owned())
            .run(timed, |_, error, _| after(error), operator.clone())
            .for_each(async |outcome| tell("Deployments", outcome));
        let environments = self
            .environments
            .all
            .reconcile_all_on(changed(changes))
            .reconcile_on(self.environments.woken)
            .graceful_shutdown_on(stop.clone().cancelled_owned())
            .run(environment::reconcile, |_, error, _| after(error), operator.clone())
            .for_each(async |outcome| tell("Environments", outcome));
        let sweeper = sweep::run(operator.clone(), self.scope, sweep, stop.clone());
        let upkeep = keep_up(operator, stop);
        futures::join!(deployments.boxed(), environments.boxed(), sweeper.boxed(), upkeep);
    }
}

/// A loop over all objects of a kind. What is `heard` is in the cache by then.
fn cached<K>(
    watched: impl Stream<Item = watcher::Result<Event<Guarded<K>>>> + Send + 'static,
    cache: &Store<Guarded<K>>,
    writer: Writer<Guarded<K>>,
    heard: impl Fn(&Event<Guarded<K>>) + Send + 'static,
) -> Controller<Guarded<K>>
where
    K: Resource<DynamicType = ()> + DeserializeOwned + Clone + Debug + Send + Sync + 'static,
{
    let all = reflector(writer, watched).inspect_ok(heard);
    Controller::for_stream(all.applied_objects(), cache.clone())
        .with_config(Config::default().concurrency(AT_ONCE))
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

/// Now and then: counts Deployments by state and Environments by condition, and clears the desks of objects that are gone.
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
        let readable = environments.iter().filter_map(|guard| guard.0.as_ref().ok()?.status.as_ref());
        operator.metrics.environments(readable.flat_map(|status| &status.conditions));
        let uids: HashSet<_> = deployments
            .iter()
            .map(|deployment| view::uid(&**deployment))
            .chain(environments.iter().map(|environment| view::uid(&**environment)))
            .collect();
        operator.desks.keep(|uid| uids.contains(uid));
        operator.denials.keep(|uid| uids.contains(uid));
        operator.pasts.keep(|uid| uids.contains(uid));
        operator.leftovers.keep(|uid| uids.contains(uid));
        operator.caches.keep_up();
    }
}
