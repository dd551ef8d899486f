//! Where requests go: a listener's rules and the target groups they name. Values only.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use http::header::HOST;
use http::{Request, StatusCode};

use super::record::{GroupView, RuleView};
use crate::model::elb::Condition;

/// All that decides where a listener's requests go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    rules: Vec<Rule>,
    groups: BTreeMap<String, Group>,
}

/// One rule of a listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its name, the same in every table that has this rule: the turns of weights and targets go by it.
    pub id: String,
    /// The lowest number comes first.
    pub priority: u32,
    /// All must hold; a rule without any always applies.
    pub conditions: Vec<Condition>,
    /// What becomes of the request.
    pub action: Action,
}

/// What a rule does with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// It goes to one of these groups, in proportion to their weights.
    Forward(Vec<Share>),
    /// The balancer answers it.
    Fixed(FixedResponse),
}

/// A group's share of a rule's requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// The group.
    pub group: String,
    /// 0 to 999; with 0 it gets none.
    pub weight: u16,
}

/// An answer that needs no target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FixedResponse {
    /// Its status.
    pub status: StatusCode,
    /// Its media type.
    pub content_type: String,
    /// Its body.
    pub body: String,
}

/// A target group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The targets that are registered, and those that are draining.
    pub targets: Vec<Target>,
    /// How long a request may still take once its target is draining or no longer in the table.
    pub drain: Duration,
}

/// A target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The instance.
    pub id: String,
    /// Where it receives traffic.
    pub address: SocketAddr,
    /// Whether it gets any.
    pub state: TargetState,
}

/// What a target's state means to the balancer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetState {
    /// It gets traffic.
    Healthy,
    /// Initial or unhealthy: it gets traffic only when no other target of its group is healthy.
    NotHealthy,
    /// It gets no new requests in any case.
    Draining,
}

/// A rule forwards to a group that the table does not have.
#[derive(Debug, thiserror::Error)]
#[error("rule {rule} forwards to {group}, which is not in the table: add the group, with or without targets")]
pub struct UnknownGroup {
    rule: String,
    group: String,
}

impl Table {
    /// Rules in any order; a request that none applies to is answered with 404, so the listener's default rule
    /// belongs in here too, with the highest number and no conditions.
    ///
    /// # Errors
    ///
    /// [`UnknownGroup`], where a rule names a group that is not among these.
    pub fn new(mut rules: Vec<Rule>, groups: BTreeMap<String, Group>) -> Result<Self, UnknownGroup> {
        for rule in &rules {
            let missing = rule.action.shares().iter().find(|share| !groups.contains_key(&share.group));
            if let Some(share) = missing {
                return Err(UnknownGroup { rule: rule.id.clone(), group: share.group.clone() });
            }
        }
        rules.sort_by_key(|rule| rule.priority);
        Ok(Self { rules, groups })
    }

    /// The rule that applies.
    pub(super) fn rule<B>(&self, request: &Request<B>) -> Option<&Rule> {
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        let host = request.uri().host().or_else(|| header(HOST.as_str())).unwrap_or_default();
        let (method, path) = (request.method().as_str(), request.uri().path());
        let holds = |condition: &Condition| condition.holds(method, host, path, header);
        self.rules.iter().find(|rule| rule.conditions.iter().all(holds))
    }

    pub(super) fn group(&self, id: &str) -> Option<&Group> {
        self.groups.get(id)
    }

    /// Whether a target may get requests, which those that it has already may rely on.
    pub(super) fn admits(&self, group: &str, target: &str) -> bool {
        let targets = self.groups.get(group).map_or(&[][..], |group| &group.targets);
        targets.iter().any(|other| other.id == target && other.state != TargetState::Draining)
    }

    /// What this table means for capacity.
    pub(super) fn view(&self) -> Vec<RuleView> {
        let group = |share: &Share| {
            let targets = self.groups.get(&share.group).map_or(&[][..], |group| &group.targets);
            let count = |state| targets.iter().filter(|target| target.state == state).count();
            GroupView {
                group: share.group.clone(),
                weight: share.weight,
                healthy: count(TargetState::Healthy),
                not_healthy: count(TargetState::NotHealthy),
                draining: count(TargetState::Draining),
            }
        };
        let rule = |rule: &Rule| RuleView {
            rule: rule.id.clone(),
            groups: rule.action.shares().iter().map(group).collect(),
        };
        self.rules.iter().map(rule).collect()
    }
}

impl Action {
    fn shares(&self) -> &[Share] {
        match self {
            Self::Forward(shares) => shares,
            Self::Fixed(_) => &[],
        }
    }
}

impl Group {
    /// The targets that take turns: the healthy ones, or, if there are none, all that are not draining.
    pub(super) fn in_turn(&self) -> Vec<&Target> {
        let of = |state| self.targets.iter().filter(move |target| target.state == state);
        let healthy: Vec<_> = of(TargetState::Healthy).collect();
        if healthy.is_empty() { of(TargetState::NotHealthy).collect() } else { healthy }
    }
}
