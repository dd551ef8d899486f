//! `UpdateAutoScalingGroup`: what is unset stays.
//!
//! <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_UpdateAutoScalingGroup.html>

use jiff::SignedDuration;
use serde::Deserialize;

use super::group::{HealthCheckType, TemplateSpecification};
use super::{Done, create, limits};
use crate::model::action::{Action, Context, Kind};
use crate::model::error::ApiError;
use crate::model::region::Region;
use crate::model::service::Service;

/// Changes a group. Bounds that leave the desired capacity outside move it, unless it is given too.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct UpdateAutoScalingGroup {
    /// Which.
    pub auto_scaling_group_name: String,
    /// For instances launched from now on.
    pub launch_template: Option<TemplateSpecification>,
    /// The least desired capacity.
    pub min_size: Option<u32>,
    /// The most desired capacity.
    pub max_size: Option<u32>,
    /// How many instances it should have.
    pub desired_capacity: Option<u32>,
    /// Told, and without effect.
    pub default_cooldown: Option<u32>,
    /// Subnet ids with commas between them.
    #[serde(rename = "VPCZoneIdentifier")]
    pub vpc_zone_identifier: Option<String>,
    /// `EC2` or `ELB`.
    pub health_check_type: Option<HealthCheckType>,
    /// In seconds after `InService`.
    pub health_check_grace_period: Option<u32>,
    /// Told, and without effect.
    pub termination_policies: Vec<String>,
    /// Whether scale-in spares new instances.
    pub new_instances_protected_from_scale_in: Option<bool>,
}

impl Action for UpdateAutoScalingGroup {
    const SERVICE: Service = Service::AutoScaling;
    const NAME: &'static str = "UpdateAutoScalingGroup";
    const KIND: Kind = Kind::Write;
    type Answer = Done;

    fn resource(&self) -> String {
        self.auto_scaling_group_name.clone()
    }

    fn run(self, region: &mut Region, context: &mut Context<'_>) -> Result<Self::Answer, ApiError> {
        let mut group = region.autoscaling.group_mut(&self.auto_scaling_group_name)?.clone();
        group.min = self.min_size.unwrap_or(group.min);
        group.max = self.max_size.unwrap_or(group.max);
        group.desired = match self.desired_capacity {
            Some(desired) => desired,
            None => group.desired.min(group.max).max(group.min),
        };
        limits::check_size(group.min, group.max, group.desired)?;
        if self.vpc_zone_identifier.is_some() {
            group.subnets = create::subnets(self.vpc_zone_identifier.as_deref(), region)?;
        }
        if let Some(template) = self.launch_template {
            group.template = create::resolve(template, region, context)?;
            group.launch_after = None;
        }
        if !self.termination_policies.is_empty() {
            group.termination_policies = self.termination_policies;
        }
        group.default_cooldown = self.default_cooldown.unwrap_or(group.default_cooldown);
        group.health_check_type = self.health_check_type.unwrap_or(group.health_check_type);
        group.grace = self
            .health_check_grace_period
            .map_or(group.grace, |seconds| SignedDuration::from_secs(seconds.into()));
        group.protects_new = self.new_instances_protected_from_scale_in.unwrap_or(group.protects_new);
        region.autoscaling.groups.insert(self.auto_scaling_group_name, group);
        Ok(Done {})
    }
}
