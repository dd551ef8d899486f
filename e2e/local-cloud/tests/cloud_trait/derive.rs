//! Deriving a launch template from one that somebody else made.

use dryad_cloud::Cloud;
use dryad_cloud::template::{DescribedTemplate, NewTemplate};
use dryad_local_cloud::model::ec2::{
    BlockDevice, CreateLaunchTemplate, CreateLaunchTemplateVersion, DescribeLaunchTemplateVersions,
    EbsDevice, InstanceProfile, MetadataOptions, Monitoring, NetworkInterface, TagSpecification,
    TemplateData, TemplateTag,
};
use dryad_machine::name::GroupName;

use super::refusals::assert_kind;
use super::stage::Stage;

fn theirs() -> TemplateData {
    let some = |word: &str| Some(word.to_owned());
    TemplateData {
        image_id: some("resolve:ssm:/golden"),
        instance_type: some("c7g.xlarge"),
        key_name: some("theirs"),
        user_data: some("IyEvYmluL3NoCg=="),
        ebs_optimized: Some(true),
        iam_instance_profile: Some(InstanceProfile {
            arn: some("arn:aws:iam::123456789012:instance-profile/shop/theirs"),
            name: None,
        }),
        security_group_ids: vec!["sg-1".to_owned(), "sg-2".to_owned()],
        block_devices: vec![BlockDevice {
            device_name: some("/dev/xvda"),
            ebs: Some(EbsDevice {
                volume_size: Some(31),
                volume_type: some("gp3"),
                iops: Some(3001),
                throughput: Some(126),
                encrypted: Some(true),
                delete_on_termination: Some(false),
                snapshot_id: some("snap-1"),
                kms_key_id: some("key"),
            }),
        }],
        network_interfaces: Vec::new(),
        tag_specifications: vec![TagSpecification {
            resource_type: "instance".to_owned(),
            tags: vec![TemplateTag { key: "owner".to_owned(), value: "them".to_owned() }],
        }],
        metadata_options: Some(MetadataOptions {
            http_tokens: some("optional"),
            http_put_response_hop_limit: Some(2),
            http_endpoint: some("enabled"),
            instance_metadata_tags: some("enabled"),
        }),
        monitoring: Some(Monitoring { enabled: Some(true) }),
    }
}

/// Their template, with this in its version 1; its id.
fn created<C: Cloud>(stage: &Stage<C>, data: TemplateData) -> String {
    let create = CreateLaunchTemplate {
        launch_template_name: "theirs".to_owned(),
        launch_template_data: data,
        ..Default::default()
    };
    stage.did(create).launch_template.launch_template_id
}

fn derived(base: DescribedTemplate) -> NewTemplate {
    NewTemplate {
        name: GroupName::new("web-1"),
        image_id: base.image_id.unwrap(),
        instance_type: base.instance_type.unwrap(),
        instance_profile: base.instance_profile,
        key_name: base.key_name,
        security_group_ids: base.security_group_ids,
        user_data: base.user_data,
        carried: base.carried,
        tags: [].into(),
    }
}

pub(crate) async fn a_template_made_of_another_says_the_same<C: Cloud>(stage: &Stage<C>) {
    let id = created(stage, theirs());
    let base = stage.cloud.template_version(&stage.place, &id, "1").await.unwrap();
    assert_eq!((base.version, &base.uncarried), (1, &Vec::new()));
    stage.cloud.create_template(&stage.place, &derived(base)).await.unwrap();
    let ours = stage.did(DescribeLaunchTemplateVersions {
        launch_template_name: Some("web-1".to_owned()),
        ..Default::default()
    });
    let by_name = InstanceProfile { arn: None, name: Some("theirs".to_owned()) };
    let expected = TemplateData { iam_instance_profile: Some(by_name), ..theirs() };
    assert_eq!(ours.launch_template_versions[0].launch_template_data, expected);
}

pub(crate) async fn latest_and_default_are_versions_with_a_number<C: Cloud>(stage: &Stage<C>) {
    let id = created(stage, theirs());
    let second = TemplateData { instance_type: Some("c7g.large".to_owned()), ..TemplateData::default() };
    stage.did(CreateLaunchTemplateVersion {
        launch_template_id: Some(id.clone()),
        launch_template_data: second,
        ..Default::default()
    });
    for (version, number, kind) in
        [("$Latest", 2, "c7g.large"), ("$Default", 1, "c7g.xlarge"), ("1", 1, "c7g.xlarge")]
    {
        let base = stage.cloud.template_version(&stage.place, &id, version).await.unwrap();
        assert_eq!((base.version, base.instance_type.as_deref()), (number, Some(kind)), "{version}");
    }
}

pub(crate) async fn what_cannot_be_copied_is_named<C: Cloud>(stage: &Stage<C>) {
    let interface = NetworkInterface { device_index: Some(0), associate_public_ip_address: Some(true) };
    let id = created(stage, TemplateData { network_interfaces: vec![interface], ..theirs() });
    let base = stage.cloud.template_version(&stage.place, &id, "1").await.unwrap();
    assert_eq!(base.uncarried, ["networkInterfaces"]);
}

pub(crate) async fn a_template_or_version_that_is_not_there_is_not_found<C: Cloud>(stage: &Stage<C>) {
    let action = "DescribeLaunchTemplateVersions";
    let nobody = stage.cloud.template_version(&stage.place, "lt-00000000000000000", "1").await;
    assert_kind(&nobody.map(drop), "not found", action);
    let id = created(stage, theirs());
    let later = stage.cloud.template_version(&stage.place, &id, "2").await;
    assert_kind(&later.map(drop), "not found", action);
}
