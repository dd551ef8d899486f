//! Groups in the model's words, and back.

use std::collections::{BTreeMap, BTreeSet};

use dryad_cloud::CloudError;
use dryad_cloud::group::{
    Capacity, FailedActivity, FoundGroup, Group, HealthSource, Instance, InstanceId, Lifecycle, NewGroup,
    NewSize,
};
use dryad_cloud::traffic::TargetGroupArn;
use dryad_machine::name::{GroupName, Place};

use super::InProcess;
use crate::model::autoscaling::{
    ActivityStatus, AttachLoadBalancerTargetGroups, CreateAutoScalingGroup, DeleteAutoScalingGroup,
    DescribeAutoScalingGroups, DescribeScalingActivities, DescribedGroup, DescribedMember,
    DetachLoadBalancerTargetGroups, Filter, GroupTag, HealthCheckType, HealthStatus, LifecycleState,
    TemplateSpecification, UpdateAutoScalingGroup,
};

/// The most names, and records, that a request may be about.
const MOST: usize = 100;

impl InProcess {
    pub(super) async fn describe_groups(
        &self,
        place: &Place,
        names: &BTreeSet<GroupName>,
    ) -> Result<BTreeMap<GroupName, Group>, CloudError> {
        let names: Vec<_> = names.iter().map(ToString::to_string).collect();
        let mut found = BTreeMap::new();
        for names in names.chunks(MOST) {
            let mut next_token = None;
            loop {
                let request = DescribeAutoScalingGroups {
                    auto_scaling_group_names: names.to_vec(),
                    max_records: Some(MOST),
                    next_token,
                    ..DescribeAutoScalingGroups::default()
                };
                let page = self.call(place, request).await?;
                let groups = page.auto_scaling_groups.into_iter().map(seen);
                found.extend(groups.map(|group| (group.name.clone(), group)));
                next_token = page.next_token;
                if next_token.is_none() {
                    break;
                }
            }
        }
        Ok(found)
    }

    pub(super) async fn find_groups(
        &self,
        place: &Place,
        tags: &BTreeMap<String, String>,
    ) -> Result<Vec<FoundGroup>, CloudError> {
        let filter = |(key, value): (&String, &String)| Filter {
            name: format!("tag:{key}"),
            values: vec![value.clone()],
        };
        let mut found = Vec::new();
        let mut next_token = None;
        loop {
            let request = DescribeAutoScalingGroups {
                filters: tags.iter().map(filter).collect(),
                max_records: Some(MOST),
                next_token,
                ..DescribeAutoScalingGroups::default()
            };
            let page = self.call(place, request).await?;
            found.extend(page.auto_scaling_groups.into_iter().map(|group| {
                let created = group.created_time.as_second();
                FoundGroup { group: seen(group), created }
            }));
            next_token = page.next_token;
            if next_token.is_none() {
                return Ok(found);
            }
        }
    }

    pub(super) async fn newest_activity(
        &self,
        place: &Place,
        name: &GroupName,
    ) -> Result<Option<FailedActivity>, CloudError> {
        let request = DescribeScalingActivities {
            auto_scaling_group_name: Some(name.to_string()),
            max_records: Some(1),
            ..DescribeScalingActivities::default()
        };
        let newest = self.call(place, request).await?.activities.into_iter().next();
        Ok(newest.filter(|activity| activity.status_code == ActivityStatus::Failed).map(|activity| {
            FailedActivity {
                description: activity.description,
                message: activity.status_message.unwrap_or_default(),
                started: activity.start_time.as_second(),
            }
        }))
    }
}

fn seen(group: DescribedGroup) -> Group {
    Group {
        name: GroupName::new(group.auto_scaling_group_name),
        deleting: group.status.is_some(),
        capacity: Capacity { min: group.min_size, max: group.max_size, desired: group.desired_capacity },
        instances: group.instances.into_iter().map(instance).collect(),
        target_groups: group.target_group_arns.into_iter().map(TargetGroupArn).collect(),
        template: group.launch_template.launch_template_name,
        tags: group.tags.into_iter().map(|tag| (tag.key, tag.value)).collect(),
    }
}

fn instance(member: DescribedMember) -> Instance {
    Instance {
        id: InstanceId(member.instance_id),
        lifecycle: match member.lifecycle_state {
            LifecycleState::Pending => Lifecycle::Coming,
            LifecycleState::InService => Lifecycle::InService,
            LifecycleState::Terminating => Lifecycle::Leaving,
        },
        healthy: member.health_status == HealthStatus::Healthy,
    }
}

pub(super) fn create(group: &NewGroup) -> CreateAutoScalingGroup {
    let tag = |(key, value): (&String, &String)| GroupTag {
        propagate_at_launch: Some(true),
        ..GroupTag::new(key, value)
    };
    let (health_check_type, grace) = match group.health {
        HealthSource::Instance => (HealthCheckType::Ec2, None),
        HealthSource::LoadBalancer { grace_seconds } => (HealthCheckType::Elb, Some(grace_seconds)),
    };
    CreateAutoScalingGroup {
        auto_scaling_group_name: group.name.to_string(),
        launch_template: Some(TemplateSpecification {
            launch_template_id: None,
            launch_template_name: Some(group.name.to_string()),
            version: Some("1".to_owned()),
        }),
        min_size: group.capacity.min,
        max_size: group.capacity.max,
        desired_capacity: Some(group.capacity.desired),
        vpc_zone_identifier: Some(group.subnets.join(",")),
        health_check_type: Some(health_check_type),
        health_check_grace_period: grace,
        tags: group.tags.iter().map(tag).collect(),
        ..CreateAutoScalingGroup::default()
    }
}

pub(super) fn resize(name: &GroupName, size: NewSize) -> UpdateAutoScalingGroup {
    UpdateAutoScalingGroup {
        auto_scaling_group_name: name.to_string(),
        min_size: Some(size.min),
        max_size: Some(size.max),
        desired_capacity: size.desired,
        ..UpdateAutoScalingGroup::default()
    }
}

pub(super) fn attach(name: &GroupName, target_group: &TargetGroupArn) -> AttachLoadBalancerTargetGroups {
    AttachLoadBalancerTargetGroups {
        auto_scaling_group_name: name.to_string(),
        target_group_arns: vec![target_group.0.clone()],
    }
}

pub(super) fn detach(name: &GroupName, target_group: &TargetGroupArn) -> DetachLoadBalancerTargetGroups {
    DetachLoadBalancerTargetGroups {
        auto_scaling_group_name: name.to_string(),
        target_group_arns: vec![target_group.0.clone()],
    }
}

pub(super) fn delete(name: &GroupName) -> DeleteAutoScalingGroup {
    DeleteAutoScalingGroup { auto_scaling_group_name: name.to_string(), force_delete: Some(false) }
}
