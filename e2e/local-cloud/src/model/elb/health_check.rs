//! How targets are checked, and changing it.
//!
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html>

use serde::{Deserialize, Serialize};

use super::target_groups::TargetGroups;
use crate::model::action::{Action, Context, Kind};
use crate::model::error::ApiError;
use crate::model::region::Region;
use crate::model::service::Service;

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
pub(super) struct HealthCheckChange {
    pub(super) protocol: Option<String>,
    pub(super) port: Option<String>,
    pub(super) path: Option<String>,
    pub(super) interval: Option<u32>,
    pub(super) timeout: Option<u32>,
    pub(super) healthy_threshold: Option<u32>,
    pub(super) unhealthy_threshold: Option<u32>,
    pub(super) matcher: Option<Matcher>,
}

impl HealthCheckChange {
    /// The health check with the change made, if AWS would allow it.
    pub(super) fn apply(self, to: &HealthCheck) -> Result<HealthCheck, ApiError> {
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

/// The statuses that are good.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct Matcher {
    /// `200`, `200,202`, `200-299`.
    pub http_code: String,
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
