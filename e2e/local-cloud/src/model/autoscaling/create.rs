//! `CreateAutoScalingGroup`: all or nothing.
//!
//! <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_CreateAutoScalingGroup.html>

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::group::{Attachment, AttachmentState, Group, HealthCheckType, TemplateSpecification};
use super::launching::{Visible, blueprint};
use super::tags::GroupTag;
use super::{Done, limits};
use crate::model::action::{Action, Context, Kind};
use crate::model::ec2::TemplateKey;
use crate::model::error::{ApiError, Code};
use crate::model::region::Region;
use crate::model::service::Service;

/// Creates a group, which begins to launch at once.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct CreateAutoScalingGroup {
    /// Up to 255 ASCII characters 33 to 126, no colon; unique in the region.
    pub auto_scaling_group_name: String,
    /// What instances are launched from. It must be valid by now: AWS tries it.
    pub launch_template: Option<TemplateSpecification>,
    /// The least desired capacity.
    pub min_size: u32,
    /// The most desired capacity.
    pub max_size: u32,
    /// Unset: `min_size`.
    pub desired_capacity: Option<u32>,
    /// Told, and without effect.
    pub default_cooldown: Option<u32>,
    /// Subnet ids with commas between them.
    #[serde(rename = "VPCZoneIdentifier")]
    pub vpc_zone_identifier: Option<String>,
    /// Target groups instances are registered with.
    #[serde(rename = "TargetGroupARNs")]
    pub target_group_arns: Vec<String>,
    /// `EC2`, the default, or `ELB`.
    pub health_check_type: Option<HealthCheckType>,
    /// In seconds after `InService`; unset: 0.
    pub health_check_grace_period: Option<u32>,
    /// Told, and without effect.
    pub termination_policies: Vec<String>,
    /// Whether scale-in spares new instances.
    pub new_instances_protected_from_scale_in: Option<bool>,
    /// Tags.
    pub tags: Vec<GroupTag>,
}

impl Action for CreateAutoScalingGroup {
    const SERVICE: Service = Service::AutoScaling;
    const NAME: &'static str = "CreateAutoScalingGroup";
    const KIND: Kind = Kind::Write;
    type Answer = Done;

    fn resource(&self) -> String {
        self.auto_scaling_group_name.clone()
    }

    fn run(self, region: &mut Region, context: &mut Context<'_>) -> Result<Self::Answer, ApiError> {
        let name = self.auto_scaling_group_name;
        limits::check_name(&name)?;
        let Some(template) = self.launch_template else {
            return Err(ApiError::invalid(
                "Valid requests must contain either LaunchTemplate, LaunchConfigurationName, InstanceId or \
                 MixedInstancesPolicy parameter.",
            ));
        };
        let desired = self.desired_capacity.unwrap_or(self.min_size);
        limits::check_size(self.min_size, self.max_size, desired)?;
        limits::check_tags(&self.tags, std::iter::empty())?;
        let subnets = subnets(self.vpc_zone_identifier.as_deref(), region)?;
        check_target_groups(&self.target_group_arns, region)?;
        let template = resolve(template, region, context)?;
        if let Some(existing) = region.autoscaling.groups.get(&name) {
            let state = if existing.deletion.is_some() { "is pending delete" } else { "already exists" };
            return Err(ApiError::new(
                Code::AlreadyExists,
                format!(
                    "AutoScalingGroup by this name already exists - A group with the name {name} {state}"
                ),
            ));
        }
        if region.autoscaling.groups.len() >= limits::GROUPS.max(context.settings.most_groups.unwrap_or(0)) {
            return Err(ApiError::new(
                Code::LimitExceeded,
                "You have already reached your limit for the maximum number of Auto Scaling groups",
            ));
        }
        let arn = region.place.arn(
            "autoscaling",
            format_args!("autoScalingGroup:{}:autoScalingGroupName/{name}", region.ids.uuid()),
        );
        let group = Group {
            name: name.clone(),
            arn,
            template,
            min: self.min_size,
            max: self.max_size,
            desired,
            default_cooldown: self.default_cooldown.unwrap_or(300),
            subnets,
            health_check_type: self.health_check_type.unwrap_or_default(),
            grace: SignedDuration::from_secs(self.health_check_grace_period.unwrap_or(0).into()),
            attachments: self
                .target_group_arns
                .into_iter()
                .map(|target_group| Attachment { target_group, state: AttachmentState::Adding })
                .collect(),
            members: BTreeMap::new(),
            activities: VecDeque::new(),
            suspended: BTreeSet::new(),
            tags: self.tags.into_iter().map(GroupTag::held).collect(),
            termination_policies: match self.termination_policies {
                none if none.is_empty() => vec!["Default".to_owned()],
                some => some,
            },
            protects_new: self.new_instances_protected_from_scale_in.unwrap_or(false),
            created: context.now,
            deletion: None,
            launch_after: None,
            spare: None,
            due: Some(Timestamp::MIN),
        };
        region.autoscaling.groups.insert(name, group);
        Ok(Done {})
    }
}

/// The subnets of `VPCZoneIdentifier`.
pub(super) fn subnets(identifier: Option<&str>, region: &Region) -> Result<Vec<String>, ApiError> {
    let ids: Vec<String> = identifier
        .unwrap_or_default()
        .split(',')
        .map(|id| id.trim().to_owned())
        .filter(|id| !id.is_empty())
        .collect();
    if ids.is_empty() {
        return Err(ApiError::invalid("At least one Availability Zone or VPC Subnet is required."));
    }
    match ids.iter().find(|id| !region.ec2.subnets.contains_key(*id)) {
        Some(unknown) => Err(ApiError::invalid(format!("The subnet ID '{unknown}' does not exist"))),
        None => Ok(ids),
    }
}

/// Refuses target groups that do not exist, or are too many.
pub(super) fn check_target_groups(arns: &[String], region: &Region) -> Result<(), ApiError> {
    if arns.len() > limits::TARGET_GROUPS {
        return Err(ApiError::new(
            Code::LimitExceeded,
            format!("An Auto Scaling group may have at most {} target groups", limits::TARGET_GROUPS),
        ));
    }
    if arns.iter().any(|arn| !region.elb.target_groups.contains_key(arn)) {
        return Err(ApiError::invalid(
            "Provided Target Groups may not be valid. Please ensure they exist and try again.",
        ));
    }
    Ok(())
}

/// The template by id and name, tried out as AWS does.
pub(super) fn resolve(
    template: TemplateSpecification,
    region: &Region,
    context: &Context<'_>,
) -> Result<TemplateSpecification, ApiError> {
    let key = match (template.launch_template_id, template.launch_template_name) {
        (Some(id), None) => TemplateKey::Id(id),
        (None, Some(name)) => TemplateKey::Name(name),
        _ => {
            return Err(ApiError::invalid(
                "Valid requests must contain either launchTemplateId or LaunchTemplateName",
            ));
        }
    };
    let version = template.version.filter(|version| !version.is_empty());
    let visible = Visible { now: context.now, settings: context.settings };
    blueprint(&region.ec2, &key, version.as_deref().unwrap_or("$Default"), visible).map_err(|reason| {
        ApiError::invalid(format!("You must use a valid fully-formed launch template. {reason}"))
    })?;
    let found = region.ec2.template(&key, context.now, context.settings)?;
    Ok(TemplateSpecification {
        launch_template_id: Some(found.id.clone()),
        launch_template_name: Some(found.name.clone()),
        version,
    })
}
