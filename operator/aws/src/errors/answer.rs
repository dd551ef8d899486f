//! What AWS's error codes mean for the request they answer.
//!
//! Sources: the services' API references ("Errors" of each action, "Common Errors"), and for the texts behind
//! `ValidationError`, which is Auto Scaling's code for nearly everything, what its users report.

use dryad_cloud::CloudError;

/// An answer that is an error, by its HTTP status, code and text.
pub(super) fn sort(
    action: &'static str,
    status: u16,
    code: Option<&str>,
    message: Option<&str>,
) -> CloudError {
    let Some(code) = code else {
        return CloudError::Unanswered { action, message: format!("HTTP {status} without an error code") };
    };
    let said = message.unwrap_or_default();
    let message = if said.is_empty() { code.to_owned() } else { said.to_owned() };
    match Meaning::of(code).or_else(|| (code == "ValidationError").then(|| Meaning::of_text(said)).flatten())
    {
        Some(Meaning::Throttled) => CloudError::Throttled { action },
        Some(Meaning::Busy) => CloudError::Busy { action, message },
        Some(Meaning::NotFound) => CloudError::NotFound { action, message },
        Some(Meaning::AlreadyExists) => CloudError::AlreadyExists { action, message },
        Some(Meaning::Denied) => CloudError::Denied { action, message },
        Some(Meaning::Unsigned) => CloudError::Unreachable {
            action,
            message: format!("the operator's credentials were not accepted: {message}"),
        },
        Some(Meaning::Unknown) => CloudError::Unanswered { action, message: format!("{code}: {message}") },
        None if status >= 500 => {
            CloudError::Unanswered { action, message: format!("HTTP {status}, {code}: {message}") }
        }
        None => CloudError::Invalid { action, message },
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
    fn of(code: &str) -> Option<Self> {
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
            | "ResourceInUseFault" => Self::Busy,

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
            | "InvalidInstanceID.NotFound" => Self::NotFound,

            "AlreadyExists" | "AlreadyExistsFault" | "InvalidLaunchTemplateName.AlreadyExistsException" => {
                Self::AlreadyExists
            }

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

            _ => return None,
        })
    }

    /// By the text behind Auto Scaling's `ValidationError`.
    fn of_text(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        let says = |parts: &[&str]| parts.iter().any(|part| text.contains(part));
        if says(&["not authorized to"]) {
            Some(Self::Denied)
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
