//! How users' requests reach the instances.

use std::slice;

use dryad_machine::access::Access;
use dryad_machine::name::Arn;
use dryad_machine::word;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::schema::{one_of, rule};

/// How requests reach the instances: exactly one way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline, transform = one_of)]
pub enum Traffic {
    /// A load balancer's rule with two target groups: green is proven at weight 0, then one change switches.
    LoadBalancerRule(LoadBalancerRule),
    /// One target group for both: green serves as soon as it is attached, beside blue.
    TargetGroup(TargetGroup),
}

/// A rule whose weights decide which of two target groups serves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct LoadBalancerRule {
    /// The rule. Its forward action is Dryad's from the first deploy on; its conditions are not.
    pub rule_arn: RuleArn,
    /// The two target groups, in an order that stays. The one of weight 0 takes green.
    #[schemars(transform = rule(
        "self.size() == 2 && self[0] != self[1]",
        "name two different target groups: one serves while the other takes the new instances",
    ))]
    pub target_group_arns: [TargetGroupArn; 2],
}

/// The one target group that blue and green share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct TargetGroup {
    /// The target group.
    pub arn: TargetGroupArn,
}

impl Traffic {
    /// What this is to the machine; without any traffic, an Environment is one of workers.
    pub fn access(traffic: Option<&Self>) -> Access {
        match traffic {
            Some(Self::LoadBalancerRule(rule)) => Access::LoadBalancerRule {
                rule_arn: Arn::new(rule.rule_arn.to_string()),
                target_group_arns: rule.target_group_arns.each_ref().map(|arn| Arn::new(arn.to_string())),
            },
            Some(Self::TargetGroup(shared)) => Access::TargetGroup { arn: Arn::new(shared.arn.to_string()) },
            None => Access::Workers {},
        }
    }

    /// Everything that it names.
    pub fn arns(&self) -> impl Iterator<Item = &str> {
        let (rule, groups) = match self {
            Self::LoadBalancerRule(rule) => (Some(rule.rule_arn.as_ref()), rule.target_group_arns.as_slice()),
            Self::TargetGroup(shared) => (None, slice::from_ref(&shared.arn)),
        };
        rule.into_iter().chain(groups.iter().map(AsRef::as_ref))
    }
}

word! {
    /// The ARN of a target group.
    TargetGroupArn, "a target group", max 256,
    pattern "^arn:aws[a-z-]*:elasticloadbalancing:[a-z0-9-]+:[0-9]{12}:targetgroup/[A-Za-z0-9-]{1,32}/[0-9a-z]+$",
    rule "write the target group's ARN, arn:aws:elasticloadbalancing:<region>:<account>:targetgroup/<name>/<id>"
}

word! {
    /// The ARN of a listener's rule.
    RuleArn, "a load balancer's rule", max 256,
    pattern "^arn:aws[a-z-]*:elasticloadbalancing:[a-z0-9-]+:[0-9]{12}:listener-rule/app/[A-Za-z0-9-]{1,32}(?:/[0-9a-z]+){3}$",
    rule "write the rule's ARN, arn:aws:elasticloadbalancing:<region>:<account>:listener-rule/app/<load \
          balancer>/<id>/<listener>/<rule>; a listener's default rule has none, so add a rule"
}
