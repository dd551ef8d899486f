//! From single checks to a target's health. Pure.

use super::check::Check;

/// How one check went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A status that passes.
    Passed,
    /// Anything else.
    Failed(Reason),
}

/// Why a check failed, as Elastic Load Balancing tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It answered with this status, which does not pass.
    ResponseCodeMismatch(u16),
    /// It did not answer in time.
    Timeout,
    /// It could not be connected to, or its answer was malformed.
    FailedHealthChecks,
}

impl Reason {
    /// The reason code in `DescribeTargetHealth`.
    pub fn code(self) -> &'static str {
        match self {
            Self::ResponseCodeMismatch(_) => "Target.ResponseCodeMismatch",
            Self::Timeout => "Target.Timeout",
            Self::FailedHealthChecks => "Target.FailedHealthChecks",
        }
    }

    /// The description in `DescribeTargetHealth`.
    pub fn description(self) -> String {
        match self {
            Self::ResponseCodeMismatch(status) => {
                format!("Health checks failed with these codes: [{status}]")
            }
            Self::Timeout => "Request timed out".to_owned(),
            Self::FailedHealthChecks => "Health checks failed".to_owned(),
        }
    }
}

/// A target's health as its checks tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// Not yet checked often enough to know.
    Initial,
    /// It gets traffic.
    Healthy,
    /// It gets none, for the reason of the last failed check.
    Unhealthy(Reason),
}

/// Health, and how many checks in a row have spoken against it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Verdict {
    health: Health,
    against: u32,
}

impl Verdict {
    pub(super) const INITIAL: Self = Self { health: Health::Initial, against: 0 };

    /// The verdict after one more check, and the health it changed to, if it did.
    ///
    /// A target that was just registered is healthy after one passed check whatever the threshold
    /// (AWS, "Health checks for Application Load Balancer target groups").
    pub(super) fn after(self, outcome: Outcome, check: &Check) -> (Self, Option<Health>) {
        let becomes = match (self.health, outcome) {
            (Health::Initial | Health::Healthy, Outcome::Passed) => Some(Health::Healthy),
            (Health::Unhealthy(_), Outcome::Passed) => {
                (self.against + 1 >= check.healthy_threshold).then_some(Health::Healthy)
            }
            (Health::Initial | Health::Healthy, Outcome::Failed(reason)) => {
                (self.against + 1 >= check.unhealthy_threshold).then_some(Health::Unhealthy(reason))
            }
            (Health::Unhealthy(_), Outcome::Failed(reason)) => Some(Health::Unhealthy(reason)),
        };
        match becomes {
            Some(health) => (Self { health, against: 0 }, (health != self.health).then_some(health)),
            None => (Self { against: self.against + 1, ..self }, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::check::CheckPort;
    use super::*;

    /// Runs checks, `.` passed, `x` refused, `5` answered 500, and writes the health after each that changed it:
    /// `H` healthy, `U` unhealthy, `-` no change.
    fn told(checks: &str) -> String {
        let check = Check {
            path: "/".to_owned(),
            port: CheckPort::Traffic,
            interval: Duration::from_secs(10),
            timeout: Duration::from_secs(5),
            healthy_threshold: 3,
            unhealthy_threshold: 2,
            matcher: "200".parse().expect("a matcher"),
        };
        let mut verdict = Verdict::INITIAL;
        let step = |made| {
            let outcome = match made {
                '.' => Outcome::Passed,
                '5' => Outcome::Failed(Reason::ResponseCodeMismatch(500)),
                _ => Outcome::Failed(Reason::FailedHealthChecks),
            };
            let (next, change) = verdict.after(outcome, &check);
            verdict = next;
            match change {
                None => '-',
                Some(Health::Healthy) => 'H',
                Some(Health::Unhealthy(_)) => 'U',
                Some(Health::Initial) => 'I',
            }
        };
        checks.chars().map(step).collect()
    }

    #[test]
    fn health_changes_exactly_when_a_threshold_is_reached() {
        let table = [
            // A new target: one passed check is enough, unhealthy needs its threshold.
            (".", "H"),
            ("xx", "-U"),
            ("x.", "-H"),
            // Healthy: two failures in a row, and only in a row.
            (".x.x.xx", "H-----U"),
            // Unhealthy: three passed in a row, and only in a row.
            ("xx..x...", "-U-----H"),
            // The reason that is told is the last one; the same again is not told again.
            ("xx55x", "-UU-U"),
            // The count begins anew after a change.
            (".xx...xx", "H-U--H-U"),
            (".....", "H----"),
        ];
        for (checks, expected) in table {
            assert_eq!(told(checks), expected, "after {checks}");
        }
    }
}
