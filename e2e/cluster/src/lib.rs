//! A real Kubernetes on a bare machine, for tests and the demo: etcd, kube-apiserver and kube-controller-manager as
//! processes, no Docker, no root, no account.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use dryad_cluster::Cluster;
//!
//! let cluster = Cluster::shared().await?; // or Cluster::start(options), for one of its own
//! let namespace = cluster.namespace("checkout").await?;
//! let status = cluster.kubectl()?.args(["get", "pods", "--namespace", &namespace]).status()?;
//! # Ok(())
//! # }
//! ```
//!
//! - What it runs is found, fetched or built: [`Assets`].
//! - RBAC is on. [`Cluster::kubeconfig`] is the administrator's, [`Cluster::kubeconfig_for`] anybody's,
//!   [`Cluster::kubeconfig_of_service_account`] that of a program.
//! - Nothing outlives this process, whatever it dies of, and no two clusters share anything but binaries.
//!
//! It has no nodes: nothing schedules or runs pods. Unix only.

pub mod assets;
mod cluster;
mod progress;

pub use assets::{Assets, AssetsError, MissingTool, Tool};
pub use cluster::{Cluster, ClusterError, Kubeconfig, NamespaceError, Options, Snapshot, TokenError};

/// rustls wants one provider for the process; whoever set one before has set the same.
fn use_ring() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}
