//! The attributes of target groups.
//!
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html>

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::target_groups::TargetGroup;
use crate::model::action::{Action, Context, Kind};
use crate::model::error::{ApiError, Code};
use crate::model::region::Region;
use crate::model::service::Service;
use crate::model::settings::Settings;

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
    pub(crate) fn drain(&self, settings: &Settings) -> SignedDuration {
        settings.timings.drain.unwrap_or_else(|| self.deregistration_delay())
    }

    fn deregistration_delay(&self) -> SignedDuration {
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
