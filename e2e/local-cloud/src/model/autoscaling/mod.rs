//! EC2 Auto Scaling: groups, the instances in them, and the activities that change their number.
//!
//! [`group`] is what is held; [`lifecycle`] is what time does to it, by way of launching, balancing, retiring and health; every
//! other file is an action or a few that belong together.

mod activity;
mod balancing;
mod create;
mod delete;
mod describe_activities;
mod describe_groups;
mod describe_instances;
pub(crate) mod group;
mod health;
mod instance_actions;
mod launching;
pub(crate) mod lifecycle;
mod limits;
mod lookup;
mod processes;
mod retiring;
mod tags;
mod target_groups;
mod update;

use std::collections::{BTreeMap, VecDeque};

pub use activity::{Activity, ActivityStatus};
pub use create::CreateAutoScalingGroup;
pub use delete::DeleteAutoScalingGroup;
pub use describe_activities::{
    DescribeScalingActivities, DescribeScalingActivitiesAnswer, DescribedActivity,
};
pub use describe_groups::{
    DescribeAutoScalingGroups, DescribeAutoScalingGroupsAnswer, DescribedGroup, DescribedMember, Filter,
};
pub use describe_instances::{
    DescribeAutoScalingInstances, DescribeAutoScalingInstancesAnswer, DescribedInstance,
};
pub use group::{Group, HealthCheckType, HealthStatus, LifecycleState, Process, TemplateSpecification};
pub use instance_actions::{
    SetDesiredCapacity, SetInstanceHealth, SetInstanceProtection, TerminateInstanceInAutoScalingGroup,
    TerminateInstanceInAutoScalingGroupAnswer,
};
pub use processes::{ResumeProcesses, SuspendProcesses};
pub use tags::{CreateOrUpdateTags, DeleteTags, DescribeTags, DescribeTagsAnswer, GroupTag};
pub use target_groups::{
    AttachLoadBalancerTargetGroups, AttachedTargetGroup, DescribeLoadBalancerTargetGroups,
    DescribeLoadBalancerTargetGroupsAnswer, DetachLoadBalancerTargetGroups,
};
pub use update::UpdateAutoScalingGroup;

/// What Auto Scaling holds in one region.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// The groups by name, those being deleted among them.
    pub(crate) groups: BTreeMap<String, Group>,
    /// What deleted groups did, the latest first.
    pub(crate) past_activities: VecDeque<Activity>,
}

/// An action's answer that says nothing but that it was done.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Done {}
