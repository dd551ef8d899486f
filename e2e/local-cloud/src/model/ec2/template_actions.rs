//! The actions on launch templates.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/create-launch-template.html>: nothing in a template's data is
//! validated when it is created, only when something is launched from it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::filter::Filter;
use super::template_data::{TagSpecification, TemplateData, TemplateTag};
use super::template_lookup::{TemplateKey, visible};
use super::templates::{Template, Version};
use crate::model::action::{Action, Context, Kind};
use crate::model::error::{ApiError, Code};
use crate::model::paging::Page;
use crate::model::region::Region;
use crate::model::service::Service;

/// A template as it is described.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribedTemplate {
    /// `lt-…`.
    pub launch_template_id: String,
    /// Its name.
    pub launch_template_name: String,
    /// When it was created.
    pub create_time: Timestamp,
    /// Who created it.
    pub created_by: String,
    /// What `$Default` stands for.
    pub default_version_number: u64,
    /// What `$Latest` stands for.
    pub latest_version_number: u64,
    /// Its tags.
    #[serde(rename = "tagSet")]
    pub tags: Vec<TemplateTag>,
}

impl DescribedTemplate {
    fn of(template: &Template) -> Self {
        Self {
            launch_template_id: template.id.clone(),
            launch_template_name: template.name.clone(),
            create_time: template.created,
            created_by: template.created_by.clone(),
            default_version_number: template.default_version,
            latest_version_number: template.latest_version(),
            tags: TemplateTag::list(&template.tags),
        }
    }
}

/// A version as it is described.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribedVersion {
    /// Its template's id.
    pub launch_template_id: String,
    /// Its template's name.
    pub launch_template_name: String,
    /// Its number.
    pub version_number: u64,
    /// What its author said about it.
    pub version_description: Option<String>,
    /// When it was created.
    pub create_time: Timestamp,
    /// Who created it.
    pub created_by: String,
    /// Whether `$Default` stands for it.
    pub default_version: bool,
    /// What it says.
    pub launch_template_data: TemplateData,
}

impl DescribedVersion {
    fn of(template: &Template, version: &Version) -> Self {
        Self {
            launch_template_id: template.id.clone(),
            launch_template_name: template.name.clone(),
            version_number: version.number,
            version_description: version.description.clone(),
            create_time: version.created,
            created_by: version.created_by.clone(),
            default_version: template.default_version == version.number,
            launch_template_data: version.data.clone(),
        }
    }
}

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

/// Lists launch templates.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct DescribeLaunchTemplates {
    /// Only these; an unknown one is an error.
    #[serde(rename = "LaunchTemplateId")]
    pub launch_template_ids: Vec<String>,
    /// Only these; an unknown one is an error.
    #[serde(rename = "LaunchTemplateName")]
    pub launch_template_names: Vec<String>,
    /// `launch-template-name`, `tag:<key>`, `tag-key`.
    #[serde(rename = "Filter")]
    pub filters: Vec<Filter>,
    /// The page.
    pub next_token: Option<String>,
    /// 1 to 200, the default.
    pub max_results: Option<usize>,
}

/// The templates.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribeLaunchTemplatesAnswer {
    /// In the order of their ids.
    pub launch_templates: Vec<DescribedTemplate>,
    /// For the next page.
    pub next_token: Option<String>,
}

impl Action for DescribeLaunchTemplates {
    const SERVICE: Service = Service::Ec2;
    const NAME: &'static str = "DescribeLaunchTemplates";
    const KIND: Kind = Kind::Read;
    type Answer = DescribeLaunchTemplatesAnswer;

    fn resource(&self) -> String {
        self.launch_template_ids
            .iter()
            .chain(&self.launch_template_names)
            .cloned()
            .collect::<Vec<_>>()
            .join(",")
    }

    fn run(self, region: &mut Region, context: &mut Context<'_>) -> Result<Self::Answer, ApiError> {
        let (now, settings) = (context.now, context.settings);
        let ids = self.launch_template_ids.iter().cloned().map(TemplateKey::Id);
        let names = self.launch_template_names.iter().cloned().map(TemplateKey::Name);
        let keys: Vec<TemplateKey> = ids.chain(names).collect();
        let mut asked = BTreeMap::new();
        for key in &keys {
            let template = region.ec2.template(key, now, settings)?;
            asked.insert(template.id.clone(), template);
        }
        if keys.is_empty() {
            let seen = region.ec2.templates.values().filter(|template| visible(template, now, settings));
            asked.extend(seen.map(|template| (template.id.clone(), template)));
        }
        let mut passed = Vec::new();
        for template in asked.into_values() {
            if Filter::all(&self.filters, |name| match (name, name.strip_prefix("tag:")) {
                (_, Some(key)) => Some(template.tags.get(key).cloned().into_iter().collect()),
                ("launch-template-name", _) => Some(vec![template.name.clone()]),
                ("tag-key", _) => Some(template.tags.keys().cloned().collect()),
                _ => None,
            })? {
                passed.push(template);
            }
        }
        let size = page_size(self.max_results, settings.largest_page);
        let page = Page { token: self.next_token.as_deref(), size };
        let (page, next_token) = page.of(passed.into_iter(), |template| template.id.clone())?;
        let launch_templates = page.into_iter().map(DescribedTemplate::of).collect();
        Ok(DescribeLaunchTemplatesAnswer { launch_templates, next_token })
    }
}

/// Lists versions of one launch template.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct DescribeLaunchTemplateVersions {
    /// The template by id,
    pub launch_template_id: Option<String>,
    /// or by name.
    pub launch_template_name: Option<String>,
    /// Only these: numbers, `$Latest`, `$Default`; an unknown one is an error.
    #[serde(rename = "LaunchTemplateVersion")]
    pub versions: Vec<String>,
    /// The page.
    pub next_token: Option<String>,
    /// 1 to 200, the default.
    pub max_results: Option<usize>,
}

/// The versions.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribeLaunchTemplateVersionsAnswer {
    /// The newest first.
    #[serde(rename = "launchTemplateVersionSet")]
    pub launch_template_versions: Vec<DescribedVersion>,
    /// For the next page.
    pub next_token: Option<String>,
}

impl Action for DescribeLaunchTemplateVersions {
    const SERVICE: Service = Service::Ec2;
    const NAME: &'static str = "DescribeLaunchTemplateVersions";
    const KIND: Kind = Kind::Read;
    type Answer = DescribeLaunchTemplateVersionsAnswer;

    fn resource(&self) -> String {
        either(self.launch_template_id.as_deref(), self.launch_template_name.as_deref())
    }

    fn run(self, region: &mut Region, context: &mut Context<'_>) -> Result<Self::Answer, ApiError> {
        let key = TemplateKey::of(self.launch_template_id, self.launch_template_name)?;
        let template = region.ec2.template(&key, context.now, context.settings)?;
        let mut asked: Vec<&Version> = Vec::new();
        for which in &self.versions {
            let version = template.version(which).ok_or_else(|| no_version(&template.id, which))?;
            asked.push(version);
        }
        if self.versions.is_empty() {
            asked.extend(template.versions.values());
        }
        asked.sort_by_key(|version| std::cmp::Reverse(version.number));
        let size = page_size(self.max_results, context.settings.largest_page);
        let page = Page { token: self.next_token.as_deref(), size };
        // Keys must grow along the pages, versions fall.
        let (page, next_token) = page.of(asked.into_iter(), |v| format!("{:020}", u64::MAX - v.number))?;
        let launch_template_versions = page.into_iter().map(|v| DescribedVersion::of(template, v)).collect();
        Ok(DescribeLaunchTemplateVersionsAnswer { launch_template_versions, next_token })
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

fn either(id: Option<&str>, name: Option<&str>) -> String {
    id.or(name).unwrap_or_default().to_owned()
}

fn no_version(id: &str, which: &str) -> ApiError {
    ApiError::new(
        Code::InvalidLaunchTemplateIdVersionNotFound,
        format!("Could not find the specified version {which} for the launch template with ID {id}."),
    )
}

fn page_size(asked: Option<usize>, largest: Option<usize>) -> usize {
    asked.unwrap_or(200).min(200).min(largest.unwrap_or(200)).max(1)
}
