//! How requests reach a group, in the cloud's own names. Kept in the ledger beside the [place](crate::name::Place), so
//! that a group is judged and taken out of traffic where it is, whatever the Environment's spec says by now.

use std::slice;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::name::Arn;
use crate::reading::Slot;
use crate::view::Routing;

/// How requests reach a group.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Access {
    /// By a load balancer's rule that spreads them over two target groups.
    #[serde(rename_all = "camelCase")]
    LoadBalancerRule {
        /// The rule.
        rule_arn: Arn,
        /// Its two target groups, in their order.
        target_group_arns: [Arn; 2],
    },
    /// By one target group for all.
    TargetGroup {
        /// The target group.
        arn: Arn,
    },
    /// Workers find their work themselves.
    Workers {},
}

impl Access {
    /// What this is to the machine.
    pub fn routing(&self) -> Routing {
        match self {
            Self::LoadBalancerRule { .. } => Routing::Weighted,
            Self::TargetGroup { .. } => Routing::Shared,
            Self::Workers {} => Routing::Workers,
        }
    }

    /// The target group of this slot, or the one that all share.
    pub fn target_group(&self, slot: Option<Slot>) -> Option<&Arn> {
        match (self, slot) {
            (Self::LoadBalancerRule { target_group_arns: [a, _], .. }, Some(Slot::A)) => Some(a),
            (Self::LoadBalancerRule { target_group_arns: [_, b], .. }, Some(Slot::B)) => Some(b),
            (Self::TargetGroup { arn }, None) => Some(arn),
            (Self::LoadBalancerRule { .. }, None)
            | (Self::TargetGroup { .. }, Some(_))
            | (Self::Workers {}, _) => None,
        }
    }

    /// Everything that it names.
    pub fn arns(&self) -> impl Iterator<Item = &Arn> {
        let (rule, groups) = match self {
            Self::LoadBalancerRule { rule_arn, target_group_arns } => {
                (Some(rule_arn), target_group_arns.as_slice())
            }
            Self::TargetGroup { arn } => (None, slice::from_ref(arn)),
            Self::Workers {} => (None, [].as_slice()),
        };
        rule.into_iter().chain(groups)
    }
}
