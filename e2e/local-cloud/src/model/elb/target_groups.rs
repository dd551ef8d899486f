//! Target groups and the actions on them.
//!
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-target-groups.html>

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::health_check::{HealthCheck, HealthCheckChange, Matcher};
use super::targets::Target;
use super::{Done, State, check_name, no_target_group, page_size};
use crate::model::action::{Action, Context, Kind};
use crate::model::error::{ApiError, Code};
use crate::model::paging::Page;
use crate::model::region::Region;
use crate::model::service::Service;
use crate::model::tags::{self, Tag, Tags};

/// A target group as the model holds it.
#[derive(Debug, Clone)]
pub struct TargetGroup {
    /// Its ARN.
    pub arn: String,
    /// Its name, unique in the region.
    pub name: String,
    /// `HTTP` or `HTTPS`.
    pub protocol: String,
    /// Where targets listen.
    pub port: u16,
    /// Its VPC.
    pub vpc_id: String,
    /// How targets are checked.
    pub health_check: HealthCheck,
    /// Its attributes, those that were set.
    pub attributes: BTreeMap<String, String>,
    /// Its tags.
    pub tags: Tags,
    /// When it was created.
    pub(crate) created: Timestamp,
    /// Since when a rule names it, if one does.
    pub(crate) used_since: Option<Timestamp>,
    /// Its targets by instance.
    pub(crate) targets: BTreeMap<String, Target>,
}

/// A target group as it is described.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribedTargetGroup {
    /// Its ARN.
    pub target_group_arn: String,
    /// Its name.
    pub target_group_name: String,
    /// `HTTP` or `HTTPS`.
    pub protocol: String,
    /// Where targets listen.
    pub port: u16,
    /// Its VPC.
    pub vpc_id: String,
    /// How targets are checked.
    pub health_check_protocol: String,
    /// A port, or `traffic-port`.
    pub health_check_port: String,
    /// Always true.
    pub health_check_enabled: bool,
    /// In seconds.
    pub health_check_interval_seconds: u32,
    /// In seconds.
    pub health_check_timeout_seconds: u32,
    /// In checks.
    pub healthy_threshold_count: u32,
    /// In checks.
    pub unhealthy_threshold_count: u32,
    /// The path asked for.
    pub health_check_path: String,
    /// The statuses that are good.
    pub matcher: Matcher,
    /// The load balancer it serves, if any.
    pub load_balancer_arns: Vec<String>,
    /// Always `instance`.
    pub target_type: String,
}

impl State {
    pub(super) fn describe_target_group(&self, group: &TargetGroup) -> DescribedTargetGroup {
        let check = group.health_check.clone();
        DescribedTargetGroup {
            target_group_arn: group.arn.clone(),
            target_group_name: group.name.clone(),
            protocol: group.protocol.clone(),
            port: group.port,
            vpc_id: group.vpc_id.clone(),
            health_check_protocol: check.protocol,
            health_check_port: check.port,
            health_check_enabled: true,
            health_check_interval_seconds: check.interval,
            health_check_timeout_seconds: check.timeout,
            healthy_threshold_count: check.healthy_threshold,
            unhealthy_threshold_count: check.unhealthy_threshold,
            health_check_path: check.path,
            matcher: Matcher { http_code: check.matcher },
            load_balancer_arns: self.load_balancers_of(&group.arn).into_iter().collect(),
            target_type: "instance".to_owned(),
        }
    }

    pub(super) fn target_group_mut(&mut self, arn: &str) -> Result<&mut TargetGroup, ApiError> {
        self.target_groups.get_mut(arn).ok_or_else(no_target_group)
    }
}

/// One or more target groups.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct TargetGroups {
    /// As they are described.
    pub target_groups: Vec<DescribedTargetGroup>,
}

/// Creates a target group of instances. One of the same name and settings is returned as it is.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct CreateTargetGroup {
    /// At most 32 letters, digits and hyphens.
    pub name: String,
    /// `HTTP` or `HTTPS`.
    pub protocol: Option<String>,
    /// Where targets listen.
    pub port: Option<u16>,
    /// The VPC.
    pub vpc_id: Option<String>,
    /// `instance`, the default; nothing else is known here.
    pub target_type: Option<TargetType>,
    /// `HTTP` or `HTTPS`.
    pub health_check_protocol: Option<String>,
    /// A port, or `traffic-port`.
    pub health_check_port: Option<String>,
    /// The path asked for.
    pub health_check_path: Option<String>,
    /// 5 to 300.
    pub health_check_interval_seconds: Option<u32>,
    /// 2 to 120.
    pub health_check_timeout_seconds: Option<u32>,
    /// 2 to 10.
    pub healthy_threshold_count: Option<u32>,
    /// 2 to 10.
    pub unhealthy_threshold_count: Option<u32>,
    /// The statuses that are good.
    pub matcher: Option<Matcher>,
    /// Tags.
    pub tags: Vec<Tag>,
}

/// What targets are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TargetType {
    /// Instances, by id.
    #[default]
    Instance,
}

impl Action for CreateTargetGroup {
    const SERVICE: Service = Service::ElasticLoadBalancing;
    const NAME: &'static str = "CreateTargetGroup";
    const KIND: Kind = Kind::Write;
    type Answer = TargetGroups;

    fn resource(&self) -> String {
        self.name.clone()
    }

    fn run(self, region: &mut Region, context: &mut Context<'_>) -> Result<Self::Answer, ApiError> {
        check_name("target group", &self.name)?;
        let (Some(protocol), Some(port)) = (self.protocol, self.port.filter(|port| *port > 0)) else {
            return Err(ApiError::invalid("A protocol and a port must be specified"));
        };
        if !matches!(protocol.as_str(), "HTTP" | "HTTPS") {
            return Err(ApiError::invalid(format!("Protocol '{protocol}' must be one of HTTP, HTTPS")));
        }
        let Some(vpc_id) = self.vpc_id else {
            return Err(ApiError::invalid("A VPC ID must be specified for a target group of instances"));
        };
        if !region.ec2.subnets.values().any(|subnet| subnet.vpc_id == vpc_id) {
            return Err(ApiError::invalid(format!("The VPC ID '{vpc_id}' is not found")));
        }
        let change = HealthCheckChange {
            protocol: self.health_check_protocol,
            port: self.health_check_port,
            path: self.health_check_path,
            interval: self.health_check_interval_seconds,
            timeout: self.health_check_timeout_seconds,
            healthy_threshold: self.healthy_threshold_count,
            unhealthy_threshold: self.unhealthy_threshold_count,
            matcher: self.matcher,
        };
        let health_check = change.apply(&HealthCheck::default())?;
        let tags = tags::accept(self.tags)?;
        if let Some(existing) = region.elb.target_groups.values().find(|group| group.name == self.name) {
            let same = existing.protocol == protocol
                && existing.port == port
                && existing.vpc_id == vpc_id
                && existing.health_check == health_check;
            if same {
                return Ok(TargetGroups { target_groups: vec![region.elb.describe_target_group(existing)] });
            }
            return Err(ApiError::new(
                Code::DuplicateTargetGroupName,
                format!(
                    "A target group with the same name '{}' exists, but with different settings",
                    self.name
                ),
            ));
        }
        let tail = region.ids.hex16();
        let arn = region.place.arn("elasticloadbalancing", format_args!("targetgroup/{}/{tail}", self.name));
        let group = TargetGroup {
            arn: arn.clone(),
            name: self.name,
            protocol,
            port,
            vpc_id,
            health_check,
            attributes: BTreeMap::new(),
            tags,
            created: context.now,
            used_since: None,
            targets: BTreeMap::new(),
        };
        let described = region.elb.describe_target_group(&group);
        region.elb.target_groups.insert(arn, group);
        Ok(TargetGroups { target_groups: vec![described] })
    }
}

/// Lists target groups.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct DescribeTargetGroups {
    /// Only those that serve this load balancer.
    pub load_balancer_arn: Option<String>,
    /// Only these; an unknown one is an error.
    pub target_group_arns: Vec<String>,
    /// Only these; an unknown one is an error.
    pub names: Vec<String>,
    /// The page.
    pub marker: Option<String>,
    /// 1 to 400, the default.
    pub page_size: Option<usize>,
}

/// The target groups.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeTargetGroupsAnswer {
    /// In the order of their ARNs.
    pub target_groups: Vec<DescribedTargetGroup>,
    /// For the next page.
    pub next_marker: Option<String>,
}

impl Action for DescribeTargetGroups {
    const SERVICE: Service = Service::ElasticLoadBalancing;
    const NAME: &'static str = "DescribeTargetGroups";
    const KIND: Kind = Kind::Read;
    type Answer = DescribeTargetGroupsAnswer;

    fn resource(&self) -> String {
        self.target_group_arns.iter().chain(&self.names).cloned().collect::<Vec<_>>().join(",")
    }

    fn run(self, region: &mut Region, context: &mut Context<'_>) -> Result<Self::Answer, ApiError> {
        let visible_after = context.settings.timings.visible_after;
        let seen: Vec<&TargetGroup> = region
            .elb
            .target_groups
            .values()
            .filter(|group| group.created + visible_after <= context.now)
            .collect();
        let named = |group: &&TargetGroup| {
            self.target_group_arns.contains(&group.arn) || self.names.contains(&group.name)
        };
        let asked = self.target_group_arns.len() + self.names.len();
        if seen.iter().filter(|group| named(group)).count() < asked {
            return Err(no_target_group());
        }
        let fits = |group: &&TargetGroup| {
            let serves = self
                .load_balancer_arn
                .as_ref()
                .is_none_or(|arn| region.elb.load_balancers_of(&group.arn).contains(arn));
            serves && (asked == 0 || named(group))
        };
        let size = page_size(self.page_size, context.settings)?;
        let page = Page { token: self.marker.as_deref(), size };
        let (page, next_marker) = page.of(seen.into_iter().filter(fits), |group| group.arn.clone())?;
        let target_groups = page.into_iter().map(|group| region.elb.describe_target_group(group)).collect();
        Ok(DescribeTargetGroupsAnswer { target_groups, next_marker })
    }
}

/// Deletes a target group that no rule names. Deleting an unknown one is done already.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct DeleteTargetGroup {
    /// Which.
    pub target_group_arn: String,
}

impl Action for DeleteTargetGroup {
    const SERVICE: Service = Service::ElasticLoadBalancing;
    const NAME: &'static str = "DeleteTargetGroup";
    const KIND: Kind = Kind::Write;
    type Answer = Done;

    fn resource(&self) -> String {
        self.target_group_arn.clone()
    }

    fn run(self, region: &mut Region, _: &mut Context<'_>) -> Result<Self::Answer, ApiError> {
        if !region.elb.load_balancers_of(&self.target_group_arn).is_empty() {
            return Err(ApiError::new(
                Code::ResourceInUse,
                format!(
                    "Target group '{}' is currently in use by a listener or a rule",
                    self.target_group_arn
                ),
            ));
        }
        region.elb.target_groups.remove(&self.target_group_arn);
        Ok(Done {})
    }
}
