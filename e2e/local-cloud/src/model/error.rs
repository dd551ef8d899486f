//! The errors AWS answers with: a code, an HTTP status that follows from it, and a sentence.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $status:literal;)+) => {
        /// An error code of the AWS API. Closed: what is not listed is never answered.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Code { $($(#[$doc])* #[serde(rename = $name)] $variant,)+ }

        impl Code {
            /// The code as AWS spells it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The HTTP status it is answered with.
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)+ }
            }
        }
    };
}

codes! {
    /// IAM: no policy allows it (Auto Scaling, ELB, STS).
    AccessDenied = "AccessDenied", 403;
    /// IAM: no policy allows it (SSM).
    AccessDeniedException = "AccessDeniedException", 400;
    /// The name is taken (Auto Scaling).
    AlreadyExists = "AlreadyExists", 400;
    /// The access key is unknown (EC2).
    AuthFailure = "AuthFailure", 401;
    /// A listener on that port exists with other settings.
    DuplicateListener = "DuplicateListener", 400;
    /// The load balancer's name is taken.
    DuplicateLoadBalancerName = "DuplicateLoadBalancerName", 400;
    /// The target group's name is taken, by one with other settings.
    DuplicateTargetGroupName = "DuplicateTargetGroupName", 400;
    /// A client token was used before, with other parameters.
    IdempotentParameterMismatch = "IdempotentParameterMismatch", 400;
    /// AWS's own fault (EC2).
    InternalError = "InternalError", 500;
    /// AWS's own fault (query services).
    InternalFailure = "InternalFailure", 500;
    /// AWS's own fault (SSM).
    InternalServerError = "InternalServerError", 500;
    /// No such AMI.
    InvalidAmiIdNotFound = "InvalidAMIID.NotFound", 400;
    /// The access key is unknown (query services).
    InvalidClientTokenId = "InvalidClientTokenId", 403;
    /// An attribute's key or value is not allowed (ELB).
    InvalidConfigurationRequest = "InvalidConfigurationRequest", 400;
    /// No such security group (EC2).
    InvalidGroupNotFound = "InvalidGroup.NotFound", 400;
    /// No such instance (EC2).
    InvalidInstanceIdNotFound = "InvalidInstanceID.NotFound", 400;
    /// No such launch template id.
    InvalidLaunchTemplateIdNotFound = "InvalidLaunchTemplateId.NotFound", 400;
    /// No such version of the launch template.
    InvalidLaunchTemplateIdVersionNotFound = "InvalidLaunchTemplateId.VersionNotFound", 400;
    /// The launch template's name is taken.
    InvalidLaunchTemplateNameAlreadyExists = "InvalidLaunchTemplateName.AlreadyExistsException", 400;
    /// The launch template's name breaks the rules of names.
    InvalidLaunchTemplateNameMalformed = "InvalidLaunchTemplateName.MalformedException", 400;
    /// No such launch template name.
    InvalidLaunchTemplateNameNotFound = "InvalidLaunchTemplateName.NotFoundException", 400;
    /// A page token that this cloud never gave (Auto Scaling).
    InvalidNextToken = "InvalidNextToken", 400;
    /// Parameters that exclude each other (EC2).
    InvalidParameterCombination = "InvalidParameterCombination", 400;
    /// A parameter's value is not allowed (EC2).
    InvalidParameterValue = "InvalidParameterValue", 400;
    /// No such subnet (EC2).
    InvalidSubnetIdNotFound = "InvalidSubnetID.NotFound", 400;
    /// A quota is used up (Auto Scaling).
    LimitExceeded = "LimitExceeded", 400;
    /// No such listener.
    ListenerNotFound = "ListenerNotFound", 400;
    /// No such load balancer.
    LoadBalancerNotFound = "LoadBalancerNotFound", 400;
    /// A required parameter is missing (EC2).
    MissingParameter = "MissingParameter", 400;
    /// ELB refuses to delete, for instance a listener's default rule.
    OperationNotPermitted = "OperationNotPermitted", 400;
    /// The parameter exists, and overwriting was not asked for.
    ParameterAlreadyExists = "ParameterAlreadyExists", 400;
    /// No such parameter.
    ParameterNotFound = "ParameterNotFound", 400;
    /// No such version of the parameter.
    ParameterVersionNotFound = "ParameterVersionNotFound", 400;
    /// Two rules of a listener may not share a priority.
    PriorityInUse = "PriorityInUse", 400;
    /// Too many calls (EC2).
    RequestLimitExceeded = "RequestLimitExceeded", 503;
    /// Someone else changes the same object; AWS documents the status as 500.
    ResourceContention = "ResourceContention", 500;
    /// The object is in use.
    ResourceInUse = "ResourceInUse", 400;
    /// No such rule.
    RuleNotFound = "RuleNotFound", 400;
    /// Scaling activities of the group are not over yet.
    ScalingActivityInProgress = "ScalingActivityInProgress", 400;
    /// No such security group (ELB).
    SecurityGroupNotFound = "SecurityGroupNotFound", 400;
    /// The service is not available right now.
    ServiceUnavailable = "ServiceUnavailable", 503;
    /// No such subnet (ELB).
    SubnetNotFound = "SubnetNotFound", 400;
    /// A target group serves at most one load balancer.
    TargetGroupAssociationLimit = "TargetGroupAssociationLimit", 400;
    /// No such target group.
    TargetGroupNotFound = "TargetGroupNotFound", 400;
    /// Too many calls (query services).
    Throttling = "Throttling", 400;
    /// Too many calls (SSM).
    ThrottlingException = "ThrottlingException", 400;
    /// More tags than an object may carry.
    TooManyTags = "TooManyTags", 400;
    /// IAM: no policy allows it (EC2).
    UnauthorizedOperation = "UnauthorizedOperation", 403;
    /// The access key is unknown (SSM).
    UnrecognizedClientException = "UnrecognizedClientException", 400;
    /// The parameter type is not one of those SSM knows.
    UnsupportedParameterType = "UnsupportedParameterType", 400;
    /// The request is not a valid one (query services).
    ValidationError = "ValidationError", 400;
    /// The request is not a valid one (SSM).
    ValidationException = "ValidationException", 400;
}

/// What AWS answers instead of a result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", code.as_str())]
pub struct ApiError {
    /// What is wrong, for programs.
    pub code: Code,
    /// What is wrong, for people.
    pub message: String,
}

impl ApiError {
    /// An error of that code, saying `message`.
    pub fn new(code: Code, message: impl fmt::Display) -> Self {
        Self { code, message: message.to_string() }
    }

    /// `ValidationError`, the code most refusals of the query services come with.
    pub fn invalid(message: impl fmt::Display) -> Self {
        Self::new(Code::ValidationError, message)
    }
}

/// How a call can end without a result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The cloud answered, with an error.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// No answer reached the caller. Whether the call was, is, or will be carried out, it cannot know.
    #[error("no answer: the call may have been carried out, or may be yet")]
    Unanswered,
}
