//! Instances. Only Auto Scaling groups launch them here.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-lifecycle.html>

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::filter::Filter;
use super::network::Subnet;
use super::template_data::{TemplateData, TemplateTag};
use crate::model::action::{Action, Context, Kind};
use crate::model::error::{ApiError, Code};
use crate::model::paging::Page;
use crate::model::region::Region;
use crate::model::service::Service;

/// The state of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum InstanceState {
    /// Being launched.
    Pending,
    /// Up.
    Running,
    /// Being terminated.
    ShuttingDown,
    /// Gone, though still described for a while.
    Terminated,
}

impl InstanceState {
    /// The name as AWS writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::ShuttingDown => "shutting-down",
            Self::Terminated => "terminated",
        }
    }

    const fn code(self) -> u16 {
        match self {
            Self::Pending => 0,
            Self::Running => 16,
            Self::ShuttingDown => 32,
            Self::Terminated => 48,
        }
    }

    /// Whether it can answer requests.
    pub(crate) const fn is_up(self) -> bool {
        matches!(self, Self::Pending | Self::Running)
    }
}

/// An instance as the model holds it.
#[derive(Debug, Clone)]
pub struct Instance {
    /// `i-…`.
    pub id: String,
    /// Its state.
    pub state: InstanceState,
    /// When it was launched.
    pub launched: Timestamp,
    /// When it began to go, if it has.
    pub(crate) ended: Option<Timestamp>,
    /// When its zone went, and its power with it. It is described as before: only its checks tell.
    pub(crate) lost: Option<Timestamp>,
    /// When it was gone, if it is.
    pub(crate) terminated: Option<Timestamp>,
    /// What it was launched from.
    pub data: TemplateData,
    /// The template's id and the version used.
    pub template: (String, u64),
    /// Where it is.
    pub subnet: Subnet,
    /// Its address: a loopback one, its own among all regions of the world.
    pub private_ip: Ipv4Addr,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// The group that launched it.
    pub group: String,
}

/// An instance as it is described.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribedInstance {
    /// `i-…`.
    pub instance_id: String,
    /// The AMI.
    pub image_id: Option<String>,
    /// The type.
    pub instance_type: Option<String>,
    /// The state.
    pub instance_state: DescribedState,
    /// When it was launched.
    pub launch_time: Timestamp,
    /// Its address; none once it is terminated.
    pub private_ip_address: Option<Ipv4Addr>,
    /// Its subnet.
    pub subnet_id: String,
    /// Its VPC.
    pub vpc_id: String,
    /// Where it is.
    pub placement: Placement,
    /// Its tags.
    #[serde(rename = "tagSet")]
    pub tags: Vec<TemplateTag>,
}

/// A state as it is described.
#[derive(Debug, Clone, Serialize)]
pub struct DescribedState {
    /// As a number.
    pub code: u16,
    /// As a word.
    pub name: &'static str,
}

impl From<InstanceState> for DescribedState {
    fn from(state: InstanceState) -> Self {
        Self { code: state.code(), name: state.name() }
    }
}

/// Where an instance is.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Placement {
    /// The zone.
    pub availability_zone: String,
}

impl DescribedInstance {
    fn of(instance: &Instance) -> Self {
        Self {
            instance_id: instance.id.clone(),
            image_id: instance.data.image_id.clone(),
            instance_type: instance.data.instance_type.clone(),
            instance_state: instance.state.into(),
            launch_time: instance.launched,
            private_ip_address: (instance.state != InstanceState::Terminated).then_some(instance.private_ip),
            subnet_id: instance.subnet.subnet_id.clone(),
            vpc_id: instance.subnet.vpc_id.clone(),
            placement: Placement { availability_zone: instance.subnet.availability_zone.clone() },
            tags: TemplateTag::list(&instance.tags),
        }
    }
}

/// Lists instances, terminated ones for a while too.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct DescribeInstances {
    /// Only these; an unknown one is an error.
    #[serde(rename = "InstanceId")]
    pub instance_ids: Vec<String>,
    /// `instance-id`, `instance-state-name`, `tag:<key>`, `tag-key`, `availability-zone`, `subnet-id`, `vpc-id`.
    #[serde(rename = "Filter")]
    pub filters: Vec<Filter>,
    /// The page.
    pub next_token: Option<String>,
    /// 5 to 1000, the default.
    pub max_results: Option<usize>,
}

/// The instances, each in a reservation of its own.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribeInstancesAnswer {
    /// In the order of the instances' ids.
    #[serde(rename = "reservationSet")]
    pub reservations: Vec<Reservation>,
    /// For the next page.
    pub next_token: Option<String>,
}

/// What was launched by one request.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reservation {
    /// `r-…`.
    #[serde(rename = "reservationId")]
    pub id: String,
    /// The account.
    pub owner_id: String,
    /// The instances.
    #[serde(rename = "instancesSet")]
    pub instances: Vec<DescribedInstance>,
}

impl Action for DescribeInstances {
    const SERVICE: Service = Service::Ec2;
    const NAME: &'static str = "DescribeInstances";
    const KIND: Kind = Kind::Read;
    type Answer = DescribeInstancesAnswer;

    fn resource(&self) -> String {
        self.instance_ids.join(",")
    }

    fn run(self, region: &mut Region, context: &mut Context<'_>) -> Result<Self::Answer, ApiError> {
        all_known(region, &self.instance_ids)?;
        let mut matching = Vec::new();
        for instance in region.ec2.instances.values() {
            let asked = self.instance_ids.is_empty() || self.instance_ids.contains(&instance.id);
            let fits = Filter::all(&self.filters, |name| match (name, name.strip_prefix("tag:")) {
                (_, Some(key)) => Some(instance.tags.get(key).cloned().into_iter().collect()),
                ("instance-id", _) => Some(vec![instance.id.clone()]),
                ("instance-state-name", _) => Some(vec![instance.state.name().to_owned()]),
                ("tag-key", _) => Some(instance.tags.keys().cloned().collect()),
                ("availability-zone", _) => Some(vec![instance.subnet.availability_zone.clone()]),
                ("subnet-id", _) => Some(vec![instance.subnet.subnet_id.clone()]),
                ("vpc-id", _) => Some(vec![instance.subnet.vpc_id.clone()]),
                _ => None,
            })?;
            if asked && fits {
                matching.push(instance);
            }
        }
        let largest = context.settings.largest_page.unwrap_or(1000);
        let size = self.max_results.unwrap_or(1000).min(1000).min(largest).max(1);
        let page = Page { token: self.next_token.as_deref(), size };
        let (page, next_token) = page.of(matching.into_iter(), |instance| instance.id.clone())?;
        let reservations = page
            .into_iter()
            .map(|instance| Reservation {
                id: instance.id.replacen('i', "r", 1),
                owner_id: region.place.account.to_string(),
                instances: vec![DescribedInstance::of(instance)],
            })
            .collect();
        Ok(DescribeInstancesAnswer { reservations, next_token })
    }
}

/// Ends instances. Their Auto Scaling group notices after [`Timings::health_check`](crate::model::Timings) and
/// replaces them.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TerminateInstances {
    /// All or none: an unknown one fails the request.
    #[serde(rename = "InstanceId")]
    pub instance_ids: Vec<String>,
}

/// What became of them.
#[derive(Debug, Clone, Serialize)]
pub struct TerminateInstancesAnswer {
    /// In the order asked.
    #[serde(rename = "instancesSet")]
    pub instances: Vec<StateChange>,
}

/// A change of state.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StateChange {
    /// Of which instance.
    pub instance_id: String,
    /// To which state.
    pub current_state: DescribedState,
    /// From which state.
    pub previous_state: DescribedState,
}

impl Action for TerminateInstances {
    const SERVICE: Service = Service::Ec2;
    const NAME: &'static str = "TerminateInstances";
    const KIND: Kind = Kind::Write;
    type Answer = TerminateInstancesAnswer;

    fn resource(&self) -> String {
        self.instance_ids.join(",")
    }

    fn run(self, region: &mut Region, context: &mut Context<'_>) -> Result<Self::Answer, ApiError> {
        all_known(region, &self.instance_ids)?;
        let mut instances = Vec::new();
        for id in &self.instance_ids {
            let Some(instance) = region.ec2.instances.get_mut(id) else { continue };
            let previous = instance.state;
            if previous.is_up() {
                instance.state = InstanceState::ShuttingDown;
                instance.ended = Some(context.now);
            }
            instances.push(StateChange {
                instance_id: id.clone(),
                current_state: instance.state.into(),
                previous_state: previous.into(),
            });
        }
        Ok(TerminateInstancesAnswer { instances })
    }
}

fn all_known(region: &Region, ids: &[String]) -> Result<(), ApiError> {
    match ids.iter().find(|id| !region.ec2.instances.contains_key(*id)) {
        None => Ok(()),
        Some(unknown) => Err(ApiError::new(
            Code::InvalidInstanceIdNotFound,
            format!("The instance ID '{unknown}' does not exist"),
        )),
    }
}
