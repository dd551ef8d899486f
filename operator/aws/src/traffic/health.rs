//! What a target group says of its targets.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use aws_sdk_elasticloadbalancingv2::types::{TargetHealth as Seen, TargetHealthStateEnum as State};
use dryad_cloud::CloudError;
use dryad_cloud::group::InstanceId;
use dryad_cloud::traffic::{TargetGroupArn, TargetHealth};

use crate::call::Call;
use crate::errors::lacking;
use crate::site::Site;

const ACTION: Call = Call::DescribeTargetHealth;

impl Site {
    /// Every target, in one answer: the request knows no pages. AWS answers ten of them a second.
    pub(crate) async fn target_health(
        &self,
        target_group: &TargetGroupArn,
    ) -> Result<BTreeMap<InstanceId, TargetHealth>, CloudError> {
        let answer = self
            .read(self.read_deadline(), ACTION, |clients| {
                clients.elb.describe_target_health().target_group_arn(&target_group.0).send()
            })
            .await?;
        let mut targets = BTreeMap::new();
        for target in answer.target_health_descriptions() {
            let id = target
                .target()
                .and_then(|target| target.id())
                .ok_or_else(|| lacking(ACTION.name(), "a target's id"))?;
            let health = target.target_health().ok_or_else(|| lacking(ACTION.name(), "a target's health"))?;
            add(&mut targets, InstanceId(id.to_owned()), of(health));
        }
        Ok(targets)
    }
}

/// An instance that is registered with several ports is healthy when it is on all of them.
fn add(targets: &mut BTreeMap<InstanceId, TargetHealth>, id: InstanceId, health: TargetHealth) {
    match targets.entry(id) {
        Entry::Vacant(entry) => {
            entry.insert(health);
        }
        Entry::Occupied(mut entry) if *entry.get() == TargetHealth::Healthy => {
            entry.insert(health);
        }
        Entry::Occupied(_) => {}
    }
}

fn of(health: &Seen) -> TargetHealth {
    match health.state() {
        Some(State::Healthy) => TargetHealth::Healthy,
        Some(State::Initial) => TargetHealth::Initial,
        Some(State::Draining | State::UnhealthyDraining) => TargetHealth::Draining,
        state => {
            let state = state.map_or("in an unknown state", State::as_str);
            let reason = health.description().or_else(|| Some(health.reason()?.as_str()));
            TargetHealth::Unhealthy(
                reason.map_or_else(|| state.to_owned(), |reason| format!("{state}: {reason}")),
            )
        }
    }
}
