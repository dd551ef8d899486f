//! Launch templates in the model's words, and back.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dryad_cloud::CloudError;
use dryad_cloud::template::{
    BlockDevice, Carried, DescribedTemplate, FoundTemplate, NewTemplate, profile_of_arn, uncarried,
};
use dryad_machine::name::{GroupName, Place};
use serde_json::Value;

use super::InProcess;
use crate::model::Action;
use crate::model::ec2::{
    BlockDevice as Device, CreateLaunchTemplate, DeleteLaunchTemplate, DescribeLaunchTemplateVersions,
    DescribeLaunchTemplateVersionsAnswer, DescribeLaunchTemplates, EbsDevice, Filter, InstanceProfile,
    MetadataOptions, Monitoring, TagSpecification, TemplateData, TemplateTag,
};

impl InProcess {
    pub(super) async fn find_templates(
        &self,
        place: &Place,
        tags: &BTreeMap<String, String>,
    ) -> Result<Vec<FoundTemplate>, CloudError> {
        let filter = |(key, value): (&String, &String)| filter(&format!("tag:{key}"), value);
        self.filtered_templates(place, tags.iter().map(filter).collect()).await
    }

    pub(super) async fn named_template(
        &self,
        place: &Place,
        name: &GroupName,
    ) -> Result<Option<FoundTemplate>, CloudError> {
        let found =
            self.filtered_templates(place, vec![filter("launch-template-name", name.as_str())]).await?;
        Ok(found.into_iter().find(|found| found.name == *name))
    }

    async fn filtered_templates(
        &self,
        place: &Place,
        filters: Vec<Filter>,
    ) -> Result<Vec<FoundTemplate>, CloudError> {
        let mut found = Vec::new();
        let mut next_token = None;
        loop {
            let request = DescribeLaunchTemplates {
                filters: filters.clone(),
                next_token,
                ..DescribeLaunchTemplates::default()
            };
            let page = self.call(place, request).await?;
            found.extend(page.launch_templates.into_iter().map(|template| FoundTemplate {
                name: GroupName::new(template.launch_template_name),
                tags: template.tags.into_iter().map(|tag| (tag.key, tag.value)).collect(),
                created: template.create_time.as_second(),
            }));
            next_token = page.next_token;
            if next_token.is_none() {
                return Ok(found);
            }
        }
    }
}

fn filter(name: &str, value: &str) -> Filter {
    Filter { name: name.to_owned(), values: vec![value.to_owned()] }
}

/// Creates it as the adapter to AWS does: metadata by session token only unless it was derived from one that says
/// otherwise, volumes tagged.
pub(super) fn create(template: &NewTemplate) -> CreateLaunchTemplate {
    let tags = |(resource_type, tags): (&String, &_)| TagSpecification {
        resource_type: resource_type.clone(),
        tags: TemplateTag::list(tags),
    };
    let profile = |name: &String| InstanceProfile { arn: None, name: Some(name.clone()) };
    let carried = &template.carried;
    CreateLaunchTemplate {
        launch_template_name: template.name.to_string(),
        launch_template_data: TemplateData {
            image_id: Some(template.image_id.clone()),
            instance_type: Some(template.instance_type.clone()),
            key_name: template.key_name.clone(),
            user_data: template.user_data.as_ref().map(|script| STANDARD.encode(script)),
            ebs_optimized: carried.ebs_optimized,
            iam_instance_profile: template.instance_profile.as_ref().map(profile),
            security_group_ids: template.security_group_ids.clone(),
            block_devices: carried.block_devices.iter().map(device).collect(),
            network_interfaces: Vec::new(),
            tag_specifications: template.tags_of_launched().iter().map(tags).collect(),
            metadata_options: Some(MetadataOptions {
                http_tokens: Some(carried.http_tokens.clone().unwrap_or_else(|| "required".to_owned())),
                http_put_response_hop_limit: carried.http_put_response_hop_limit.map(Into::into),
                http_endpoint: carried.http_endpoint.clone(),
                instance_metadata_tags: carried.instance_metadata_tags.clone(),
            }),
            monitoring: carried.monitoring.map(|enabled| Monitoring { enabled: Some(enabled) }),
        },
        tag_specifications: vec![tags((&"launch-template".to_owned(), &template.tags))],
        ..CreateLaunchTemplate::default()
    }
}

fn device(device: &BlockDevice) -> Device {
    Device {
        device_name: device.device_name.clone(),
        ebs: Some(EbsDevice {
            volume_size: device.volume_size.map(Into::into),
            volume_type: device.volume_type.clone(),
            iops: device.iops.map(Into::into),
            throughput: device.throughput.map(Into::into),
            encrypted: device.encrypted,
            delete_on_termination: device.delete_on_termination,
            snapshot_id: device.snapshot_id.clone(),
            kms_key_id: device.kms_key_id.clone(),
        }),
    }
}

pub(super) fn version(id: &str, version: &str) -> DescribeLaunchTemplateVersions {
    DescribeLaunchTemplateVersions {
        launch_template_id: Some(id.to_owned()),
        versions: vec![version.to_owned()],
        ..DescribeLaunchTemplateVersions::default()
    }
}

/// As the adapter to AWS has it.
pub(super) fn described(
    answer: DescribeLaunchTemplateVersionsAnswer,
) -> Result<DescribedTemplate, CloudError> {
    let action = DescribeLaunchTemplateVersions::NAME;
    let lacking = |message: &str| CloudError::Unanswered { action, message: message.to_owned() };
    let found = answer.launch_template_versions.into_iter().next();
    let found = found.ok_or_else(|| lacking("the answer lacks the version asked for"))?;
    let data = found.launch_template_data;
    let mut paths = BTreeSet::new();
    note(&mut paths, "", &serde_json::to_value(&data).unwrap_or_default());
    let metadata = data.metadata_options.unwrap_or_default();
    let small = |number: Option<i64>| number.and_then(|number| i32::try_from(number).ok());
    let block_devices = data.block_devices.into_iter().map(|device| {
        let ebs = device.ebs.unwrap_or_default();
        BlockDevice {
            device_name: device.device_name,
            volume_size: small(ebs.volume_size),
            volume_type: ebs.volume_type,
            iops: small(ebs.iops),
            throughput: small(ebs.throughput),
            encrypted: ebs.encrypted,
            kms_key_id: ebs.kms_key_id,
            delete_on_termination: ebs.delete_on_termination,
            snapshot_id: ebs.snapshot_id,
        }
    });
    let tags = data.tag_specifications.into_iter().map(|specification| {
        let pairs = specification.tags.into_iter().map(|tag| (tag.key, tag.value));
        (specification.resource_type, pairs.collect())
    });
    let profile = data.iam_instance_profile.unwrap_or_default();
    Ok(DescribedTemplate {
        version: i64::try_from(found.version_number).unwrap_or(i64::MAX),
        image_id: data.image_id,
        instance_type: data.instance_type,
        instance_profile: profile.name.or_else(|| profile.arn.as_deref().and_then(profile_of_arn)),
        key_name: data.key_name,
        security_group_ids: data.security_group_ids,
        user_data: data.user_data.and_then(|encoded| STANDARD.decode(encoded).ok()),
        carried: Carried {
            ebs_optimized: data.ebs_optimized,
            monitoring: data.monitoring.and_then(|monitoring| monitoring.enabled),
            http_tokens: metadata.http_tokens,
            http_put_response_hop_limit: small(metadata.http_put_response_hop_limit),
            http_endpoint: metadata.http_endpoint,
            instance_metadata_tags: metadata.instance_metadata_tags,
            block_devices: block_devices.collect(),
            tags: tags.collect(),
        },
        uncarried: uncarried(paths.iter().map(String::as_str)),
    })
}

/// Takes note of where the answer holds something: names from the outermost on, with dots between them.
fn note(paths: &mut BTreeSet<String>, path: &str, value: &Value) {
    match value {
        Value::Null => {}
        Value::Array(items) => items.iter().for_each(|item| note(paths, path, item)),
        Value::Object(members) => {
            for (name, member) in members {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                note(paths, &path, member);
            }
        }
        Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            paths.insert(path.to_owned());
        }
    }
}

pub(super) fn delete(name: &GroupName) -> DeleteLaunchTemplate {
    DeleteLaunchTemplate { launch_template_name: Some(name.to_string()), launch_template_id: None }
}
