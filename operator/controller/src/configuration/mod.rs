//! What the operator's own configuration lets each namespace name: accounts with their roles and regions, and in
//! each account the instance profiles, subnets, target groups, rules and the like.
//!
//! Whoever may create an Environment must not gain what the operator may do, so everything is refused that is not
//! listed, and without a file everything is. [`Configuration::parse`] reads a file whole or not at all,
//! [`permits`] judges a template by it, and [`follow`] takes up a file that has changed. What is here knows no
//! Kubernetes and no SDK; who asks, and what becomes of a refusal, is the loops' affair.

mod file;
mod follow;
mod permits;
mod words;

pub use file::{Account, Configuration, ConfigurationError, Grants, List, Role};
pub use follow::{Current, Follower, LoadError};
pub use permits::{Refusal, permits, sentence, unreachable, withheld};
pub use words::{AccountKey, ExternalId, NamespaceKey, Pattern, RoleArn};

#[cfg(test)]
mod tests;
