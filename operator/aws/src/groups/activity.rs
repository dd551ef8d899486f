//! Why a group's instances do not come up.

use aws_sdk_autoscaling::types::ScalingActivityStatusCode as Status;
use dryad_cloud::CloudError;
use dryad_cloud::group::FailedActivity;
use dryad_machine::name::GroupName;

use crate::call::Call;
use crate::errors::lacking;
use crate::site::Site;

const ACTION: Call = Call::DescribeScalingActivities;

impl Site {
    /// The group's newest activity, if it failed or was cancelled; any newer one, even one under way, outdates that.
    pub(crate) async fn failed_activity(
        &self,
        name: &GroupName,
    ) -> Result<Option<FailedActivity>, CloudError> {
        let answer = self
            .read(self.read_deadline(), ACTION, |clients| {
                clients
                    .autoscaling
                    .describe_scaling_activities()
                    .auto_scaling_group_name(name.as_str())
                    .max_records(1)
                    .send()
            })
            .await?;
        let Some(newest) = answer.activities().first() else { return Ok(None) };
        let status = newest.status_code().ok_or_else(|| lacking(ACTION.name(), "an activity's status"))?;
        if !matches!(status, Status::Failed | Status::Cancelled) {
            return Ok(None);
        }
        let started = newest.start_time().ok_or_else(|| lacking(ACTION.name(), "an activity's start"))?;
        let message = newest.status_message().unwrap_or_else(|| status.as_str());
        Ok(Some(FailedActivity {
            description: newest.description().unwrap_or_default().to_owned(),
            message: message.to_owned(),
            started: started.secs(),
        }))
    }
}
