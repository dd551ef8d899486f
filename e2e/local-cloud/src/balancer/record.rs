//! What a listener tells about itself. Values only.

use std::time::Duration;

use http::{Method, StatusCode};
use jiff::Timestamp;

/// Something that happened at a listener; they come in the order in which they happened.
#[derive(Debug, Clone)]
pub enum Observation {
    /// From now on requests are routed like this.
    Table(View),
    /// A request has ended.
    Request(Record),
}

/// The capacity behind a listener, as the listener sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// Since when.
    pub at: Timestamp,
    /// Every rule, the first that is tried first.
    pub rules: Vec<RuleView>,
}

/// The capacity behind one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleView {
    /// The rule.
    pub rule: String,
    /// The groups it forwards to, those of weight 0 included.
    pub groups: Vec<GroupView>,
}

impl RuleView {
    /// How many healthy targets requests can reach: those of groups that have a weight.
    pub fn serving(&self) -> usize {
        self.groups.iter().filter(|group| group.weight > 0).map(|group| group.healthy).sum()
    }
}

/// The capacity of one group of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupView {
    /// The group.
    pub group: String,
    /// Its weight in the rule.
    pub weight: u16,
    /// How many of its targets are healthy.
    pub healthy: usize,
    /// How many are initial or unhealthy.
    pub not_healthy: usize,
    /// How many are draining.
    pub draining: usize,
}

/// One request.
#[derive(Debug, Clone)]
pub struct Record {
    /// When its head had arrived.
    pub at: Timestamp,
    /// From then until its end.
    pub elapsed: Duration,
    /// Its method.
    pub method: Method,
    /// Its path, without the query.
    pub path: String,
    /// The rule that applied.
    pub rule: Option<String>,
    /// The group whose turn it was.
    pub group: Option<String>,
    /// The target whose turn it was.
    pub target: Option<String>,
    /// How it ended.
    pub end: End,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The whole answer of a target, or a rule's fixed one, was passed on.
    Answered(StatusCode),
    /// The balancer had to answer in the target's place.
    Refused(StatusCode, Cause),
    /// A target's answer was begun to be passed on, and then cut.
    Broken(StatusCode, Cause),
    /// The client went away first.
    Abandoned,
}

impl End {
    /// Whether a user saw something fail: an answer of 5xx, or half of one.
    pub fn is_failure(self) -> bool {
        match self {
            Self::Answered(status) => status.is_server_error(),
            Self::Refused(..) | Self::Broken(..) => true,
            Self::Abandoned => false,
        }
    }
}

/// Why a request got no whole answer from a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// There is no target to ask, or no rule that applies.
    NoTarget,
    /// The target could not be connected to.
    Unreachable,
    /// The target closed the connection, or answered something that is not HTTP.
    BadAnswer,
    /// The target did not go on in time.
    Timeout,
    /// The target was draining, and its time was up.
    Drained,
}
