//! What every Deployment has come to, as the API server tells it: the one place that watches.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use dryad_crds::Deployment;
use dryad_stage::deploys::{history_of, state_of};
use futures::{StreamExt as _, pin_mut};
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Api, ResourceExt as _};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::error::DemoError;
use crate::narrator::{Before, Narrator};

/// How long anything may take before the demo gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// All Deployments by name.
pub(crate) type Deployments = BTreeMap<String, Deployment>;

/// A board that says how all Deployments stand. Dropping it ends the watch.
#[derive(Debug)]
pub(crate) struct Board {
    seen: watch::Receiver<Deployments>,
    _watch: JoinSet<()>,
}

impl Board {
    /// Watches from now on, and has every transition told, once.
    pub(crate) fn watch(api: Api<Deployment>, narrator: Arc<Narrator>) -> Self {
        let (seen_now, seen) = watch::channel(Deployments::new());
        let mut tasks = JoinSet::new();
        tasks.spawn(follow(api, narrator, seen_now));
        Self { seen, _watch: tasks }
    }

    /// How all stand now.
    pub(crate) fn seen(&self) -> watch::Receiver<Deployments> {
        self.seen.clone()
    }

    /// Waits until one is as wanted, or has ended.
    pub(crate) async fn until(
        &self,
        name: &str,
        wanted: impl Fn(&Deployment) -> bool,
    ) -> Result<Deployment, DemoError> {
        let found = |object: &Deployment| wanted(object) || state_of(object).is_terminal();
        let mut seen = self.seen();
        let there = seen.wait_for(|all| all.get(name).is_some_and(found));
        match tokio::time::timeout(PATIENCE, there).await {
            Ok(Ok(all)) if all.contains_key(name) => Ok(all[name].clone()),
            _ => Err(DemoError::Stuck { what: format!("for {name} to go on"), patience: PATIENCE }),
        }
    }
}

async fn follow(api: Api<Deployment>, narrator: Arc<Narrator>, seen: watch::Sender<Deployments>) {
    let changes = watcher(api, watcher::Config::default()).default_backoff().applied_objects();
    pin_mut!(changes);
    while let Some(change) = changes.next().await {
        // A watch that breaks off begins again by itself, and what happened meanwhile is in the histories.
        let Ok(object) = change else { continue };
        let name = object.name_any();
        let told = seen.borrow().get(&name).map_or(0, |before| history_of(before).len());
        let blue = object.status.as_ref().and_then(|status| status.plan.as_ref()).map(|plan| &plan.blue);
        let before = if blue.is_none_or(Vec::is_empty) { Before::Nothing } else { Before::Blue };
        for entry in history_of(&object).iter().skip(told) {
            narrator.transition(&name, entry, before);
        }
        seen.send_modify(|all| drop(all.insert(name, object)));
    }
}
