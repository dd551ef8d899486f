//! Launch templates: what a group's instances are made of.

use std::collections::BTreeMap;

use dryad_machine::name::GroupName;

/// A launch template to be created, complete in itself. Never changed afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTemplate {
    /// The name of the group it is for.
    pub name: GroupName,
    /// The AMI.
    pub image_id: String,
    /// Such as `m7g.large`.
    pub instance_type: String,
    /// The instance profile's name, if the instances act in the cloud themselves.
    pub instance_profile: Option<String>,
    /// The key pair to log in with, if any.
    pub key_name: Option<String>,
    /// At least one, unless the subnet's default is meant.
    pub security_group_ids: Vec<String>,
    /// The rendered script, not yet in base64; at most 16 KiB.
    pub user_data: Option<Vec<u8>>,
    /// What comes from the launch template that it is derived from.
    pub carried: Carried,
    /// Put on the template and on the instances' volumes; on the instances the group puts its own. They win over
    /// those carried.
    pub tags: BTreeMap<String, String>,
}

/// A launch template that was found by its tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundTemplate {
    /// Its name.
    pub name: GroupName,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// When it was created, in seconds since 1970, by the cloud's clock.
    pub created: i64,
}

/// One version of a launch template that somebody else made. It never changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DescribedTemplate {
    /// Its number.
    pub version: i64,
    /// The image, as it is written there: an id, or `resolve:ssm:…`.
    pub image_id: Option<String>,
    /// Such as `m7g.large`.
    pub instance_type: Option<String>,
    /// The instance profile's name.
    pub instance_profile: Option<String>,
    /// The key pair.
    pub key_name: Option<String>,
    /// The security groups' ids.
    pub security_group_ids: Vec<String>,
    /// The user data, decoded.
    pub user_data: Option<Vec<u8>>,
    /// What else there is that can be carried over.
    pub carried: Carried,
    /// The names of what else there is, which can't: whoever copies the template would lose it.
    pub uncarried: Vec<String>,
}

/// What an Environment has no words for, and is copied from one launch template to another. What is unset is AWS's
/// default, but for `http_tokens`: unset, instances give their metadata, and with it their credentials, only to who
/// shows a session token (`IMDSv2`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Carried {
    /// Whether volumes get bandwidth of their own.
    pub ebs_optimized: Option<bool>,
    /// Whether metrics come every minute.
    pub monitoring: Option<bool>,
    /// `required` or `optional`.
    pub http_tokens: Option<String>,
    /// Over how many networks an answer about metadata may go.
    pub http_put_response_hop_limit: Option<i32>,
    /// `enabled` or `disabled`.
    pub http_endpoint: Option<String>,
    /// `enabled` or `disabled`.
    pub instance_metadata_tags: Option<String>,
    /// The volumes.
    pub block_devices: Vec<BlockDevice>,
    /// The tags of what is launched, by its kind: `instance`, `volume` and so on.
    pub tags: BTreeMap<String, BTreeMap<String, String>>,
}

/// A volume.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockDevice {
    /// Such as `/dev/xvda`.
    pub device_name: Option<String>,
    /// In GiB.
    pub volume_size: Option<i32>,
    /// Such as `gp3`.
    pub volume_type: Option<String>,
    /// Operations a second.
    pub iops: Option<i32>,
    /// In MiB a second.
    pub throughput: Option<i32>,
    /// Whether it is encrypted.
    pub encrypted: Option<bool>,
    /// The key it is encrypted with.
    pub kms_key_id: Option<String>,
    /// Whether it goes with its instance.
    pub delete_on_termination: Option<bool>,
    /// What it starts as.
    pub snapshot_id: Option<String>,
}

impl NewTemplate {
    /// The tags of what is launched, by its kind: those carried, and on volumes its own over them.
    pub fn tags_of_launched(&self) -> BTreeMap<String, BTreeMap<String, String>> {
        let mut tags = self.carried.tags.clone();
        if !self.tags.is_empty() {
            tags.entry("volume".to_owned()).or_default().extend(self.tags.clone());
        }
        tags
    }
}

/// What [`DescribedTemplate`] has a place for, by the names of EC2's answer: the elements below `launchTemplateData`,
/// without the `item`s of lists. All that is not here is refused by name, what the SDK has never heard of as well.
const CARRIED: &[&str] = &[
    "blockDeviceMappingSet.deviceName",
    "blockDeviceMappingSet.ebs.deleteOnTermination",
    "blockDeviceMappingSet.ebs.encrypted",
    "blockDeviceMappingSet.ebs.iops",
    "blockDeviceMappingSet.ebs.kmsKeyId",
    "blockDeviceMappingSet.ebs.snapshotId",
    "blockDeviceMappingSet.ebs.throughput",
    "blockDeviceMappingSet.ebs.volumeSize",
    "blockDeviceMappingSet.ebs.volumeType",
    "ebsOptimized",
    "iamInstanceProfile.arn",
    "iamInstanceProfile.name",
    "imageId",
    "instanceType",
    "keyName",
    "metadataOptions.httpEndpoint",
    "metadataOptions.httpPutResponseHopLimit",
    "metadataOptions.httpTokens",
    "metadataOptions.instanceMetadataTags",
    // EC2's own word on whether the options are in force; nothing to copy.
    "metadataOptions.state",
    "monitoring.enabled",
    "securityGroupIdSet",
    "tagSpecificationSet.resourceType",
    "tagSpecificationSet.tagSet.key",
    "tagSpecificationSet.tagSet.value",
    "userData",
];

/// Of the elements of an answer, by their paths, those that can't be carried over: each once, by the name that
/// requests and documentation have for it.
pub fn uncarried<'a>(paths: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let names = paths.into_iter().filter(|path| !CARRIED.contains(path)).map(name);
    names.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
}

/// The shortest part of a path that nothing carried begins with, lists by their plural.
fn name(path: &str) -> String {
    let ends = path.match_indices('.').map(|(end, _)| end).chain([path.len()]);
    let known = |part: &str| {
        CARRIED.iter().any(|carried| carried.strip_prefix(part).is_some_and(|rest| rest.starts_with('.')))
    };
    let unknown = ends.map(|end| &path[..end]).find(|part| !known(part)).unwrap_or(path);
    let plural = |part: &str| part.strip_suffix("Set").map_or(part.to_owned(), |list| format!("{list}s"));
    unknown.split('.').map(plural).collect::<Vec<_>>().join(".")
}

/// The name at the end of an instance profile's ARN. It is unique in its account.
pub fn profile_of_arn(arn: &str) -> Option<String> {
    let (_, path) = arn.split_once(":instance-profile/")?;
    path.rsplit('/').next().filter(|name| !name.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_on_the_list_is_named_as_its_users_know_it() {
        let table: &[(&[&str], &[&str])] = &[
            (CARRIED, &[]),
            (
                &["networkInterfaceSet.deviceIndex", "networkInterfaceSet.groupSet.groupId"],
                &["networkInterfaces"],
            ),
            (&["disableApiTermination", "imageId"], &["disableApiTermination"]),
            (&["metadataOptions.httpProtocolIpv6"], &["metadataOptions.httpProtocolIpv6"]),
            (&["blockDeviceMappingSet.noDevice"], &["blockDeviceMappings.noDevice"]),
            (&["blockDeviceMappingSet.ebs.ebsCardIndex"], &["blockDeviceMappings.ebs.ebsCardIndex"]),
            (&["iamInstanceProfile"], &["iamInstanceProfile"]),
            (&["somethingNew.a.b", "somethingNew.c"], &["somethingNew"]),
        ];
        for (paths, names) in table {
            assert_eq!(uncarried(paths.iter().copied()), *names, "{paths:?}");
        }
    }

    #[test]
    fn an_instance_profile_goes_by_its_name() {
        let table = [
            ("arn:aws:iam::123456789012:instance-profile/web", Some("web")),
            ("arn:aws-cn:iam::123456789012:instance-profile/shop/prod/web", Some("web")),
            ("arn:aws:iam::123456789012:instance-profile/", None),
            ("arn:aws:iam::123456789012:role/web", None),
        ];
        for (arn, name) in table {
            assert_eq!(profile_of_arn(arn).as_deref(), name, "{arn}");
        }
    }

    #[test]
    fn our_tags_win_over_those_carried() {
        let of = |pairs: &[(&str, &str)]| -> BTreeMap<_, _> {
            pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
        };
        let carried = [
            ("volume".to_owned(), of(&[("Name", "theirs"), ("team", "shop")])),
            ("instance".to_owned(), of(&[("team", "shop")])),
        ];
        let template = NewTemplate {
            name: GroupName::new("web-1"),
            image_id: "ami-1".to_owned(),
            instance_type: "m7g.large".to_owned(),
            instance_profile: None,
            key_name: None,
            security_group_ids: Vec::new(),
            user_data: None,
            carried: Carried { tags: carried.into(), ..Carried::default() },
            tags: of(&[("Name", "ours")]),
        };
        let expected = [
            ("volume".to_owned(), of(&[("Name", "ours"), ("team", "shop")])),
            ("instance".to_owned(), of(&[("team", "shop")])),
        ];
        assert_eq!(template.tags_of_launched(), expected.into());
    }
}
