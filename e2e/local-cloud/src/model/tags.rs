//! Tags as EC2 and ELB carry them, and the limits that all services share.
//!
//! <https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html>

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::error::ApiError;

/// The most tags an object may carry.
pub(crate) const MOST: usize = 50;

/// Tags as the model holds them.
pub type Tags = BTreeMap<String, String>;

/// One tag on the wire of ELB and SSM.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Tag {
    /// At most 128 characters, not starting with `aws:`.
    pub key: String,
    /// At most 256 characters.
    #[serde(default)]
    pub value: String,
}

impl Tag {
    /// The list form of tags.
    pub(crate) fn list(tags: &Tags) -> Vec<Self> {
        tags.iter().map(|(key, value)| Self { key: key.clone(), value: value.clone() }).collect()
    }
}

/// The tags of a request, if they are within the limits.
///
/// # Errors
/// `ValidationError`, naming the limit.
pub(crate) fn accept(tags: Vec<Tag>) -> Result<Tags, ApiError> {
    if tags.len() > MOST {
        return Err(ApiError::invalid(format!("An object may have at most {MOST} tags")));
    }
    tags.into_iter()
        .map(|tag| {
            check(&tag.key, &tag.value)?;
            Ok((tag.key, tag.value))
        })
        .collect()
}

/// Checks one tag against the limits of every service.
///
/// # Errors
/// `ValidationError`, naming the limit.
pub(crate) fn check(key: &str, value: &str) -> Result<(), ApiError> {
    let length = key.chars().count();
    if length == 0 || length > 128 {
        return Err(ApiError::invalid(format!("Tag key {key:?} must be 1 to 128 characters long.")));
    }
    if key.to_ascii_lowercase().starts_with("aws:") {
        return Err(ApiError::invalid(format!("Tag key {key:?}: the prefix aws: is reserved for AWS.")));
    }
    if value.chars().count() > 256 {
        return Err(ApiError::invalid(format!(
            "The value of tag {key:?} must be at most 256 characters long."
        )));
    }
    Ok(())
}
