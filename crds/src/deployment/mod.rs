//! `Deployment`: one deploy of one release to one Environment, a run to completion.

pub mod request;
pub mod status;

use dryad_machine::release::{ReleaseRequest, Sha256};
use dryad_machine::word;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::environment::EnvironmentName;
use crate::schema::rule;
use request::Request;
pub use status::DeploymentStatus;

/// One deploy of one release to one Environment. Its spec never changes but for `request`.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "dryad.dev",
    version = "v1alpha1",
    kind = "Deployment",
    plural = "deployments",
    shortname = "ddep",
    category = "dryad",
    namespaced,
    status = "DeploymentStatus",
    derive = "PartialEq",
    doc = "One deploy of one release to one Environment. Its spec never changes but for `request`.",
    selectable = ".spec.environment",
    selectable = ".status.state",
    validation = request::end_in_time(),
    validation = request::end_before_rollback(),
    validation = request::paused_in_time(),
    validation = request::skip_evaluation_in_time(),
    printcolumn(name = "Environment", type_ = "string", json_path = ".spec.environment"),
    printcolumn(name = "State", type_ = "string", json_path = ".status.state"),
    printcolumn(name = "Step", type_ = "integer", json_path = ".status.step"),
    printcolumn(name = "Commit", type_ = "string", json_path = ".status.plan.shipment.release.commit"),
    printcolumn(name = "Progress", type_ = "string", json_path = ".status.progress.message"),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = ".status.history[-1:].message",
        priority = 1
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
#[schemars(
    transform = rule(
        "self.environment == oldSelf.environment && self.mode == oldSelf.mode && \
         (has(self.release) ? has(oldSelf.release) && self.release == oldSelf.release : !has(oldSelf.release)) && \
         (has(self.from) ? has(oldSelf.from) && self.from == oldSelf.from : !has(oldSelf.from)) && \
         (has(self.declared) ? has(oldSelf.declared) && self.declared == oldSelf.declared : !has(oldSelf.declared))",
        "a Deployment's spec never changes but for request; make a new Deployment, and end this one with \
         request.end: Abort if it should not go on",
    ),
    transform = rule(
        "!(has(self.release) && has(self.from))",
        "set release or from, not both: from already says which release is meant",
    ),
    transform = rule(
        "self.mode != 'Auto' || !(has(self.release) || has(self.from))",
        "mode Auto deploys exactly what is recorded as deployed; leave release and from out, or set mode: Manual",
    ),
)]
pub struct DeploymentSpec {
    /// The Environment to deploy to, in this namespace.
    pub environment: EnvironmentName,
    /// Who says which release is meant.
    #[serde(default)]
    pub mode: Mode,
    /// The release; what is left out is found out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<ReleaseRequest>,
    /// The earlier Deployment to this Environment whose exact release is meant: to try it again, or to go back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<DeploymentName>,
    /// Set by Dryad where it made this Deployment because of what its Environment declares.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared: Option<Declared>,
    /// What is asked of it while it runs: the one part that may change.
    #[serde(default)]
    pub request: Request,
}

/// Which declaration of its Environment a Deployment was made for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Declared {
    /// The number of the request: a Deployment of a greater one makes this one pointless.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub number: i64,
    /// The digest of what was declared.
    pub digest: Sha256,
}

/// Who says which release is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub enum Mode {
    /// Whoever made the Deployment: the branch last deployed and its tip, where nothing else is written.
    #[default]
    Manual,
    /// The Environment's record: exactly what is deployed, once more.
    Auto,
}

word! {
    /// A Deployment's name.
    DeploymentName, "a Deployment's name", max 253,
    pattern "^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$",
    rule "write the name of a Deployment in this namespace: letters in lower case, digits, - and ."
}
