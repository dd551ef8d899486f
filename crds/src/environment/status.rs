//! What Dryad records of an Environment.

use dryad_machine::requested::Requested;
use dryad_machine::tenure::Tenure;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::schema::{items, keyed_by, property, rule};
use crate::unobserved;

/// Turn, ledger and deployed state, and what follows from them for whoever watches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(
    transform = property("groups", keyed_by("name")),
    transform = property("groups", items(rule(
        "oldSelf.role != 'Doomed' || self.role == 'Doomed'",
        "a group that was given up is never taken back; leave its role as it is",
    ))),
    transform = property("groups", items(rule(
        "self.place == oldSelf.place && self.owner == oldSelf.owner && self.turn == oldSelf.turn && \
         (!has(oldSelf.environment) || (has(self.environment) && self.environment == oldSelf.environment))",
        "a group's place, owner, environment and turn are written once; leave them as they are",
    ))),
    transform = property("groups", items(rule(
        "!has(oldSelf.access) || (has(self.access) && self.access == oldSelf.access)",
        "how requests reach a group is written once; leave its access as it is",
    ))),
    // It asks for what always is there: the API server also tries rules on the default of the whole status, before
    // the turn's own default has been added to that.
    transform = rule(
        "!has(oldSelf.turn) || (has(self.turn) && self.turn >= oldSelf.turn)",
        "the turn only grows; leave status.turn as it is",
    ),
    transform = rule(
        "!has(oldSelf.requested) || (has(self.requested) && self.requested.number >= oldSelf.requested.number)",
        "the number of the request only grows; leave status.requested as it is",
    ),
    transform = rule(
        "!has(oldSelf.requested) || !has(self.requested) || self.requested.number > oldSelf.requested.number || \
         (self.requested.digest == oldSelf.requested.digest && (!has(oldSelf.requested.uid) || \
         (has(self.requested.uid) && self.requested.uid == oldSelf.requested.uid)))",
        "what was requested under a number is recorded once; leave status.requested as it is",
    ),
)]
pub struct EnvironmentStatus {
    /// The generation that this status is about; -1 before Dryad has seen the object.
    #[serde(default = "unobserved")]
    pub observed_generation: i64,
    /// Turn, holder, ledger, deployed state.
    #[serde(flatten)]
    pub tenure: Tenure,
    /// The declared release that was acted on last, and the Deployment made for it; none before a release was declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested: Option<Requested>,
    /// The name of the Deployment whose turn it is, for people; what counts is `holder`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub in_turn: Option<String>,
    /// `Ready`, `Reconciling`, `Stalled`, `Drifted`, `Available`, `Projected`, `Leftovers`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), transform = keyed_by("type"))]
    pub conditions: Vec<Condition>,
}

impl Default for EnvironmentStatus {
    fn default() -> Self {
        Self {
            observed_generation: unobserved(),
            tenure: Tenure::default(),
            requested: None,
            in_turn: None,
            conditions: Vec::new(),
        }
    }
}
