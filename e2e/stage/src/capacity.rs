//! Capacity as the load balancer itself sees it, at every change.

use dryad_local_cloud::balancer::{Observation, RuleView};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::Stage;

/// Watches how many instances serve. It begins with its making, and forgets nothing.
#[derive(Debug)]
pub struct Capacity {
    observed: UnboundedReceiver<Observation>,
    target_group: String,
}

impl Capacity {
    /// Watches the rules that forward to this target group, be it with weight 0.
    pub fn of(stage: &Stage, target_group: &str) -> Self {
        Self { observed: stage.cloud.control().observe(), target_group: target_group.to_owned() }
    }

    /// The fewest healthy instances that such a rule sent requests to at any time; none, where nothing changed.
    pub fn least(mut self) -> Option<usize> {
        let mut least = None;
        while let Ok(observation) = self.observed.try_recv() {
            let Observation::Table(view) = observation else { continue };
            let ours = view
                .rules
                .iter()
                .filter(|rule| rule.groups.iter().any(|group| group.group == self.target_group));
            least = least.into_iter().chain(ours.map(RuleView::serving)).min();
        }
        least
    }
}
