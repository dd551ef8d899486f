//! Rules and the actions on them. A change of a rule is atomic: all weights at once.
//!
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-rules.html>

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::actions_of_rules::RuleAction;
use super::conditions::Condition;
use super::listeners::Listener;
use super::{Done, State, page_size};
use crate::model::action::{Action, Context, Kind};
use crate::model::error::{ApiError, Code};
use crate::model::ids::Ids;
use crate::model::paging::Page;
use crate::model::region::Region;
use crate::model::service::Service;
use crate::model::tags::{self, Tag, Tags};

/// The place of a rule among those of its listener, 1 to 50000; the lowest that fits decides.
pub type Priority = u32;

/// A rule as the model holds it, other than a listener's default one.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its ARN.
    pub arn: String,
    /// Its listener's ARN.
    pub listener: String,
    /// Its place.
    pub priority: Priority,
    /// Which requests it is for.
    pub conditions: Vec<Condition>,
    /// What becomes of them.
    pub actions: Vec<RuleAction>,
    /// Its tags.
    pub tags: Tags,
    /// When it was created.
    pub(crate) created: Timestamp,
}

/// A rule as it is described.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribedRule {
    /// Its ARN.
    pub rule_arn: String,
    /// A number, or `default`.
    pub priority: String,
    /// Which requests it is for.
    pub conditions: Vec<Condition>,
    /// What becomes of them.
    pub actions: Vec<RuleAction>,
    /// Whether it is the listener's default rule.
    pub is_default: bool,
}

impl DescribedRule {
    fn of(rule: &Rule) -> Self {
        Self {
            rule_arn: rule.arn.clone(),
            priority: rule.priority.to_string(),
            conditions: rule.conditions.clone(),
            actions: rule.actions.clone(),
            is_default: false,
        }
    }

    fn default_of(listener: &Listener) -> Self {
        Self {
            rule_arn: listener.default_rule.clone(),
            priority: "default".to_owned(),
            conditions: Vec::new(),
            actions: listener.actions.clone(),
            is_default: true,
        }
    }
}

/// A new ARN for a rule of that listener.
pub(super) fn arn_under(listener: &str, ids: &mut Ids) -> String {
    format!("{}/{}", listener.replacen(":listener/", ":listener-rule/", 1), ids.hex16())
}

fn not_found() -> ApiError {
    ApiError::new(Code::RuleNotFound, "One or more rules not found")
}

impl State {
    /// The rules as they are described, the default ones among them, in the order of listener and priority.
    fn described_rules(&self) -> impl Iterator<Item = (&Listener, Timestamp, DescribedRule)> {
        self.listeners.values().flat_map(|listener| {
            let mut rules: Vec<&Rule> =
                self.rules.values().filter(|rule| rule.listener == listener.arn).collect();
            rules.sort_by_key(|rule| rule.priority);
            let default = (listener, listener.created, DescribedRule::default_of(listener));
            let own = rules.into_iter().map(move |rule| (listener, rule.created, DescribedRule::of(rule)));
            own.chain([default])
        })
    }
}

/// One or more rules.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Rules {
    /// As they are described.
    pub rules: Vec<DescribedRule>,
}

/// Creates a rule.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct CreateRule {
    /// Of which listener.
    pub listener_arn: String,
    /// Which requests it is for.
    pub conditions: Vec<Condition>,
    /// Its place, not taken by another.
    pub priority: Priority,
    /// What becomes of them.
    pub actions: Vec<RuleAction>,
    /// Tags.
    pub tags: Vec<Tag>,
}

impl Action for CreateRule {
    const SERVICE: Service = Service::ElasticLoadBalancing;
    const NAME: &'static str = "CreateRule";
    const KIND: Kind = Kind::Write;
    type Answer = Rules;

    fn resource(&self) -> String {
        self.listener_arn.clone()
    }

    fn run(self, region: &mut Region, context: &mut Context<'_>) -> Result<Self::Answer, ApiError> {
        let load_balancer = region.elb.listener(&self.listener_arn)?.load_balancer.clone();
        if !(1..=50_000).contains(&self.priority) {
            return Err(ApiError::invalid(format!(
                "Priority '{}' must be between 1 and 50000",
                self.priority
            )));
        }
        let mut siblings = region.elb.rules.values().filter(|rule| rule.listener == self.listener_arn);
        if siblings.any(|rule| rule.priority == self.priority) {
            return Err(ApiError::new(
                Code::PriorityInUse,
                format!("Priority '{}' is currently in use", self.priority),
            ));
        }
        check_conditions(&self.conditions)?;
        let actions = region.elb.accept_actions(&load_balancer, self.actions)?;
        let tags = tags::accept(self.tags)?;
        let rule = Rule {
            arn: arn_under(&self.listener_arn, &mut region.ids),
            listener: self.listener_arn,
            priority: self.priority,
            conditions: self.conditions,
            actions,
            tags,
            created: context.now,
        };
        let described = DescribedRule::of(&rule);
        region.elb.rules.insert(rule.arn.clone(), rule);
        region.elb.refresh_usage(context.now);
        Ok(Rules { rules: vec![described] })
    }
}

/// Changes conditions, actions or both of a rule that is not a default one.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct ModifyRule {
    /// Which.
    pub rule_arn: String,
    /// Which requests it is for; none: unchanged.
    pub conditions: Vec<Condition>,
    /// What becomes of them; none: unchanged.
    pub actions: Vec<RuleAction>,
}

impl Action for ModifyRule {
    const SERVICE: Service = Service::ElasticLoadBalancing;
    const NAME: &'static str = "ModifyRule";
    const KIND: Kind = Kind::Write;
    type Answer = Rules;

    fn resource(&self) -> String {
        self.rule_arn.clone()
    }

    fn run(self, region: &mut Region, context: &mut Context<'_>) -> Result<Self::Answer, ApiError> {
        if region.elb.listeners.values().any(|listener| listener.default_rule == self.rule_arn) {
            return Err(ApiError::new(Code::OperationNotPermitted, "Default rule cannot be modified"));
        }
        let mut rule = region.elb.rules.get(&self.rule_arn).ok_or_else(not_found)?.clone();
        let load_balancer = region.elb.listener(&rule.listener)?.load_balancer.clone();
        if !self.conditions.is_empty() {
            check_conditions(&self.conditions)?;
            rule.conditions = self.conditions;
        }
        if !self.actions.is_empty() {
            rule.actions = region.elb.accept_actions(&load_balancer, self.actions)?;
        }
        let described = DescribedRule::of(&rule);
        region.elb.rules.insert(rule.arn.clone(), rule);
        region.elb.refresh_usage(context.now);
        Ok(Rules { rules: vec![described] })
    }
}

/// Lists rules, of one listener or by ARN; a listener's default rule comes last.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct DescribeRules {
    /// Those of this listener.
    pub listener_arn: Option<String>,
    /// These; an unknown one is an error.
    pub rule_arns: Vec<String>,
    /// The page.
    pub marker: Option<String>,
    /// 1 to 400, the default.
    pub page_size: Option<usize>,
}

/// The rules.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeRulesAnswer {
    /// In the order of their priorities.
    pub rules: Vec<DescribedRule>,
    /// For the next page.
    pub next_marker: Option<String>,
}

impl Action for DescribeRules {
    const SERVICE: Service = Service::ElasticLoadBalancing;
    const NAME: &'static str = "DescribeRules";
    const KIND: Kind = Kind::Read;
    type Answer = DescribeRulesAnswer;

    fn resource(&self) -> String {
        self.listener_arn.iter().chain(&self.rule_arns).cloned().collect::<Vec<_>>().join(",")
    }

    fn run(self, region: &mut Region, context: &mut Context<'_>) -> Result<Self::Answer, ApiError> {
        let visible_after = context.settings.timings.visible_after;
        let seen =
            region.elb.described_rules().filter(|(_, created, _)| *created + visible_after <= context.now);
        let found: Vec<DescribedRule> = match (&self.listener_arn, self.rule_arns.is_empty()) {
            (Some(arn), true) => {
                region.elb.listener(arn)?;
                seen.filter(|(listener, ..)| listener.arn == *arn).map(|(.., rule)| rule).collect()
            }
            (None, false) => {
                seen.map(|(.., rule)| rule).filter(|rule| self.rule_arns.contains(&rule.rule_arn)).collect()
            }
            (None, true) | (Some(_), false) => {
                return Err(ApiError::invalid(
                    "You must specify either listener rule ARNs or a listener ARN",
                ));
            }
        };
        if found.len() < self.rule_arns.len() {
            return Err(not_found());
        }
        let size = page_size(self.page_size, context.settings)?;
        let page = Page { token: self.marker.as_deref(), size };
        // By place in the list: priorities are unique, but `default` is not a number.
        let key = |(at, rule): &(usize, DescribedRule)| format!("{at:08}{}", rule.priority);
        let (page, next_marker) = page.of(found.into_iter().enumerate(), key)?;
        Ok(DescribeRulesAnswer { rules: page.into_iter().map(|(_, rule)| rule).collect(), next_marker })
    }
}

/// Deletes a rule that is not a default one.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct DeleteRule {
    /// Which.
    pub rule_arn: String,
}

impl Action for DeleteRule {
    const SERVICE: Service = Service::ElasticLoadBalancing;
    const NAME: &'static str = "DeleteRule";
    const KIND: Kind = Kind::Write;
    type Answer = Done;

    fn resource(&self) -> String {
        self.rule_arn.clone()
    }

    fn run(self, region: &mut Region, context: &mut Context<'_>) -> Result<Self::Answer, ApiError> {
        if region.elb.listeners.values().any(|listener| listener.default_rule == self.rule_arn) {
            return Err(ApiError::new(Code::OperationNotPermitted, "Default rule cannot be deleted"));
        }
        region.elb.rules.remove(&self.rule_arn).ok_or_else(not_found)?;
        region.elb.refresh_usage(context.now);
        Ok(Done {})
    }
}

fn check_conditions(conditions: &[Condition]) -> Result<(), ApiError> {
    if conditions.is_empty() {
        return Err(ApiError::invalid("A condition must be specified"));
    }
    conditions.iter().try_for_each(Condition::check)
}
