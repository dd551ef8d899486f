//! Why the demo could not go on.

use std::io;
use std::time::Duration;

use dryad_cluster::ClusterError;
use dryad_stage::StageError;
use dryad_stage::repository::GitError;
use thiserror::Error;

/// Why the demo could not go on.
#[derive(Debug, Error)]
pub(crate) enum DemoError {
    /// No cluster.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// No stage.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// No commit.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The API server refused something, or did not answer.
    #[error("the API server: {0}")]
    Api(#[from] kube::Error),
    /// A sample is not what it was.
    #[error("config/samples/{name}: {source}")]
    Sample {
        /// Its file.
        name: &'static str,
        /// What is wrong with it.
        source: Box<serde_saphyr::Error>,
    },
    /// A process or a file.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Something took far too long.
    #[error("waited {} s in vain {what}", patience.as_secs())]
    Stuck {
        /// For what.
        what: String,
        /// How long.
        patience: Duration,
    },
}
