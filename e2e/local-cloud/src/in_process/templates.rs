//! Launch templates in the model's words.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dryad_cloud::template::NewTemplate;
use dryad_machine::name::GroupName;

use crate::model::ec2::{
    CreateLaunchTemplate, DeleteLaunchTemplate, InstanceProfile, MetadataOptions, TagSpecification,
    TemplateData, TemplateTag,
};

/// Creates it as the adapter to AWS does: metadata by session token only, volumes tagged.
pub(super) fn create(template: &NewTemplate) -> CreateLaunchTemplate {
    let tags = |resource_type: &str| TagSpecification {
        resource_type: resource_type.to_owned(),
        tags: TemplateTag::list(&template.tags),
    };
    let profile = |name: &String| InstanceProfile { arn: None, name: Some(name.clone()) };
    CreateLaunchTemplate {
        launch_template_name: template.name.to_string(),
        launch_template_data: TemplateData {
            image_id: Some(template.image_id.clone()),
            instance_type: Some(template.instance_type.clone()),
            key_name: template.key_name.clone(),
            user_data: template.user_data.as_ref().map(|script| STANDARD.encode(script)),
            iam_instance_profile: template.instance_profile.as_ref().map(profile),
            security_group_ids: template.security_group_ids.clone(),
            tag_specifications: vec![tags("volume")],
            metadata_options: Some(MetadataOptions {
                http_tokens: Some("required".to_owned()),
                ..MetadataOptions::default()
            }),
            ..TemplateData::default()
        },
        tag_specifications: vec![tags("launch-template")],
        ..CreateLaunchTemplate::default()
    }
}

pub(super) fn delete(name: &GroupName) -> DeleteLaunchTemplate {
    DeleteLaunchTemplate { launch_template_name: Some(name.to_string()), launch_template_id: None }
}
