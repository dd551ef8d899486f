//! Auto Scaling groups: what is asked for, and what is seen.

use std::collections::{BTreeMap, BTreeSet};

use crate::traffic::TargetGroupArn;
use dryad_machine::name::GroupName;

/// An instance's id, such as `i-0abc`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InstanceId(pub String);

/// How many instances a group has and may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// Never fewer.
    pub min: u32,
    /// Never more.
    pub max: u32,
    /// As many as that now.
    pub desired: u32,
}

/// What becomes of a group's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewSize {
    /// Never fewer from now on.
    pub min: u32,
    /// Never more from now on.
    pub max: u32,
    /// As many as that now; none: as many as there are, moved into the bounds.
    pub desired: Option<u32>,
}

/// A group to be created. Its launch template is the one of the same name, version 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewGroup {
    /// Also the name of its launch template.
    pub name: GroupName,
    /// Its size from the start.
    pub capacity: Capacity,
    /// Where its instances may be; at least one.
    pub subnets: Vec<String>,
    /// Who replaces an instance that is unwell.
    pub health: HealthSource,
    /// Put on the group and on every instance it launches.
    pub tags: BTreeMap<String, String>,
}

/// Whose word decides that an instance is unhealthy and must be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HealthSource {
    /// The instance's own status checks.
    Instance,
    /// Also its target groups' health checks, from `grace_seconds` after it is in service.
    LoadBalancer {
        /// How long a new instance is left alone, in seconds.
        grace_seconds: u32,
    },
}

/// A group as one look at the cloud shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: GroupName,
    /// Whether it is on its way out; such a group takes no further request.
    pub deleting: bool,
    /// Its size as asked for.
    pub capacity: Capacity,
    /// Every instance it has, in whatever state.
    pub instances: Vec<Instance>,
    /// The target groups it is attached to.
    pub target_groups: BTreeSet<TargetGroupArn>,
    /// The name of its launch template, if it uses one.
    pub template: Option<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// A group that was found by its tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundGroup {
    /// What it is like.
    pub group: Group,
    /// When it was created, in seconds since 1970, by the cloud's clock.
    pub created: i64,
}

/// One instance of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Its id.
    pub id: InstanceId,
    /// How far it is in its life.
    pub lifecycle: Lifecycle,
    /// Whether its group takes it for healthy.
    pub healthy: bool,
}

/// An instance's place in its group's lifecycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifecycle {
    /// Launching, in a warm pool, or entering or leaving standby.
    Coming,
    /// Working.
    InService,
    /// Standby, detached or terminating: it works no more for the group.
    Leaving,
}

/// A scaling activity that did not succeed: the reason why instances do not come up, in the cloud's own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedActivity {
    /// What was tried, such as `Launching a new EC2 instance`.
    pub description: String,
    /// Why it failed.
    pub message: String,
    /// When it began, in seconds since 1970.
    pub started: i64,
}
