//! The states of one deploy.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// Where a deploy stands. The last entry of its history says so; nothing else does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum State {
    /// Waiting for its turn to change the Environment.
    Pending,
    /// Finding out exactly which release is meant.
    Resolve,
    /// Running what must run before the first instance.
    Prepare,
    /// Waiting until this step's instances are up and traffic stands as the step says.
    RolloutWait,
    /// Finding out whether the new version is good.
    EvaluateWait,
    /// Keeping blue for an instant return.
    RetainWait,
    /// Draining and deleting blue.
    RetireWait,
    /// Bringing traffic and capacity back to blue, then deleting green.
    Rollback,
    /// Ended: the release serves.
    Done,
    /// Ended: the release did not make it.
    Failed,
    /// Ended: somebody asked for the end.
    Aborted,
    /// Ended: it never came to anything that users saw.
    Canceled,
}

/// Whether a deploy goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It has states before it.
    Running,
    /// This state is its last.
    Terminal,
}

impl State {
    /// Every state, in the order in which a deploy may meet them.
    pub const ALL: [Self; 12] = [
        Self::Pending,
        Self::Resolve,
        Self::Prepare,
        Self::RolloutWait,
        Self::EvaluateWait,
        Self::RetainWait,
        Self::RetireWait,
        Self::Rollback,
        Self::Done,
        Self::Failed,
        Self::Aborted,
        Self::Canceled,
    ];

    /// Whether a deploy in this state goes on.
    pub const fn phase(self) -> Phase {
        match self {
            Self::Pending
            | Self::Resolve
            | Self::Prepare
            | Self::RolloutWait
            | Self::EvaluateWait
            | Self::RetainWait
            | Self::RetireWait
            | Self::Rollback => Phase::Running,
            Self::Done | Self::Failed | Self::Aborted | Self::Canceled => Phase::Terminal,
        }
    }

    /// Whether a deploy in this state has ended.
    pub fn is_terminal(self) -> bool {
        self.phase() == Phase::Terminal
    }

    /// Its name, as written in the history.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Resolve => "Resolve",
            Self::Prepare => "Prepare",
            Self::RolloutWait => "RolloutWait",
            Self::EvaluateWait => "EvaluateWait",
            Self::RetainWait => "RetainWait",
            Self::RetireWait => "RetireWait",
            Self::Rollback => "Rollback",
            Self::Done => "Done",
            Self::Failed => "Failed",
            Self::Aborted => "Aborted",
            Self::Canceled => "Canceled",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A pattern and not an enumeration: an older CRD must not refuse what a newer operator writes.
impl JsonSchema for State {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "State".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "maxLength": 32, "pattern": "^[A-Z][A-Za-z]*$" })
    }
}
