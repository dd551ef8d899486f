//! Creating and deleting launch templates, and adding versions to them.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/create-launch-template.html>: nothing in a template's data is
//! validated when it is created, only when something is launched from it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::describe_templates::{DescribedTemplate, DescribedVersion};
use super::template_data::{TagSpecification, TemplateData};
use super::template_lookup::{TemplateKey, either, no_version};
use super::templates::{Template, Version};
use crate::model::action::{Action, Context, Kind};
use crate::model::error::{ApiError, Code};
use crate::model::region::Region;
use crate::model::service::Service;

/// Creates a launch template with its version 1.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct CreateLaunchTemplate {
    /// 3 to 128 letters, digits and `()./_-`.
    pub launch_template_name: String,
    /// What it says.
    pub launch_template_data: TemplateData,
    /// What its author says about the version.
    pub version_description: Option<String>,
    /// Creating twice with the same token is creating once.
    pub client_token: Option<String>,
    /// Tags, for `launch-template`.
    #[serde(rename = "TagSpecification")]
    pub tag_specifications: Vec<TagSpecification>,
}

/// The new template.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateLaunchTemplateAnswer {
    /// As it is described.
    pub launch_template: DescribedTemplate,
}

impl CreateLaunchTemplate {
    fn check_name(&self) -> Result<(), ApiError> {
        let name = &self.launch_template_name;
        let fits = (3..=128).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"()./_-".contains(&byte));
        if fits {
            return Ok(());
        }
        Err(ApiError::new(
            Code::InvalidLaunchTemplateNameMalformed,
            "The launch template name must be between 3 and 128 characters, and may contain letters, numbers, and the \
             following characters: '-', '_', '(', ')', '.', and '/'.",
        ))
    }
}

impl Action for CreateLaunchTemplate {
    const SERVICE: Service = Service::Ec2;
    const NAME: &'static str = "CreateLaunchTemplate";
    const KIND: Kind = Kind::Write;
    type Answer = CreateLaunchTemplateAnswer;

    fn resource(&self) -> String {
        self.launch_template_name.clone()
    }

    fn run(self, region: &mut Region, context: &mut Context<'_>) -> Result<Self::Answer, ApiError> {
        self.check_name()?;
        let named = region.ec2.templates.values().find(|template| template.name == self.launch_template_name);
        if let Some(existing) = named {
            // The token makes a repeated request the same request.
            if self.client_token.is_some() && existing.client_token == self.client_token {
                return Ok(CreateLaunchTemplateAnswer { launch_template: DescribedTemplate::of(existing) });
            }
            return Err(ApiError::new(
                Code::InvalidLaunchTemplateNameAlreadyExists,
                "Launch template name already in use.",
            ));
        }
        let mut tags = BTreeMap::new();
        for specification in self.tag_specifications {
            if specification.resource_type != "launch-template" {
                return Err(ApiError::new(
                    Code::InvalidParameterValue,
                    format!(
                        "'{}' is not a valid taggable resource type for this operation.",
                        specification.resource_type
                    ),
                ));
            }
            tags.extend(specification.tags.into_iter().map(|tag| (tag.key, tag.value)));
        }
        let id = region.ids.ec2("lt");
        let version = Version {
            number: 1,
            description: self.version_description,
            created: context.now,
            created_by: context.caller.principal.clone(),
            data: self.launch_template_data,
            client_token: None,
        };
        let template = Template {
            id: id.clone(),
            name: self.launch_template_name,
            created: context.now,
            created_by: context.caller.principal.clone(),
            tags,
            default_version: 1,
            versions: BTreeMap::from([(1, version)]),
            client_token: self.client_token,
        };
        let launch_template = DescribedTemplate::of(&template);
        region.ec2.templates.insert(id, template);
        Ok(CreateLaunchTemplateAnswer { launch_template })
    }
}

/// Adds a version to a launch template. `$Default` stays what it is.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct CreateLaunchTemplateVersion {
    /// The template by id,
    pub launch_template_id: Option<String>,
    /// or by name.
    pub launch_template_name: Option<String>,
    /// The version whose data fills what the new one leaves unset.
    pub source_version: Option<String>,
    /// What its author says about it.
    pub version_description: Option<String>,
    /// What it says.
    pub launch_template_data: TemplateData,
    /// Creating twice with the same token is creating once.
    pub client_token: Option<String>,
}

/// The new version.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateLaunchTemplateVersionAnswer {
    /// As it is described.
    pub launch_template_version: DescribedVersion,
}

impl Action for CreateLaunchTemplateVersion {
    const SERVICE: Service = Service::Ec2;
    const NAME: &'static str = "CreateLaunchTemplateVersion";
    const KIND: Kind = Kind::Write;
    type Answer = CreateLaunchTemplateVersionAnswer;

    fn resource(&self) -> String {
        either(self.launch_template_id.as_deref(), self.launch_template_name.as_deref())
    }

    fn run(self, region: &mut Region, context: &mut Context<'_>) -> Result<Self::Answer, ApiError> {
        let key = TemplateKey::of(self.launch_template_id, self.launch_template_name)?;
        let id = region.ec2.template(&key, context.now, context.settings)?.id.clone();
        let template = region.ec2.templates.get_mut(&id).ok_or_else(|| key.not_found())?;
        if let Some(token) = &self.client_token
            && let Some(version) = template.versions.values().find(|v| v.client_token.as_ref() == Some(token))
        {
            let launch_template_version = DescribedVersion::of(template, version);
            return Ok(CreateLaunchTemplateVersionAnswer { launch_template_version });
        }
        let data = match &self.source_version {
            None => self.launch_template_data,
            Some(source) => {
                let source = template.version(source).ok_or_else(|| no_version(&id, source))?;
                self.launch_template_data.over(&source.data)
            }
        };
        let version = Version {
            number: template.latest_version() + 1,
            description: self.version_description,
            created: context.now,
            created_by: context.caller.principal.clone(),
            data,
            client_token: self.client_token,
        };
        let launch_template_version = DescribedVersion::of(template, &version);
        template.versions.insert(version.number, version);
        Ok(CreateLaunchTemplateVersionAnswer { launch_template_version })
    }
}

/// Deletes a launch template with all its versions. Groups that use it cannot launch any more.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct DeleteLaunchTemplate {
    /// By id,
    pub launch_template_id: Option<String>,
    /// or by name.
    pub launch_template_name: Option<String>,
}

/// What it was.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeleteLaunchTemplateAnswer {
    /// As it was described.
    pub launch_template: DescribedTemplate,
}

impl Action for DeleteLaunchTemplate {
    const SERVICE: Service = Service::Ec2;
    const NAME: &'static str = "DeleteLaunchTemplate";
    const KIND: Kind = Kind::Write;
    type Answer = DeleteLaunchTemplateAnswer;

    fn resource(&self) -> String {
        either(self.launch_template_id.as_deref(), self.launch_template_name.as_deref())
    }

    fn run(self, region: &mut Region, context: &mut Context<'_>) -> Result<Self::Answer, ApiError> {
        let key = TemplateKey::of(self.launch_template_id, self.launch_template_name)?;
        let template = region.ec2.template(&key, context.now, context.settings)?;
        let launch_template = DescribedTemplate::of(template);
        region.ec2.templates.remove(&launch_template.launch_template_id);
        Ok(DeleteLaunchTemplateAnswer { launch_template })
    }
}
