//! Launch templates: what a group's instances are made of.

use std::collections::BTreeMap;

use dryad_machine::name::GroupName;

/// A launch template to be created, complete in itself. Never changed afterwards.
///
/// Its instances give their metadata, and with it their credentials, only to who shows a session token (`IMDSv2`).
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
    pub user_data: Option<String>,
    /// Put on the template and on the instances' volumes; on the instances the group puts its own.
    pub tags: BTreeMap<String, String>,
}
