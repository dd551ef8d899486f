//! `DescribeTags` of load balancers, target groups, listeners and rules.
//!
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTags.html>

use serde::{Deserialize, Serialize};

use super::{State, no_target_group};
use crate::model::action::{Action, Context, Kind};
use crate::model::error::{ApiError, Code};
use crate::model::region::Region;
use crate::model::service::Service;
use crate::model::tags::{Tag, Tags};

/// Lists the tags of up to 20 things.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct DescribeTags {
    /// Which.
    pub resource_arns: Vec<String>,
}

/// Their tags.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeTagsAnswer {
    /// In the order asked.
    pub tag_descriptions: Vec<TagDescription>,
}

/// The tags of one thing.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct TagDescription {
    /// Which.
    pub resource_arn: String,
    /// Its tags.
    pub tags: Vec<Tag>,
}

impl State {
    fn tags(&self, arn: &str) -> Result<&Tags, ApiError> {
        let found = if arn.contains(":targetgroup/") {
            return self.target_groups.get(arn).map(|group| &group.tags).ok_or_else(no_target_group);
        } else if arn.contains(":loadbalancer/") {
            self.load_balancers
                .get(arn)
                .map(|load_balancer| &load_balancer.tags)
                .ok_or(Code::LoadBalancerNotFound)
        } else if arn.contains(":listener-rule/") {
            self.rules.get(arn).map(|rule| &rule.tags).ok_or(Code::RuleNotFound)
        } else {
            self.listeners.get(arn).map(|listener| &listener.tags).ok_or(Code::ListenerNotFound)
        };
        found.map_err(|code| ApiError::new(code, format!("'{arn}' not found")))
    }
}

impl Action for DescribeTags {
    const SERVICE: Service = Service::ElasticLoadBalancing;
    const NAME: &'static str = "DescribeTags";
    const KIND: Kind = Kind::Read;
    type Answer = DescribeTagsAnswer;

    fn resource(&self) -> String {
        self.resource_arns.join(",")
    }

    fn run(self, region: &mut Region, _: &mut Context<'_>) -> Result<Self::Answer, ApiError> {
        if self.resource_arns.len() > 20 {
            return Err(ApiError::invalid("A maximum of 20 resource ARNs may be described at once"));
        }
        let mut tag_descriptions = Vec::new();
        for resource_arn in self.resource_arns {
            let tags = Tag::list(region.elb.tags(&resource_arn)?);
            tag_descriptions.push(TagDescription { resource_arn, tags });
        }
        Ok(DescribeTagsAnswer { tag_descriptions })
    }
}
