//! Launch templates: created whole, deleted, never changed. Those of others are read, to be copied.

mod paths;
mod tagged;
mod version;

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{
    LaunchTemplateBlockDeviceMappingRequest, LaunchTemplateEbsBlockDeviceRequest,
    LaunchTemplateIamInstanceProfileSpecificationRequest, LaunchTemplateInstanceMetadataOptionsRequest,
    LaunchTemplateTagSpecificationRequest, LaunchTemplatesMonitoringRequest, RequestLaunchTemplateData,
    ResourceType, Tag, TagSpecification,
};
use aws_smithy_types::base64;
use dryad_cloud::CloudError;
use dryad_cloud::template::{BlockDevice, Carried, NewTemplate};
use dryad_machine::name::GroupName;

use crate::call::Call;
use crate::site::Site;

impl Site {
    /// Creates the template, as its version 1.
    pub(crate) async fn create_template(&self, template: &NewTemplate) -> Result<(), CloudError> {
        let own_tags = TagSpecification::builder()
            .resource_type(ResourceType::LaunchTemplate)
            .set_tags(Some(tags(&template.tags)))
            .build();
        self.mutate(self.mutation_deadline(), Call::CreateLaunchTemplate, |clients| {
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
        self.mutate(self.mutation_deadline(), Call::DeleteLaunchTemplate, |clients| {
            clients.ec2.delete_launch_template().launch_template_name(name.as_str()).send()
        })
        .await
    }
}

/// What the instances are made of. Their volumes get the template's tags, which a group puts on its instances alone.
fn data(template: &NewTemplate) -> RequestLaunchTemplateData {
    let carried = &template.carried;
    let profile =
        |name: &String| LaunchTemplateIamInstanceProfileSpecificationRequest::builder().name(name).build();
    let monitoring = |enabled| LaunchTemplatesMonitoringRequest::builder().enabled(enabled).build();
    let block_devices: Vec<_> = carried.block_devices.iter().map(block_device).collect();
    let tagged = template.tags_of_launched();
    let specifications = tagged.iter().map(|(kind, of_kind)| {
        LaunchTemplateTagSpecificationRequest::builder()
            .resource_type(kind.as_str().into())
            .set_tags(Some(tags(of_kind)))
            .build()
    });
    RequestLaunchTemplateData::builder()
        .image_id(&template.image_id)
        .instance_type(template.instance_type.as_str().into())
        .set_iam_instance_profile(template.instance_profile.as_ref().map(profile))
        .set_key_name(template.key_name.clone())
        .set_security_group_ids(Some(template.security_group_ids.clone()))
        .set_user_data(template.user_data.as_ref().map(base64::encode))
        .metadata_options(metadata(carried))
        .set_ebs_optimized(carried.ebs_optimized)
        .set_monitoring(carried.monitoring.map(monitoring))
        .set_block_device_mappings((!block_devices.is_empty()).then_some(block_devices))
        .set_tag_specifications((!tagged.is_empty()).then(|| specifications.collect()))
        .build()
}

/// Metadata is to be had with a session token only (`IMDSv2`), unless a template that this one is derived from says
/// otherwise: without one, a web application that can be talked into fetching a URL gives the instance's credentials
/// away.
fn metadata(carried: &Carried) -> LaunchTemplateInstanceMetadataOptionsRequest {
    LaunchTemplateInstanceMetadataOptionsRequest::builder()
        .http_tokens(carried.http_tokens.as_deref().unwrap_or("required").into())
        .set_http_put_response_hop_limit(carried.http_put_response_hop_limit)
        .set_http_endpoint(carried.http_endpoint.as_deref().map(Into::into))
        .set_instance_metadata_tags(carried.instance_metadata_tags.as_deref().map(Into::into))
        .build()
}

fn block_device(device: &BlockDevice) -> LaunchTemplateBlockDeviceMappingRequest {
    let ebs = LaunchTemplateEbsBlockDeviceRequest::builder()
        .set_volume_size(device.volume_size)
        .set_volume_type(device.volume_type.as_deref().map(Into::into))
        .set_iops(device.iops)
        .set_throughput(device.throughput)
        .set_encrypted(device.encrypted)
        .set_kms_key_id(device.kms_key_id.clone())
        .set_delete_on_termination(device.delete_on_termination)
        .set_snapshot_id(device.snapshot_id.clone())
        .build();
    LaunchTemplateBlockDeviceMappingRequest::builder()
        .set_device_name(device.device_name.clone())
        .ebs(ebs)
        .build()
}

fn tags(tags: &BTreeMap<String, String>) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

#[cfg(test)]
mod tests {
    use dryad_cloud::Cloud;
    use dryad_cloud::template::{Carried, NewTemplate};

    use crate::testing::{Fake, here, name};

    fn ec2(action: &str) -> Fake {
        Fake::always((200, format!("<{action}Response><requestId>1</requestId></{action}Response>")))
    }

    fn template() -> NewTemplate {
        NewTemplate {
            name: name("web-7"),
            image_id: "ami-1".to_owned(),
            instance_type: "m7g.large".to_owned(),
            instance_profile: Some("web".to_owned()),
            key_name: Some("ops".to_owned()),
            security_group_ids: vec!["sg-1".to_owned(), "sg-2".to_owned()],
            user_data: Some(b"#!/bin/sh\n".to_vec()),
            carried: Carried::default(),
            tags: [("team".to_owned(), "shop".to_owned())].into(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_template_says_everything_about_its_instances() {
        let fake = ec2("CreateLaunchTemplate");
        fake.aws().create_template(&here(), &template()).await.unwrap();
        let lines = fake.only_request().lines();
        let (tokens, lines): (Vec<_>, Vec<_>) =
            lines.into_iter().partition(|line| line.starts_with("ClientToken="));
        assert_eq!(tokens.len(), 1);
        assert_eq!(
            lines,
            [
                "Action=CreateLaunchTemplate",
                "LaunchTemplateName=web-7",
                "LaunchTemplateData.IamInstanceProfile.Name=web",
                "LaunchTemplateData.ImageId=ami-1",
                "LaunchTemplateData.InstanceType=m7g.large",
                "LaunchTemplateData.KeyName=ops",
                "LaunchTemplateData.UserData=IyEvYmluL3NoCg==",
                "LaunchTemplateData.TagSpecification.1.ResourceType=volume",
                "LaunchTemplateData.TagSpecification.1.Tag.1.Key=team",
                "LaunchTemplateData.TagSpecification.1.Tag.1.Value=shop",
                "LaunchTemplateData.SecurityGroupId.1=sg-1",
                "LaunchTemplateData.SecurityGroupId.2=sg-2",
                "LaunchTemplateData.MetadataOptions.HttpTokens=required",
                "TagSpecification.1.ResourceType=launch-template",
                "TagSpecification.1.Tag.1.Key=team",
                "TagSpecification.1.Tag.1.Value=shop",
            ]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_template_leaves_out_is_not_sent() {
        let fake = ec2("CreateLaunchTemplate");
        let bare = NewTemplate {
            instance_profile: None,
            key_name: None,
            security_group_ids: Vec::new(),
            user_data: None,
            tags: [].into(),
            ..template()
        };
        fake.aws().create_template(&here(), &bare).await.unwrap();
        let mut lines = fake.only_request().lines();
        lines.retain(|line| !line.starts_with("ClientToken="));
        assert_eq!(
            lines,
            [
                "Action=CreateLaunchTemplate",
                "LaunchTemplateName=web-7",
                "LaunchTemplateData.ImageId=ami-1",
                "LaunchTemplateData.InstanceType=m7g.large",
                "LaunchTemplateData.MetadataOptions.HttpTokens=required",
            ]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_template_is_deleted_by_name() {
        let fake = ec2("DeleteLaunchTemplate");
        fake.aws().delete_template(&here(), &name("web-7")).await.unwrap();
        assert_eq!(fake.only_request().lines(), ["Action=DeleteLaunchTemplate", "LaunchTemplateName=web-7"]);
    }
}
