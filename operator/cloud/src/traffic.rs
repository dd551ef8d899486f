//! Target groups and the load balancer rules that spread requests over them.

/// The ARN of a target group.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TargetGroupArn(pub String);

/// The ARN of a listener's rule.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuleArn(pub String);

/// What a target group says of one of its targets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetHealth {
    /// It passes its checks.
    Healthy,
    /// Registered, not yet through its first checks.
    Initial,
    /// Leaving: no new requests, those in flight may end.
    Draining,
    /// It fails, is not checked, or not in use; with the load balancer's reason in words.
    Unhealthy(String),
}

/// A rule as one look shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// One forward action over weighted target groups; the only shape that Dryad changes.
    Forward(Vec<Weight>),
    /// Anything else (redirects, fixed answers, authentication before the forward), described for a person.
    Other(String),
}

/// A target group's share of a rule's requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weight {
    /// Who gets the share.
    pub target_group: TargetGroupArn,
    /// Its size, relative to the others'; 0 to 999.
    pub weight: u32,
}
