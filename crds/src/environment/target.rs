//! Where the instances run, and what they are made of.

use dryad_machine::name::{AccountName, Place, Region};
use dryad_machine::release::ImageId;
use dryad_machine::word;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::parameters::ParameterName;
use crate::duration::Span;
use crate::schema::{one_of, rule, set};

/// What carries the release: exactly one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline, transform = one_of)]
pub enum Target {
    /// EC2 instances, in a new Auto Scaling group for every deploy.
    AutoScalingGroup(AutoScalingGroup),
}

/// EC2 instances in Auto Scaling groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct AutoScalingGroup {
    /// The account, by the name that the operator's configuration gives it.
    #[serde(default = "default_account")]
    #[schemars(transform = rule(
        "self.matches(r'^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",
        "write the account's name as the operator's configuration has it: letters in lower case, digits and -",
    ))]
    pub account: AccountName,
    /// The region, such as `us-east-1`.
    #[schemars(transform = rule(
        "self.matches(r'^[a-z]{2,3}(-[a-z]+)+-[0-9]{1,2}$')",
        "write a region by its code, such as us-east-1",
    ))]
    pub region: Region,
    /// What every instance is launched from. Changing it launches nothing; the next Deployment uses it.
    pub launch_template: LaunchTemplate,
    /// Where instances may be.
    #[schemars(
        length(max = 16),
        transform = set,
        transform = rule("self.size() > 0", "name at least one subnet, better one in each of several zones"),
    )]
    pub subnet_ids: Vec<SubnetId>,
    /// The bounds of a group's size.
    pub capacity: Capacity,
    /// How long a new instance is left alone before the load balancer's word on its health counts.
    #[serde(default = "default_grace_period")]
    pub health_check_grace_period: GracePeriod,
}

/// How long a new instance is left alone: 0s to 2h.
pub type GracePeriod = Span<0, 7200>;

fn default_account() -> AccountName {
    AccountName::new("default")
}

fn default_grace_period() -> GracePeriod {
    GracePeriod::of_seconds(300)
}

/// What every instance is launched from: all of it written here, or an existing launch template and what is to be
/// different from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(
    inline,
    transform = rule(
        "has(self.from) || has(self.imageId) || has(self.imageIdFromParameter)",
        "say which machine image: set imageId, imageIdFromParameter, or from, a launch template that names one",
    ),
    transform = rule(
        "!(has(self.imageId) && has(self.imageIdFromParameter))",
        "imageId and imageIdFromParameter both say which machine image; set one of them",
    ),
    transform = rule(
        "has(self.from) || has(self.instanceType)",
        "say which kind of machine: set instanceType, or from, a launch template that names one",
    ),
)]
pub struct LaunchTemplate {
    /// An existing launch template of the account. What stands beside it here replaces what it says; all else is
    /// copied. Dryad reads it when a release is resolved and neither changes nor keeps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<TemplateVersion>,
    /// The machine image, unless the release names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_id: Option<ImageId>,
    /// In place of `imageId`, the parameter of Parameter Store that holds it, the public ones of AWS among them. It is
    /// looked up for every Deployment whose release names no image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_id_from_parameter: Option<ParameterName>,
    /// Such as `m7g.large`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_type: Option<InstanceType>,
    /// The instance profile, by name; none, and none in `from`: the instances may do nothing in the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_profile: Option<InstanceProfile>,
    /// The key pair to log in with, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_name: Option<KeyName>,
    /// The security groups of every instance, all of them; none, and none in `from`: the default one of the subnet's
    /// network.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), transform = set)]
    pub security_group_ids: Vec<SecurityGroupId>,
    /// What an instance runs when it boots, at most 16 KiB. Only `{{ release.… }}` is special in it, and in that of
    /// `from` too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16_384))]
    pub user_data: Option<String>,
}

/// One version of an existing launch template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct TemplateVersion {
    /// The launch template's id.
    pub id: LaunchTemplateId,
    /// Its version: a number, or `$Latest` or `$Default`, whose number is looked up for every Deployment.
    pub version: VersionName,
}

/// The bounds of a group's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline, transform = rule(
    "self.min <= self.max",
    "capacity.min is greater than capacity.max; raise max or lower min",
))]
pub struct Capacity {
    /// Never fewer instances; also the size of the first group.
    #[schemars(range(min = 0, max = 10_000))]
    pub min: u32,
    /// Never more.
    #[schemars(range(min = 1, max = 10_000))]
    pub max: u32,
}

impl Target {
    /// Where its groups go.
    pub fn place(&self) -> Place {
        match self {
            Self::AutoScalingGroup(group) => {
                Place { account: group.account.clone(), region: group.region.clone() }
            }
        }
    }

    /// Sets the bounds of a group's size.
    pub(crate) fn set_capacity(&mut self, capacity: Capacity) {
        match self {
            Self::AutoScalingGroup(group) => group.capacity = capacity,
        }
    }

    /// The bounds of a group's size.
    pub fn capacity(&self) -> Capacity {
        match self {
            Self::AutoScalingGroup(group) => group.capacity,
        }
    }

    /// The same within other bounds.
    #[must_use]
    pub fn with_capacity(self, capacity: Capacity) -> Self {
        match self {
            Self::AutoScalingGroup(group) => Self::AutoScalingGroup(AutoScalingGroup { capacity, ..group }),
        }
    }
}

word! {
    /// An instance type, such as `m7g.large`.
    InstanceType, "an instance type", max 32,
    pattern "^[a-z][a-z0-9-]*\\.[a-z0-9-]+$",
    rule "write an instance type as EC2 does, such as m7g.large"
}

word! {
    /// A launch template's id.
    LaunchTemplateId, "a launch template", max 40,
    pattern "^lt-[0-9a-f]+$",
    rule "write the launch template's id: lt- and its digits, not its name"
}

word! {
    /// What a launch template's version is called.
    VersionName, "a version of a launch template", max 20,
    pattern "^([$]Latest|[$]Default|[1-9][0-9]*)$",
    rule "write a version as a number in quotes, or $Latest or $Default"
}

word! {
    /// An instance profile's name.
    InstanceProfile, "an instance profile", max 128,
    pattern "^[A-Za-z0-9_+=,.@-]+$",
    rule "write the instance profile's name, not its ARN: letters, digits and + = , . @ - _"
}

word! {
    /// A key pair's name.
    KeyName, "a key pair", max 255,
    pattern "^[A-Za-z0-9_.@+=:-](?:[A-Za-z0-9_.@+=: -]*[A-Za-z0-9_.@+=:-])?$",
    rule "write the key pair's name: letters, digits, spaces between them and . @ + = : - _"
}

word! {
    /// A security group's id.
    SecurityGroupId, "a security group", max 40,
    pattern "^sg-[0-9a-z]+$",
    rule "write the security group's id: sg- and its digits, not its name"
}

word! {
    /// A subnet's id.
    SubnetId, "a subnet", max 40,
    pattern "^subnet-[0-9a-z]+$",
    rule "write the subnet's id: subnet- and its digits, not its name"
}
