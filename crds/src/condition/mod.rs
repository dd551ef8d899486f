//! Conditions: what follows from what is recorded, for whoever watches.
//!
//! Folds, and nothing else: the same record makes the same conditions, so that nothing is written while nothing
//! changes. The types mean what kstatus takes them to mean: `Reconciling` and `Stalled` are there only while
//! they are true, and a watcher that goes by kstatus sees each object end as current or as failed.

pub mod declared;
pub mod deployment;
pub mod environment;

use dryad_machine::history::{MESSAGE_LIMIT, cut};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

/// The object is as its spec wants it.
pub const READY: &str = "Ready";
/// Dryad is at work on it.
pub const RECONCILING: &str = "Reconciling";
/// Nothing moves until somebody does something.
pub const STALLED: &str = "Stalled";
/// How a Deployment ended: unknown until it has.
pub const SUCCEEDED: &str = "Succeeded";
/// A Deployment has ended, well or not.
pub const ENDED: &str = "Ended";
/// Something other than what an Environment declares was deployed by hand.
pub const DRIFTED: &str = "Drifted";
/// Whether an Environment serves its users.
pub const AVAILABLE: &str = "Available";

/// Whether the parameter that an Environment names says what is deployed.
pub const PROJECTED: &str = "Projected";
/// Groups that an Environment's ledger does not know, and that are left alone.
pub const LEFTOVERS: &str = "Leftovers";

/// All that an Environment can have.
pub const OF_ENVIRONMENTS: [&str; 7] =
    [READY, RECONCILING, STALLED, DRIFTED, AVAILABLE, PROJECTED, LEFTOVERS];

/// Whether a condition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    True,
    False,
    Unknown,
}

impl Holds {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

/// The conditions of an object that can't be worked on, such as one with an illegal history: it stalls, and
/// what was known of it before stays.
///
/// `reason` is one word in `CamelCase`, `message` a sentence that says what to do.
pub fn stalled(
    previous: &[Condition],
    reason: &str,
    message: &str,
    generation: i64,
    now: Timestamp,
) -> Vec<Condition> {
    let (of, since) = (Of { generation }, now);
    let mut conditions: Vec<_> = previous
        .iter()
        .filter(|condition| ![READY, STALLED, RECONCILING].contains(&condition.type_.as_str()))
        .cloned()
        .collect();
    conditions.push(of.condition(READY, Holds::False, reason, message, since));
    conditions.push(of.condition(STALLED, Holds::True, reason, message, since));
    settled(conditions, previous)
}

/// The object that conditions are about.
#[derive(Clone, Copy)]
pub(crate) struct Of {
    pub(crate) generation: i64,
}

impl Of {
    pub(crate) fn condition(
        self,
        type_: &str,
        holds: Holds,
        reason: &str,
        message: &str,
        since: Timestamp,
    ) -> Condition {
        Condition {
            type_: type_.to_owned(),
            status: holds.name().to_owned(),
            reason: reason.to_owned(),
            message: cut(message, MESSAGE_LIMIT),
            observed_generation: Some(self.generation),
            last_transition_time: Time(since),
        }
    }
}

/// The conditions, with the time of the last transition kept wherever none has taken place.
pub(crate) fn settled(mut conditions: Vec<Condition>, previous: &[Condition]) -> Vec<Condition> {
    for condition in &mut conditions {
        let same = |before: &&Condition| before.type_ == condition.type_ && before.status == condition.status;
        if let Some(before) = previous.iter().find(same) {
            condition.last_transition_time = before.last_transition_time.clone();
        }
    }
    conditions
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Conditions in one line, for tables: `Type=Status(Reason)@second`.
    pub(crate) fn line(conditions: &[Condition]) -> String {
        let each = conditions.iter().map(|condition| {
            let at = condition.last_transition_time.0.as_second();
            format!("{}={}({})@{at}", condition.type_, condition.status, condition.reason)
        });
        each.collect::<Vec<_>>().join(" ")
    }

    pub(crate) fn second(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a small number")
    }

    #[test]
    fn a_stalled_object_keeps_what_was_known_and_the_time_it_stalled() {
        let of = Of { generation: 1 };
        let before = [
            of.condition(RECONCILING, Holds::True, "TurnTaken", "", second(1)),
            of.condition(SUCCEEDED, Holds::Unknown, "TurnTaken", "", second(1)),
        ];
        let first = stalled(&before, "IllegalHistory", "make a new one", 2, second(5));
        assert_eq!(
            line(&first),
            "Succeeded=Unknown(TurnTaken)@1 Ready=False(IllegalHistory)@5 Stalled=True(IllegalHistory)@5"
        );
        assert_eq!(stalled(&first, "IllegalHistory", "make a new one", 2, second(9)), first);
    }
}
