//! Finding a launch template by id or by name, never by both.

use jiff::Timestamp;

use super::State;
use super::templates::Template;
use crate::model::error::{ApiError, Code};
use crate::model::settings::Settings;

/// How a launch template is named in a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TemplateKey {
    /// By id.
    Id(String),
    /// By name.
    Name(String),
}

impl TemplateKey {
    /// The key of a request's two parameters, of which exactly one must be there.
    pub(crate) fn of(id: Option<String>, name: Option<String>) -> Result<Self, ApiError> {
        match (id, name) {
            (Some(id), None) => Ok(Self::Id(id)),
            (None, Some(name)) => Ok(Self::Name(name)),
            (None, None) => Err(ApiError::new(
                Code::MissingParameter,
                "Either the launch template ID or the launch template name must be specified, but not both.",
            )),
            (Some(_), Some(_)) => Err(ApiError::new(
                Code::InvalidParameterCombination,
                "Either the launch template ID or the launch template name must be specified, but not both.",
            )),
        }
    }

    fn matches(&self, template: &Template) -> bool {
        match self {
            Self::Id(id) => template.id == *id,
            Self::Name(name) => template.name == *name,
        }
    }

    pub(crate) fn not_found(&self) -> ApiError {
        match self {
            Self::Id(id) => ApiError::new(
                Code::InvalidLaunchTemplateIdNotFound,
                format!("The specified launch template, with template ID {id}, does not exist."),
            ),
            Self::Name(name) => ApiError::new(
                Code::InvalidLaunchTemplateNameNotFound,
                format!("The specified launch template, with template name {name}, does not exist."),
            ),
        }
    }
}

impl State {
    /// The template, if it exists and can be seen already.
    pub(crate) fn template(
        &self,
        key: &TemplateKey,
        now: Timestamp,
        settings: &Settings,
    ) -> Result<&Template, ApiError> {
        self.templates
            .values()
            .find(|template| key.matches(template) && visible(template, now, settings))
            .ok_or_else(|| key.not_found())
    }
}

/// Whether others than its creator can see the template already.
pub(crate) fn visible(template: &Template, now: Timestamp, settings: &Settings) -> bool {
    template.created + settings.timings.visible_after <= now
}

/// What a request calls its template, for the log.
pub(super) fn either(id: Option<&str>, name: Option<&str>) -> String {
    id.or(name).unwrap_or_default().to_owned()
}

/// That the template has no such version.
pub(super) fn no_version(id: &str, which: &str) -> ApiError {
    ApiError::new(
        Code::InvalidLaunchTemplateIdVersionNotFound,
        format!("Could not find the specified version {which} for the launch template with ID {id}."),
    )
}
