//! Where a deploy's groups run and how requests reach them, in the cloud's own names.

use dryad_cloud::traffic::{RuleArn, TargetGroupArn};
use dryad_machine::access::Access;
use dryad_machine::name::{Arn, Place};
use dryad_machine::reading::Slot;

/// Everything that an observation asks the cloud about, apart from the groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Where it is.
    pub place: Place,
    /// How requests reach the groups.
    pub traffic: TrafficTarget,
}

/// How requests reach the groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrafficTarget {
    /// A rule spreads them by weight over two target groups.
    Rule {
        /// The rule.
        rule: RuleArn,
        /// Slot A's target group.
        a: TargetGroupArn,
        /// Slot B's target group.
        b: TargetGroupArn,
    },
    /// One target group for all.
    TargetGroup(TargetGroupArn),
    /// Workers find their work themselves.
    Workers,
}

impl TrafficTarget {
    /// The same in the words of the ledger.
    pub fn of(access: &Access) -> Self {
        let target_group = |arn: &Arn| TargetGroupArn(arn.as_str().to_owned());
        match access {
            Access::LoadBalancerRule { rule_arn, target_group_arns: [a, b] } => Self::Rule {
                rule: RuleArn(rule_arn.as_str().to_owned()),
                a: target_group(a),
                b: target_group(b),
            },
            Access::TargetGroup { arn } => Self::TargetGroup(target_group(arn)),
            Access::Workers {} => Self::Workers,
        }
    }

    /// The target group of this slot, or the one that all share.
    pub fn target_group(&self, slot: Option<Slot>) -> Option<&TargetGroupArn> {
        match (self, slot) {
            (Self::Rule { a, .. }, Some(Slot::A)) => Some(a),
            (Self::Rule { b, .. }, Some(Slot::B)) => Some(b),
            (Self::TargetGroup(shared), None) => Some(shared),
            (Self::Rule { .. }, None) | (Self::TargetGroup(_), Some(_)) | (Self::Workers, _) => None,
        }
    }

    /// Every target group it knows.
    pub fn target_groups(&self) -> Vec<&TargetGroupArn> {
        match self {
            Self::Rule { a, b, .. } => vec![a, b],
            Self::TargetGroup(shared) => vec![shared],
            Self::Workers => Vec::new(),
        }
    }
}
