//! The file: its keys, and reading it whole or not at all.

use std::collections::BTreeMap;

use serde::Deserialize;
use thiserror::Error;

use super::words::{AccountKey, ExternalId, NamespaceKey, Pattern, RoleArn};

/// The most bytes a file may have: as many as a `ConfigMap`.
const LARGEST: usize = 1 << 20;

/// What may be named, by whom. The default is the configuration of an operator that was given none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Configuration {
    pub(super) origin: Origin,
    pub(super) accounts: BTreeMap<AccountKey, Account>,
}

/// Where a configuration comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Origin {
    /// Nobody wrote one.
    #[default]
    Nowhere,
    /// A file.
    File,
}

/// The whole file.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct File {
    accounts: BTreeMap<AccountKey, Account>,
}

/// One account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Account {
    /// The role to assume there; none: the operator's own credentials.
    #[serde(default)]
    role_arn: Option<RoleArn>,
    /// What that role wants to hear.
    #[serde(default)]
    external_id: Option<ExternalId>,
    /// The regions that may be named.
    #[serde(default)]
    pub(super) regions: Vec<Pattern>,
    /// What each namespace may name.
    #[serde(default)]
    pub(super) namespaces: BTreeMap<NamespaceKey, Grants>,
}

/// How to become somebody in an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// The role.
    pub arn: RoleArn,
    /// What it wants to hear first.
    pub external_id: Option<ExternalId>,
}

/// What one namespace may name in one account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Grants {
    instance_profiles: Vec<Pattern>,
    subnets: Vec<Pattern>,
    security_groups: Vec<Pattern>,
    key_names: Vec<Pattern>,
    launch_templates: Vec<Pattern>,
    target_groups: Vec<Pattern>,
    rules: Vec<Pattern>,
    ssm_prefixes: Vec<Pattern>,
}

/// One list of [`Grants`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// Names of instance profiles.
    InstanceProfiles,
    /// Ids of subnets.
    Subnets,
    /// Ids of security groups, or `default` for that of the subnet's network.
    SecurityGroups,
    /// Names of key pairs.
    KeyNames,
    /// Ids of launch templates.
    LaunchTemplates,
    /// ARNs of target groups.
    TargetGroups,
    /// ARNs of listener rules.
    Rules,
    /// What the paths of parameters begin with.
    SsmPrefixes,
}

impl List {
    /// Its key in the file.
    pub const fn key(self) -> &'static str {
        match self {
            Self::InstanceProfiles => "instanceProfiles",
            Self::Subnets => "subnets",
            Self::SecurityGroups => "securityGroups",
            Self::KeyNames => "keyNames",
            Self::LaunchTemplates => "launchTemplates",
            Self::TargetGroups => "targetGroups",
            Self::Rules => "rules",
            Self::SsmPrefixes => "ssmPrefixes",
        }
    }
}

impl Grants {
    fn permits(&self, list: List, name: &str) -> bool {
        let named = |entries: &[Pattern]| entries.iter().any(|entry| entry.matches(name));
        match list {
            List::InstanceProfiles => named(&self.instance_profiles),
            List::Subnets => named(&self.subnets),
            List::SecurityGroups => named(&self.security_groups),
            List::KeyNames => named(&self.key_names),
            List::LaunchTemplates => named(&self.launch_templates),
            List::TargetGroups => named(&self.target_groups),
            List::Rules => named(&self.rules),
            List::SsmPrefixes => self.ssm_prefixes.iter().any(|prefix| prefix.begins(name)),
        }
    }
}

impl Account {
    /// The role to assume; none: the operator's own credentials.
    pub fn role(&self) -> Option<Role> {
        let arn = self.role_arn.clone()?;
        Some(Role { arn, external_id: self.external_id.clone() })
    }

    /// Whether the namespace may name it, by its own entry or by that for all.
    pub(super) fn permits(&self, namespace: &str, list: List, name: &str) -> bool {
        let own = namespace.parse::<NamespaceKey>().ok();
        let keys = own.into_iter().chain([NamespaceKey::everyone()]);
        keys.filter_map(|key| self.namespaces.get(&key)).any(|grants| grants.permits(list, name))
    }
}

/// Why a file can't be used. Nothing of what it says is repeated but keys and words that break their rule.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ConfigurationError {
    /// It is no YAML, or not of this shape; with line and column.
    #[error("{0}")]
    Shape(String),
    /// It is larger than any such file has to be.
    #[error("it has {0} bytes, and may have {LARGEST}")]
    TooLarge(usize),
    /// An external id says nothing to the operator's own credentials.
    #[error("accounts.{0}.externalId stands there without a roleArn; add that, or take externalId out")]
    ExternalIdWithoutRole(AccountKey),
}

impl Configuration {
    /// Reads a file.
    ///
    /// # Errors
    /// Why nothing of it can be used.
    pub fn parse(text: &str) -> Result<Self, ConfigurationError> {
        if text.len() > LARGEST {
            return Err(ConfigurationError::TooLarge(text.len()));
        }
        let File { accounts } = serde_saphyr::from_str(text)
            .map_err(|error| ConfigurationError::Shape(error.without_snippet().to_string()))?;
        let lone = |account: &Account| account.external_id.is_some() && account.role_arn.is_none();
        match accounts.iter().find(|(_, account)| lone(account)) {
            Some((key, _)) => Err(ConfigurationError::ExternalIdWithoutRole(key.clone())),
            None => Ok(Self { origin: Origin::File, accounts }),
        }
    }

    /// Every account by its name, with the role to assume there.
    pub fn roles(&self) -> impl Iterator<Item = (&AccountKey, Option<Role>)> {
        self.accounts.iter().map(|(name, account)| (name, account.role()))
    }
}
