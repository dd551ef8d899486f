//! `DescribeAutoScalingInstances`.
//!
//! <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DescribeAutoScalingInstances.html>

use serde::{Deserialize, Serialize};

use super::group::{Group, HealthStatus, LifecycleState, Member, TemplateSpecification};
use crate::model::action::{Action, Context, Kind};
use crate::model::error::ApiError;
use crate::model::paging::Page;
use crate::model::region::Region;
use crate::model::service::Service;

/// Lists members of groups by instance.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct DescribeAutoScalingInstances {
    /// Only these, 50 at most; unknown ones are just not listed.
    pub instance_ids: Vec<String>,
    /// The page.
    pub next_token: Option<String>,
    /// 1 to 50, the default.
    pub max_records: Option<usize>,
}

/// The members.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeAutoScalingInstancesAnswer {
    /// In the order of their ids.
    pub auto_scaling_instances: Vec<DescribedInstance>,
    /// For the next page.
    pub next_token: Option<String>,
}

/// A member as it is described here: health in capitals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribedInstance {
    /// `i-…`.
    pub instance_id: String,
    /// Its type.
    pub instance_type: String,
    /// Its group.
    pub auto_scaling_group_name: String,
    /// Its zone.
    pub availability_zone: String,
    /// Where it is in its life.
    pub lifecycle_state: LifecycleState,
    /// `HEALTHY` or `UNHEALTHY`.
    pub health_status: &'static str,
    /// What it was launched from.
    pub launch_template: TemplateSpecification,
    /// Whether scale-in spares it.
    pub protected_from_scale_in: bool,
}

impl DescribedInstance {
    fn of(group: &Group, member: &Member) -> Self {
        Self {
            instance_id: member.instance.clone(),
            instance_type: member.instance_type.clone(),
            auto_scaling_group_name: group.name.clone(),
            availability_zone: member.zone.clone(),
            lifecycle_state: member.state(),
            health_status: match member.health {
                HealthStatus::Healthy => "HEALTHY",
                HealthStatus::Unhealthy => "UNHEALTHY",
            },
            launch_template: member.template_used(),
            protected_from_scale_in: member.protected,
        }
    }
}

impl Action for DescribeAutoScalingInstances {
    const SERVICE: Service = Service::AutoScaling;
    const NAME: &'static str = "DescribeAutoScalingInstances";
    const KIND: Kind = Kind::Read;
    type Answer = DescribeAutoScalingInstancesAnswer;

    fn resource(&self) -> String {
        self.instance_ids.join(",")
    }

    fn run(self, region: &mut Region, context: &mut Context<'_>) -> Result<Self::Answer, ApiError> {
        let size = self.max_records.unwrap_or(50);
        if !(1..=50).contains(&size) || self.instance_ids.len() > 50 {
            return Err(ApiError::invalid("At most 50 instances may be described at once"));
        }
        let groups = region.autoscaling.groups.values();
        let mut members: Vec<DescribedInstance> = groups
            .flat_map(|group| group.members.values().map(move |member| DescribedInstance::of(group, member)))
            .filter(|it| self.instance_ids.is_empty() || self.instance_ids.contains(&it.instance_id))
            .collect();
        members.sort_by(|a, b| a.instance_id.cmp(&b.instance_id));
        let size = size.min(context.settings.largest_page.unwrap_or(size)).max(1);
        let page = Page { token: self.next_token.as_deref(), size };
        let (auto_scaling_instances, next_token) =
            page.of(members.into_iter(), |it| it.instance_id.clone())?;
        Ok(DescribeAutoScalingInstancesAnswer { auto_scaling_instances, next_token })
    }
}
