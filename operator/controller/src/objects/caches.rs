//! What the operator knows of the API server's objects, which of them belong together, and whom a change of one wakes.
//!
//! Ticks read from here and nowhere else. All of it lags behind what is stored, and all of it is as old: what wakes
//! somebody can be seen by the time they look.

mod claims;
mod siblings;

use std::future::pending;
use std::sync::Arc;

use dryad_crds::{Deployment, Environment};
use futures::channel::mpsc;
use kube::runtime::reflector::{ObjectRef, Store};
use kube::runtime::watcher::Event;
use kube::{Resource, ResourceExt};

use self::claims::Claims;
use self::siblings::{Home, Siblings};
use crate::claim::conflict::{Called, Losers};
use crate::objects::guarded::Guarded;

/// Where an object is sent that is to be looked at again.
pub type Wake<K> = mpsc::UnboundedSender<ObjectRef<Guarded<K>>>;

/// The caches of both kinds.
#[derive(Clone)]
pub struct Caches {
    /// All Deployments.
    pub deployments: Store<Guarded<Deployment>>,
    /// All Environments.
    pub environments: Store<Guarded<Environment>>,
    /// Which Deployments there are to which Environment.
    siblings: Arc<Siblings>,
    /// Which Environments name what.
    claims: Arc<Claims>,
    /// Who waits for somebody else's Environment to change.
    pub losers: Arc<Losers>,
}

impl Caches {
    /// Of these stores, which are yet to be filled.
    pub fn new(deployments: Store<Guarded<Deployment>>, environments: Store<Guarded<Environment>>) -> Self {
        Self {
            deployments,
            environments,
            siblings: Arc::default(),
            claims: Arc::default(),
            losers: Arc::default(),
        }
    }

    /// Waits until both were filled for the first time; for ever, should the loops that fill them end before.
    pub(crate) async fn filled(&self) {
        let both = futures::join!(self.deployments.wait_until_ready(), self.environments.wait_until_ready());
        if let (Err(_), _) | (_, Err(_)) = both {
            pending::<()>().await;
        }
    }

    /// The readable Deployments to an Environment, in the order of their names.
    pub fn deployments_of(&self, namespace: &str, environment: &str) -> Vec<Arc<Deployment>> {
        let home = Home { namespace: namespace.to_owned(), environment: environment.to_owned() };
        let names = self.siblings.of(&home);
        let cached = names.iter().filter_map(|name| self.deployments.get(&reference(name, namespace)));
        let readable = cached.filter_map(|guard| guard.0.as_ref().ok().cloned());
        // One of the same name may have been made since for another Environment.
        readable.filter(|deployment| deployment.spec.environment.as_str() == environment).collect()
    }

    /// The Environments that name or use something that this one names, and perhaps itself.
    pub(crate) fn rivals(&self, environment: &Environment) -> Vec<Arc<Environment>> {
        let called = self.claims.rivals(environment);
        let cached =
            called.iter().filter_map(|it| self.environments.get(&reference(&it.name, &it.namespace)));
        cached.filter_map(|guard| guard.0.as_ref().ok().cloned()).collect()
    }

    /// Takes note of a change of the cache of Deployments. It wakes the Environment: that prunes, and minds a holder that
    /// vanished.
    pub(crate) fn heard_of_deployment(&self, event: &Event<Guarded<Deployment>>, wake: &Wake<Environment>) {
        let wake = |home: &Home| send(wake, &home.environment, &home.namespace);
        match event {
            Event::Apply(deployment) | Event::Delete(deployment) => {
                if let Some(home) = home(deployment) {
                    self.siblings.note(&home, &deployment.name_any());
                    wake(&home);
                }
            }
            // What is listed is in the cache once all of it is.
            Event::Init | Event::InitApply(_) => {}
            Event::InitDone => {
                for deployment in self.deployments.state() {
                    if let Some(home) = home(&deployment) {
                        self.siblings.note(&home, &deployment.name_any());
                    }
                }
                self.siblings.homes().iter().for_each(wake);
            }
        }
    }

    /// Takes note of a change of the cache of Environments. It wakes the Deployments to it, which may have waited for
    /// that, the Environments that have lost to it, and those that name what it names.
    pub(crate) fn heard_of_environment(
        &self,
        event: &Event<Guarded<Environment>>,
        (deployments, environments): (&Wake<Deployment>, &Wake<Environment>),
    ) {
        match event {
            Event::Apply(environment) | Event::Delete(environment) => {
                let (name, namespace) = (environment.name_any(), environment.namespace().unwrap_or_default());
                let called = Called { namespace, name };
                let mut concerned = self.losers.to(&called);
                if let Ok(readable) = &environment.0 {
                    self.claims.note(readable);
                    concerned.append(&mut self.claims.rivals(readable));
                }
                for other in concerned.iter().filter(|other| **other != called) {
                    send(environments, &other.name, &other.namespace);
                }
                let home = Home { namespace: called.namespace, environment: called.name };
                for name in self.siblings.of(&home) {
                    send(deployments, &name, &home.namespace);
                }
            }
            Event::Init | Event::InitApply(_) => {}
            Event::InitDone => {
                self.claims.renew(|| self.all_environments());
                for loser in self.losers.all() {
                    send(environments, &loser.name, &loser.namespace);
                }
                for deployment in self.deployments.state() {
                    send(deployments, &deployment.name_any(), &deployment.namespace().unwrap_or_default());
                }
            }
        }
    }

    fn all_environments(&self) -> Vec<Arc<Environment>> {
        let all = self.environments.state();
        all.iter().filter_map(|guard| guard.0.as_ref().ok().cloned()).collect()
    }

    /// Forgets Deployments that exist no more, and what Environments named before.
    pub(crate) fn keep_up(&self) {
        self.claims.renew(|| self.all_environments());
        self.siblings.keep(|home, name| self.deployments.get(&reference(name, &home.namespace)).is_some());
    }
}

/// Fails only when the loops have ended.
fn send<K: Resource<DynamicType = ()> + Clone>(wake: &Wake<K>, name: &str, namespace: &str) {
    let _ = wake.unbounded_send(reference(name, namespace));
}

fn reference<K: Resource<DynamicType = ()> + Clone>(name: &str, namespace: &str) -> ObjectRef<Guarded<K>> {
    ObjectRef::new(name).within(namespace)
}

fn home(deployment: &Guarded<Deployment>) -> Option<Home> {
    let readable = deployment.0.as_ref().ok()?;
    let environment = readable.spec.environment.as_str().to_owned();
    Some(Home { namespace: readable.namespace()?, environment })
}
