//! Listing launch templates and their versions.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeLaunchTemplates.html>,
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeLaunchTemplateVersions.html>

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::filter::Filter;
use super::template_data::{TemplateData, TemplateTag};
use super::template_lookup::{TemplateKey, either, no_version, visible};
use super::templates::{Template, Version};
use crate::model::action::{Action, Context, Kind};
use crate::model::error::ApiError;
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
    pub(super) fn of(template: &Template) -> Self {
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
    pub(super) fn of(template: &Template, version: &Version) -> Self {
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

fn page_size(asked: Option<usize>, largest: Option<usize>) -> usize {
    asked.unwrap_or(200).min(200).min(largest.unwrap_or(200)).max(1)
}
