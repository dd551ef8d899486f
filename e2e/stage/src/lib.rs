//! Cluster, cloud and operator put together, for the demo and the end-to-end tests.
//!
//! Everything is real but the cloud's hardware: a Kubernetes control plane, the operator as a process of its own
//! that speaks to it and, through the AWS SDK, to the local cloud; instances that are processes; a git repository
//! to deploy from. Operators act by the rights that the chart gives them ([`rights`]). A [`Stage`] has a namespace, a
//! cloud and operators of its own, so that many fit on one cluster.
//!
//! Whoever uses it calls [`parts::play`] first thing in its `main`: the same executable is started again to be
//! the operator, or the web application on an instance.

pub mod capacity;
mod crowd;
pub mod deploys;
pub mod line;
pub mod load;
pub mod operator;
pub mod parts;
pub mod repository;
pub mod rights;
mod stage;

pub use stage::{Instances, Stage, StageError, install_crds};
