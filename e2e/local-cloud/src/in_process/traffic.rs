//! Target groups and rules in the model's words, and back.

use std::collections::BTreeMap;

use dryad_cloud::CloudError;
use dryad_cloud::group::InstanceId;
use dryad_cloud::traffic::{Rule, RuleArn, TargetGroupArn, TargetHealth, Weight};
use dryad_machine::name::{Arn, Place};

use super::InProcess;
use crate::model::Action;
use crate::model::elb::TargetHealth as Described;
use crate::model::elb::{
    ActionType, DescribeRules, DescribeTags, DescribeTargetHealth, DescribedRule, Forward, ModifyRule,
    RuleAction, WeightedTargetGroup,
};

impl InProcess {
    pub(super) async fn describe_health(
        &self,
        place: &Place,
        target_group: &TargetGroupArn,
    ) -> Result<BTreeMap<InstanceId, TargetHealth>, CloudError> {
        let request = DescribeTargetHealth { target_group_arn: target_group.0.clone(), targets: Vec::new() };
        let targets = self.call(place, request).await?.target_health_descriptions;
        Ok(targets.into_iter().map(|it| (InstanceId(it.target.id), health(it.target_health))).collect())
    }

    pub(super) async fn describe_rule(&self, place: &Place, rule: &RuleArn) -> Result<Rule, CloudError> {
        let rule = self.described(place, rule).await?;
        Ok(match forward(&rule) {
            Ok(forward) => Rule::Forward(forward.target_groups.iter().map(weight).collect()),
            Err(words) => Rule::Other(words),
        })
    }

    pub(super) async fn describe_balancer_tags(
        &self,
        place: &Place,
        arn: &Arn,
    ) -> Result<BTreeMap<String, String>, CloudError> {
        let request = DescribeTags { resource_arns: vec![arn.to_string()] };
        let described = self.call(place, request).await?.tag_descriptions.into_iter();
        Ok(described.flat_map(|one| one.tags).map(|tag| (tag.key, tag.value)).collect())
    }

    pub(super) async fn modify_rule(
        &self,
        place: &Place,
        rule: &RuleArn,
        weights: &[Weight],
    ) -> Result<(), CloudError> {
        let action = ModifyRule::NAME;
        let described = self.described(place, rule).await.map_err(|error| match error {
            CloudError::Unanswered { message, .. } => CloudError::Unreachable { action, message },
            answered => answered,
        })?;
        let before = forward(&described).map_err(|words| CloudError::Invalid {
            action,
            message: format!("the rule is {words}; only a rule that does nothing but forward is changed"),
        })?;
        let is_among = |arn: &str| weights.iter().any(|weight| weight.target_group.0 == arn);
        let mut stands = before.target_groups.iter().map(|it| &it.target_group_arn);
        if let Some(third) = stands.find(|arn| !is_among(arn)) {
            let message = format!("the rule also forwards to {third} by now");
            return Err(CloudError::Busy { action, message });
        }
        let target_groups = weights
            .iter()
            .map(|weight| WeightedTargetGroup {
                target_group_arn: weight.target_group.0.clone(),
                weight: Some(weight.weight),
            })
            .collect();
        let forward = Forward { target_groups, ..before.clone() };
        let request = ModifyRule {
            rule_arn: rule.0.clone(),
            actions: vec![RuleAction { forward_config: Some(forward), ..RuleAction::default() }],
            ..ModifyRule::default()
        };
        self.call(place, request).await.map(drop)
    }

    async fn described(&self, place: &Place, rule: &RuleArn) -> Result<DescribedRule, CloudError> {
        let request = DescribeRules { rule_arns: vec![rule.0.clone()], ..DescribeRules::default() };
        let not_found =
            || CloudError::NotFound { action: DescribeRules::NAME, message: format!("no rule {}", rule.0) };
        self.call(place, request).await?.rules.into_iter().next().ok_or_else(not_found)
    }
}

fn health(health: Described) -> TargetHealth {
    match health.state.as_str() {
        "healthy" => TargetHealth::Healthy,
        "initial" => TargetHealth::Initial,
        "draining" => TargetHealth::Draining,
        state => {
            let reason = health.description.or(health.reason);
            TargetHealth::Unhealthy(reason.map_or(state.to_owned(), |reason| format!("{state}: {reason}")))
        }
    }
}

/// The rule's forward, if that is all it does; else what it is, in words. The model fills in all there is to a forward.
fn forward(rule: &DescribedRule) -> Result<&Forward, String> {
    if rule.is_default {
        let words = "the listener's default rule, whose target groups only the listener itself can change";
        return Err(words.to_owned());
    }
    match &rule.actions[..] {
        [RuleAction { kind: ActionType::Forward, forward_config: Some(forward), .. }] => Ok(forward),
        actions => Err(actions.iter().map(in_words).collect::<Vec<_>>().join(", then ")),
    }
}

fn weight(group: &WeightedTargetGroup) -> Weight {
    Weight { target_group: TargetGroupArn(group.target_group_arn.clone()), weight: group.weight.unwrap_or(1) }
}

fn in_words(action: &RuleAction) -> String {
    match action.kind {
        ActionType::Forward => "a forward".to_owned(),
        ActionType::FixedResponse => {
            let status = action.fixed_response_config.as_ref().map(|answer| answer.status_code.as_str());
            format!("a fixed answer {}", status.unwrap_or_default())
        }
    }
}
