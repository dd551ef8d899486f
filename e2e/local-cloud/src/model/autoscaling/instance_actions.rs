//! Actions on capacity and on single instances.
//!
//! <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_SetDesiredCapacity.html>,
//! <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_SetInstanceHealth.html>,
//! <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_SetInstanceProtection.html>,
//! <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_TerminateInstanceInAutoScalingGroup.html>

use serde::{Deserialize, Serialize};

use super::Done;
use super::describe_activities::DescribedActivity;
use super::group::{HealthStatus, Life};
use super::retiring::{Draining, terminate};
use crate::model::action::{Action, Context, Kind};
use crate::model::error::{ApiError, Code};
use crate::model::region::Region;
use crate::model::service::Service;

/// Sets how many instances a group should have.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct SetDesiredCapacity {
    /// Which group.
    pub auto_scaling_group_name: String,
    /// Between its bounds.
    pub desired_capacity: u32,
}

impl Action for SetDesiredCapacity {
    const SERVICE: Service = Service::AutoScaling;
    const NAME: &'static str = "SetDesiredCapacity";
    const KIND: Kind = Kind::Write;
    type Answer = Done;

    fn resource(&self) -> String {
        self.auto_scaling_group_name.clone()
    }

    fn run(self, region: &mut Region, _: &mut Context<'_>) -> Result<Self::Answer, ApiError> {
        let group = region.autoscaling.group_mut(&self.auto_scaling_group_name)?;
        let desired = self.desired_capacity;
        if desired > group.max {
            return Err(ApiError::invalid(format!(
                "New SetDesiredCapacity value {desired} is above max value {} for the AutoScalingGroup.",
                group.max
            )));
        }
        if desired < group.min {
            return Err(ApiError::invalid(format!(
                "New SetDesiredCapacity value {desired} is below min value {} for the AutoScalingGroup.",
                group.min
            )));
        }
        group.desired = desired;
        Ok(Done {})
    }
}

/// Says how healthy an instance is. An unhealthy one is replaced.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct SetInstanceHealth {
    /// Which.
    pub instance_id: String,
    /// How.
    pub health_status: HealthStatus,
    /// Whether the call means nothing during the grace period; unset: it does mean nothing then.
    #[serde(default)]
    pub should_respect_grace_period: Option<bool>,
}

impl Action for SetInstanceHealth {
    const SERVICE: Service = Service::AutoScaling;
    const NAME: &'static str = "SetInstanceHealth";
    const KIND: Kind = Kind::Write;
    type Answer = Done;

    fn resource(&self) -> String {
        self.instance_id.clone()
    }

    fn run(self, region: &mut Region, context: &mut Context<'_>) -> Result<Self::Answer, ApiError> {
        let group = region.autoscaling.group_of(&self.instance_id)?;
        let grace = group.grace;
        if let Some(member) = group.members.get_mut(&self.instance_id) {
            let in_grace = match member.life {
                Life::Pending { .. } => true,
                Life::InService { since } => since + grace > context.now,
                Life::Terminating { .. } => false,
            };
            if !(in_grace && self.should_respect_grace_period.unwrap_or(true) && !grace.is_zero()) {
                member.health = self.health_status;
            }
        }
        Ok(Done {})
    }
}

/// Protects instances from scale-in, or no longer.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct SetInstanceProtection {
    /// Which.
    pub instance_ids: Vec<String>,
    /// In which group.
    pub auto_scaling_group_name: String,
    /// Whether they are.
    pub protected_from_scale_in: bool,
}

impl Action for SetInstanceProtection {
    const SERVICE: Service = Service::AutoScaling;
    const NAME: &'static str = "SetInstanceProtection";
    const KIND: Kind = Kind::Write;
    type Answer = Done;

    fn resource(&self) -> String {
        self.auto_scaling_group_name.clone()
    }

    fn run(self, region: &mut Region, _: &mut Context<'_>) -> Result<Self::Answer, ApiError> {
        let group = region.autoscaling.group_mut(&self.auto_scaling_group_name)?;
        let name = &group.name;
        if let Some(unknown) = self.instance_ids.iter().find(|id| !group.members.contains_key(*id)) {
            return Err(ApiError::invalid(format!(
                "The instance {unknown} is not part of Auto Scaling group {name}."
            )));
        }
        for id in &self.instance_ids {
            if let Some(member) = group.members.get_mut(id) {
                member.protected = self.protected_from_scale_in;
            }
        }
        Ok(Done {})
    }
}

/// Terminates an instance, which is replaced unless the desired capacity falls with it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct TerminateInstanceInAutoScalingGroup {
    /// Which.
    pub instance_id: String,
    /// Whether the desired capacity falls by one.
    pub should_decrement_desired_capacity: bool,
}

/// What it begins.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct TerminateInstanceInAutoScalingGroupAnswer {
    /// The activity.
    pub activity: DescribedActivity,
}

impl Action for TerminateInstanceInAutoScalingGroup {
    const SERVICE: Service = Service::AutoScaling;
    const NAME: &'static str = "TerminateInstanceInAutoScalingGroup";
    const KIND: Kind = Kind::Write;
    type Answer = TerminateInstanceInAutoScalingGroupAnswer;

    fn resource(&self) -> String {
        self.instance_id.clone()
    }

    fn run(self, region: &mut Region, context: &mut Context<'_>) -> Result<Self::Answer, ApiError> {
        let group = region.autoscaling.group_of(&self.instance_id)?;
        let name = group.name.clone();
        if self.should_decrement_desired_capacity && group.desired <= group.min {
            return Err(ApiError::invalid(
                "Currently, desired capacity is at the minimum: terminating the instance without replacement would fall \
                 below it.",
            ));
        }
        let in_progress = || {
            let message = format!("Instance {} is being terminated already.", self.instance_id);
            ApiError::new(Code::ScalingActivityInProgress, message)
        };
        if group.members.get(&self.instance_id).is_none_or(|member| !member.counts()) {
            return Err(in_progress());
        }
        if self.should_decrement_desired_capacity {
            group.desired -= 1;
        }
        let cause = "instance was taken out of service in response to a user request.";
        let (now, settings) = (context.now, context.settings);
        let activity = terminate(region, &name, &self.instance_id, cause, Draining::Awaited, now, settings);
        let activity = activity.ok_or_else(in_progress)?;
        Ok(TerminateInstanceInAutoScalingGroupAnswer { activity: DescribedActivity::of(&activity, false) })
    }
}
