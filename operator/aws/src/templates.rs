//! Launch templates: created whole, deleted, never changed.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{
    LaunchTemplateHttpTokensState, LaunchTemplateIamInstanceProfileSpecificationRequest,
    LaunchTemplateInstanceMetadataOptionsRequest, LaunchTemplateTagSpecificationRequest,
    RequestLaunchTemplateData, ResourceType, Tag, TagSpecification,
};
use aws_smithy_types::base64;
use dryad_cloud::CloudError;
use dryad_cloud::template::NewTemplate;
use dryad_machine::name::GroupName;

use crate::site::Site;

impl Site {
    /// Creates the template, as its version 1.
    pub(crate) async fn create_template(&self, template: &NewTemplate) -> Result<(), CloudError> {
        let own_tags = TagSpecification::builder()
            .resource_type(ResourceType::LaunchTemplate)
            .set_tags(Some(tags(&template.tags)))
            .build();
        self.mutate(self.mutation_deadline(), "CreateLaunchTemplate", |clients| {
            clients
                .ec2
                .create_launch_template()
                .launch_template_name(template.name.as_str())
                .launch_template_data(data(template))
                .set_tag_specifications((!template.tags.is_empty()).then(|| vec![own_tags]))
                .send()
        })
        .await
    }

    /// Deletes the template with all its versions.
    pub(crate) async fn delete_template(&self, name: &GroupName) -> Result<(), CloudError> {
        self.mutate(self.mutation_deadline(), "DeleteLaunchTemplate", |clients| {
            clients.ec2.delete_launch_template().launch_template_name(name.as_str()).send()
        })
        .await
    }
}

/// What the instances are made of. Their metadata is to be had with a session token only (IMDSv2): without one, a web
/// application that can be talked into fetching a URL gives the instance's credentials away. Their volumes get the
/// template's tags, which a group puts on its instances alone.
fn data(template: &NewTemplate) -> RequestLaunchTemplateData {
    let metadata = LaunchTemplateInstanceMetadataOptionsRequest::builder()
        .http_tokens(LaunchTemplateHttpTokensState::Required)
        .build();
    let profile =
        |name: &String| LaunchTemplateIamInstanceProfileSpecificationRequest::builder().name(name).build();
    let volume_tags = LaunchTemplateTagSpecificationRequest::builder()
        .resource_type(ResourceType::Volume)
        .set_tags(Some(tags(&template.tags)))
        .build();
    RequestLaunchTemplateData::builder()
        .image_id(&template.image_id)
        .instance_type(template.instance_type.as_str().into())
        .set_iam_instance_profile(template.instance_profile.as_ref().map(profile))
        .set_key_name(template.key_name.clone())
        .set_security_group_ids(Some(template.security_group_ids.clone()))
        .set_user_data(template.user_data.as_ref().map(base64::encode))
        .metadata_options(metadata)
        .set_tag_specifications((!template.tags.is_empty()).then(|| vec![volume_tags]))
        .build()
}

fn tags(tags: &BTreeMap<String, String>) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}
