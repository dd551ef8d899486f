//! Which cloud the operator acts on, and who counts what it asks.

use std::collections::BTreeMap;
use std::time::Duration;

use dryad_aws::{Credentials, Observer, Patience, Settings};
use dryad_cloud::CloudError;
use dryad_controller::configuration::{Configuration, Role};
use dryad_controller::process::metrics::Metrics;
use dryad_machine::name::{AccountName, Place};

/// AWS, or what stands in for it at `endpoint`. An answer to a change is waited for until `timeout`.
pub(crate) fn settings(
    accounts: BTreeMap<AccountName, Credentials>,
    endpoint: Option<String>,
    timeout: Duration,
) -> Settings {
    Settings { accounts, endpoint, patience: Patience { mutation: timeout, ..Patience::default() } }
}

/// How each account is reached: by its role, else with the credentials of this process's surroundings. Where nobody
/// configured anything, `default` still is: what was launched before must be able to go.
pub(crate) fn accounts(
    configuration: Option<&Configuration>,
    installation: &str,
) -> BTreeMap<AccountName, Credentials> {
    let Some(configuration) = configuration else { return Settings::default().accounts };
    let credentials = |role: Option<Role>| match role {
        None => Credentials::Ambient,
        Some(Role { arn, external_id }) => Credentials::Role {
            arn: arn.to_string(),
            external_id: external_id.map(|id| id.as_str().to_owned()),
            session: session(installation),
            by: Box::new(Credentials::Ambient),
        },
    };
    let roles = configuration.roles();
    roles.map(|(name, role)| (AccountName::new(name.as_str()), credentials(role))).collect()
}

/// What the log of a role's account calls this operator.
fn session(installation: &str) -> String {
    const LONGEST: usize = 64;
    let fits = |c: char| c.is_ascii_alphanumeric() || "=,.@-_".contains(c);
    let name: String = installation.chars().map(|c| if fits(c) { c } else { '-' }).collect();
    format!("dryad-{name}").chars().take(LONGEST).collect()
}

/// Counts calls in the metrics.
pub(crate) struct Counting(pub(crate) Metrics);

impl Observer for Counting {
    fn called(&self, _: &Place, action: &'static str, outcome: Result<(), &CloudError>) {
        self.0.cloud_call(action, outcome);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_reached_by_its_role_or_else_as_the_operator_itself() {
        let file =
            "accounts: {a: {}, b: {roleArn: 'arn:aws:iam::210987654321:role/dryad', externalId: shop}}";
        let accounts = accounts(Some(&Configuration::parse(file).unwrap()), "shop");
        let names: Vec<_> = accounts.keys().map(AccountName::as_str).collect();
        assert_eq!(names, ["a", "b"]);
        assert!(accounts[&AccountName::new("a")] == Credentials::Ambient);
        let role = Credentials::Role {
            arn: "arn:aws:iam::210987654321:role/dryad".to_owned(),
            external_id: Some("shop".to_owned()),
            session: "dryad-shop".to_owned(),
            by: Box::new(Credentials::Ambient),
        };
        assert!(accounts[&AccountName::new("b")] == role);
    }

    #[test]
    fn without_a_configuration_the_operators_own_account_can_still_be_reached() {
        let accounts = accounts(None, "dryad");
        assert!(accounts == [(AccountName::new("default"), Credentials::Ambient)].into());
    }

    #[test]
    fn a_session_has_a_name_that_aws_takes() {
        assert_eq!(session("shop eu/1"), "dryad-shop-eu-1");
        assert_eq!(session(&"x".repeat(100)).len(), 64);
    }
}
