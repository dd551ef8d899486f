//! Elastic Load Balancing v2, application load balancers: load balancers → listeners → rules → target groups →
//! targets.

mod actions_of_rules;
mod attributes;
mod conditions;
mod health_check;
mod listeners;
mod load_balancers;
mod rules;
mod tags;
mod target_groups;
mod target_health;
mod targets;
mod usage;

use std::collections::BTreeMap;

pub use actions_of_rules::{ActionType, FixedResponse, Forward, RuleAction, Stickiness, WeightedTargetGroup};
pub use attributes::{Attribute, Attributes, DescribeTargetGroupAttributes, ModifyTargetGroupAttributes};
pub use conditions::{Condition, HeaderValues, Values};
pub use health_check::{HealthCheck, Matcher, ModifyTargetGroup};
pub use listeners::{
    CreateListener, DeleteListener, DescribeListeners, DescribeListenersAnswer, Listener, ListenerProtocol,
    Listeners, ModifyListener,
};
pub use load_balancers::{
    CreateLoadBalancer, DeleteLoadBalancer, DescribeLoadBalancers, DescribeLoadBalancersAnswer,
    DescribedLoadBalancer, LoadBalancer, LoadBalancers,
};
pub use rules::{
    CreateRule, DeleteRule, DescribeRules, DescribeRulesAnswer, DescribedRule, ModifyRule, Priority, Rule,
    Rules,
};
pub use tags::{DescribeTags, DescribeTagsAnswer, TagDescription};
pub use target_groups::{
    CreateTargetGroup, DeleteTargetGroup, DescribeTargetGroups, DescribeTargetGroupsAnswer,
    DescribedTargetGroup, TargetGroup, TargetGroups,
};
pub use target_health::{
    DescribeTargetHealth, DescribeTargetHealthAnswer, TargetDescription, TargetHealth,
    TargetHealthDescription,
};
pub(crate) use targets::Health;
pub use targets::{Probe, Target};

use super::error::{ApiError, Code};
use super::settings::Settings;

/// What ELB holds in one region, by ARN.
#[derive(Debug, Clone, Default)]
pub struct State {
    pub(crate) load_balancers: BTreeMap<String, LoadBalancer>,
    pub(crate) listeners: BTreeMap<String, Listener>,
    pub(crate) rules: BTreeMap<String, Rule>,
    pub(crate) target_groups: BTreeMap<String, TargetGroup>,
}

/// An action's answer that says nothing but that it was done.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Done {}

/// The rule of the names of load balancers and target groups.
pub(crate) fn check_name(what: &str, name: &str) -> Result<(), ApiError> {
    let fits = (1..=32).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !name.starts_with('-')
        && !name.ends_with('-');
    if fits {
        return Ok(());
    }
    Err(ApiError::invalid(format!(
        "The {what} name '{name}' must be 1 to 32 characters long, contain only alphanumeric characters or hyphens, and \
         must not begin or end with a hyphen"
    )))
}

/// The size of a page: 1 to 400, the default.
fn page_size(asked: Option<usize>, settings: &Settings) -> Result<usize, ApiError> {
    let size = asked.unwrap_or(400);
    if !(1..=400).contains(&size) {
        return Err(ApiError::invalid(format!("PageSize '{size}' must be between 1 and 400")));
    }
    Ok(size.min(settings.largest_page.unwrap_or(size)).max(1))
}

pub(crate) fn no_target_group() -> ApiError {
    ApiError::new(Code::TargetGroupNotFound, "One or more target groups not found")
}
