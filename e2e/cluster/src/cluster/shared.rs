//! One cluster for all tests of a binary.

use tokio::sync::OnceCell;

use super::{Cluster, ClusterError, Options};

static SHARED: OnceCell<Cluster> = OnceCell::const_new();

impl Cluster {
    /// The cluster of this process: started by the first who asks, ended with the process. Tests keep out of each
    /// other's way by [`Cluster::namespace`]; one that takes the API server away or changes what all share needs a
    /// cluster of its own.
    ///
    /// # Errors
    /// As [`Cluster::start`]. Whoever asks next tries again.
    pub async fn shared() -> Result<&'static Self, ClusterError> {
        SHARED.get_or_try_init(|| Self::start(Options::default())).await
    }
}
