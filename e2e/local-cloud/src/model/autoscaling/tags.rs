//! Tags of groups.
//!
//! <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_CreateOrUpdateTags.html>,
//! <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DeleteTags.html>,
//! <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DescribeTags.html>

use serde::{Deserialize, Serialize};

use super::describe_groups::{Filter, page_size};
use super::group::{Group, Propagation};
use super::{Done, limits};
use crate::model::action::{Action, Context, Kind};
use crate::model::error::ApiError;
use crate::model::paging::Page;
use crate::model::region::Region;
use crate::model::service::Service;

/// A tag of a group on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct GroupTag {
    /// The group's name; implied when the group is created.
    pub resource_id: Option<String>,
    /// Always `auto-scaling-group`.
    pub resource_type: Option<String>,
    /// The key.
    pub key: String,
    /// The value.
    pub value: String,
    /// Whether instances launched from now on get it too; unset: they do not.
    pub propagate_at_launch: Option<bool>,
}

impl GroupTag {
    /// A tag that stays on the group.
    pub fn new(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self { key: key.into(), value: value.into(), ..Self::default() }
    }

    pub(super) fn held(self) -> (String, (String, Propagation)) {
        let propagation = match self.propagate_at_launch {
            Some(true) => Propagation::AtLaunch,
            Some(false) | None => Propagation::GroupOnly,
        };
        (self.key, (self.value, propagation))
    }

    pub(super) fn list(group: &Group) -> Vec<Self> {
        group
            .tags
            .iter()
            .map(|(key, (value, propagation))| Self {
                resource_id: Some(group.name.clone()),
                resource_type: Some("auto-scaling-group".to_owned()),
                key: key.clone(),
                value: value.clone(),
                propagate_at_launch: Some(*propagation == Propagation::AtLaunch),
            })
            .collect()
    }

    /// The name of the group it is for.
    fn group(&self) -> Result<&str, ApiError> {
        match (self.resource_type.as_deref(), self.resource_id.as_deref()) {
            (Some("auto-scaling-group"), Some(name)) => Ok(name),
            (Some("auto-scaling-group"), None) => {
                Err(ApiError::invalid("A tag needs the ResourceId of its group"))
            }
            (other, _) => Err(ApiError::invalid(format!(
                "The resource type {:?} is invalid. Supported resource types are auto-scaling-group.",
                other.unwrap_or_default()
            ))),
        }
    }
}

/// Sets tags, of one or several groups.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct CreateOrUpdateTags {
    /// Each with its group.
    pub tags: Vec<GroupTag>,
}

/// Takes tags away, of one or several groups.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct DeleteTags {
    /// Each with its group; a value that is given must be the one there is.
    pub tags: Vec<GroupTag>,
}

fn groups_of(tags: &[GroupTag]) -> String {
    let mut names: Vec<String> = tags.iter().filter_map(|tag| tag.resource_id.clone()).collect();
    names.dedup();
    names.join(",")
}

impl Action for CreateOrUpdateTags {
    const SERVICE: Service = Service::AutoScaling;
    const NAME: &'static str = "CreateOrUpdateTags";
    const KIND: Kind = Kind::Write;
    type Answer = Done;

    fn resource(&self) -> String {
        groups_of(&self.tags)
    }

    fn run(self, region: &mut Region, _: &mut Context<'_>) -> Result<Self::Answer, ApiError> {
        for tag in &self.tags {
            let name = tag.group()?;
            let own: Vec<GroupTag> =
                self.tags.iter().filter(|tag| tag.resource_id.as_deref() == Some(name)).cloned().collect();
            limits::check_tags(&own, region.autoscaling.group_mut(name)?.tags.keys())?;
        }
        for tag in self.tags {
            let group = region.autoscaling.group_mut(tag.group()?)?;
            let (key, held) = tag.held();
            group.tags.insert(key, held);
        }
        Ok(Done {})
    }
}

impl Action for DeleteTags {
    const SERVICE: Service = Service::AutoScaling;
    const NAME: &'static str = "DeleteTags";
    const KIND: Kind = Kind::Write;
    type Answer = Done;

    fn resource(&self) -> String {
        groups_of(&self.tags)
    }

    fn run(self, region: &mut Region, _: &mut Context<'_>) -> Result<Self::Answer, ApiError> {
        for tag in &self.tags {
            region.autoscaling.group_mut(tag.group()?)?;
        }
        for tag in self.tags {
            let group = region.autoscaling.group_mut(tag.group()?)?;
            let same = |(value, _): &(String, Propagation)| tag.value.is_empty() || *value == tag.value;
            if group.tags.get(&tag.key).is_some_and(same) {
                group.tags.remove(&tag.key);
            }
        }
        Ok(Done {})
    }
}

/// Lists tags of groups.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct DescribeTags {
    /// `auto-scaling-group`, `key`, `value`, `propagate-at-launch`.
    pub filters: Vec<Filter>,
    /// The page.
    pub next_token: Option<String>,
    /// 1 to 100; unset: 50.
    pub max_records: Option<usize>,
}

/// The tags.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeTagsAnswer {
    /// In the order of group and key.
    pub tags: Vec<GroupTag>,
    /// For the next page.
    pub next_token: Option<String>,
}

impl Action for DescribeTags {
    const SERVICE: Service = Service::AutoScaling;
    const NAME: &'static str = "DescribeTags";
    const KIND: Kind = Kind::Read;
    type Answer = DescribeTagsAnswer;

    fn resource(&self) -> String {
        String::new()
    }

    fn run(self, region: &mut Region, context: &mut Context<'_>) -> Result<Self::Answer, ApiError> {
        let mut tags: Vec<GroupTag> = region.autoscaling.groups.values().flat_map(GroupTag::list).collect();
        for filter in &self.filters {
            let of: fn(&GroupTag) -> String = match filter.name.as_str() {
                "auto-scaling-group" => |tag| tag.resource_id.clone().unwrap_or_default(),
                "key" => |tag| tag.key.clone(),
                "value" => |tag| tag.value.clone(),
                "propagate-at-launch" => |tag| tag.propagate_at_launch.unwrap_or_default().to_string(),
                other => return Err(ApiError::invalid(format!("Filter name {other} is not supported"))),
            };
            tags.retain(|tag| filter.values.contains(&of(tag)));
        }
        let size = page_size(self.max_records, 50)?;
        let size = size.min(context.settings.largest_page.unwrap_or(size)).max(1);
        let page = Page { token: self.next_token.as_deref(), size };
        // No name holds a colon, so that group and key sort as the pair does.
        let key = |tag: &GroupTag| format!("{}:{}", tag.resource_id.as_deref().unwrap_or_default(), tag.key);
        tags.sort_by_key(key);
        let (tags, next_token) = page.of(tags.into_iter(), key)?;
        Ok(DescribeTagsAnswer { tags, next_token })
    }
}
