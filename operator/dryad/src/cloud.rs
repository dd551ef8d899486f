//! Which cloud the operator acts on, and who counts what it asks.

use std::time::Duration;

use dryad_aws::{Credentials, Observer, Patience, Settings};
use dryad_cloud::CloudError;
use dryad_controller::metrics::Metrics;
use dryad_machine::name::{AccountName, Place};

/// AWS with the credentials of this process's surroundings, or what stands in for it at `endpoint`. An answer to a
/// change is waited for until `timeout`.
pub(crate) fn settings(endpoint: Option<String>, timeout: Duration) -> Settings {
    let accounts = [(AccountName::new("default"), Credentials::Ambient)].into();
    Settings { accounts, endpoint, patience: Patience { mutation: timeout, ..Patience::default() } }
}

/// Counts calls in the metrics.
pub(crate) struct Counting(pub(crate) Metrics);

impl Observer for Counting {
    fn called(&self, _: &Place, action: &'static str, outcome: Result<(), &CloudError>) {
        self.0.cloud_call(action, outcome);
    }
}
