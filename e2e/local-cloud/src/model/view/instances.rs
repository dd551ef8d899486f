//! The instances that should run now.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use base64::Engine as _;
use serde::Serialize;

use crate::model::caller::Place;
use crate::model::ec2::InstanceState;
use crate::model::region::Region;
use crate::model::world::World;

/// An instance that should run, until it is no longer listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WantedInstance {
    /// Where.
    pub place: Place,
    /// `i-…`; never used again.
    pub id: String,
    /// Its group.
    pub group: String,
    /// Whether it should be up or on its way out.
    pub phase: InstancePhase,
    /// Its address, a loopback one.
    pub private_ip: Ipv4Addr,
    /// The port of the first target group that its group is attached to, if any.
    pub port: Option<u16>,
    /// Its zone.
    pub zone: String,
    /// The AMI.
    pub image_id: Option<String>,
    /// The type.
    pub instance_type: Option<String>,
    /// What to run, decoded; none: nothing.
    pub user_data: Option<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// The launch template's id.
    pub template_id: String,
    /// The version of it that was used.
    pub template_version: u64,
}

/// What should be the matter with an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum InstancePhase {
    /// It should be up.
    Up,
    /// Nothing may run on it: it has no power. It is not terminated.
    Lost,
    /// It has been told to shut down, and must be gone once it is no longer listed.
    ShuttingDown,
}

impl World {
    /// The instances that should run now, of every place. What is not listed must not run.
    pub fn wanted_instances(&self) -> Vec<WantedInstance> {
        self.regions()
            .flat_map(|region| region.ec2.instances.values().map(move |instance| (region, instance)))
            .filter_map(|(region, instance)| {
                let phase = match instance.state {
                    InstanceState::Pending | InstanceState::Running if instance.lost.is_some() => {
                        InstancePhase::Lost
                    }
                    InstanceState::Pending | InstanceState::Running => InstancePhase::Up,
                    InstanceState::ShuttingDown => InstancePhase::ShuttingDown,
                    InstanceState::Terminated => return None,
                };
                let encoded = instance.data.user_data.as_deref();
                // Groups launch nothing whose user data is not base64; text that is not UTF-8 is shown as far as it is.
                let decoded =
                    encoded.and_then(|text| base64::engine::general_purpose::STANDARD.decode(text).ok());
                Some(WantedInstance {
                    place: region.place.clone(),
                    id: instance.id.clone(),
                    group: instance.group.clone(),
                    phase,
                    private_ip: instance.private_ip,
                    port: port(region, &instance.group),
                    zone: instance.subnet.availability_zone.clone(),
                    image_id: instance.data.image_id.clone(),
                    instance_type: instance.data.instance_type.clone(),
                    user_data: decoded.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
                    tags: instance.tags.clone(),
                    template_id: instance.template.0.clone(),
                    template_version: instance.template.1,
                })
            })
            .collect()
    }
}

fn port(region: &Region, group: &str) -> Option<u16> {
    let mut attached = region.autoscaling.groups.get(group)?.attached();
    attached.find_map(|arn| region.elb.target_groups.get(arn)).map(|target_group| target_group.port)
}
