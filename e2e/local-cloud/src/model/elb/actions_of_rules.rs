//! What a listener or a rule does with a request: forward it by weights, or answer it.
//!
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-action-types.html>

use serde::{Deserialize, Serialize};

use super::{State, no_target_group};
use crate::model::error::ApiError;

/// An action.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct RuleAction {
    /// What is done.
    #[serde(rename = "Type")]
    pub kind: ActionType,
    /// The one target group, where there is just one.
    pub target_group_arn: Option<String>,
    /// The target groups and their weights.
    pub forward_config: Option<Forward>,
    /// The answer.
    pub fixed_response_config: Option<FixedResponse>,
    /// Its place among several; a final action is the last.
    pub order: Option<u32>,
}

/// What an action does. No other is known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActionType {
    /// Forwards to a target of one of the groups.
    #[default]
    Forward,
    /// Answers by itself.
    FixedResponse,
}

/// Where to forward.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct Forward {
    /// One to five.
    pub target_groups: Vec<WeightedTargetGroup>,
    /// Whether a client stays with the group it came to first.
    pub target_group_stickiness_config: Option<Stickiness>,
}

/// A target group and its share.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct WeightedTargetGroup {
    /// Which.
    pub target_group_arn: String,
    /// 0 to 999; unset: 1.
    pub weight: Option<u32>,
}

/// Stickiness between target groups.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct Stickiness {
    /// Whether it is on.
    pub enabled: Option<bool>,
    /// For how long, 1 to 604800.
    pub duration_seconds: Option<u32>,
}

/// An answer without a target.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct FixedResponse {
    /// 2XX, 4XX or 5XX.
    pub status_code: String,
    /// `text/plain` for instance.
    pub content_type: Option<String>,
    /// At most 1024 characters.
    pub message_body: Option<String>,
}

impl RuleAction {
    /// Forwards to groups by weights.
    pub fn forward<'a>(groups: impl IntoIterator<Item = (&'a str, u32)>) -> Self {
        let target_groups = groups
            .into_iter()
            .map(|(arn, weight)| WeightedTargetGroup {
                target_group_arn: arn.to_owned(),
                weight: Some(weight),
            })
            .collect();
        let forward = Forward { target_groups, target_group_stickiness_config: None };
        Self { kind: ActionType::Forward, forward_config: Some(forward), ..Self::default() }
    }

    /// Answers with a status, and no body.
    pub fn answer(status_code: &str) -> Self {
        let response = FixedResponse { status_code: status_code.to_owned(), ..FixedResponse::default() };
        Self { kind: ActionType::FixedResponse, fixed_response_config: Some(response), ..Self::default() }
    }

    /// The target groups it names, each once, at whatever weight.
    pub(crate) fn target_groups(&self) -> impl Iterator<Item = &str> {
        let weighted = self.forward_config.iter().flat_map(|forward| &forward.target_groups);
        let in_forward = self.forward_config.is_some();
        let single = self.target_group_arn.iter().filter(move |_| !in_forward);
        weighted.map(|group| group.target_group_arn.as_str()).chain(single.map(String::as_str))
    }

    /// The action as AWS keeps it: both forms of a forward to one group, weights and stickiness filled in.
    fn normalised(mut self, order: u32) -> Self {
        self.order.get_or_insert(order);
        if self.kind == ActionType::Forward {
            let mut forward = self.forward_config.take().unwrap_or_else(|| {
                let only = self.target_group_arn.take().unwrap_or_default();
                let only = WeightedTargetGroup { target_group_arn: only, weight: None };
                Forward { target_groups: vec![only], target_group_stickiness_config: None }
            });
            for group in &mut forward.target_groups {
                group.weight.get_or_insert(1);
            }
            let stickiness = forward.target_group_stickiness_config.get_or_insert_default();
            stickiness.enabled.get_or_insert(false);
            self.target_group_arn = match forward.target_groups.as_slice() {
                [only] => Some(only.target_group_arn.clone()),
                _ => None,
            };
            self.forward_config = Some(forward);
        }
        self
    }

    fn check(&self, state: &State) -> Result<(), ApiError> {
        match self.kind {
            ActionType::FixedResponse => match &self.fixed_response_config {
                Some(response) if matches!(response.status_code.as_bytes(), [b'2' | b'4' | b'5', _, _]) => {
                    Ok(())
                }
                Some(response) => Err(ApiError::invalid(format!(
                    "The status code '{}' of a fixed response must be 2XX, 4XX or 5XX",
                    response.status_code
                ))),
                None => Err(ApiError::invalid("A fixed-response action needs FixedResponseConfig")),
            },
            ActionType::Forward => {
                let named: Vec<&str> = self.target_groups().collect();
                if named.is_empty() {
                    return Err(ApiError::invalid("A forward action needs at least one target group"));
                }
                if named.len() > 5 {
                    return Err(ApiError::invalid(
                        "Member must have length less than or equal to 5: a forward action names at most 5 target groups",
                    ));
                }
                if let (Some(single), Some(forward)) = (&self.target_group_arn, &self.forward_config)
                    && forward.target_groups.iter().any(|group| group.target_group_arn != *single)
                {
                    return Err(ApiError::invalid(
                        "TargetGroupArn and ForwardConfig of a forward action must name the same one target group",
                    ));
                }
                let weights = self.forward_config.iter().flat_map(|forward| &forward.target_groups);
                if let Some(weight) = weights.filter_map(|group| group.weight).find(|weight| *weight > 999) {
                    return Err(ApiError::invalid(format!(
                        "Value '{weight}' at 'weight' failed to satisfy constraint: Member must have value less than or \
                         equal to 999"
                    )));
                }
                if named.iter().any(|arn| !state.target_groups.contains_key(*arn)) {
                    return Err(no_target_group());
                }
                let mut once = named.clone();
                once.sort_unstable();
                once.dedup();
                if once.len() < named.len() {
                    return Err(ApiError::invalid(
                        "A target group may be named only once in a forward action",
                    ));
                }
                Ok(())
            }
        }
    }
}

impl State {
    /// Checks the actions of a listener or rule of that load balancer, and gives them as they are kept.
    pub(crate) fn accept_actions(
        &self,
        load_balancer: &str,
        actions: Vec<RuleAction>,
    ) -> Result<Vec<RuleAction>, ApiError> {
        if actions.len() != 1 {
            return Err(ApiError::invalid("Exactly one forward or fixed-response action must be specified"));
        }
        for action in &actions {
            action.check(self)?;
        }
        self.check_association(load_balancer, &actions)?;
        Ok((1..).zip(actions).map(|(order, action)| action.normalised(order)).collect())
    }
}
