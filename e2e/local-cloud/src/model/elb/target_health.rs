//! `DescribeTargetHealth`: one target group a call.
//!
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTargetHealth.html>

use serde::{Deserialize, Serialize};

use super::no_target_group;
use super::targets::Health;
use crate::model::action::{Action, Context, Kind};
use crate::model::error::ApiError;
use crate::model::region::Region;
use crate::model::service::Service;

/// Tells the health of the targets of one group.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct DescribeTargetHealth {
    /// Which group.
    pub target_group_arn: String,
    /// Only these, registered or not; none: all that are registered or draining.
    pub targets: Vec<TargetDescription>,
}

/// A target.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct TargetDescription {
    /// The instance.
    pub id: String,
    /// Where it listens; unset in a request: the group's port.
    pub port: Option<u16>,
}

/// The targets and their health.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeTargetHealthAnswer {
    /// In the order asked, or of the instances' ids.
    pub target_health_descriptions: Vec<TargetHealthDescription>,
}

/// One target and its health.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct TargetHealthDescription {
    /// The target.
    pub target: TargetDescription,
    /// The port that is checked.
    pub health_check_port: String,
    /// Its health.
    pub target_health: TargetHealth,
}

/// The health of a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct TargetHealth {
    /// `initial`, `healthy`, `unhealthy`, `unused`, `draining`.
    pub state: String,
    /// Why, unless `healthy`: `Target.ResponseCodeMismatch` for instance.
    pub reason: Option<String>,
    /// Why, in a sentence.
    pub description: Option<String>,
}

impl From<Health> for TargetHealth {
    fn from(health: Health) -> Self {
        Self {
            state: health.state.to_owned(),
            reason: health.reason.map(str::to_owned),
            description: health.description,
        }
    }
}

impl Action for DescribeTargetHealth {
    const SERVICE: Service = Service::ElasticLoadBalancing;
    const NAME: &'static str = "DescribeTargetHealth";
    const KIND: Kind = Kind::Read;
    type Answer = DescribeTargetHealthAnswer;

    fn resource(&self) -> String {
        self.target_group_arn.clone()
    }

    fn run(self, region: &mut Region, _: &mut Context<'_>) -> Result<Self::Answer, ApiError> {
        let group = region.elb.target_groups.get(&self.target_group_arn).ok_or_else(no_target_group)?;
        let asked: Vec<String> = if self.targets.is_empty() {
            group.targets.keys().cloned().collect()
        } else {
            self.targets.into_iter().map(|target| target.id).collect()
        };
        let target_health_descriptions = asked
            .into_iter()
            .map(|id| {
                let target = group.targets.get(&id);
                let health = target
                    .map_or_else(Health::not_registered, |target| Health::of(group, target, &region.ec2));
                TargetHealthDescription {
                    target: TargetDescription { id, port: Some(group.port) },
                    health_check_port: match group.health_check.port.as_str() {
                        "traffic-port" => group.port.to_string(),
                        port => port.to_owned(),
                    },
                    target_health: health.into(),
                }
            })
            .collect();
        Ok(DescribeTargetHealthAnswer { target_health_descriptions })
    }
}
