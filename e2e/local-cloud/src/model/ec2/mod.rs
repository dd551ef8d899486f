//! EC2: launch templates, instances, and the images and network they are made of.

mod describe_templates;
mod filter;
mod images;
mod instances;
mod network;
mod template_actions;
mod template_data;
mod template_lookup;
mod templates;

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use jiff::Timestamp;

use super::caller::Place;
use super::settings::Timings;
use crate::faults::Faults;

pub use describe_templates::{
    DescribeLaunchTemplateVersions, DescribeLaunchTemplateVersionsAnswer, DescribeLaunchTemplates,
    DescribeLaunchTemplatesAnswer, DescribedTemplate, DescribedVersion,
};
pub use filter::Filter;
pub use images::{DescribeImages, DescribeImagesAnswer, IMAGES, Image};
pub use instances::{
    DescribeInstances, DescribeInstancesAnswer, DescribedInstance, Instance, InstanceState,
    TerminateInstances, TerminateInstancesAnswer,
};
pub use network::{
    DescribeSecurityGroups, DescribeSecurityGroupsAnswer, DescribeSubnets, DescribeSubnetsAnswer,
    SECURITY_GROUP, SUBNETS, SecurityGroup, Subnet, VPC,
};
pub use template_actions::{
    CreateLaunchTemplate, CreateLaunchTemplateAnswer, CreateLaunchTemplateVersion,
    CreateLaunchTemplateVersionAnswer, DeleteLaunchTemplate, DeleteLaunchTemplateAnswer,
};
pub use template_data::{
    BlockDevice, EbsDevice, InstanceProfile, MetadataOptions, Monitoring, NetworkInterface, TagSpecification,
    TemplateData, TemplateTag,
};
pub(crate) use template_lookup::TemplateKey;
pub use templates::{Template, Version};

/// What EC2 holds in one region.
#[derive(Debug, Clone)]
pub struct State {
    pub(crate) templates: BTreeMap<String, Template>,
    pub(crate) instances: BTreeMap<String, Instance>,
    pub(crate) images: BTreeMap<String, Image>,
    pub(crate) subnets: BTreeMap<String, Subnet>,
    pub(crate) security_groups: BTreeMap<String, SecurityGroup>,
    /// The address of the next instance; none is given twice.
    pub(crate) next_address: Ipv4Addr,
}

impl State {
    /// A region as one finds it: a VPC with a subnet in each of three zones, a security group, three images. Its
    /// instances have the addresses from `first_address` on.
    pub(crate) fn furnished(place: &Place, first_address: Ipv4Addr) -> Self {
        Self {
            templates: BTreeMap::new(),
            instances: BTreeMap::new(),
            images: images::furniture(place),
            subnets: network::subnets(place),
            security_groups: network::security_groups(),
            next_address: first_address,
        }
    }

    /// Takes the power from what was in a zone that is gone, ends what is shutting down, and forgets what ended long ago.
    /// Says which groups that concerns.
    pub(crate) fn settle(&mut self, now: Timestamp, timings: &Timings, faults: &Faults) -> BTreeSet<String> {
        let mut concerned = BTreeSet::new();
        for instance in self.instances.values_mut() {
            if instance.state.is_up()
                && instance.lost.is_none()
                && faults.took_away(&instance.subnet.availability_zone)
            {
                instance.lost = Some(now);
                concerned.insert(instance.group.clone());
            }
            if instance.state == InstanceState::ShuttingDown
                && let Some(gone) =
                    instance.ended.map(|at| at + timings.terminate).filter(|gone| *gone <= now)
            {
                instance.state = InstanceState::Terminated;
                instance.terminated = Some(gone);
                concerned.insert(instance.group.clone());
            }
        }
        self.instances
            .retain(|_, instance| instance.terminated.is_none_or(|at| at + timings.terminated_kept > now));
        concerned
    }

    /// When the next instance is gone, or forgotten.
    pub(crate) fn due(&self, timings: &Timings) -> Option<Timestamp> {
        let instances = self.instances.values();
        instances
            .filter_map(|instance| match (instance.terminated, instance.ended) {
                (Some(at), _) => Some(at + timings.terminated_kept),
                (None, Some(at)) => Some(at + timings.terminate),
                (None, None) => None,
            })
            .min()
    }
}
