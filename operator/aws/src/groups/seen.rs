//! From the SDK's picture of a group to the trait's.

use aws_sdk_autoscaling::types::{AutoScalingGroup, Instance as Member, LifecycleState};
use dryad_cloud::CloudError;
use dryad_cloud::group::{Capacity, Group, Instance, InstanceId, Lifecycle};
use dryad_cloud::traffic::TargetGroupArn;
use dryad_machine::name::GroupName;

use crate::errors::lacking;

/// The group, or the error that its description makes no sense. (Of what AWS promises to send, the SDK has filled in what
/// is missing: sizes of 0, an instance in a state that is not relied on, a name that is empty.)
pub(super) fn group(action: &'static str, group: &AutoScalingGroup) -> Result<Group, CloudError> {
    let size = |count: Option<i32>, what| {
        count.and_then(|count| u32::try_from(count).ok()).ok_or_else(|| lacking(action, what))
    };
    let name = group.auto_scaling_group_name().filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| lacking(action, "a group's name"))?;
    Ok(Group {
        name: GroupName::new(name),
        // Set from the moment its deletion is asked for, and never for another reason.
        deleting: group.status().is_some(),
        capacity: Capacity {
            min: size(group.min_size(), "a group's minimum size")?,
            max: size(group.max_size(), "a group's maximum size")?,
            desired: size(group.desired_capacity(), "a group's desired capacity")?,
        },
        instances: group
            .instances()
            .iter()
            .map(|member| {
                instance(member).ok_or_else(|| lacking(action, "an instance's id, state or health"))
            })
            .collect::<Result<_, _>>()?,
        target_groups: group.target_group_arns().iter().cloned().map(TargetGroupArn).collect(),
        template: template(group),
        tags: group
            .tags()
            .iter()
            .filter_map(|tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned())))
            .collect(),
    })
}

/// Its launch template's name, be it its own or that of its mixed instances policy.
fn template(group: &AutoScalingGroup) -> Option<String> {
    let mixed = || group.mixed_instances_policy()?.launch_template()?.launch_template_specification();
    group.launch_template().or_else(mixed)?.launch_template_name().map(ToOwned::to_owned)
}

fn instance(member: &Member) -> Option<Instance> {
    Some(Instance {
        id: InstanceId(member.instance_id()?.to_owned()),
        lifecycle: lifecycle(member.lifecycle_state()?),
        healthy: member.health_status()?.eq_ignore_ascii_case("Healthy"),
    })
}

/// A state that is not known yet counts as leaving: such an instance is there, and is not relied on.
fn lifecycle(state: &LifecycleState) -> Lifecycle {
    use LifecycleState as S;
    match state {
        S::InService => Lifecycle::InService,
        S::Pending
        | S::PendingWait
        | S::PendingProceed
        | S::EnteringStandby
        | S::ReplacingRootVolume
        | S::ReplacingRootVolumeWait
        | S::ReplacingRootVolumeProceed
        | S::RootVolumeReplaced
        | S::WarmedPending
        | S::WarmedPendingWait
        | S::WarmedPendingProceed
        | S::WarmedPendingRetained
        | S::WarmedRunning
        | S::WarmedStopped
        | S::WarmedHibernated => Lifecycle::Coming,
        _ => Lifecycle::Leaving,
    }
}
