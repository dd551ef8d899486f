//! Misbehaviour on demand: what goes wrong with calls ([`Rule`]), with launches ([`LaunchFault`]), with zones
//! ([`ZoneFault`]) and with the health of targets ([`Faults::never_healthy`]).

mod launch;
mod rule;
mod zone;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub use launch::LaunchFault;
pub(crate) use rule::Fate;
pub use rule::{Effect, Rule};
pub use zone::{Trouble, ZoneFault};

use crate::model::Kind;
use crate::model::glob::Glob;
use crate::model::log::Called;

/// Everything that is set to go wrong.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Faults {
    /// What happens to calls. The first rule that fits decides; delays add to what another rule does.
    pub rules: Vec<Rule>,
    /// Which groups cannot launch. The first that fits decides.
    pub launches: Vec<LaunchFault>,
    /// Which zones are in trouble.
    pub zones: Vec<ZoneFault>,
    /// Groups (by name) and instances (by id) whose targets are never healthy, whatever a probe says.
    pub never_healthy: Vec<Glob>,
}

/// What happens to one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// How long the answer, if there is one, is held back.
    pub(crate) delay: SignedDuration,
    /// What becomes of the call.
    pub(crate) fate: Fate,
}

impl Faults {
    /// Decides about one call that is made at `now`, and counts it.
    pub(crate) fn judge(&mut self, now: Timestamp, called: &Called, kind: Kind) -> Verdict {
        let mut verdict = Verdict { delay: SignedDuration::ZERO, fate: Fate::Pass };
        for rule in &mut self.rules {
            let decided = match rule.effect {
                Effect::Delay { .. } => !verdict.delay.is_zero(),
                _ => verdict.fate != Fate::Pass,
            };
            if decided || !rule.takes(called, kind) || rule.effect.spends_a_token(now) {
                continue;
            }
            match &rule.effect {
                Effect::Delay { by } => verdict.delay = *by,
                effect => {
                    verdict.fate = effect.fate(called.service, called.action, &called.caller.principal);
                }
            }
        }
        verdict
    }

    /// How far back answers may have to reach.
    pub(crate) fn stalest(&self) -> Option<SignedDuration> {
        self.rules
            .iter()
            .filter_map(|rule| match rule.effect {
                Effect::Stale { by } => Some(by),
                _ => None,
            })
            .max()
    }

    /// The fault that holds for launches of that group.
    pub(crate) fn of_launches(&self, group: &str) -> Option<&LaunchFault> {
        self.launches.iter().find(|fault| fault.group.matches(group))
    }

    /// Whether nothing can be launched in that zone.
    pub(crate) fn forbids_launches_in(&self, zone: &str) -> bool {
        self.zones.iter().any(|fault| fault.zone.matches(zone))
    }

    /// Whether that zone is gone.
    pub(crate) fn took_away(&self, zone: &str) -> bool {
        self.zones.iter().any(|fault| fault.trouble == Trouble::Gone && fault.zone.matches(zone))
    }

    /// Whether that instance, of that group, must not be healthy.
    pub(crate) fn forbids_health(&self, instance: &str, group: Option<&str>) -> bool {
        self.never_healthy
            .iter()
            .any(|glob| glob.matches(instance) || group.is_some_and(|group| glob.matches(group)))
    }
}
