//! Launches that fail, as when a zone has no capacity left: seen only as `Failed` scaling activities.

use serde::{Deserialize, Serialize};

use crate::model::glob::Glob;

/// Groups that cannot grow beyond a number of instances. Removing the fault lets the next attempt succeed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LaunchFault {
    /// The groups, by name.
    pub group: Glob,
    /// How many instances such a group may hold all the same.
    #[serde(default)]
    pub allow: usize,
    /// What EC2 says, for instance `We currently do not have sufficient m7g.large capacity in the Availability Zone you
    /// requested (us-east-1a).`
    pub message: String,
}
