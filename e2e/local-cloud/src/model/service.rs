//! The services the model knows, and what differs between them on the wire and in their errors.

use serde::{Deserialize, Serialize};

use super::error::Code;

/// An AWS service, as named by the credential scope of a signed request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    /// EC2 Auto Scaling.
    AutoScaling,
    /// EC2.
    Ec2,
    /// Elastic Load Balancing, version 2.
    ElasticLoadBalancing,
    /// Systems Manager, of which only Parameter Store.
    Ssm,
    /// Security Token Service.
    Sts,
}

impl Service {
    /// Every service.
    pub const ALL: [Self; 5] =
        [Self::AutoScaling, Self::Ec2, Self::ElasticLoadBalancing, Self::Ssm, Self::Sts];

    /// The name in a credential scope and in ARNs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AutoScaling => "autoscaling",
            Self::Ec2 => "ec2",
            Self::ElasticLoadBalancing => "elasticloadbalancing",
            Self::Ssm => "ssm",
            Self::Sts => "sts",
        }
    }

    /// The service of a credential scope's name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.name() == name)
    }

    /// Where AWS documents the service's actions; an action's page is `API_<name>.html` under it.
    pub const fn documentation(self) -> &'static str {
        match self {
            Self::AutoScaling => "https://docs.aws.amazon.com/autoscaling/ec2/APIReference/",
            Self::Ec2 => "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/",
            Self::ElasticLoadBalancing => {
                "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/"
            }
            Self::Ssm => "https://docs.aws.amazon.com/systems-manager/latest/APIReference/",
            Self::Sts => "https://docs.aws.amazon.com/STS/latest/APIReference/",
        }
    }

    /// What the service answers to callers that ask too often.
    pub const fn throttled(self) -> Code {
        match self {
            Self::Ec2 => Code::RequestLimitExceeded,
            Self::Ssm => Code::ThrottlingException,
            Self::AutoScaling | Self::ElasticLoadBalancing | Self::Sts => Code::Throttling,
        }
    }

    /// What the service answers to callers whom no policy allows the action.
    pub const fn denied(self) -> Code {
        match self {
            Self::Ec2 => Code::UnauthorizedOperation,
            Self::Ssm => Code::AccessDeniedException,
            Self::AutoScaling | Self::ElasticLoadBalancing | Self::Sts => Code::AccessDenied,
        }
    }

    /// What the service answers when it fails by its own fault.
    pub const fn failed(self) -> Code {
        match self {
            Self::Ec2 => Code::InternalError,
            Self::Ssm => Code::InternalServerError,
            Self::AutoScaling | Self::ElasticLoadBalancing | Self::Sts => Code::InternalFailure,
        }
    }
}
