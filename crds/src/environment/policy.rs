//! How a release is brought in, how it is judged, and what is kept of the old one.

use std::num::NonZeroU32;

use dryad_machine::plan::Pace;
use dryad_machine::strategy::Strategy as Compiled;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::checks::Check;
use crate::duration::Span;
use crate::schema::{keyed_by, one_of, rule};

/// How a release is brought in: exactly one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline, transform = one_of)]
pub enum Strategy {
    /// All of green is proven apart, then takes all traffic at once.
    BlueGreen(BlueGreen),
}

/// Blue/green has nothing to choose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct BlueGreen {}

impl Default for Strategy {
    fn default() -> Self {
        Self::BlueGreen(BlueGreen {})
    }
}

impl From<Strategy> for Compiled {
    fn from(strategy: Strategy) -> Self {
        match strategy {
            Strategy::BlueGreen(BlueGreen {}) => Self::BlueGreen,
        }
    }
}

/// How patient a deploy is while instances come and go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(inline)]
pub struct Rollout {
    /// For finding the release, for each wait for instances, for a rollback, and for retiring the old group.
    pub timeout: RolloutTimeout,
    /// From one look at the cloud to the next.
    pub tick: Tick,
}

/// How long one wait for the cloud may take: 10s to a day.
pub type RolloutTimeout = Span<10, 86_400>;
/// From one look at the cloud to the next: 1s to 5m.
pub type Tick = Span<1, 300>;

impl Default for Rollout {
    fn default() -> Self {
        Self { timeout: RolloutTimeout::of_seconds(900), tick: Tick::of_seconds(10) }
    }
}

/// What proves a release good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(inline, transform = rule(
    "duration(self.timeout) >= duration(self.duration)",
    "evaluate.timeout is shorter than evaluate.duration, so no release could ever be found good; raise timeout",
))]
pub struct Evaluate {
    /// How long every check must be good without interruption.
    pub duration: EvaluateDuration,
    /// How long that may take altogether.
    pub timeout: EvaluateTimeout,
    /// What is asked, beside the instances' own health and the load balancer's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), transform = keyed_by("name"))]
    pub checks: Vec<Check>,
}

/// How long every check must be good: 0s to a day.
pub type EvaluateDuration = Span<0, 86_400>;
/// How long an evaluation may take: 10s to two days.
pub type EvaluateTimeout = Span<10, 172_800>;

impl Default for Evaluate {
    fn default() -> Self {
        Self {
            duration: EvaluateDuration::of_seconds(300),
            timeout: EvaluateTimeout::of_seconds(1200),
            checks: Vec::new(),
        }
    }
}

/// What is kept of the old group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(inline)]
pub struct Retain {
    /// How long the old group is kept beside the new one, for an instant return.
    pub previous: RetainPrevious,
}

/// How long the old group is kept: 0s to a week.
pub type RetainPrevious = Span<0, 604_800>;

impl Default for Retain {
    fn default() -> Self {
        Self { previous: RetainPrevious::of_seconds(1800) }
    }
}

/// What becomes of the groups when the Environment is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub enum DeletionPolicy {
    /// They go with it.
    #[default]
    Delete,
    /// What serves stays, in nobody's care.
    Retain,
}

/// The pace of a deploy under these policies.
pub(super) fn pace(rollout: Rollout, evaluate: &Evaluate, retain: Retain) -> Pace {
    Pace {
        tick_seconds: NonZeroU32::new(rollout.tick.seconds()).unwrap_or(NonZeroU32::MIN),
        rollout_timeout_seconds: rollout.timeout.seconds(),
        evaluate_seconds: evaluate.duration.seconds(),
        evaluate_timeout_seconds: evaluate.timeout.seconds(),
        retain_seconds: retain.previous.seconds(),
    }
}
