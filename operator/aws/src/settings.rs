//! What the binary tells this crate about the AWS it talks to.

use std::collections::BTreeMap;
use std::time::Duration;

use dryad_machine::name::AccountName;

/// Which accounts there are, where AWS is, and how long to wait for it.
#[derive(Clone)]
pub struct Settings {
    /// What the requests of an account are signed with, until [`Aws::reconfigure`](crate::Aws::reconfigure) says
    /// otherwise. A request for an account that is not here is
    /// [`CloudError::Unreachable`](dryad_cloud::CloudError::Unreachable), and never sent.
    pub accounts: BTreeMap<AccountName, Credentials>,
    /// The URL that stands in for every service of every region, such as `http://127.0.0.1:4566` for a local
    /// cloud. Unset: AWS itself.
    pub endpoint: Option<String>,
    /// How long to wait.
    pub patience: Patience,
}

/// AWS itself, with one account, `default`, of which the process's surroundings have the credentials.
impl Default for Settings {
    fn default() -> Self {
        let accounts = [(AccountName::new("default"), Credentials::Ambient)].into();
        Self { accounts, endpoint: None, patience: Patience::default() }
    }
}

/// Where an account's credentials come from. They never show.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// From the process's surroundings, in the order of the AWS SDKs: environment, profile, web identity (IRSA),
    /// container (EKS Pod Identity), instance metadata.
    Ambient,
    /// These very keys. For a local cloud; keys of a real account do not belong in a configuration.
    Keys {
        /// The access key's id.
        id: String,
        /// Its secret.
        secret: String,
    },
    /// Those of a role, which are asked for when they are needed and renewed before they end.
    Role {
        /// The role's ARN.
        arn: String,
        /// What the role's trust policy asks for.
        external_id: Option<String>,
        /// What the account's own log calls us.
        session: String,
        /// The credentials of whoever assumes it.
        by: Box<Credentials>,
    },
}

/// How long to wait for AWS.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For the answer to a mutation, from the call to the last byte. The request is sent once.
    pub mutation: Duration,
    /// For the answer to a read, over all its attempts and pages.
    pub read: Duration,
    /// For one attempt at a read; there are at most three that are not answered, with pauses between them.
    pub attempt: Duration,
    /// For others who ask after groups of the same account and region, before the question is sent for all.
    pub gathering: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            mutation: Duration::from_secs(20),
            read: Duration::from_secs(9),
            attempt: Duration::from_secs(4),
            gathering: Duration::from_millis(25),
        }
    }
}
