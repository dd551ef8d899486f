//! What a group may be like: names, bounds, tags.
//!
//! <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_CreateAutoScalingGroup.html>,
//! <https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-quotas.html>

use super::tags::GroupTag;
use crate::model::error::{ApiError, Code};
use crate::model::tags;

/// Groups in a region.
pub(super) const GROUPS: usize = 500;
/// Target groups of a group.
pub(super) const TARGET_GROUPS: usize = 50;
/// Target groups in one attaching or detaching.
pub(super) const TARGET_GROUPS_AT_ONCE: usize = 10;

/// Checks a name: up to 255 ASCII characters 33 to 126, no colon.
pub(super) fn check_name(name: &str) -> Result<(), ApiError> {
    let constraint = if name.is_empty() {
        "Member must have length greater than or equal to 1"
    } else if name.len() > 255 {
        "Member must have length less than or equal to 255"
    } else if name.bytes().any(|byte| !(33..=126).contains(&byte) || byte == b':') {
        "Member must consist of ASCII characters 33 to 126 without colons"
    } else {
        return Ok(());
    };
    Err(ApiError::invalid(format!(
        "1 validation error detected: Value '{name}' at 'autoScalingGroupName' failed to satisfy constraint: {constraint}"
    )))
}

/// Checks the bounds and what lies between them.
pub(super) fn check_size(min: u32, max: u32, desired: u32) -> Result<(), ApiError> {
    if min > max {
        return Err(ApiError::invalid(format!(
            "Max bound, {max}, must be greater than or equal to min bound, {min}"
        )));
    }
    if !(min..=max).contains(&desired) {
        return Err(ApiError::invalid(format!(
            "Desired capacity:{desired} must be between the specified min size:{min} and max size:{max}"
        )));
    }
    Ok(())
}

/// Checks tags, and that a group would not have too many with them.
pub(super) fn check_tags<'a>(
    tags: &[GroupTag],
    existing: impl Iterator<Item = &'a String>,
) -> Result<(), ApiError> {
    for tag in tags {
        tags::check(&tag.key, &tag.value)?;
    }
    let existing = existing.filter(|key| tags.iter().all(|tag| tag.key != **key)).count();
    if existing + tags.len() > tags::MOST {
        return Err(ApiError::new(
            Code::LimitExceeded,
            format!("An Auto Scaling group may have at most {} tags", tags::MOST),
        ));
    }
    Ok(())
}
