//! How long things take, and where target health comes from. Changeable at any time.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// Everything about the world that a test may want otherwise.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How long things take.
    pub timings: Timings,
    /// Where target health comes from.
    pub health: HealthSource,
    /// The most a page of a describe holds, whatever was asked for. AWS may answer a short page with a token at any
    /// time; this makes it do so always.
    pub largest_page: Option<usize>,
    /// How many Auto Scaling groups a region may hold, where that is more than AWS's default of 500.
    pub most_groups: Option<usize>,
}

/// Where the health of targets comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HealthSource {
    /// A target is healthy [`Timings::initial`] after it could first be checked, unless a fault says otherwise.
    #[default]
    Automatic,
    /// Only [`World::probe`](super::World::probe) decides: a data plane asks real processes.
    Probed,
}

/// How long things take. The defaults suit tests: AWS needs minutes for most of these.
///
/// As JSON they are written `"250ms"`, `"5s"` or `"2m"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Timings {
    /// From an instance's launch until it is `InService`.
    pub pending: SignedDuration,
    /// From the moment a target can be checked (registered, its group in use) until it is found healthy.
    pub initial: SignedDuration,
    /// Between two health checks of a target; unset: as its target group says. How long a check may
    /// take is its target group's in any case.
    pub probe: Option<SignedDuration>,
    /// How long a deregistered target drains; unset: as its target group's `deregistration_delay.timeout_seconds` says.
    pub drain: Option<SignedDuration>,
    /// From the end of draining until a terminating instance is gone.
    pub terminate: SignedDuration,
    /// From the deletion of a group, once it is empty, until it is no longer described.
    pub delete: SignedDuration,
    /// From a creation until other calls can see what was created.
    pub visible_after: SignedDuration,
    /// Between two attempts to launch after one has failed.
    pub launch_retry: SignedDuration,
    /// From an instance's end (by `TerminateInstances`) until its Auto Scaling group notices.
    pub health_check: SignedDuration,
    /// How long a terminated instance is still described.
    pub terminated_kept: SignedDuration,
}

impl Default for Timings {
    fn default() -> Self {
        Self {
            pending: SignedDuration::from_millis(200),
            initial: SignedDuration::from_millis(200),
            probe: Some(SignedDuration::from_millis(200)),
            drain: Some(SignedDuration::from_millis(200)),
            terminate: SignedDuration::from_millis(100),
            delete: SignedDuration::from_millis(100),
            visible_after: SignedDuration::ZERO,
            launch_retry: SignedDuration::from_millis(500),
            health_check: SignedDuration::from_millis(200),
            terminated_kept: SignedDuration::from_mins(10),
        }
    }
}
