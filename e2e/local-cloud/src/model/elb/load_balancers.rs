//! Application load balancers and the actions on them.
//!
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html>

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Done, State, check_name, page_size};
use crate::model::action::{Action, Context, Kind};
use crate::model::error::{ApiError, Code};
use crate::model::paging::Page;
use crate::model::region::Region;
use crate::model::service::Service;
use crate::model::tags::{self, Tag, Tags};

/// A load balancer as the model holds it.
#[derive(Debug, Clone)]
pub struct LoadBalancer {
    /// Its ARN.
    pub arn: String,
    /// Its name, unique in the region.
    pub name: String,
    /// Where it can be reached. The data plane says ([`World::place_load_balancer`](crate::model::World)); before, a name
    /// that resolves nowhere.
    pub dns_name: String,
    /// `internet-facing` or `internal`.
    pub scheme: String,
    /// Its subnets.
    pub subnets: Vec<String>,
    /// Its security groups.
    pub security_groups: Vec<String>,
    /// Its tags.
    pub tags: Tags,
    /// When it was created.
    pub(crate) created: Timestamp,
}

/// A load balancer as it is described.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribedLoadBalancer {
    /// Its ARN.
    pub load_balancer_arn: String,
    /// Where it can be reached.
    #[serde(rename = "DNSName")]
    pub dns_name: String,
    /// When it was created.
    pub created_time: Timestamp,
    /// Its name.
    pub load_balancer_name: String,
    /// `internet-facing` or `internal`.
    pub scheme: String,
    /// Its VPC.
    pub vpc_id: String,
    /// Its state.
    pub state: DescribedState,
    /// Always `application`.
    #[serde(rename = "Type")]
    pub kind: String,
    /// Its zones.
    pub availability_zones: Vec<Zone>,
    /// Its security groups.
    pub security_groups: Vec<String>,
    /// Always `ipv4`.
    pub ip_address_type: String,
}

/// The state of a load balancer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribedState {
    /// Always `active`.
    pub code: String,
}

/// A zone of a load balancer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Zone {
    /// `us-east-1a` for instance.
    pub zone_name: String,
    /// The subnet there.
    pub subnet_id: String,
}

impl Region {
    fn describe_load_balancer(&self, load_balancer: &LoadBalancer) -> DescribedLoadBalancer {
        let subnets: Vec<_> =
            load_balancer.subnets.iter().filter_map(|id| self.ec2.subnets.get(id)).collect();
        DescribedLoadBalancer {
            load_balancer_arn: load_balancer.arn.clone(),
            dns_name: load_balancer.dns_name.clone(),
            created_time: load_balancer.created,
            load_balancer_name: load_balancer.name.clone(),
            scheme: load_balancer.scheme.clone(),
            vpc_id: subnets.first().map(|subnet| subnet.vpc_id.clone()).unwrap_or_default(),
            state: DescribedState { code: "active".to_owned() },
            kind: "application".to_owned(),
            availability_zones: subnets
                .iter()
                .map(|subnet| Zone {
                    zone_name: subnet.availability_zone.clone(),
                    subnet_id: subnet.subnet_id.clone(),
                })
                .collect(),
            security_groups: load_balancer.security_groups.clone(),
            ip_address_type: "ipv4".to_owned(),
        }
    }
}

impl State {
    pub(super) fn load_balancer(&self, arn: &str) -> Result<&LoadBalancer, ApiError> {
        self.load_balancers.get(arn).ok_or_else(|| {
            ApiError::new(Code::LoadBalancerNotFound, format!("Load balancer '{arn}' not found"))
        })
    }
}

/// One or more load balancers.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct LoadBalancers {
    /// As they are described.
    pub load_balancers: Vec<DescribedLoadBalancer>,
}

/// Creates an application load balancer. One of the same name and settings is returned as it is.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct CreateLoadBalancer {
    /// At most 32 letters, digits and hyphens.
    pub name: String,
    /// Two or more, of different zones.
    pub subnets: Vec<String>,
    /// Security groups.
    pub security_groups: Vec<String>,
    /// `internet-facing`, the default, or `internal`.
    pub scheme: Option<String>,
    /// `application`, the default; nothing else is known here.
    #[serde(rename = "Type")]
    pub kind: Option<LoadBalancerType>,
    /// Tags.
    pub tags: Vec<Tag>,
}

/// What a load balancer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LoadBalancerType {
    /// An application load balancer.
    #[default]
    Application,
}

impl Action for CreateLoadBalancer {
    const SERVICE: Service = Service::ElasticLoadBalancing;
    const NAME: &'static str = "CreateLoadBalancer";
    const KIND: Kind = Kind::Write;
    type Answer = LoadBalancers;

    fn resource(&self) -> String {
        self.name.clone()
    }

    fn run(self, region: &mut Region, context: &mut Context<'_>) -> Result<Self::Answer, ApiError> {
        check_name("load balancer", &self.name)?;
        if self.subnets.len() < 2 {
            return Err(ApiError::invalid(
                "At least two subnets in two different Availability Zones must be specified",
            ));
        }
        if let Some(unknown) = self.subnets.iter().find(|id| !region.ec2.subnets.contains_key(*id)) {
            return Err(ApiError::new(
                Code::SubnetNotFound,
                format!("The subnet ID '{unknown}' does not exist"),
            ));
        }
        if let Some(unknown) =
            self.security_groups.iter().find(|id| !region.ec2.security_groups.contains_key(*id))
        {
            let message = format!("Security group '{unknown}' does not exist");
            return Err(ApiError::new(Code::SecurityGroupNotFound, message));
        }
        let scheme = self.scheme.unwrap_or_else(|| "internet-facing".to_owned());
        let tags = tags::accept(self.tags)?;
        if let Some(existing) = region.elb.load_balancers.values().find(|existing| existing.name == self.name)
        {
            if existing.subnets == self.subnets && existing.scheme == scheme {
                return Ok(LoadBalancers { load_balancers: vec![region.describe_load_balancer(existing)] });
            }
            return Err(ApiError::new(
                Code::DuplicateLoadBalancerName,
                format!(
                    "A load balancer with the same name '{}' exists, but with different settings",
                    self.name
                ),
            ));
        }
        let tail = region.ids.hex16();
        let arn =
            region.place.arn("elasticloadbalancing", format_args!("loadbalancer/app/{}/{tail}", self.name));
        let load_balancer = LoadBalancer {
            arn: arn.clone(),
            dns_name: format!("{}-{tail}.{}.elb.invalid", self.name, region.place.region),
            name: self.name,
            scheme,
            subnets: self.subnets,
            security_groups: self.security_groups,
            tags,
            created: context.now,
        };
        let described = region.describe_load_balancer(&load_balancer);
        region.elb.load_balancers.insert(arn, load_balancer);
        Ok(LoadBalancers { load_balancers: vec![described] })
    }
}

/// Lists load balancers.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct DescribeLoadBalancers {
    /// Only these; an unknown one is an error.
    pub load_balancer_arns: Vec<String>,
    /// Only these; an unknown one is an error.
    pub names: Vec<String>,
    /// The page.
    pub marker: Option<String>,
    /// 1 to 400, the default.
    pub page_size: Option<usize>,
}

/// The load balancers.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeLoadBalancersAnswer {
    /// In the order of their ARNs.
    pub load_balancers: Vec<DescribedLoadBalancer>,
    /// For the next page.
    pub next_marker: Option<String>,
}

impl Action for DescribeLoadBalancers {
    const SERVICE: Service = Service::ElasticLoadBalancing;
    const NAME: &'static str = "DescribeLoadBalancers";
    const KIND: Kind = Kind::Read;
    type Answer = DescribeLoadBalancersAnswer;

    fn resource(&self) -> String {
        self.load_balancer_arns.iter().chain(&self.names).cloned().collect::<Vec<_>>().join(",")
    }

    fn run(self, region: &mut Region, context: &mut Context<'_>) -> Result<Self::Answer, ApiError> {
        let asked = self.load_balancer_arns.len() + self.names.len();
        let visible_after = context.settings.timings.visible_after;
        let fits = |load_balancer: &&LoadBalancer| {
            let named = self.load_balancer_arns.contains(&load_balancer.arn)
                || self.names.contains(&load_balancer.name);
            load_balancer.created + visible_after <= context.now && (asked == 0 || named)
        };
        let found: Vec<_> = region.elb.load_balancers.values().filter(fits).collect();
        if found.len() < asked {
            return Err(ApiError::new(Code::LoadBalancerNotFound, "One or more load balancers not found"));
        }
        let size = page_size(self.page_size, context.settings)?;
        let page = Page { token: self.marker.as_deref(), size };
        let (page, next_marker) = page.of(found.into_iter(), |load_balancer| load_balancer.arn.clone())?;
        let load_balancers = page.into_iter().map(|it| region.describe_load_balancer(it)).collect();
        Ok(DescribeLoadBalancersAnswer { load_balancers, next_marker })
    }
}

/// Deletes a load balancer with its listeners and rules. Deleting an unknown one is done already.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct DeleteLoadBalancer {
    /// Which.
    pub load_balancer_arn: String,
}

impl Action for DeleteLoadBalancer {
    const SERVICE: Service = Service::ElasticLoadBalancing;
    const NAME: &'static str = "DeleteLoadBalancer";
    const KIND: Kind = Kind::Write;
    type Answer = Done;

    fn resource(&self) -> String {
        self.load_balancer_arn.clone()
    }

    fn run(self, region: &mut Region, context: &mut Context<'_>) -> Result<Self::Answer, ApiError> {
        let elb = &mut region.elb;
        elb.load_balancers.remove(&self.load_balancer_arn);
        elb.listeners.retain(|_, listener| listener.load_balancer != self.load_balancer_arn);
        elb.rules.retain(|_, rule| elb.listeners.contains_key(&rule.listener));
        elb.refresh_usage(context.now);
        Ok(Done {})
    }
}
