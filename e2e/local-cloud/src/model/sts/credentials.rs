//! The access keys the world knows. Signatures are not checked, so that a key says all there is to know.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::model::caller::Account;
use crate::model::ids::Ids;

/// Who signs with a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The account.
    pub account: Account,
    /// The principal's ARN.
    pub principal: String,
}

/// The access keys of every account.
#[derive(Debug, Clone)]
pub struct Credentials {
    issued: BTreeMap<String, (Identity, Timestamp)>,
    /// What roles want to hear from whoever assumes them, by their ARN.
    external_ids: BTreeMap<String, String>,
    ids: Ids,
}

impl Credentials {
    pub(crate) fn new(seed: u64) -> Self {
        Self { issued: BTreeMap::new(), external_ids: BTreeMap::new(), ids: Ids::new(seed, "credentials") }
    }

    /// Who signs with `access_key` at `now`: twelve digits are the root user of that account, and with a dot and a name
    /// behind them its user of that name; other keys must have been issued by `AssumeRole` and not be over.
    pub fn identity(&self, access_key: &str, now: Timestamp) -> Option<Identity> {
        let (account, user) = match access_key.split_once('.') {
            Some((account, name)) => (account, format!("user/{name}")),
            None => (access_key, "root".to_owned()),
        };
        if let Ok(account) = Account::try_from(account.to_owned()) {
            let principal = format!("arn:aws:iam::{account}:{user}");
            return Some(Identity { account, principal });
        }
        let (identity, until) = self.issued.get(access_key)?;
        (now < *until).then(|| identity.clone())
    }

    /// From now on the role trusts only who says this.
    pub fn ask_external_id(&mut self, role_arn: &str, external_id: &str) {
        self.external_ids.insert(role_arn.to_owned(), external_id.to_owned());
    }

    /// Whether the role trusts who says this. One that asks for nothing does not mind what it hears.
    pub(super) fn are_trusted(&self, role_arn: &str, external_id: Option<&str>) -> bool {
        self.external_ids.get(role_arn).is_none_or(|asked| Some(asked.as_str()) == external_id)
    }

    /// Issues a key.
    pub(super) fn issue(&mut self, identity: Identity, until: Timestamp) -> String {
        let key = format!("ASIA{}", self.ids.hex16().to_ascii_uppercase());
        self.issued.insert(key.clone(), (identity, until));
        key
    }
}
