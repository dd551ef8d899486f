//! `DescribeScalingActivities`.
//!
//! <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DescribeScalingActivities.html>

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::activity::{Activity, ActivityStatus};
use super::describe_groups::page_size;
use crate::model::action::{Action, Context, Kind};
use crate::model::error::ApiError;
use crate::model::paging::Page;
use crate::model::region::Region;
use crate::model::service::Service;

/// Lists activities, the latest first.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct DescribeScalingActivities {
    /// Only these.
    pub activity_ids: Vec<String>,
    /// Only those of this group, which must exist unless deleted ones are included.
    pub auto_scaling_group_name: Option<String>,
    /// Whether those of deleted groups are listed too.
    pub include_deleted_groups: Option<bool>,
    /// The page.
    pub next_token: Option<String>,
    /// 1 to 100, the default.
    pub max_records: Option<usize>,
}

/// The activities.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeScalingActivitiesAnswer {
    /// The latest first.
    pub activities: Vec<DescribedActivity>,
    /// For the next page.
    pub next_token: Option<String>,
}

/// An activity as it is described.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribedActivity {
    /// Its id.
    pub activity_id: String,
    /// Its group.
    pub auto_scaling_group_name: String,
    /// Its group's ARN.
    #[serde(rename = "AutoScalingGroupARN")]
    pub auto_scaling_group_arn: String,
    /// `Deleted`, if its group is.
    pub auto_scaling_group_state: Option<String>,
    /// What it does.
    pub description: String,
    /// Why.
    pub cause: String,
    /// When it began.
    pub start_time: Timestamp,
    /// When it ended, if it has.
    pub end_time: Option<Timestamp>,
    /// How far it is.
    pub status_code: ActivityStatus,
    /// What went wrong.
    pub status_message: Option<String>,
    /// In percent.
    pub progress: u8,
}

impl DescribedActivity {
    pub(super) fn of(activity: &Activity, deleted: bool) -> Self {
        Self {
            activity_id: activity.id.clone(),
            auto_scaling_group_name: activity.group.clone(),
            auto_scaling_group_arn: activity.group_arn.clone(),
            auto_scaling_group_state: deleted.then(|| "Deleted".to_owned()),
            description: activity.description.clone(),
            cause: activity.cause.clone(),
            start_time: activity.started,
            end_time: activity.ended,
            status_code: activity.status,
            status_message: activity.message.clone(),
            progress: if activity.ended.is_some() { 100 } else { 50 },
        }
    }
}

impl Action for DescribeScalingActivities {
    const SERVICE: Service = Service::AutoScaling;
    const NAME: &'static str = "DescribeScalingActivities";
    const KIND: Kind = Kind::Read;
    type Answer = DescribeScalingActivitiesAnswer;

    fn resource(&self) -> String {
        self.auto_scaling_group_name.clone().unwrap_or_default()
    }

    fn run(self, region: &mut Region, context: &mut Context<'_>) -> Result<Self::Answer, ApiError> {
        let size = page_size(self.max_records, 100)?;
        let with_deleted = self.include_deleted_groups == Some(true);
        if let Some(name) = &self.auto_scaling_group_name
            && !with_deleted
        {
            region.autoscaling.group(name)?;
        }
        let present =
            region.autoscaling.groups.values().flat_map(|group| &group.activities).map(|a| (a, false));
        let past = region.autoscaling.past_activities.iter().filter(|_| with_deleted).map(|a| (a, true));
        let mut asked: Vec<(&Activity, bool)> = present
            .chain(past)
            .filter(|(activity, _)| {
                self.auto_scaling_group_name.as_ref().is_none_or(|name| activity.group == *name)
                    && (self.activity_ids.is_empty() || self.activity_ids.contains(&activity.id))
            })
            .collect();
        // Stable, so that of two at the same time the later noted stays first.
        asked.sort_by_key(|(activity, _)| std::cmp::Reverse(activity.started));
        let size = size.min(context.settings.largest_page.unwrap_or(size)).max(1);
        let page = Page { token: self.next_token.as_deref(), size };
        // The latest first: by place in the list, whose head may grow between two pages, as it does at AWS.
        let (page, next_token) = page.of(asked.into_iter().enumerate(), |(at, _)| format!("{at:08}"))?;
        let activities = page
            .into_iter()
            .map(|(_, (activity, deleted))| DescribedActivity::of(activity, deleted))
            .collect();
        Ok(DescribeScalingActivitiesAnswer { activities, next_token })
    }
}
