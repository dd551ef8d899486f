//! What can happen to a deploy, and how the history names it.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// What can happen to a deploy: the columns of the [table](crate::table).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Event {
    /// A restore from a backup came between this deploy and what it knew: its turn is void, or it is a copy of one
    /// that may have run.
    Restored,
    /// The Environment is gone, in spite of the finalizer on it: nobody may change its groups any more.
    Orphaned,
    /// Somebody asked for an abort or a rollback.
    EndRequested,
    /// The Deployment or its Environment is being deleted.
    Deleted,
    /// What the state waits for can't come true any more.
    Failed,
    /// Two readings agree that green is gone or useless.
    GreenLost,
    /// Another Deployment may go ahead in this one's place.
    Superseded,
    /// What the state waits for has come true.
    Ok,
    /// The state's time is up.
    TimedOut,
}

impl Event {
    /// Every event, the one that counts most first: where several hold, the first that the table has an answer
    /// to is taken. A fresh success beats a time-out.
    pub const BY_PRIORITY: [Self; 9] = [
        Self::Restored,
        Self::Orphaned,
        Self::EndRequested,
        Self::Deleted,
        Self::Failed,
        Self::GreenLost,
        Self::Superseded,
        Self::Ok,
        Self::TimedOut,
    ];
}

/// Why an entry was appended: the event, in the words of the state it happened in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Reason {
    /// The Deployment was seen for the first time.
    Created,
    /// It is its turn.
    TurnTaken,
    /// The exact release is known.
    ReleaseResolved,
    /// Nothing stands before the first instance any more.
    PrepareOk,
    /// The step's instances are up and traffic stands as it says.
    RolloutOk,
    /// Every check was good for as long as it had to be.
    EvaluateOk,
    /// Green is healthy, and somebody asked for no more proof than that.
    EvaluationSkipped,
    /// Blue was kept for as long as it had to be, or there was none.
    RetainElapsed,
    /// Blue is gone.
    RetireOk,
    /// Traffic is back on blue, green is gone.
    RollbackOk,
    /// The release can't be what was asked for.
    ReleaseRejected,
    /// The operator's configuration does not let the Environment's namespace name what it names.
    NotPermitted,
    /// The cloud refused for good.
    LaunchRefused,
    /// A check said no.
    CheckFailed,
    /// The state's time was up.
    TimedOut,
    /// Green is gone or useless.
    GreenLost,
    /// Traffic could not be brought back to blue.
    BlueLost,
    /// `spec.request.end: Abort`.
    AbortRequested,
    /// `spec.request.end: Rollback`.
    RollbackRequested,
    /// The Deployment is being deleted.
    DeploymentDeleted,
    /// The Environment is being deleted.
    EnvironmentDeleted,
    /// The Environment is gone, in spite of the finalizer on it.
    EnvironmentGone,
    /// Another Deployment went ahead.
    Superseded,
    /// It came out of a backup, or is from before its Environment did: nobody knows whether it ran already.
    Restored,
    /// The turn that it recorded is no longer its own: its Environment was restored, or taken away by force.
    TurnLost,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 25] = [
        Self::Created,
        Self::TurnTaken,
        Self::ReleaseResolved,
        Self::PrepareOk,
        Self::RolloutOk,
        Self::EvaluateOk,
        Self::EvaluationSkipped,
        Self::RetainElapsed,
        Self::RetireOk,
        Self::RollbackOk,
        Self::ReleaseRejected,
        Self::NotPermitted,
        Self::LaunchRefused,
        Self::CheckFailed,
        Self::TimedOut,
        Self::GreenLost,
        Self::BlueLost,
        Self::AbortRequested,
        Self::RollbackRequested,
        Self::DeploymentDeleted,
        Self::EnvironmentDeleted,
        Self::EnvironmentGone,
        Self::Superseded,
        Self::Restored,
        Self::TurnLost,
    ];

    /// The event it is a name of; `None` for the two that no event stands behind.
    pub const fn event(self) -> Option<Event> {
        match self {
            Self::Created | Self::BlueLost => None,
            Self::TurnTaken
            | Self::ReleaseResolved
            | Self::PrepareOk
            | Self::RolloutOk
            | Self::EvaluateOk
            | Self::EvaluationSkipped
            | Self::RetainElapsed
            | Self::RetireOk
            | Self::RollbackOk => Some(Event::Ok),
            Self::ReleaseRejected | Self::NotPermitted | Self::LaunchRefused | Self::CheckFailed => {
                Some(Event::Failed)
            }
            Self::TimedOut => Some(Event::TimedOut),
            Self::GreenLost => Some(Event::GreenLost),
            Self::AbortRequested | Self::RollbackRequested => Some(Event::EndRequested),
            Self::DeploymentDeleted | Self::EnvironmentDeleted => Some(Event::Deleted),
            Self::EnvironmentGone => Some(Event::Orphaned),
            Self::Superseded => Some(Event::Superseded),
            Self::Restored | Self::TurnLost => Some(Event::Restored),
        }
    }

    /// Its name, as written in the history.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "Created",
            Self::TurnTaken => "TurnTaken",
            Self::ReleaseResolved => "ReleaseResolved",
            Self::PrepareOk => "PrepareOk",
            Self::RolloutOk => "RolloutOk",
            Self::EvaluateOk => "EvaluateOk",
            Self::EvaluationSkipped => "EvaluationSkipped",
            Self::RetainElapsed => "RetainElapsed",
            Self::RetireOk => "RetireOk",
            Self::RollbackOk => "RollbackOk",
            Self::ReleaseRejected => "ReleaseRejected",
            Self::NotPermitted => "NotPermitted",
            Self::LaunchRefused => "LaunchRefused",
            Self::CheckFailed => "CheckFailed",
            Self::TimedOut => "TimedOut",
            Self::GreenLost => "GreenLost",
            Self::BlueLost => "BlueLost",
            Self::AbortRequested => "AbortRequested",
            Self::RollbackRequested => "RollbackRequested",
            Self::DeploymentDeleted => "DeploymentDeleted",
            Self::EnvironmentDeleted => "EnvironmentDeleted",
            Self::EnvironmentGone => "EnvironmentGone",
            Self::Superseded => "Superseded",
            Self::Restored => "Restored",
            Self::TurnLost => "TurnLost",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A pattern and not an enumeration: an older CRD must not refuse what a newer operator writes.
impl JsonSchema for Reason {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Reason".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "maxLength": 64, "pattern": "^[A-Z][A-Za-z]*$" })
    }
}
