//! What a rule does, from the SDK's picture of it.

use aws_sdk_elasticloadbalancingv2::types::{
    Action, ActionTypeEnum as Kind, ForwardActionConfig, Rule, TargetGroupStickinessConfig, TargetGroupTuple,
};
use dryad_cloud::CloudError;
use dryad_cloud::traffic::{TargetGroupArn, Weight};

use crate::errors::lacking;

/// What AWS takes a weight for that was not set.
const DEFAULT_WEIGHT: u32 = 1;

/// What a rule does.
pub(super) enum Shape {
    /// It forwards, and nothing else.
    Forward {
        /// By these weights.
        weights: Vec<Weight>,
        /// For how long a client stays with the target group it was first sent to.
        stickiness: Option<TargetGroupStickinessConfig>,
    },
    /// Anything else, in words.
    Other(String),
}

impl Shape {
    /// What this rule does; `action` is the request that showed it.
    pub(super) fn of(action: &'static str, rule: &Rule) -> Result<Self, CloudError> {
        if rule.is_default() == Some(true) {
            let words =
                "the listener's default rule, whose target groups only the listener itself can change";
            return Ok(Self::Other(words.to_owned()));
        }
        match rule.actions() {
            [only] if only.r#type() == Some(&Kind::Forward) => forward(action, only),
            [] => Err(lacking(action, "the rule's actions")),
            actions => Ok(Self::Other(actions.iter().map(in_words).collect::<Vec<_>>().join(", then "))),
        }
    }
}

/// A forward to a single target group may be written without the list of weights.
fn forward(action: &'static str, forward: &Action) -> Result<Shape, CloudError> {
    let config = forward.forward_config();
    let listed = config.map(ForwardActionConfig::target_groups).unwrap_or_default();
    let weights = match (listed, forward.target_group_arn()) {
        ([], Some(only)) => {
            vec![Weight { target_group: TargetGroupArn(only.to_owned()), weight: DEFAULT_WEIGHT }]
        }
        (listed, _) => listed
            .iter()
            .map(|tuple| weight(tuple).ok_or_else(|| lacking(action, "a target group's ARN or weight")))
            .collect::<Result<_, _>>()?,
    };
    if weights.is_empty() {
        return Err(lacking(action, "the rule's target groups"));
    }
    let stickiness = config.and_then(|config| config.target_group_stickiness_config()).cloned();
    Ok(Shape::Forward { weights, stickiness })
}

fn weight(tuple: &TargetGroupTuple) -> Option<Weight> {
    Some(Weight {
        target_group: TargetGroupArn(tuple.target_group_arn()?.to_owned()),
        weight: tuple.weight().map_or(Some(DEFAULT_WEIGHT), |weight| u32::try_from(weight).ok())?,
    })
}

fn in_words(action: &Action) -> String {
    match action.r#type() {
        Some(Kind::Forward) => "a forward".to_owned(),
        Some(Kind::Redirect) => "a redirect".to_owned(),
        Some(Kind::FixedResponse) => {
            let status = action.fixed_response_config().and_then(|config| config.status_code());
            format!("a fixed answer {}", status.unwrap_or_default()).trim_end().to_owned()
        }
        Some(Kind::AuthenticateOidc | Kind::AuthenticateCognito) => "an authentication".to_owned(),
        Some(Kind::JwtValidation) => "a validation of JSON Web Tokens".to_owned(),
        other => format!("an action {:?}", other.map(Kind::as_str).unwrap_or_default()),
    }
}
