//! `Environment`: where one application runs at one stage, and the policy for changing what runs there.

pub mod checks;
pub mod declared;
pub mod parameters;
pub mod policy;
pub mod release;
pub mod source;
pub mod status;
pub mod target;
pub mod traffic;

use dryad_machine::plan::Pace;
use dryad_machine::word;
use kube::CustomResource;
use kube::core::{Message, Rule};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::schema::rule;
use parameters::ParameterName;
use policy::{DeletionPolicy, Evaluate, Retain, Rollout, Strategy};
use release::{DeclaredRelease, RefreshToken};
use source::Source;
pub use status::EnvironmentStatus;
use target::Target;
use traffic::Traffic;

/// Where one application runs at one stage, and how what runs there is changed.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "dryad.dev",
    version = "v1alpha1",
    kind = "Environment",
    plural = "environments",
    shortname = "denv",
    category = "dryad",
    namespaced,
    status = "EnvironmentStatus",
    derive = "PartialEq",
    doc = "Where one application runs at one stage, and how what runs there is changed.",
    validation = name_fits(),
    printcolumn(name = "Branch", type_ = "string", json_path = ".status.deployed.release.branch"),
    printcolumn(name = "Commit", type_ = "string", json_path = ".status.deployed.release.commit"),
    printcolumn(name = "Since", type_ = "date", json_path = ".status.deployed.since"),
    printcolumn(name = "In turn", type_ = "string", json_path = ".status.inTurn"),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].status"
    ),
    printcolumn(
        name = "Available",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Available\")].status"
    )
)]
#[serde(rename_all = "camelCase")]
#[schemars(
    transform = rule(
        "!has(self.replicas) || (self.replicas >= self.target.autoScalingGroup.capacity.min && \
         self.replicas <= self.target.autoScalingGroup.capacity.max)",
        "replicas is outside of target.autoScalingGroup.capacity; widen min and max or change replicas",
    ),
    transform = rule(
        "has(self.traffic) || (has(self.evaluate.checks) && self.evaluate.checks.size() > 0) || self.acceptUnproven",
        "nothing could prove a new group good: set traffic, add a check to evaluate.checks, or accept that an \
         instance which has booted counts as good with acceptUnproven: true",
    ),
    transform = rule(
        "!has(self.refreshToken) || has(self.release)",
        "refreshToken deploys spec.release once more, and there is none; set release, or leave refreshToken out and \
         make a Deployment with mode: Auto",
    ),
    transform = rule(
        "!has(self.release) || !has(self.source) || has(self.release.branch)",
        "name the branch in release: what is declared must not depend on what was deployed last",
    ),
    transform = rule(
        "!has(self.release) || has(self.source) || !(has(self.release.branch) || has(self.release.commit))",
        "release names a branch or a commit, and there is no repository to find it in; set source, or leave both out",
    ),
)]
pub struct EnvironmentSpec {
    /// What carries the release: exactly one kind.
    pub target: Target,
    /// The size that is kept; left out, an autoscaler owns it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 10_000))]
    pub replicas: Option<u32>,
    /// How users' requests reach the instances: exactly one way. Left out, they are workers that find their
    /// work themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traffic: Option<Traffic>,
    /// Where releases come from; left out, a release is an image alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// The release that is to run: whenever it, the launch template or `refreshToken` changes, a Deployment is made.
    /// Left out, Deployments are made by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<DeclaredRelease>,
    /// Anything, such as the time. Changing it deploys `release` once more, onto new instances.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<RefreshToken>,
    /// How a release is brought in: exactly one way.
    #[serde(default)]
    pub strategy: Strategy,
    /// How patient a deploy is while instances come and go.
    #[serde(default)]
    pub rollout: Rollout,
    /// What proves a release good.
    #[serde(default)]
    pub evaluate: Evaluate,
    /// What is kept of the old group.
    #[serde(default)]
    pub retain: Retain,
    /// How many ended Deployments are kept.
    #[serde(default = "default_history_limit")]
    #[schemars(range(min = 1, max = 500))]
    pub history_limit: u32,
    /// The parameter of Parameter Store, in the target's account and region, that is to say what is deployed, for others
    /// to read. Dryad makes it, keeps it up to date and lets no deploy wait for it; one that it did not make it leaves
    /// alone. The condition `Projected` says how it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployed_parameter: Option<ParameterName>,
    /// What becomes of the groups, and of the parameter, when the Environment is deleted.
    #[serde(default)]
    pub deletion_policy: DeletionPolicy,
    /// Whether a group without traffic and checks may be taken for good once its instances have booted.
    #[serde(default)]
    pub accept_unproven: bool,
}

word! {
    /// An Environment's name.
    EnvironmentName, "an Environment's name", max 52,
    pattern "^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$",
    rule "write the name of an Environment in this namespace: at most 52 letters in lower case, digits and -"
}

/// The names of groups and Deployments begin with the Environment's, and a Deployment's fits into a label.
fn name_fits() -> Rule {
    let (longest, pattern) = (EnvironmentName::MAX_LENGTH, EnvironmentName::PATTERN);
    Rule::new(format!("self.metadata.name.size() <= {longest} && self.metadata.name.matches(r'{pattern}')"))
        .message(Message::Message(format!(
            "name an Environment with at most {longest} letters in lower case, digits and -, since the names of its \
             groups and Deployments begin with it"
        )))
}

fn default_history_limit() -> u32 {
    20
}

impl EnvironmentSpec {
    /// How long things may take in a deploy.
    pub fn pace(&self) -> Pace {
        policy::pace(self.rollout, &self.evaluate, self.retain)
    }
}
