//! The plan: what a strategy compiles to, frozen when `Prepare` is recorded.

use std::num::NonZeroU32;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::deployed::Shipment;
use crate::name::{GroupName, Uid};
use crate::reading::Slot;

/// The most steps a plan may have: with two entries each and the states around them, the history has room.
pub const STEP_LIMIT: usize = 240;

/// A part of the whole, in percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Share(u8);

impl Share {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// Everything.
    pub const ALL: Self = Self(100);

    /// This part of `whole`, rounded up: ⌈share·whole⌉.
    pub fn of(self, whole: u32) -> u32 {
        u32::try_from((u64::from(whole) * u64::from(self.0)).div_ceil(100)).unwrap_or(whole)
    }
}

impl TryFrom<i64> for Share {
    type Error = String;

    fn try_from(percent: i64) -> Result<Self, Self::Error> {
        match u8::try_from(percent) {
            Ok(percent @ 0..=100) => Ok(Self(percent)),
            _ => Err(format!("a share is 0 to 100 percent, not {percent}")),
        }
    }
}

impl JsonSchema for Share {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Share".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 0, "maximum": 100 })
    }
}

impl From<Share> for i64 {
    fn from(share: Share) -> Self {
        i64::from(share.0)
    }
}

/// One rung of the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// How much of the wanted capacity green has.
    pub capacity: Share,
    /// How much of the traffic green takes.
    pub traffic: Share,
}

impl Step {
    /// Whether it takes traffic from blue.
    pub fn reduces_blue(self) -> bool {
        self.traffic > Share::NONE
    }
}

/// How requests reach the groups, frozen with the slot that green takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Route {
    /// A rule spreads them by weight over two target groups; green is in this one.
    #[serde(rename_all = "camelCase")]
    Weighted {
        /// Green's target group of the two.
        green: Slot,
    },
    /// One target group for all: who is attached, serves.
    Shared {},
    /// Workers find their work themselves.
    Workers {},
}

/// How long things may take. All in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Pace {
    /// From one look to the next.
    pub tick_seconds: NonZeroU32,
    /// For `Resolve`, `Prepare`, each `RolloutWait`, `Rollback` and `RetireWait`.
    pub rollout_timeout_seconds: u32,
    /// How long every check must be good without interruption.
    pub evaluate_seconds: u32,
    /// For each `EvaluateWait`.
    pub evaluate_timeout_seconds: u32,
    /// How long blue is kept for an instant return.
    pub retain_seconds: u32,
}

impl Pace {
    /// From one look to the next.
    pub fn tick(&self) -> Duration {
        seconds(self.tick_seconds.get())
    }

    /// The bound on every state but `EvaluateWait` and those that have none.
    pub fn rollout_timeout(&self) -> Duration {
        seconds(self.rollout_timeout_seconds)
    }

    /// How long every check must be good.
    pub fn evaluate(&self) -> Duration {
        seconds(self.evaluate_seconds)
    }

    /// The bound on `EvaluateWait`.
    pub fn evaluate_timeout(&self) -> Duration {
        seconds(self.evaluate_timeout_seconds)
    }

    /// How long blue is kept.
    pub fn retain(&self) -> Duration {
        seconds(self.retain_seconds)
    }
}

fn seconds(seconds: u32) -> Duration {
    Duration::from_secs(u64::from(seconds))
}

/// What one deploy does, decided once.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// Exactly what is deployed.
    pub shipment: Shipment,
    /// The rungs, first to last.
    #[schemars(length(min = 1, max = 240))]
    pub steps: Vec<Step>,
    /// The group to launch.
    pub green: GroupName,
    /// The groups that served when the turn was taken; none on a first deploy.
    #[schemars(length(max = 16))]
    pub blue: Vec<GroupName>,
    /// How requests reach the groups.
    pub route: Route,
    /// F: as many healthy instances as blue must have before anything is taken from green in a rollback.
    #[schemars(range(min = 0))]
    pub floor: u32,
    /// How long things may take.
    pub pace: Pace,
    /// The Environment that this was decided for, by uid and generation.
    pub environment: Revision,
}

/// One generation of one object.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Revision {
    /// Its uid.
    pub uid: Uid,
    /// Its `metadata.generation`.
    #[schemars(range(min = 0))]
    pub generation: i64,
}

impl Plan {
    /// The step with this number, from 1.
    pub fn step(&self, number: i64) -> Option<Step> {
        let index = usize::try_from(number.checked_sub(1)?).ok()?;
        self.steps.get(index).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_the_capacity_is_rounded_up() {
        let share = |percent| Share::try_from(percent).unwrap();
        assert_eq!(share(1).of(4), 1);
        assert_eq!(share(25).of(4), 1);
        assert_eq!(share(26).of(4), 2);
        assert_eq!(Share::ALL.of(7), 7);
        assert_eq!(Share::NONE.of(7), 0);
    }

    #[test]
    fn a_share_beyond_the_whole_is_refused() {
        assert!(Share::try_from(101).is_err());
        assert!(Share::try_from(-1).is_err());
    }
}
