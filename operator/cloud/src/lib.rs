//! What Dryad asks of a cloud: one trait, its types, its closed errors.
//!
//! The trait speaks of groups, target groups and rules, in the words of EC2 Auto Scaling and Elastic Load
//! Balancing, and knows no SDK. Each mutation is exactly one request, so that an unanswered one leaves exactly
//! one thing unknown. Nothing here retries, waits or decides.

mod answer;
pub mod cloud;
pub mod error;
pub mod group;
pub mod parameter;
pub mod template;
pub mod traffic;

pub use cloud::Cloud;
pub use error::CloudError;
