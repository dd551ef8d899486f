//! Reading a version of somebody else's launch template, to derive one of ours from it.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{
    LaunchTemplateBlockDeviceMapping, LaunchTemplateTagSpecification, ResponseLaunchTemplateData, Tag,
};
use aws_smithy_types::base64;
use dryad_cloud::CloudError;
use dryad_cloud::template::{BlockDevice, Carried, DescribedTemplate, profile_of_arn, uncarried};

use super::paths::Paths;
use crate::call::Call;
use crate::errors;
use crate::site::Site;

const ACTION: Call = Call::DescribeLaunchTemplateVersions;

impl Site {
    /// The version, with the names of what can't be copied.
    pub(crate) async fn template_version(
        &self,
        id: &str,
        version: &str,
    ) -> Result<DescribedTemplate, CloudError> {
        let paths = Paths::new("launchTemplateData");
        let answer = self
            .read(self.read_deadline(), ACTION, |clients| {
                let request = clients.ec2.describe_launch_template_versions();
                let request = request.launch_template_id(id).versions(version);
                request.customize().interceptor(paths.clone()).send()
            })
            .await?;
        let found = answer.launch_template_versions.unwrap_or_default().into_iter().next();
        let found = found.ok_or_else(|| errors::lacking(ACTION.name(), "the version asked for"))?;
        let number =
            found.version_number.ok_or_else(|| errors::lacking(ACTION.name(), "the version's number"))?;
        let data = found
            .launch_template_data
            .ok_or_else(|| errors::lacking(ACTION.name(), "the template's data"))?;
        Ok(described(number, data, uncarried(paths.found().iter().map(String::as_str))))
    }
}

fn described(
    version: i64,
    data: ResponseLaunchTemplateData,
    mut uncarried: Vec<String>,
) -> DescribedTemplate {
    let carried = carried(&data);
    let profile = data.iam_instance_profile;
    let instance_profile = profile
        .as_ref()
        .and_then(|profile| profile.name.clone().or_else(|| profile.arn.as_deref().and_then(profile_of_arn)));
    let user_data = data.user_data.as_deref().map(base64::decode);
    let misread = [
        ("iamInstanceProfile", profile.is_some() && instance_profile.is_none()),
        ("userData", matches!(user_data, Some(Err(_)))),
    ];
    uncarried.extend(misread.into_iter().filter(|(_, lost)| *lost).map(|(name, _)| name.to_owned()));
    DescribedTemplate {
        version,
        image_id: data.image_id,
        instance_type: data.instance_type.map(|kind| kind.as_str().to_owned()),
        instance_profile,
        key_name: data.key_name,
        security_group_ids: data.security_group_ids.unwrap_or_default(),
        user_data: user_data.and_then(Result::ok),
        carried,
        uncarried,
    }
}

fn carried(data: &ResponseLaunchTemplateData) -> Carried {
    let metadata = data.metadata_options.as_ref();
    Carried {
        ebs_optimized: data.ebs_optimized,
        monitoring: data.monitoring.as_ref().and_then(|monitoring| monitoring.enabled),
        http_tokens: metadata.and_then(|it| Some(it.http_tokens.as_ref()?.as_str().to_owned())),
        http_put_response_hop_limit: metadata.and_then(|it| it.http_put_response_hop_limit),
        http_endpoint: metadata.and_then(|it| Some(it.http_endpoint.as_ref()?.as_str().to_owned())),
        instance_metadata_tags: metadata
            .and_then(|it| Some(it.instance_metadata_tags.as_ref()?.as_str().to_owned())),
        block_devices: data.block_device_mappings().iter().map(block_device).collect(),
        tags: data.tag_specifications().iter().filter_map(tags).collect(),
    }
}

fn block_device(device: &LaunchTemplateBlockDeviceMapping) -> BlockDevice {
    let device_name = device.device_name.clone();
    let Some(ebs) = device.ebs.clone() else { return BlockDevice { device_name, ..BlockDevice::default() } };
    BlockDevice {
        device_name,
        volume_size: ebs.volume_size,
        volume_type: ebs.volume_type.map(|kind| kind.as_str().to_owned()),
        iops: ebs.iops,
        throughput: ebs.throughput,
        encrypted: ebs.encrypted,
        kms_key_id: ebs.kms_key_id,
        delete_on_termination: ebs.delete_on_termination,
        snapshot_id: ebs.snapshot_id,
    }
}

fn tags(specification: &LaunchTemplateTagSpecification) -> Option<(String, BTreeMap<String, String>)> {
    let kind = specification.resource_type.as_ref()?.as_str().to_owned();
    let pair = |tag: &Tag| Some((tag.key.clone()?, tag.value.clone().unwrap_or_default()));
    Some((kind, specification.tags().iter().filter_map(pair).collect()))
}

#[cfg(test)]
mod tests {
    use dryad_cloud::Cloud;
    use dryad_cloud::template::NewTemplate;

    use super::*;
    use crate::testing::{Answer, Fake, here, name, refused_by_ec2};

    fn answer(data: &str) -> Answer {
        let version = format!(
            "<item><launchTemplateId>lt-1</launchTemplateId><versionNumber>3</versionNumber>\
             <launchTemplateData>{data}</launchTemplateData></item>"
        );
        versions(&version)
    }

    fn versions(items: &str) -> Answer {
        let body = format!("<launchTemplateVersionSet>{items}</launchTemplateVersionSet>");
        let action = ACTION.name();
        (200, format!("<{action}Response>{body}</{action}Response>"))
    }

    /// Every element that is carried, each with a value of its own.
    const EVERYTHING: &str = "<ebsOptimized>true</ebsOptimized><iamInstanceProfile>\
        <arn>arn:aws:iam::123456789012:instance-profile/shop/web</arn></iamInstanceProfile>\
        <blockDeviceMappingSet><item><deviceName>/dev/xvda</deviceName><ebs><encrypted>true</encrypted>\
        <deleteOnTermination>false</deleteOnTermination><iops>3001</iops><kmsKeyId>key</kmsKeyId>\
        <snapshotId>snap-1</snapshotId><volumeSize>31</volumeSize><volumeType>gp3</volumeType>\
        <throughput>126</throughput></ebs></item></blockDeviceMappingSet><networkInterfaceSet/>\
        <imageId>ami-1</imageId><instanceType>m7g.large</instanceType><keyName>ops</keyName>\
        <monitoring><enabled>true</enabled></monitoring><userData>IyEvYmluL3NoCg==</userData>\
        <tagSpecificationSet><item><resourceType>instance</resourceType><tagSet><item><key>team</key>\
        <value>shop</value></item></tagSet></item></tagSpecificationSet>\
        <securityGroupIdSet><item>sg-1</item><item>sg-2</item></securityGroupIdSet>\
        <metadataOptions><state>applied</state><httpTokens>optional</httpTokens>\
        <httpPutResponseHopLimit>2</httpPutResponseHopLimit><httpEndpoint>enabled</httpEndpoint>\
        <instanceMetadataTags>enabled</instanceMetadataTags></metadataOptions>";

    #[tokio::test(start_paused = true)]
    async fn all_that_is_carried_goes_into_the_template_that_is_made_of_it() {
        let fake = Fake::by_action(|action| match action {
            "CreateLaunchTemplate" => {
                (200, "<CreateLaunchTemplateResponse></CreateLaunchTemplateResponse>".to_owned())
            }
            _ => answer(EVERYTHING),
        });
        let aws = fake.aws();
        let base = aws.template_version(&here(), "lt-1", "$Latest").await.unwrap();
        assert_eq!(
            fake.only_request().lines(),
            [
                "Action=DescribeLaunchTemplateVersions",
                "LaunchTemplateId=lt-1",
                "LaunchTemplateVersion.1=$Latest"
            ]
        );
        assert_eq!((base.version, &base.uncarried), (3, &Vec::new()));
        let new = NewTemplate {
            name: name("web-7"),
            image_id: base.image_id.unwrap(),
            instance_type: base.instance_type.unwrap(),
            instance_profile: base.instance_profile,
            key_name: base.key_name,
            security_group_ids: base.security_group_ids,
            user_data: base.user_data,
            carried: base.carried,
            tags: [].into(),
        };
        aws.create_template(&here(), &new).await.unwrap();
        let mut lines = fake.asked()[1].lines();
        lines.retain(|line| line.starts_with("LaunchTemplateData."));
        lines.sort();
        assert_eq!(
            lines,
            [
                "LaunchTemplateData.BlockDeviceMapping.1.DeviceName=/dev/xvda",
                "LaunchTemplateData.BlockDeviceMapping.1.Ebs.DeleteOnTermination=false",
                "LaunchTemplateData.BlockDeviceMapping.1.Ebs.Encrypted=true",
                "LaunchTemplateData.BlockDeviceMapping.1.Ebs.Iops=3001",
                "LaunchTemplateData.BlockDeviceMapping.1.Ebs.KmsKeyId=key",
                "LaunchTemplateData.BlockDeviceMapping.1.Ebs.SnapshotId=snap-1",
                "LaunchTemplateData.BlockDeviceMapping.1.Ebs.Throughput=126",
                "LaunchTemplateData.BlockDeviceMapping.1.Ebs.VolumeSize=31",
                "LaunchTemplateData.BlockDeviceMapping.1.Ebs.VolumeType=gp3",
                "LaunchTemplateData.EbsOptimized=true",
                "LaunchTemplateData.IamInstanceProfile.Name=web",
                "LaunchTemplateData.ImageId=ami-1",
                "LaunchTemplateData.InstanceType=m7g.large",
                "LaunchTemplateData.KeyName=ops",
                "LaunchTemplateData.MetadataOptions.HttpEndpoint=enabled",
                "LaunchTemplateData.MetadataOptions.HttpPutResponseHopLimit=2",
                "LaunchTemplateData.MetadataOptions.HttpTokens=optional",
                "LaunchTemplateData.MetadataOptions.InstanceMetadataTags=enabled",
                "LaunchTemplateData.Monitoring.Enabled=true",
                "LaunchTemplateData.SecurityGroupId.1=sg-1",
                "LaunchTemplateData.SecurityGroupId.2=sg-2",
                "LaunchTemplateData.TagSpecification.1.ResourceType=instance",
                "LaunchTemplateData.TagSpecification.1.Tag.1.Key=team",
                "LaunchTemplateData.TagSpecification.1.Tag.1.Value=shop",
                "LaunchTemplateData.UserData=IyEvYmluL3NoCg==",
            ]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_cannot_be_carried_is_named_even_if_the_sdk_does_not_know_it() {
        let table = [
            ("<imageId>ami-1</imageId>", &[][..]),
            (
                "<networkInterfaceSet><item><deviceIndex>0</deviceIndex></item></networkInterfaceSet>",
                &["networkInterfaces"],
            ),
            ("<ofTomorrow><a>1</a></ofTomorrow>", &["ofTomorrow"]),
            ("<userData>not base64!</userData>", &["userData"]),
            ("<iamInstanceProfile><arn>arn:nonsense</arn></iamInstanceProfile>", &["iamInstanceProfile"]),
        ];
        for (data, names) in table {
            let fake = Fake::always(answer(data));
            let base = fake.aws().template_version(&here(), "lt-1", "3").await.unwrap();
            assert_eq!(base.uncarried, names, "{data}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_template_or_version_that_is_not_there_is_not_found() {
        for code in ["InvalidLaunchTemplateId.NotFound", "InvalidLaunchTemplateId.VersionNotFound"] {
            let fake = Fake::always(refused_by_ec2(400, code, "does not exist"));
            let outcome = fake.aws().template_version(&here(), "lt-1", "3").await;
            assert!(matches!(outcome, Err(CloudError::NotFound { .. })), "{outcome:?}");
        }
        let outcome = Fake::always(versions("")).aws().template_version(&here(), "lt-1", "3").await;
        assert_eq!(outcome, Err(errors::lacking(ACTION.name(), "the version asked for")));
    }
}
