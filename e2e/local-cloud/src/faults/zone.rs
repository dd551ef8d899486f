//! Zones in trouble: all groups at once, and only what they have there.

use serde::{Deserialize, Serialize};

use crate::model::glob::Glob;

/// Zones in which nothing can be launched. A group that has a subnet elsewhere launches there, and a group's failed
/// attempts are among its activities.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ZoneFault {
    /// The zones, by name: `us-east-1a`.
    pub zone: Glob,
    /// What is the matter with them.
    pub trouble: Trouble,
}

/// What can be the matter with a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Trouble {
    /// It has no capacity left. What is there stays.
    Full,
    /// It is gone: what is there has lost its power for good, is told of as before, and has to be found out about, by
    /// health checks.
    Gone,
}
