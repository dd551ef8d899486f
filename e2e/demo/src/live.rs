//! The line that moves: what is going on right now.

use std::sync::Arc;
use std::time::Duration;

use dryad_crds::Deployment;
use dryad_local_cloud::balancer::{GroupView, Observation, View};
use dryad_local_cloud::local_cloud::Control;
use dryad_stage::deploys::state_of;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::board::Deployments;
use crate::narrator::Narrator;
use crate::users::Users;

/// From one picture to the next.
const PACE: Duration = Duration::from_millis(150);

/// Keeps the line moving until it is dropped.
#[derive(Debug)]
pub(crate) struct Live {
    _task: JoinSet<()>,
}

impl Live {
    /// Begins.
    pub(crate) fn start(
        narrator: Arc<Narrator>,
        control: &Control,
        rule: String,
        seen: watch::Receiver<Deployments>,
        users: Users,
    ) -> Self {
        let mut observations = control.observe();
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut pace = tokio::time::interval(PACE);
            let mut weights = String::new();
            loop {
                pace.tick().await;
                while let Ok(observation) = observations.try_recv() {
                    if let Observation::Table(view) = observation {
                        weights = weights_of(&view, &rule).unwrap_or(weights);
                    }
                }
                let doing = seen.borrow().values().find_map(doing);
                let met = users.so_far();
                let requests = format!("{} requests, {} failed", met.requests, met.failures.len());
                let parts = [doing.unwrap_or_default(), weights.clone(), requests];
                let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
                narrator.progress(&parts.join("  ·  "));
            }
        });
        Self { _task: task }
    }
}

/// What the Deployment in its turn waits for.
fn doing(object: &Deployment) -> Option<String> {
    let state = state_of(object);
    let status = object.status.as_ref().filter(|_| !state.is_terminal())?;
    let waits =
        status.progress.as_ref().map(|progress| format!(": {}", progress.message)).unwrap_or_default();
    Some(format!("{state}{waits}"))
}

/// How the rule's target groups stand.
fn weights_of(view: &View, rule: &str) -> Option<String> {
    let rule = view.rules.iter().find(|seen| seen.rule == rule)?;
    let all: u16 = rule.groups.iter().map(|group| group.weight).sum();
    let groups: Vec<_> = rule.groups.iter().map(|group| weight_of(group, all)).collect();
    Some(groups.join(", "))
}

fn weight_of(group: &GroupView, all: u16) -> String {
    let name = group.group.split('/').nth(1).unwrap_or(&group.group);
    let share = u32::from(group.weight) * 100 / u32::from(all.max(1));
    format!("{name} {share}% of {} healthy", group.healthy)
}
