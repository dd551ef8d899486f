//! EC2's filters: any of the values of each, `*` and `?` in values, all of the filters.

use serde::Deserialize;

use crate::model::error::{ApiError, Code};
use crate::model::glob::Glob;

/// One filter of a describe.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    /// What is compared, `instance-state-name` or `tag:<key>` for instance.
    #[serde(rename = "Name")]
    pub name: String,
    /// What it may be.
    #[serde(rename = "Value")]
    pub values: Vec<String>,
}

impl Filter {
    /// Whether everything `of` a thing passes all `filters`. `of` gives the values a name stands for, or nothing for a
    /// name it does not know.
    ///
    /// # Errors
    /// `InvalidParameterValue`, for an unknown name.
    pub(crate) fn all(filters: &[Self], of: impl Fn(&str) -> Option<Vec<String>>) -> Result<bool, ApiError> {
        for filter in filters {
            let values = of(&filter.name).ok_or_else(|| {
                ApiError::new(Code::InvalidParameterValue, format!("The filter '{}' is invalid", filter.name))
            })?;
            let passes = filter
                .values
                .iter()
                .any(|wanted| values.iter().any(|value| Glob::from(wanted.as_str()).matches(value)));
            if !passes {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
