//! What may be done to a group after its creation.

use dryad_cloud::CloudError;
use dryad_cloud::group::NewSize;
use dryad_cloud::traffic::TargetGroupArn;
use dryad_machine::name::GroupName;

use crate::call::Call;
use crate::site::Site;

impl Site {
    /// Sets both bounds at once, and the size if it is given.
    pub(crate) async fn resize_group(&self, name: &GroupName, new: NewSize) -> Result<(), CloudError> {
        self.mutate(self.mutation_deadline(), Call::UpdateAutoScalingGroup, |clients| {
            clients
                .autoscaling
                .update_auto_scaling_group()
                .auto_scaling_group_name(name.as_str())
                .min_size(size(new.min))
                .max_size(size(new.max))
                .set_desired_capacity(new.desired.map(size))
                .send()
        })
        .await
    }

    /// Attaches the group to the target group.
    pub(crate) async fn attach(
        &self,
        name: &GroupName,
        target_group: &TargetGroupArn,
    ) -> Result<(), CloudError> {
        self.mutate(self.mutation_deadline(), Call::AttachLoadBalancerTargetGroups, |clients| {
            clients
                .autoscaling
                .attach_load_balancer_target_groups()
                .auto_scaling_group_name(name.as_str())
                .target_group_arns(&target_group.0)
                .send()
        })
        .await
    }

    /// Detaches the group from the target group.
    pub(crate) async fn detach(
        &self,
        name: &GroupName,
        target_group: &TargetGroupArn,
    ) -> Result<(), CloudError> {
        self.mutate(self.mutation_deadline(), Call::DetachLoadBalancerTargetGroups, |clients| {
            clients
                .autoscaling
                .detach_load_balancer_target_groups()
                .auto_scaling_group_name(name.as_str())
                .target_group_arns(&target_group.0)
                .send()
        })
        .await
    }

    /// Deletes the group without force: with force AWS terminates what is left, without draining it first.
    pub(crate) async fn delete_group(&self, name: &GroupName) -> Result<(), CloudError> {
        self.mutate(self.mutation_deadline(), Call::DeleteAutoScalingGroup, |clients| {
            clients
                .autoscaling
                .delete_auto_scaling_group()
                .auto_scaling_group_name(name.as_str())
                .force_delete(false)
                .send()
        })
        .await
    }
}

/// A number as the API takes it. One too large for it stays larger than AWS allows, and is refused there.
pub(super) fn size(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
