//! A listener's rule, read and given new weights.

use std::time::Duration;

use aws_sdk_elasticloadbalancingv2::types::{Action, ActionTypeEnum, ForwardActionConfig, TargetGroupTuple};
use dryad_cloud::CloudError;
use dryad_cloud::traffic::{Rule, RuleArn, Weight};
use tokio::time::Instant;

use super::shape::Shape;
use crate::call::Call;
use crate::site::Site;

const LOOK: Call = Call::DescribeRules;
const MODIFY: Call = Call::ModifyRule;

/// For how long a change waits at most after the look that it needs.
const BREATH: Duration = Duration::from_secs(2);

impl Site {
    /// The rule as it stands.
    pub(crate) async fn rule(&self, rule: &RuleArn) -> Result<Rule, CloudError> {
        Ok(match self.shape(self.read_deadline(), rule).await? {
            Shape::Forward { weights, .. } => Rule::Forward(weights),
            Shape::Other(words) => Rule::Other(words),
        })
    }

    /// Gives the rule these weights. AWS replaces a rule's action as a whole, so what is to stay of it is read first;
    /// both together take no longer than a mutation may.
    pub(crate) async fn set_weights(&self, rule: &RuleArn, weights: &[Weight]) -> Result<(), CloudError> {
        let deadline = self.mutation_deadline();
        let stickiness = match self.shape(deadline.min(self.read_deadline()), rule).await.map_err(unsent)? {
            Shape::Forward { weights: stands, stickiness } => {
                // It was looked at before, and somebody may have been here since: theirs would go with the new action.
                if let Some(third) = stands.iter().find(|it| !is_among(weights, it)) {
                    let message = format!("the rule also forwards to {} by now", third.target_group.0);
                    return Err(CloudError::Busy { action: MODIFY.name(), message });
                }
                stickiness
            }
            Shape::Other(words) => {
                let message =
                    format!("the rule is {words}; only a rule that does nothing but forward is changed");
                return Err(CloudError::Invalid { action: MODIFY.name(), message });
            }
        };
        // Where AWS has little time for us, the change is not sent on the heels of the look.
        self.until_clear(deadline.min(Instant::now() + BREATH), LOOK).await;
        let forward = ForwardActionConfig::builder()
            .set_target_groups(Some(weights.iter().map(tuple).collect()))
            .set_target_group_stickiness_config(stickiness)
            .build();
        self.mutate(deadline, MODIFY, |clients| {
            let action = Action::builder().r#type(ActionTypeEnum::Forward).forward_config(forward).build();
            clients.elb.modify_rule().rule_arn(&rule.0).actions(action).send()
        })
        .await
    }

    async fn shape(&self, deadline: Instant, rule: &RuleArn) -> Result<Shape, CloudError> {
        let answer = self
            .read(deadline, LOOK, |clients| clients.elb.describe_rules().rule_arns(&rule.0).send())
            .await?;
        match answer.rules() {
            [] => Err(CloudError::NotFound { action: LOOK.name(), message: format!("no rule {}", rule.0) }),
            [rule, ..] => Shape::of(LOOK.name(), rule),
        }
    }
}

/// A look that was not answered leaves nothing uncertain: the change it was for has not been sent.
fn unsent(error: CloudError) -> CloudError {
    match error {
        CloudError::Unanswered { action, message } => CloudError::Unreachable {
            action: MODIFY.name(),
            message: format!("the rule could not be read first: {action} was not answered: {message}"),
        },
        answered => answered,
    }
}

fn is_among(weights: &[Weight], other: &Weight) -> bool {
    weights.iter().any(|weight| weight.target_group == other.target_group)
}

fn tuple(weight: &Weight) -> TargetGroupTuple {
    TargetGroupTuple::builder()
        .target_group_arn(&weight.target_group.0)
        // Too large for the API is larger than the 999 that AWS allows, and refused there.
        .weight(i32::try_from(weight.weight).unwrap_or(i32::MAX))
        .build()
}
