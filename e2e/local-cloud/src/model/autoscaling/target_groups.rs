//! Attaching target groups to groups, and detaching them again.
//!
//! <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_AttachLoadBalancerTargetGroups.html>,
//! <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DetachLoadBalancerTargetGroups.html>: detaching drains.

use serde::{Deserialize, Serialize};

use super::group::{Attachment, AttachmentState, Life};
use super::{Done, create, describe_groups, limits};
use crate::model::action::{Action, Context, Kind};
use crate::model::error::ApiError;
use crate::model::paging::Page;
use crate::model::region::Region;
use crate::model::service::Service;

/// Attaches target groups: the instances in service are registered, later ones when they are.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct AttachLoadBalancerTargetGroups {
    /// To which group.
    pub auto_scaling_group_name: String,
    /// Ten at most at once; those attached already are left as they are.
    #[serde(rename = "TargetGroupARNs")]
    pub target_group_arns: Vec<String>,
}

/// Detaches target groups: instances are deregistered, and drain.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct DetachLoadBalancerTargetGroups {
    /// From which group.
    pub auto_scaling_group_name: String,
    /// Ten at most at once.
    #[serde(rename = "TargetGroupARNs")]
    pub target_group_arns: Vec<String>,
}

fn check_count(arns: &[String]) -> Result<(), ApiError> {
    if (1..=limits::TARGET_GROUPS_AT_ONCE).contains(&arns.len()) {
        return Ok(());
    }
    Err(ApiError::invalid(format!(
        "Between 1 and {} target groups may be named at once, not {}",
        limits::TARGET_GROUPS_AT_ONCE,
        arns.len()
    )))
}

impl Action for AttachLoadBalancerTargetGroups {
    const SERVICE: Service = Service::AutoScaling;
    const NAME: &'static str = "AttachLoadBalancerTargetGroups";
    const KIND: Kind = Kind::Write;
    type Answer = Done;

    fn resource(&self) -> String {
        self.auto_scaling_group_name.clone()
    }

    fn run(self, region: &mut Region, context: &mut Context<'_>) -> Result<Self::Answer, ApiError> {
        region.autoscaling.group_mut(&self.auto_scaling_group_name)?;
        check_count(&self.target_group_arns)?;
        create::check_target_groups(&self.target_group_arns, region)?;
        let Region { autoscaling, elb, .. } = region;
        let group = autoscaling.group_mut(&self.auto_scaling_group_name)?;
        for arn in self.target_group_arns {
            let known = group.attachments.iter_mut().find(|attachment| attachment.target_group == arn);
            match known {
                Some(attachment) if attachment.state != AttachmentState::Removing => continue,
                Some(attachment) => attachment.state = AttachmentState::Adding,
                None => group
                    .attachments
                    .push(Attachment { target_group: arn.clone(), state: AttachmentState::Adding }),
            }
            let Some(target_group) = elb.target_groups.get_mut(&arn) else { continue };
            for member in
                group.members.values().filter(|member| matches!(member.life, Life::InService { .. }))
            {
                target_group.register(&member.instance, context.now);
            }
        }
        Ok(Done {})
    }
}

impl Action for DetachLoadBalancerTargetGroups {
    const SERVICE: Service = Service::AutoScaling;
    const NAME: &'static str = "DetachLoadBalancerTargetGroups";
    const KIND: Kind = Kind::Write;
    type Answer = Done;

    fn resource(&self) -> String {
        self.auto_scaling_group_name.clone()
    }

    fn run(self, region: &mut Region, context: &mut Context<'_>) -> Result<Self::Answer, ApiError> {
        check_count(&self.target_group_arns)?;
        let Region { autoscaling, elb, .. } = region;
        let group = autoscaling.group_mut(&self.auto_scaling_group_name)?;
        let attached =
            |arn: &String| group.attachments.iter().any(|attachment| attachment.target_group == *arn);
        if let Some(unknown) = self.target_group_arns.iter().find(|arn| !attached(arn)) {
            return Err(ApiError::invalid(format!(
                "Trying to remove Target Groups that are not part of the group: {unknown}"
            )));
        }
        for attachment in &mut group.attachments {
            if !self.target_group_arns.contains(&attachment.target_group) {
                continue;
            }
            attachment.state = AttachmentState::Removing;
            let Some(target_group) = elb.target_groups.get_mut(&attachment.target_group) else { continue };
            for instance in group.members.keys() {
                target_group.deregister(instance, context.now, context.settings);
            }
        }
        Ok(Done {})
    }
}

/// Lists the target groups of a group, with those being detached.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct DescribeLoadBalancerTargetGroups {
    /// Of which group.
    pub auto_scaling_group_name: String,
    /// The page.
    pub next_token: Option<String>,
    /// 1 to 100, the default.
    pub max_records: Option<usize>,
}

/// The target groups.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeLoadBalancerTargetGroupsAnswer {
    /// In the order of their ARNs.
    pub load_balancer_target_groups: Vec<AttachedTargetGroup>,
    /// For the next page.
    pub next_token: Option<String>,
}

/// A target group of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AttachedTargetGroup {
    /// Its ARN.
    #[serde(rename = "LoadBalancerTargetGroupARN")]
    pub load_balancer_target_group_arn: String,
    /// How far attaching or detaching is.
    pub state: AttachmentState,
}

impl Action for DescribeLoadBalancerTargetGroups {
    const SERVICE: Service = Service::AutoScaling;
    const NAME: &'static str = "DescribeLoadBalancerTargetGroups";
    const KIND: Kind = Kind::Read;
    type Answer = DescribeLoadBalancerTargetGroupsAnswer;

    fn resource(&self) -> String {
        self.auto_scaling_group_name.clone()
    }

    fn run(self, region: &mut Region, context: &mut Context<'_>) -> Result<Self::Answer, ApiError> {
        let group = region.autoscaling.group(&self.auto_scaling_group_name)?;
        let mut attached: Vec<AttachedTargetGroup> = group
            .attachments
            .iter()
            .map(|attachment| AttachedTargetGroup {
                load_balancer_target_group_arn: attachment.target_group.clone(),
                state: attachment.state,
            })
            .collect();
        attached.sort_by(|a, b| a.load_balancer_target_group_arn.cmp(&b.load_balancer_target_group_arn));
        let size = describe_groups::page_size(self.max_records, 100)?;
        let size = size.min(context.settings.largest_page.unwrap_or(size)).max(1);
        let page = Page { token: self.next_token.as_deref(), size };
        let (load_balancer_target_groups, next_token) =
            page.of(attached.into_iter(), |it| it.load_balancer_target_group_arn.clone())?;
        Ok(DescribeLoadBalancerTargetGroupsAnswer { load_balancer_target_groups, next_token })
    }
}
