//! What a launch template says an instance should be like.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RequestLaunchTemplateData.html>: the fields that
//! Dryad and its users set. Requests and answers name lists differently.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One version's data. What is unset is the account's or AWS's default.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all(serialize = "camelCase", deserialize = "PascalCase"))]
pub struct TemplateData {
    /// The AMI.
    pub image_id: Option<String>,
    /// `m7g.large` for instance.
    pub instance_type: Option<String>,
    /// An SSH key pair's name.
    pub key_name: Option<String>,
    /// The script an instance runs at its first boot, in base64; 16 KB at most before encoding.
    pub user_data: Option<String>,
    /// Whether volumes get bandwidth of their own.
    pub ebs_optimized: Option<bool>,
    /// The role instances act as.
    pub iam_instance_profile: Option<InstanceProfile>,
    /// Security groups by id.
    #[serde(rename(serialize = "securityGroupIdSet", deserialize = "SecurityGroupId"))]
    pub security_group_ids: Vec<String>,
    /// Volumes.
    #[serde(rename(serialize = "blockDeviceMappingSet", deserialize = "BlockDeviceMapping"))]
    pub block_devices: Vec<BlockDevice>,
    /// Network interfaces. They mean nothing here but that they are there.
    #[serde(rename(serialize = "networkInterfaceSet", deserialize = "NetworkInterface"))]
    pub network_interfaces: Vec<NetworkInterface>,
    /// Tags of what is launched.
    #[serde(rename(serialize = "tagSpecificationSet", deserialize = "TagSpecification"))]
    pub tag_specifications: Vec<TagSpecification>,
    /// How instances reach their metadata.
    pub metadata_options: Option<MetadataOptions>,
    /// Whether metrics come every minute.
    pub monitoring: Option<Monitoring>,
}

impl TemplateData {
    /// This data with what it leaves unset taken from `source`.
    #[must_use]
    pub(crate) fn over(self, source: &Self) -> Self {
        fn or<T: Clone>(own: Vec<T>, source: &[T]) -> Vec<T> {
            if own.is_empty() { source.to_vec() } else { own }
        }
        let source = source.clone();
        Self {
            image_id: self.image_id.or(source.image_id),
            instance_type: self.instance_type.or(source.instance_type),
            key_name: self.key_name.or(source.key_name),
            user_data: self.user_data.or(source.user_data),
            ebs_optimized: self.ebs_optimized.or(source.ebs_optimized),
            iam_instance_profile: self.iam_instance_profile.or(source.iam_instance_profile),
            security_group_ids: or(self.security_group_ids, &source.security_group_ids),
            block_devices: or(self.block_devices, &source.block_devices),
            network_interfaces: or(self.network_interfaces, &source.network_interfaces),
            tag_specifications: or(self.tag_specifications, &source.tag_specifications),
            metadata_options: self.metadata_options.or(source.metadata_options),
            monitoring: self.monitoring.or(source.monitoring),
        }
    }

    /// The tags it gives to instances.
    pub(crate) fn instance_tags(&self) -> BTreeMap<String, String> {
        self.tag_specifications
            .iter()
            .filter(|specification| specification.resource_type == "instance")
            .flat_map(|specification| &specification.tags)
            .map(|tag| (tag.key.clone(), tag.value.clone()))
            .collect()
    }
}

/// An instance profile, by ARN or by name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all(serialize = "camelCase", deserialize = "PascalCase"))]
pub struct InstanceProfile {
    /// Its ARN.
    pub arn: Option<String>,
    /// Its name.
    pub name: Option<String>,
}

/// A volume, or that there is none.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all(serialize = "camelCase", deserialize = "PascalCase"))]
pub struct BlockDevice {
    /// `/dev/xvda` for instance.
    pub device_name: Option<String>,
    /// The volume.
    pub ebs: Option<EbsDevice>,
}

/// An EBS volume.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all(serialize = "camelCase", deserialize = "PascalCase"))]
pub struct EbsDevice {
    /// In GiB.
    pub volume_size: Option<i64>,
    /// `gp3` for instance.
    pub volume_type: Option<String>,
    /// Operations a second.
    pub iops: Option<i64>,
    /// In MiB a second.
    pub throughput: Option<i64>,
    /// Whether it is encrypted.
    pub encrypted: Option<bool>,
    /// Whether it goes with its instance.
    pub delete_on_termination: Option<bool>,
    /// What it starts as.
    pub snapshot_id: Option<String>,
    /// The key it is encrypted with.
    pub kms_key_id: Option<String>,
}

/// A network interface.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all(serialize = "camelCase", deserialize = "PascalCase"))]
pub struct NetworkInterface {
    /// The first is 0.
    pub device_index: Option<i64>,
    /// Whether it has an address that the world can reach.
    pub associate_public_ip_address: Option<bool>,
}

/// Tags for one kind of thing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all(serialize = "camelCase", deserialize = "PascalCase"))]
pub struct TagSpecification {
    /// `instance`, `volume`, `launch-template`.
    pub resource_type: String,
    /// The tags.
    #[serde(rename(serialize = "tagSet", deserialize = "Tag"))]
    pub tags: Vec<TemplateTag>,
}

/// A tag on the wire of EC2.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all(serialize = "camelCase", deserialize = "PascalCase"))]
pub struct TemplateTag {
    /// The key.
    pub key: String,
    /// The value.
    pub value: String,
}

impl TemplateTag {
    /// The list form of tags.
    pub(crate) fn list(tags: &BTreeMap<String, String>) -> Vec<Self> {
        tags.iter().map(|(key, value)| Self { key: key.clone(), value: value.clone() }).collect()
    }
}

/// How instances reach their metadata.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all(serialize = "camelCase", deserialize = "PascalCase"))]
pub struct MetadataOptions {
    /// `required` or `optional`.
    pub http_tokens: Option<String>,
    /// 1 to 64.
    pub http_put_response_hop_limit: Option<i64>,
    /// `enabled` or `disabled`.
    pub http_endpoint: Option<String>,
    /// `enabled` or `disabled`.
    pub instance_metadata_tags: Option<String>,
}

/// Whether metrics come every minute.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all(serialize = "camelCase", deserialize = "PascalCase"))]
pub struct Monitoring {
    /// Whether they do.
    pub enabled: Option<bool>,
}
