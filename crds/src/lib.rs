//! Dryad's API types, and the CRD YAML generated from them.
//!
//! What users write and read: [`Environment`] and [`Deployment`], in `dryad.dev/v1alpha1`. What is wrong in itself
//! is refused by the API server, in a sentence that says what to do; the rules stand at the types they are
//! about. Status reuses the machine's types, and [`condition`] folds what is recorded into conditions.
//!
//! `cargo run -p dryad-crds --bin crdgen` writes the CRDs to `crds/yaml` and their reference to
//! `docs/api.md`.

pub mod condition;
pub mod deployment;
pub mod duration;
pub mod environment;
pub mod generate;
pub mod reference;
mod schema;

pub use deployment::{Deployment, DeploymentSpec, DeploymentStatus};
pub use environment::{Environment, EnvironmentSpec, EnvironmentStatus};

/// The generation that a new object's status is about: none.
const fn unobserved() -> i64 {
    -1
}
