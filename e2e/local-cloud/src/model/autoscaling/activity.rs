//! Scaling activities: the only place where a launch that failed can be seen.
//!
//! <https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-viewing-scaling-activities.html>

use jiff::Timestamp;
use serde::Serialize;

use super::group::Group;

/// How many activities a group remembers. AWS keeps six weeks of them.
const REMEMBERED: usize = 200;

/// An activity.
#[derive(Debug, Clone)]
pub struct Activity {
    /// Its id.
    pub id: String,
    /// Its group's name.
    pub group: String,
    /// Its group's ARN.
    pub group_arn: String,
    /// What it does.
    pub description: String,
    /// Why.
    pub cause: String,
    /// When it began.
    pub started: Timestamp,
    /// When it ended, if it has.
    pub ended: Option<Timestamp>,
    /// How far it is.
    pub status: ActivityStatus,
    /// What went wrong.
    pub message: Option<String>,
}

/// How far an activity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum ActivityStatus {
    /// The instance is launched and not in service yet.
    PreInService,
    /// Targets drain.
    WaitingForELBConnectionDraining,
    /// Something is under way.
    InProgress,
    /// It is done.
    Successful,
    /// It was given up.
    Failed,
}

impl Group {
    /// Notes an activity.
    pub(crate) fn note(&mut self, activity: Activity) {
        self.activities.push_front(activity);
        self.activities.truncate(REMEMBERED);
    }

    /// Moves an activity on.
    pub(crate) fn progress(&mut self, id: &str, status: ActivityStatus, at: Timestamp) {
        if let Some(activity) = self.activities.iter_mut().find(|activity| activity.id == id) {
            activity.status = status;
            if matches!(status, ActivityStatus::Successful | ActivityStatus::Failed) {
                activity.ended = Some(at);
            }
        }
    }

    /// Whether anything is under way.
    pub(crate) fn is_active(&self) -> bool {
        self.activities.iter().any(|activity| activity.ended.is_none())
    }
}
