//! What was called: counts for budgets, and the latest calls for safety oracles.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::Timestamp;
use serde::Serialize;

use super::caller::Caller;
use super::error::Code;
use super::service::Service;

/// How many calls are remembered one by one; counts are kept for ever.
const REMEMBERED: usize = 20_000;

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// Carried out and answered.
    Done,
    /// Refused, or failed, with that code.
    Refused(Code),
    /// Carried out, the answer lost.
    DoneUnanswered,
    /// Unanswered and still under way: another entry follows when it lands.
    Late,
    /// A late call has landed and was carried out.
    LandedDone,
    /// A late call has landed and was refused.
    LandedRefused(Code),
}

/// One call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// To which service.
    pub service: Service,
    /// Which action.
    pub action: &'static str,
    /// About what, as [`Action::resource`](super::Action::resource) says.
    pub resource: String,
    /// The principal.
    pub caller: String,
    /// The account called.
    pub account: String,
    /// The region called.
    pub region: String,
    /// How it ended.
    pub outcome: Outcome,
}

/// The calls made so far.
#[derive(Debug, Clone, Default)]
pub struct Log {
    counts: BTreeMap<(Service, &'static str), u64>,
    entries: VecDeque<Entry>,
    unknown: BTreeSet<String>,
}

/// What a call was, for the log.
#[derive(Debug, Clone)]
pub(crate) struct Called {
    pub(crate) service: Service,
    pub(crate) action: &'static str,
    pub(crate) resource: String,
    pub(crate) caller: Caller,
}

impl Log {
    /// How often `action` was called, answered or not.
    pub fn count(&self, service: Service, action: &str) -> u64 {
        self.counts.iter().filter(|((s, a), _)| *s == service && *a == action).map(|(_, n)| n).sum()
    }

    /// Every action called, `service:Action`, and how often.
    pub fn counts(&self) -> BTreeMap<String, u64> {
        self.counts
            .iter()
            .map(|((service, action), n)| (format!("{}:{action}", service.name()), *n))
            .collect()
    }

    /// The latest calls, oldest first.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries.iter()
    }

    /// What was asked and is not in the written list: actions (`ec2:RunInstances`) and parameters
    /// (`ec2:CreateLaunchTemplate DryRun`). A test that cares that its cloud is whole asserts that this is empty.
    pub fn unknown(&self) -> &BTreeSet<String> {
        &self.unknown
    }

    /// Remembers that something outside the written list was asked.
    pub fn note_unknown(&mut self, what: String) {
        self.unknown.insert(what);
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn called(&mut self, at: Timestamp, called: &Called, outcome: Outcome) {
        if !matches!(outcome, Outcome::LandedDone | Outcome::LandedRefused(_)) {
            *self.counts.entry((called.service, called.action)).or_default() += 1;
        }
        if self.entries.len() == REMEMBERED {
            self.entries.pop_front();
        }
        self.entries.push_back(Entry {
            at,
            service: called.service,
            action: called.action,
            resource: called.resource.clone(),
            caller: called.caller.principal.clone(),
            account: called.caller.place.account.to_string(),
            region: called.caller.place.region.clone(),
            outcome,
        });
    }
}
