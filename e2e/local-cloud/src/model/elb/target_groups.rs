//! Target groups and the actions on them.
//!
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-target-groups.html>

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::targets::Target;
use super::{Done, State, check_name, no_target_group};
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

/// How targets are checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HealthCheck {
    /// `HTTP` or `HTTPS`.
    pub protocol: String,
    /// A port, or `traffic-port`.
    pub port: String,
    /// The path asked for.
    pub path: String,
    /// Seconds between two checks.
    pub interval: u32,
    /// Seconds until a check has failed.
    pub timeout: u32,
    /// Good checks in a row that make an unhealthy target healthy.
    pub healthy_threshold: u32,
    /// Bad checks in a row that make a target unhealthy.
    pub unhealthy_threshold: u32,
    /// The statuses that are good: `200`, `200,202`, `200-299`.
    pub matcher: String,
}

impl Default for HealthCheck {
    /// AWS's own defaults for HTTP.
    fn default() -> Self {
        Self {
            protocol: "HTTP".to_owned(),
            port: "traffic-port".to_owned(),
            path: "/".to_owned(),
            interval: 30,
            timeout: 5,
            healthy_threshold: 5,
            unhealthy_threshold: 2,
            matcher: "200".to_owned(),
        }
    }
}

/// What a request says about health checks; what it leaves unset stays.
#[derive(Debug, Clone, Default)]
struct HealthCheckChange {
    protocol: Option<String>,
    port: Option<String>,
    path: Option<String>,
    interval: Option<u32>,
    timeout: Option<u32>,
    healthy_threshold: Option<u32>,
    unhealthy_threshold: Option<u32>,
    matcher: Option<Matcher>,
}

impl HealthCheckChange {
    fn apply(self, to: &HealthCheck) -> Result<HealthCheck, ApiError> {
        let old = to.clone();
        let new = HealthCheck {
            protocol: self.protocol.unwrap_or(old.protocol),
            port: self.port.unwrap_or(old.port),
            path: self.path.unwrap_or(old.path),
            interval: self.interval.unwrap_or(old.interval),
            timeout: self.timeout.unwrap_or(old.timeout),
            healthy_threshold: self.healthy_threshold.unwrap_or(old.healthy_threshold),
            unhealthy_threshold: self.unhealthy_threshold.unwrap_or(old.unhealthy_threshold),
            matcher: self.matcher.map_or(old.matcher, |matcher| matcher.http_code),
        };
        for (name, value, least, most) in [
            ("Health check interval", new.interval, 5, 300),
            ("Health check timeout", new.timeout, 2, 120),
            ("Healthy threshold count", new.healthy_threshold, 2, 10),
            ("Unhealthy threshold count", new.unhealthy_threshold, 2, 10),
        ] {
            if !(least..=most).contains(&value) {
                return Err(ApiError::invalid(format!(
                    "{name} '{value}' must be between {least} and {most}"
                )));
            }
        }
        if new.timeout >= new.interval {
            return Err(ApiError::invalid("Health check interval must be greater than the timeout."));
        }
        if !new.path.starts_with('/') {
            return Err(ApiError::invalid(format!(
                "Health check path '{}' must begin with a '/' character",
                new.path
            )));
        }
        Ok(new)
    }
}

/// The attributes a group may have, and what they are unless set.
const ATTRIBUTES: [(&str, &str); 7] = [
    (DEREGISTRATION_DELAY, "300"),
    ("load_balancing.algorithm.type", "round_robin"),
    ("load_balancing.cross_zone.enabled", "use_load_balancer_configuration"),
    ("slow_start.duration_seconds", "0"),
    ("stickiness.enabled", "false"),
    ("stickiness.lb_cookie.duration_seconds", "86400"),
    ("stickiness.type", "lb_cookie"),
];
const DEREGISTRATION_DELAY: &str = "deregistration_delay.timeout_seconds";

impl TargetGroup {
    /// How long its deregistered targets drain.
    pub(crate) fn deregistration_delay(&self) -> SignedDuration {
        let set = self.attributes.get(DEREGISTRATION_DELAY).and_then(|seconds| seconds.parse().ok());
        SignedDuration::from_secs(set.unwrap_or(300))
    }

    fn all_attributes(&self) -> Attributes {
        let attributes = ATTRIBUTES
            .iter()
            .map(|(key, default)| Attribute {
                key: (*key).to_owned(),
                value: self.attributes.get(*key).cloned().unwrap_or_else(|| (*default).to_owned()),
            })
            .collect();
        Attributes { attributes }
    }
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

/// The statuses that are good.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct Matcher {
    /// `200`, `200,202`, `200-299`.
    pub http_code: String,
}

impl State {
    fn describe_target_group(&self, group: &TargetGroup) -> DescribedTargetGroup {
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

    fn target_group_mut(&mut self, arn: &str) -> Result<&mut TargetGroup, ApiError> {
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
        let mut tags = Tags::new();
        for tag in self.tags {
            tags::check(&tag.key, &tag.value)?;
            tags.insert(tag.key, tag.value);
        }
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

/// Changes how targets are checked.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct ModifyTargetGroup {
    /// Which.
    pub target_group_arn: String,
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
}

impl Action for ModifyTargetGroup {
    const SERVICE: Service = Service::ElasticLoadBalancing;
    const NAME: &'static str = "ModifyTargetGroup";
    const KIND: Kind = Kind::Write;
    type Answer = TargetGroups;

    fn resource(&self) -> String {
        self.target_group_arn.clone()
    }

    fn run(self, region: &mut Region, _: &mut Context<'_>) -> Result<Self::Answer, ApiError> {
        let group = region.elb.target_group_mut(&self.target_group_arn)?;
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
        group.health_check = change.apply(&group.health_check)?;
        let group = &region.elb.target_groups[&self.target_group_arn];
        Ok(TargetGroups { target_groups: vec![region.elb.describe_target_group(group)] })
    }
}

/// An attribute.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct Attribute {
    /// `deregistration_delay.timeout_seconds` for instance.
    pub key: String,
    /// Its value.
    pub value: String,
}

/// The attributes of a target group.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Attributes {
    /// All of them, set or not.
    pub attributes: Vec<Attribute>,
}

/// Sets attributes.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct ModifyTargetGroupAttributes {
    /// Of which group.
    pub target_group_arn: String,
    /// Those to set.
    pub attributes: Vec<Attribute>,
}

impl Action for ModifyTargetGroupAttributes {
    const SERVICE: Service = Service::ElasticLoadBalancing;
    const NAME: &'static str = "ModifyTargetGroupAttributes";
    const KIND: Kind = Kind::Write;
    type Answer = Attributes;

    fn resource(&self) -> String {
        self.target_group_arn.clone()
    }

    fn run(self, region: &mut Region, _: &mut Context<'_>) -> Result<Self::Answer, ApiError> {
        let group = region.elb.target_group_mut(&self.target_group_arn)?;
        for Attribute { key, value } in &self.attributes {
            if !ATTRIBUTES.iter().any(|(known, _)| known == key) {
                let message = format!("Target group attribute key '{key}' is not recognized");
                return Err(ApiError::new(Code::InvalidConfigurationRequest, message));
            }
            let seconds = value.parse::<u32>();
            if key == DEREGISTRATION_DELAY && !seconds.is_ok_and(|seconds| seconds <= 3600) {
                let message = format!("'{DEREGISTRATION_DELAY}' must be between '0' and '3600' inclusive");
                return Err(ApiError::new(Code::InvalidConfigurationRequest, message));
            }
        }
        group
            .attributes
            .extend(self.attributes.into_iter().map(|attribute| (attribute.key, attribute.value)));
        Ok(group.all_attributes())
    }
}

/// Lists the attributes of a target group.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct DescribeTargetGroupAttributes {
    /// Which.
    pub target_group_arn: String,
}

impl Action for DescribeTargetGroupAttributes {
    const SERVICE: Service = Service::ElasticLoadBalancing;
    const NAME: &'static str = "DescribeTargetGroupAttributes";
    const KIND: Kind = Kind::Read;
    type Answer = Attributes;

    fn resource(&self) -> String {
        self.target_group_arn.clone()
    }

    fn run(self, region: &mut Region, _: &mut Context<'_>) -> Result<Self::Answer, ApiError> {
        Ok(region.elb.target_group_mut(&self.target_group_arn)?.all_attributes())
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
        let largest = context.settings.largest_page.unwrap_or(400);
        let size = self.page_size.unwrap_or(400).min(400).min(largest).max(1);
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
