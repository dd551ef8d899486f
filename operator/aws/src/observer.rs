//! Somebody who counts calls.

use dryad_cloud::CloudError;
use dryad_machine::name::Place;

/// Told of every call once it is over: of each page of a read and each attempt at it, of a batch once and not for each who
/// shares it. A future that is dropped is not told of.
pub trait Observer: Send + Sync + 'static {
    /// A call of `action`, such as `CreateAutoScalingGroup`, has ended so.
    fn called(&self, place: &Place, action: &'static str, outcome: Result<(), &CloudError>);
}

/// Counts nothing.
impl Observer for () {
    fn called(&self, _: &Place, _: &'static str, _: Result<(), &CloudError>) {}
}
