//! `DeleteAutoScalingGroup`.
//!
//! <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DeleteAutoScalingGroup.html>: without force only when
//! nothing is in the group or under way. Whether force drains is not documented; here it does not, which is the worse of
//! the two for whoever relies on it.

use serde::Deserialize;

use super::Done;
use super::group::Deletion;
use super::retiring::{Draining, terminate};
use crate::model::action::{Action, Context, Kind};
use crate::model::error::{ApiError, Code};
use crate::model::region::Region;
use crate::model::service::Service;

/// Deletes a group. Until it is gone it is described with the status `Delete in progress`, and cannot be changed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct DeleteAutoScalingGroup {
    /// Which.
    pub auto_scaling_group_name: String,
    /// Whether its instances go with it.
    pub force_delete: Option<bool>,
}

impl Action for DeleteAutoScalingGroup {
    const SERVICE: Service = Service::AutoScaling;
    const NAME: &'static str = "DeleteAutoScalingGroup";
    const KIND: Kind = Kind::Write;
    type Answer = Done;

    fn resource(&self) -> String {
        self.auto_scaling_group_name.clone()
    }

    fn run(self, region: &mut Region, context: &mut Context<'_>) -> Result<Self::Answer, ApiError> {
        let name = self.auto_scaling_group_name;
        let group = region.autoscaling.group(&name)?;
        if self.force_delete != Some(true) {
            if !group.members.is_empty() {
                return Err(ApiError::new(
                    Code::ResourceInUse,
                    "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) \
                     still in the group.",
                ));
            }
            if group.is_active() {
                return Err(ApiError::new(
                    Code::ScalingActivityInProgress,
                    "You cannot delete an AutoScalingGroup while there are scaling activities in progress for that group.",
                ));
            }
        }
        let staying: Vec<String> = group.counted().map(|member| member.instance.clone()).collect();
        for instance in staying {
            let cause =
                "an instance was taken out of service in response to a user request to delete its group.";
            terminate(region, &name, &instance, cause, Draining::Skipped, context.now, context.settings);
        }
        if let Some(group) = region.autoscaling.groups.get_mut(&name) {
            group.touch();
            group.deletion.get_or_insert(Deletion { empty_since: None });
            (group.min, group.max, group.desired) = (0, 0, 0);
        }
        Ok(Done {})
    }
}
