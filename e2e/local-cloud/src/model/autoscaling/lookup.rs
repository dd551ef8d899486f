//! Finding groups and members by name.

use super::State;
use super::group::Group;
use crate::model::error::ApiError;

impl State {
    /// A group that is there, being deleted or not.
    pub(super) fn group(&self, name: &str) -> Result<&Group, ApiError> {
        self.groups.get(name).ok_or_else(|| {
            ApiError::invalid(format!(
                "AutoScalingGroup name not found - AutoScalingGroup '{name}' not found"
            ))
        })
    }

    /// A group that may be changed: there, and not being deleted.
    pub(super) fn group_mut(&mut self, name: &str) -> Result<&mut Group, ApiError> {
        self.group(name)?;
        match self.groups.get_mut(name) {
            Some(group) if group.deletion.is_none() => {
                group.touch();
                Ok(group)
            }
            _ => {
                Err(ApiError::invalid("The AutoScaling group may not be modified while it is pending delete"))
            }
        }
    }

    /// The group an instance is in, to be changed.
    pub(super) fn group_of(&mut self, instance: &str) -> Result<&mut Group, ApiError> {
        let group = self.groups.values_mut().find(|group| group.members.contains_key(instance));
        let group = group.ok_or_else(|| {
            ApiError::invalid(format!(
                "Instance Id not found - No managed instance found for instance ID: {instance}"
            ))
        })?;
        group.touch();
        Ok(group)
    }
}
