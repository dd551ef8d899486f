//! What is checked, and how.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

/// One registration of a target with a group. Registering it again begins anew, under another number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Registration {
    /// The target group.
    pub group: String,
    /// The target, an instance's id.
    pub target: String,
    /// Which registration of that target with that group it is.
    pub number: u64,
}

/// A target to be checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// What it is registered as.
    pub registration: Registration,
    /// Where it receives traffic.
    pub address: SocketAddr,
    /// How it is checked.
    pub check: Check,
}

/// The health check settings of a target group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What is asked for, with its query, as in `/healthz`.
    pub path: String,
    /// Where.
    pub port: CheckPort,
    /// From the start of one check to the start of the next, however long the answer takes.
    pub interval: Duration,
    /// An answer must have come by then.
    pub timeout: Duration,
    /// The statuses that pass.
    pub matcher: Matcher,
}

/// The port that is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckPort {
    /// The one that receives the traffic.
    Traffic,
    /// Another one.
    Fixed(u16),
}

impl Watched {
    /// Where the check goes.
    pub fn check_address(&self) -> SocketAddr {
        match self.check.port {
            CheckPort::Traffic => self.address,
            CheckPort::Fixed(port) => SocketAddr::new(self.address.ip(), port),
        }
    }
}

/// A set of HTTP statuses, written as Elastic Load Balancing does: `200`, `200-299`, `200,204,300-302`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matcher(Vec<RangeInclusive<u16>>);

/// A text that is no [`Matcher`].
#[derive(Debug, thiserror::Error)]
#[error("{0:?} matches no HTTP statuses: write some from 200 to 499, as in 200-299 or 200,302")]
pub struct BadMatcher(String);

impl Matcher {
    /// Whether this status passes.
    pub fn contains(&self, status: u16) -> bool {
        self.0.iter().any(|range| range.contains(&status))
    }
}

impl FromStr for Matcher {
    type Err = BadMatcher;

    fn from_str(text: &str) -> Result<Self, BadMatcher> {
        let ranges: Option<Vec<_>> = text.split(',').map(range).collect();
        ranges.map(Self).ok_or_else(|| BadMatcher(text.to_owned()))
    }
}

fn range(text: &str) -> Option<RangeInclusive<u16>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let range = first.trim().parse().ok()?..=last.trim().parse().ok()?;
    (!range.is_empty() && *range.start() >= 200 && *range.end() <= 499).then_some(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matcher_is_read_as_elastic_load_balancing_writes_it() {
        let passing = |text: &str| -> Vec<u16> {
            let matcher: Matcher = text.parse().expect("a matcher");
            [199, 200, 204, 299, 301, 302, 499]
                .into_iter()
                .filter(|status| matcher.contains(*status))
                .collect()
        };
        assert_eq!(passing("200"), [200]);
        assert_eq!(passing("200-299"), [200, 204, 299]);
        assert_eq!(passing("204,301-302"), [204, 301, 302]);
        assert_eq!(passing("200, 499"), [200, 499]);
    }

    #[test]
    fn a_matcher_that_could_never_pass_is_refused() {
        for text in ["", "ok", "299-200", "200-", "-200", "200,,204", "100", "500", "200-599"] {
            assert!(text.parse::<Matcher>().is_err(), "{text:?}");
        }
    }
}
