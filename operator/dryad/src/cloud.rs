//! Which cloud the operator acts on, and who counts what it asks.

use dryad_aws::{Credentials, Observer, Settings};
use dryad_cloud::CloudError;
use dryad_controller::metrics::Metrics;
use dryad_machine::name::{AccountName, Place};

/// AWS with the credentials of this process's surroundings, or what stands in for it at `endpoint`.
pub(crate) fn settings(endpoint: Option<String>) -> Settings {
    let accounts = [(AccountName::new("default"), Credentials::Ambient)].into();
    Settings { accounts, endpoint, ..Settings::default() }
}

/// Counts calls in the metrics.
pub(crate) struct Counting(pub(crate) Metrics);

impl Observer for Counting {
    fn called(&self, _: &Place, action: &'static str, outcome: Result<(), &CloudError>) {
        self.0.cloud_call(action, outcome);
    }
}
