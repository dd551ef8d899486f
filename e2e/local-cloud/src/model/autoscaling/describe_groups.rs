//! `DescribeAutoScalingGroups`.
//!
//! <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DescribeAutoScalingGroups.html>

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::group::{
    Group, HealthCheckType, HealthStatus, LifecycleState, Member, Process, TemplateSpecification,
};
use super::tags::GroupTag;
use crate::model::action::{Action, Context, Kind};
use crate::model::error::ApiError;
use crate::model::paging::Page;
use crate::model::region::Region;
use crate::model::service::Service;

/// Lists groups. Unknown names are no error, they are just not listed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct DescribeAutoScalingGroups {
    /// Only these; no more of them than `max_records`.
    pub auto_scaling_group_names: Vec<String>,
    /// `tag-key`, `tag-value`, `tag:<key>`.
    pub filters: Vec<Filter>,
    /// Whether instances are listed; unset: they are.
    pub include_instances: Option<bool>,
    /// The page.
    pub next_token: Option<String>,
    /// 1 to 100; unset: 50.
    pub max_records: Option<usize>,
}

/// A filter: any of the values.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct Filter {
    /// What is compared.
    pub name: String,
    /// What it may be.
    pub values: Vec<String>,
}

/// The groups.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeAutoScalingGroupsAnswer {
    /// In the order of their names.
    pub auto_scaling_groups: Vec<DescribedGroup>,
    /// For the next page.
    pub next_token: Option<String>,
}

/// A group as it is described.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribedGroup {
    /// Its name.
    pub auto_scaling_group_name: String,
    /// Its ARN.
    #[serde(rename = "AutoScalingGroupARN")]
    pub auto_scaling_group_arn: String,
    /// What instances are launched from, the version as it was asked for.
    pub launch_template: TemplateSpecification,
    /// The least desired capacity.
    pub min_size: u32,
    /// The most desired capacity.
    pub max_size: u32,
    /// How many instances it should have.
    pub desired_capacity: u32,
    /// In seconds.
    pub default_cooldown: u32,
    /// The zones of its subnets.
    pub availability_zones: Vec<String>,
    /// The target groups attached, those being detached not among them.
    #[serde(rename = "TargetGroupARNs")]
    pub target_group_arns: Vec<String>,
    /// Whose checks count.
    pub health_check_type: HealthCheckType,
    /// In seconds.
    pub health_check_grace_period: i64,
    /// Its instances, unless they were not asked for.
    pub instances: Vec<DescribedMember>,
    /// When it was created.
    pub created_time: Timestamp,
    /// What it must not do.
    pub suspended_processes: Vec<SuspendedProcess>,
    /// Its subnets with commas between them.
    #[serde(rename = "VPCZoneIdentifier")]
    pub vpc_zone_identifier: String,
    /// `Delete in progress`, while it is being deleted.
    pub status: Option<String>,
    /// Its tags.
    pub tags: Vec<GroupTag>,
    /// As they were set.
    pub termination_policies: Vec<String>,
    /// Whether scale-in spares new instances.
    pub new_instances_protected_from_scale_in: bool,
}

/// A suspended process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct SuspendedProcess {
    /// Which.
    pub process_name: Process,
    /// Who.
    pub suspension_reason: String,
}

/// A member as it is described.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribedMember {
    /// `i-…`.
    pub instance_id: String,
    /// Its type.
    pub instance_type: String,
    /// Its zone.
    pub availability_zone: String,
    /// Where it is in its life.
    pub lifecycle_state: LifecycleState,
    /// Whether it will be replaced.
    pub health_status: HealthStatus,
    /// What it was launched from, with the number of the version really used.
    pub launch_template: TemplateSpecification,
    /// Its AMI.
    pub image_id: String,
    /// Whether scale-in spares it.
    pub protected_from_scale_in: bool,
}

impl DescribedMember {
    fn of(member: &Member) -> Self {
        Self {
            instance_id: member.instance.clone(),
            instance_type: member.instance_type.clone(),
            availability_zone: member.zone.clone(),
            lifecycle_state: member.state(),
            health_status: member.health,
            launch_template: member.template_used(),
            image_id: member.image.clone(),
            protected_from_scale_in: member.protected,
        }
    }
}

impl Member {
    /// What it was launched from, with the number of the version really used.
    pub(super) fn template_used(&self) -> TemplateSpecification {
        let (id, name, version) = self.template.clone();
        TemplateSpecification {
            launch_template_id: Some(id),
            launch_template_name: Some(name),
            version: Some(version.to_string()),
        }
    }
}

impl DescribedGroup {
    fn of(group: &Group, region: &Region, instances: bool) -> Self {
        let mut availability_zones: Vec<String> = group
            .subnets
            .iter()
            .filter_map(|id| region.ec2.subnets.get(id))
            .map(|subnet| subnet.availability_zone.clone())
            .collect();
        availability_zones.sort();
        availability_zones.dedup();
        Self {
            auto_scaling_group_name: group.name.clone(),
            auto_scaling_group_arn: group.arn.clone(),
            launch_template: group.template.clone(),
            min_size: group.min,
            max_size: group.max,
            desired_capacity: group.desired,
            default_cooldown: group.default_cooldown,
            availability_zones,
            target_group_arns: group.attached().map(str::to_owned).collect(),
            health_check_type: group.health_check_type,
            health_check_grace_period: group.grace.as_secs(),
            instances: group.members.values().filter(|_| instances).map(DescribedMember::of).collect(),
            created_time: group.created,
            suspended_processes: group
                .suspended
                .iter()
                .map(|process| SuspendedProcess {
                    process_name: *process,
                    suspension_reason: "User suspended at the user's request".to_owned(),
                })
                .collect(),
            vpc_zone_identifier: group.subnets.join(","),
            status: group.deletion.map(|_| "Delete in progress".to_owned()),
            tags: GroupTag::list(group),
            termination_policies: group.termination_policies.clone(),
            new_instances_protected_from_scale_in: group.protects_new,
        }
    }
}

impl Action for DescribeAutoScalingGroups {
    const SERVICE: Service = Service::AutoScaling;
    const NAME: &'static str = "DescribeAutoScalingGroups";
    const KIND: Kind = Kind::Read;
    type Answer = DescribeAutoScalingGroupsAnswer;

    fn resource(&self) -> String {
        self.auto_scaling_group_names.join(",")
    }

    fn run(self, region: &mut Region, context: &mut Context<'_>) -> Result<Self::Answer, ApiError> {
        let size = page_size(self.max_records, 50)?;
        if self.auto_scaling_group_names.len() > size {
            return Err(ApiError::invalid(format!(
                "The number of Auto Scaling group names that may be passed in is limited to {size}"
            )));
        }
        for filter in &self.filters {
            let known =
                matches!(filter.name.as_str(), "tag-key" | "tag-value") || filter.name.starts_with("tag:");
            if !known {
                return Err(ApiError::invalid(format!("Filter name {} is not supported", filter.name)));
            }
        }
        let names = &self.auto_scaling_group_names;
        let visible_after = context.settings.timings.visible_after;
        let groups = region.autoscaling.groups.values().filter(|group| {
            (names.is_empty() || names.contains(&group.name))
                && group.created + visible_after <= context.now
                && self.filters.iter().all(|filter| filter.fits(group))
        });
        let size = size.min(context.settings.largest_page.unwrap_or(size)).max(1);
        let page = Page { token: self.next_token.as_deref(), size };
        let (page, next_token) = page.of(groups, |group| group.name.clone())?;
        let instances = self.include_instances.unwrap_or(true);
        let auto_scaling_groups =
            page.into_iter().map(|group| DescribedGroup::of(group, region, instances)).collect();
        Ok(DescribeAutoScalingGroupsAnswer { auto_scaling_groups, next_token })
    }
}

impl Filter {
    fn fits(&self, group: &Group) -> bool {
        let wants = |text: &String| self.values.contains(text);
        match (self.name.as_str(), self.name.strip_prefix("tag:")) {
            (_, Some(key)) => group.tags.get(key).is_some_and(|(value, _)| wants(value)),
            ("tag-key", _) => group.tags.keys().any(wants),
            _ => group.tags.values().any(|(value, _)| wants(value)),
        }
    }
}

/// The size of a page: 1 to 100.
pub(super) fn page_size(asked: Option<usize>, default: usize) -> Result<usize, ApiError> {
    match asked {
        None => Ok(default),
        Some(size) if (1..=100).contains(&size) => Ok(size),
        Some(size) => Err(ApiError::invalid(format!("MaxRecords {size} must be between 1 and 100"))),
    }
}
