//! Suspending and resuming what a group does by itself.
//!
//! <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_SuspendProcesses.html>,
//! <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_ResumeProcesses.html>

use serde::Deserialize;

use super::Done;
use super::group::Process;
use crate::model::action::{Action, Context, Kind};
use crate::model::error::ApiError;
use crate::model::region::Region;
use crate::model::service::Service;

/// Suspends processes.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct SuspendProcesses {
    /// Of which group.
    pub auto_scaling_group_name: String,
    /// Which; none: all.
    pub scaling_processes: Vec<Process>,
}

/// Resumes processes.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct ResumeProcesses {
    /// Of which group.
    pub auto_scaling_group_name: String,
    /// Which; none: all.
    pub scaling_processes: Vec<Process>,
}

fn or_all(processes: Vec<Process>) -> Vec<Process> {
    if processes.is_empty() { Process::ALL.to_vec() } else { processes }
}

impl Action for SuspendProcesses {
    const SERVICE: Service = Service::AutoScaling;
    const NAME: &'static str = "SuspendProcesses";
    const KIND: Kind = Kind::Write;
    type Answer = Done;

    fn resource(&self) -> String {
        self.auto_scaling_group_name.clone()
    }

    fn run(self, region: &mut Region, _: &mut Context<'_>) -> Result<Self::Answer, ApiError> {
        let group = region.autoscaling.group_mut(&self.auto_scaling_group_name)?;
        group.suspended.extend(or_all(self.scaling_processes));
        Ok(Done {})
    }
}

impl Action for ResumeProcesses {
    const SERVICE: Service = Service::AutoScaling;
    const NAME: &'static str = "ResumeProcesses";
    const KIND: Kind = Kind::Write;
    type Answer = Done;

    fn resource(&self) -> String {
        self.auto_scaling_group_name.clone()
    }

    fn run(self, region: &mut Region, _: &mut Context<'_>) -> Result<Self::Answer, ApiError> {
        let group = region.autoscaling.group_mut(&self.auto_scaling_group_name)?;
        for process in or_all(self.scaling_processes) {
            group.suspended.remove(&process);
        }
        Ok(Done {})
    }
}
