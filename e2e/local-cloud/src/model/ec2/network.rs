//! Subnets and security groups: what a region starts with, and how it is listed.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSubnets.html>,
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSecurityGroups.html>

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::filter::Filter;
use crate::model::action::{Action, Context, Kind};
use crate::model::caller::Place;
use crate::model::error::{ApiError, Code};
use crate::model::region::Region;
use crate::model::service::Service;

/// The one VPC of every region.
pub const VPC: &str = "vpc-00000000000000001";
/// Its subnets, one in each of the zones `a`, `b`, `c`.
pub const SUBNETS: [&str; 3] =
    ["subnet-0000000000000000a", "subnet-0000000000000000b", "subnet-0000000000000000c"];
/// Its security group.
pub const SECURITY_GROUP: &str = "sg-00000000000000001";

/// A subnet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Subnet {
    /// `subnet-…`.
    pub subnet_id: String,
    /// Its VPC.
    pub vpc_id: String,
    /// Its zone, `us-east-1a` for instance.
    pub availability_zone: String,
    /// Always `available`.
    pub state: String,
}

/// A security group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SecurityGroup {
    /// `sg-…`.
    pub group_id: String,
    /// Its name.
    pub group_name: String,
    /// Its VPC.
    pub vpc_id: String,
}

pub(super) fn subnets(place: &Place) -> BTreeMap<String, Subnet> {
    SUBNETS
        .iter()
        .zip(["a", "b", "c"])
        .map(|(id, zone)| {
            let subnet = Subnet {
                subnet_id: (*id).to_owned(),
                vpc_id: VPC.to_owned(),
                availability_zone: format!("{}{zone}", place.region),
                state: "available".to_owned(),
            };
            ((*id).to_owned(), subnet)
        })
        .collect()
}

pub(super) fn security_groups() -> BTreeMap<String, SecurityGroup> {
    let group = SecurityGroup {
        group_id: SECURITY_GROUP.to_owned(),
        group_name: "default".to_owned(),
        vpc_id: VPC.to_owned(),
    };
    BTreeMap::from([(SECURITY_GROUP.to_owned(), group)])
}

/// Lists subnets.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DescribeSubnets {
    /// Only these; an unknown one is an error.
    #[serde(rename = "SubnetId")]
    pub subnet_ids: Vec<String>,
    /// `vpc-id`, `availability-zone`, `subnet-id`.
    #[serde(rename = "Filter")]
    pub filters: Vec<Filter>,
}

/// The subnets.
#[derive(Debug, Clone, Serialize)]
pub struct DescribeSubnetsAnswer {
    /// In the order of their ids.
    #[serde(rename = "subnetSet")]
    pub subnets: Vec<Subnet>,
}

impl Action for DescribeSubnets {
    const SERVICE: Service = Service::Ec2;
    const NAME: &'static str = "DescribeSubnets";
    const KIND: Kind = Kind::Read;
    type Answer = DescribeSubnetsAnswer;

    fn resource(&self) -> String {
        self.subnet_ids.join(",")
    }

    fn run(self, region: &mut Region, _: &mut Context<'_>) -> Result<Self::Answer, ApiError> {
        if let Some(unknown) = self.subnet_ids.iter().find(|id| !region.ec2.subnets.contains_key(*id)) {
            let message = format!("The subnet ID '{unknown}' does not exist");
            return Err(ApiError::new(Code::InvalidSubnetIdNotFound, message));
        }
        let mut subnets = Vec::new();
        for subnet in region.ec2.subnets.values() {
            let asked = self.subnet_ids.is_empty() || self.subnet_ids.contains(&subnet.subnet_id);
            let passes = Filter::all(&self.filters, |name| match name {
                "vpc-id" => Some(vec![subnet.vpc_id.clone()]),
                "availability-zone" => Some(vec![subnet.availability_zone.clone()]),
                "subnet-id" => Some(vec![subnet.subnet_id.clone()]),
                _ => None,
            })?;
            if asked && passes {
                subnets.push(subnet.clone());
            }
        }
        Ok(DescribeSubnetsAnswer { subnets })
    }
}

/// Lists security groups.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DescribeSecurityGroups {
    /// Only these; an unknown one is an error.
    #[serde(rename = "GroupId")]
    pub group_ids: Vec<String>,
    /// `vpc-id`, `group-name`, `group-id`.
    #[serde(rename = "Filter")]
    pub filters: Vec<Filter>,
}

/// The security groups.
#[derive(Debug, Clone, Serialize)]
pub struct DescribeSecurityGroupsAnswer {
    /// In the order of their ids.
    #[serde(rename = "securityGroupInfo")]
    pub security_groups: Vec<SecurityGroup>,
}

impl Action for DescribeSecurityGroups {
    const SERVICE: Service = Service::Ec2;
    const NAME: &'static str = "DescribeSecurityGroups";
    const KIND: Kind = Kind::Read;
    type Answer = DescribeSecurityGroupsAnswer;

    fn resource(&self) -> String {
        self.group_ids.join(",")
    }

    fn run(self, region: &mut Region, _: &mut Context<'_>) -> Result<Self::Answer, ApiError> {
        if let Some(unknown) = self.group_ids.iter().find(|id| !region.ec2.security_groups.contains_key(*id))
        {
            let message = format!("The security group '{unknown}' does not exist");
            return Err(ApiError::new(Code::InvalidGroupNotFound, message));
        }
        let mut security_groups = Vec::new();
        for group in region.ec2.security_groups.values() {
            let asked = self.group_ids.is_empty() || self.group_ids.contains(&group.group_id);
            let passes = Filter::all(&self.filters, |name| match name {
                "vpc-id" => Some(vec![group.vpc_id.clone()]),
                "group-name" => Some(vec![group.group_name.clone()]),
                "group-id" => Some(vec![group.group_id.clone()]),
                _ => None,
            })?;
            if asked && passes {
                security_groups.push(group.clone());
            }
        }
        Ok(DescribeSecurityGroupsAnswer { security_groups })
    }
}
