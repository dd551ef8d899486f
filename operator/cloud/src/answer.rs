//! What AWS's error codes mean for the request they answer: for whatever speaks to AWS, or stands in for it.
//!
//! Sources: the services' API references ("Errors" of each action, "Common Errors"), and for the texts behind
//! `ValidationError`, which is Auto Scaling's code for nearly everything, what its users report.

use crate::error::CloudError;

impl CloudError {
    /// What an answer means that is an error, by its HTTP status, code and text. One without a code tells nothing about
    /// its request.
    pub fn answered(action: &'static str, status: u16, code: Option<&str>, text: Option<&str>) -> Self {
        let Some(code) = code else {
            return Self::Unanswered { action, message: format!("HTTP {status} without an error code") };
        };
        let said = text.unwrap_or_default();
        let message = if said.is_empty() { code.to_owned() } else { said.to_owned() };
        match Meaning::of(code, said) {
            Some(Meaning::Throttled) => Self::Throttled { action },
            Some(Meaning::Busy) => Self::Busy { action, message },
            Some(Meaning::NotFound) => Self::NotFound { action, message },
            Some(Meaning::AlreadyExists) => Self::AlreadyExists { action, message },
            Some(Meaning::Denied) => Self::Denied { action, message },
            Some(Meaning::Unsigned) => Self::Unreachable {
                action,
                message: format!("the operator's credentials were not accepted: {message}"),
            },
            Some(Meaning::Unknown) => Self::Unanswered { action, message: format!("{code}: {message}") },
            None if status >= 500 => {
                Self::Unanswered { action, message: format!("HTTP {status}, {code}: {message}") }
            }
            None => Self::Invalid { action, message },
        }
    }
}

/// What a code or text tells, whatever the HTTP status.
enum Meaning {
    Throttled,
    Busy,
    NotFound,
    AlreadyExists,
    Denied,
    /// The request was turned away because of how it is signed.
    Unsigned,
    /// AWS does not know itself whether it was carried out.
    Unknown,
}

impl Meaning {
    fn of(code: &str, text: &str) -> Option<Self> {
        Some(match code {
            "Throttling"
            | "ThrottlingException"
            | "ThrottledException"
            | "RequestThrottled"
            | "RequestThrottledException"
            | "RequestLimitExceeded"
            | "EC2ThrottledException"
            | "TooManyRequests"
            | "TooManyRequestsException"
            | "BandwidthLimitExceeded"
            | "SlowDown" => Self::Throttled,

            // ResourceContention comes with HTTP 500, and is a refusal all the same.
            "ResourceContention"
            | "ResourceContentionFault"
            | "ScalingActivityInProgress"
            | "ScalingActivityInProgressFault"
            | "InstanceRefreshInProgress"
            | "InstanceRefreshInProgressFault"
            | "ResourceInUse"
            | "ResourceInUseFault"
            | "TooManyUpdates" => Self::Busy,

            // Only what a request of Dryad's is about: an AMI or a subnet that is not there is the Environment's
            // mistake, and no reason to think that a group or template is gone.
            "TargetGroupNotFound"
            | "TargetGroupNotFoundException"
            | "RuleNotFound"
            | "RuleNotFoundException"
            | "ListenerNotFound"
            | "ListenerNotFoundException"
            | "LoadBalancerNotFound"
            | "LoadBalancerNotFoundException"
            | "InvalidLaunchTemplateName.NotFoundException"
            | "InvalidLaunchTemplateId.NotFound"
            | "InvalidLaunchTemplateId.VersionNotFound"
            | "InvalidInstanceID.NotFound"
            | "ParameterNotFound" => Self::NotFound,

            "AlreadyExists"
            | "AlreadyExistsFault"
            | "InvalidLaunchTemplateName.AlreadyExistsException"
            | "ParameterAlreadyExists" => Self::AlreadyExists,

            "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" | "UnauthorizedAccess" => {
                Self::Denied
            }

            "AuthFailure"
            | "ExpiredToken"
            | "ExpiredTokenException"
            | "IncompleteSignature"
            | "InvalidAccessKeyId"
            | "InvalidClientTokenId"
            | "InvalidSignatureException"
            | "MissingAuthenticationToken"
            | "MissingAuthenticationTokenException"
            | "RequestExpired"
            | "RequestTimeTooSkewed"
            | "SignatureDoesNotMatch"
            | "UnrecognizedClientException" => Self::Unsigned,

            "RequestTimeout" | "RequestTimeoutException" => Self::Unknown,

            "ValidationError" => return Self::of_text(text),

            _ => return None,
        })
    }

    /// By the text behind Auto Scaling's `ValidationError`.
    fn of_text(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        let says = |parts: &[&str]| parts.iter().any(|part| text.contains(part));
        if says(&["not authorized to"]) {
            Some(Self::Denied)
        // What a template names is the Environment's to mend, though it is said in the words for a template that is
        // not seen yet.
        } else if says(&["image id"]) {
            None
        // A template or an instance profile made a moment ago is not seen everywhere yet; for as long, a group that
        // uses it is refused. A group on its way out refuses everything.
        } else if says(&[
            "valid fully-formed launch template",
            "invalid iaminstanceprofile",
            "pending delete",
        ]) {
            Some(Self::Busy)
        } else if says(&["name not found", "target groups may not be valid", "not part of the group"]) {
            Some(Self::NotFound)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACTION: &str = "CreateAutoScalingGroup";

    fn kind(error: &CloudError) -> &'static str {
        match error {
            CloudError::Unanswered { .. } => "unanswered",
            CloudError::Unreachable { .. } => "unreachable",
            CloudError::Throttled { .. } => "throttled",
            CloudError::NotFound { .. } => "not found",
            CloudError::AlreadyExists { .. } => "already exists",
            CloudError::Busy { .. } => "busy",
            CloudError::Denied { .. } => "denied",
            CloudError::Invalid { .. } => "invalid",
        }
    }

    /// Status, code and text as the services answer them, and what each means.
    #[rustfmt::skip]
    const ANSWERS: &[(u16, &str, &str, &str)] = &[
        // Auto Scaling.
        (400, "Throttling", "Rate exceeded", "throttled"),
        (400, "AlreadyExists", "AutoScalingGroup by this name already exists - A group with the name a already exists", "already exists"),
        (400, "ScalingActivityInProgress", "You cannot delete an AutoScalingGroup while there are scaling activities in progress for that group.", "busy"),
        (400, "ResourceInUse", "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) still in the group.", "busy"),
        (500, "ResourceContention", "You already have a pending update to an Auto Scaling resource", "busy"),
        (400, "ValidationError", "AutoScalingGroup name not found - AutoScalingGroup 'a' not found", "not found"),
        (400, "ValidationError", "AutoScalingGroup name not found - null", "not found"),
        (400, "ValidationError", "Provided Target Groups may not be valid. Please ensure they exist and try again.", "not found"),
        (400, "ValidationError", "Trying to remove Target Groups that are not part of the group", "not found"),
        (400, "ValidationError", "You must use a valid fully-formed launch template. Value (web) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name", "busy"),
        (400, "ValidationError", "You must use a valid fully-formed launch template. The specified launch template, with template name a, does not exist.", "busy"),
        (400, "ValidationError", "You must use a valid fully-formed launch template. You are not authorized to perform this operation.", "denied"),
        (400, "ValidationError", "Invalid IamInstanceProfile: web", "busy"),
        (400, "ValidationError", "AutoScalingGroup a is pending delete", "busy"),
        (400, "ValidationError", "Max bound, 1, must be greater than or equal to min bound, 2", "invalid"),
        (400, "ValidationError", "The subnet ID 'subnet-a' does not exist", "invalid"),
        (400, "LimitExceeded", "You have exceeded the limit of Auto Scaling groups", "invalid"),
        (403, "AccessDenied", "User: arn is not authorized to perform: autoscaling:CreateAutoScalingGroup", "denied"),
        (500, "InternalFailure", "We encountered an internal error. Please try again.", "unanswered"),
        (503, "ServiceUnavailable", "Service is unable to handle request.", "unanswered"),
        // EC2.
        (503, "RequestLimitExceeded", "Request limit exceeded.", "throttled"),
        (400, "InvalidLaunchTemplateName.AlreadyExistsException", "Launch template name already in use.", "already exists"),
        (400, "InvalidLaunchTemplateName.NotFoundException", "The specified launch template, with template name a, does not exist.", "not found"),
        (400, "InvalidLaunchTemplateId.NotFound", "The specified launch template does not exist.", "not found"),
        (400, "InvalidLaunchTemplateId.VersionNotFound", "Could not find the specified version 9 for the launch template with ID lt-1.", "not found"),
        (400, "InvalidInstanceID.NotFound", "The instance ID 'i-1' does not exist", "not found"),
        (400, "InvalidAMIID.NotFound", "The image id '[ami-1]' does not exist", "invalid"),
        (400, "InvalidUserData.Malformed", "Invalid BASE64 encoding of user data", "invalid"),
        (403, "UnauthorizedOperation", "You are not authorized to perform this operation.", "denied"),
        (401, "AuthFailure", "AWS was not able to validate the provided access credentials", "unreachable"),
        (400, "RequestExpired", "Request has expired.", "unreachable"),
        (500, "InternalError", "An internal error has occurred", "unanswered"),
        (503, "Unavailable", "The server is overloaded and can't handle the request.", "unanswered"),
        // Elastic Load Balancing.
        (400, "ThrottlingException", "Rate exceeded", "throttled"),
        (400, "TooManyRequestsException", "Rate exceeded", "throttled"),
        (400, "TargetGroupNotFound", "One or more target groups not found", "not found"),
        (400, "RuleNotFound", "One or more rules not found", "not found"),
        (400, "TooManyTargetGroups", "The maximum number of target groups has been reached", "invalid"),
        (400, "OperationNotPermitted", "Default rule cannot be modified", "invalid"),
        (400, "ResourceInUse", "Target group is currently in use by a listener or a rule", "busy"),
        // Parameter Store.
        (400, "ParameterNotFound", "Parameter /a not found.", "not found"),
        (400, "ParameterAlreadyExists", "The parameter already exists.", "already exists"),
        (400, "TooManyUpdates", "There are concurrent updates for a resource", "busy"),
        (400, "ParameterMaxVersionLimitExceeded", "the oldest version has a label", "invalid"),
        (400, "AccessDeniedException", "User: arn is not authorized to perform: ssm:PutParameter", "denied"),
        // Any of them.
        (403, "ExpiredToken", "The security token included in the request is expired", "unreachable"),
        (403, "InvalidClientTokenId", "The security token included in the request is invalid", "unreachable"),
        (403, "SignatureDoesNotMatch", "Signature not yet current", "unreachable"),
        (400, "RequestTimeout", "Your socket connection to the server was not read from in time", "unanswered"),
        (418, "SomethingNew", "Never heard of", "invalid"),
        (501, "NotImplemented", "Never heard of", "unanswered"),
    ];

    #[test]
    fn every_answer_means_what_it_says() {
        for &(status, code, text, meaning) in ANSWERS {
            let error = CloudError::answered(ACTION, status, Some(code), Some(text));
            assert_eq!(kind(&error), meaning, "{status} {code}: {text}");
        }
    }

    #[test]
    fn an_answer_without_a_code_tells_nothing() {
        for status in [200, 400, 403, 429, 502] {
            assert_eq!(
                kind(&CloudError::answered(ACTION, status, None, Some("Rate exceeded"))),
                "unanswered",
                "{status}"
            );
        }
    }

    #[test]
    fn a_refusal_carries_the_words_of_aws() {
        let error = CloudError::answered(
            ACTION,
            400,
            Some("ValidationError"),
            Some("Max bound, 1, is below min bound, 2"),
        );
        assert_eq!(error.to_string(), "CreateAutoScalingGroup: Max bound, 1, is below min bound, 2");
        let error = CloudError::answered(ACTION, 400, Some("LimitExceeded"), None);
        assert_eq!(error.to_string(), "CreateAutoScalingGroup: LimitExceeded");
    }
}
