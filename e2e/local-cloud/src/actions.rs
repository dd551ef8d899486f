//! The written list: every action this cloud knows. What is not in it is answered 501.
//!
//! The page of an action in AWS's documentation is [`Entry::documentation`].

use jiff::Timestamp;

use crate::model::{Action, Caller, Kind, Reply, Service, World};
use crate::model::{autoscaling, ec2, elb, ssm, sts};
use crate::wire::parameters::{ParameterError, Parameters};

/// One action of the list.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// The service it belongs to.
    pub service: Service,
    /// Its name, as AWS spells it.
    pub name: &'static str,
    /// Whether it changes anything.
    pub kind: Kind,
    pub(crate) call: Handler,
}

/// Reads a request from the wire's parameters, makes the call, and gives the answer as a tree.
pub(crate) type Handler =
    fn(&mut World, Timestamp, &Caller, Parameters) -> Result<Reply<serde_json::Value>, ParameterError>;

impl Entry {
    const fn of<A: Action>() -> Self {
        Self { service: A::SERVICE, name: A::NAME, kind: A::KIND, call: call::<A> }
    }

    /// The action's page in AWS's documentation.
    pub fn documentation(&self) -> String {
        format!("{}API_{}.html", self.service.documentation(), self.name)
    }
}

fn call<A: Action>(
    world: &mut World,
    now: Timestamp,
    caller: &Caller,
    parameters: Parameters,
) -> Result<Reply<serde_json::Value>, ParameterError> {
    let request: A = parameters.read()?;
    let Reply { delay, outcome } = world.call(now, caller, request);
    // Answers are plain trees of text, numbers and lists, which always serialise.
    let outcome = outcome.map(|answer| serde_json::to_value(answer).unwrap_or_default());
    Ok(Reply { delay, outcome })
}

/// The action of that name, if it is in the list.
pub fn find(service: Service, name: &str) -> Option<&'static Entry> {
    LIST.iter().find(|entry| entry.service == service && entry.name == name)
}

/// Every action.
pub const LIST: &[Entry] = &[
    Entry::of::<autoscaling::AttachLoadBalancerTargetGroups>(),
    Entry::of::<autoscaling::CreateAutoScalingGroup>(),
    Entry::of::<autoscaling::CreateOrUpdateTags>(),
    Entry::of::<autoscaling::DeleteAutoScalingGroup>(),
    Entry::of::<autoscaling::DeleteTags>(),
    Entry::of::<autoscaling::DescribeAutoScalingGroups>(),
    Entry::of::<autoscaling::DescribeAutoScalingInstances>(),
    Entry::of::<autoscaling::DescribeLoadBalancerTargetGroups>(),
    Entry::of::<autoscaling::DescribeScalingActivities>(),
    Entry::of::<autoscaling::DescribeTags>(),
    Entry::of::<autoscaling::DetachLoadBalancerTargetGroups>(),
    Entry::of::<autoscaling::ResumeProcesses>(),
    Entry::of::<autoscaling::SetDesiredCapacity>(),
    Entry::of::<autoscaling::SetInstanceHealth>(),
    Entry::of::<autoscaling::SetInstanceProtection>(),
    Entry::of::<autoscaling::SuspendProcesses>(),
    Entry::of::<autoscaling::TerminateInstanceInAutoScalingGroup>(),
    Entry::of::<autoscaling::UpdateAutoScalingGroup>(),
    Entry::of::<ec2::CreateLaunchTemplate>(),
    Entry::of::<ec2::CreateLaunchTemplateVersion>(),
    Entry::of::<ec2::DeleteLaunchTemplate>(),
    Entry::of::<ec2::DescribeImages>(),
    Entry::of::<ec2::DescribeInstances>(),
    Entry::of::<ec2::DescribeLaunchTemplateVersions>(),
    Entry::of::<ec2::DescribeLaunchTemplates>(),
    Entry::of::<ec2::DescribeSecurityGroups>(),
    Entry::of::<ec2::DescribeSubnets>(),
    Entry::of::<ec2::TerminateInstances>(),
    Entry::of::<elb::CreateListener>(),
    Entry::of::<elb::CreateLoadBalancer>(),
    Entry::of::<elb::CreateRule>(),
    Entry::of::<elb::CreateTargetGroup>(),
    Entry::of::<elb::DeleteListener>(),
    Entry::of::<elb::DeleteLoadBalancer>(),
    Entry::of::<elb::DeleteRule>(),
    Entry::of::<elb::DeleteTargetGroup>(),
    Entry::of::<elb::DescribeListeners>(),
    Entry::of::<elb::DescribeLoadBalancers>(),
    Entry::of::<elb::DescribeRules>(),
    Entry::of::<elb::DescribeTags>(),
    Entry::of::<elb::DescribeTargetGroupAttributes>(),
    Entry::of::<elb::DescribeTargetGroups>(),
    Entry::of::<elb::DescribeTargetHealth>(),
    Entry::of::<elb::ModifyListener>(),
    Entry::of::<elb::ModifyRule>(),
    Entry::of::<elb::ModifyTargetGroup>(),
    Entry::of::<elb::ModifyTargetGroupAttributes>(),
    Entry::of::<ssm::DeleteParameter>(),
    Entry::of::<ssm::GetParameter>(),
    Entry::of::<ssm::PutParameter>(),
    Entry::of::<sts::AssumeRole>(),
    Entry::of::<sts::GetCallerIdentity>(),
];
