//! An Environment's conditions: a fold of its tenure, of what it declares, of how its newest Deployment ended, and of
//! what serves.

use dryad_machine::history::History;
use dryad_machine::name::Uid;
use dryad_machine::state::State;
use dryad_machine::tenure::Tenure;
use dryad_machine::view::Past;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::declared::{Declared, Standing, standing};
use super::deployment::why_it_ended;
use super::{
    AVAILABLE, DRIFTED, Holds, LEFTOVERS, Of, PROJECTED, READY, RECONCILING, STALLED, settled, stalled,
};

/// The reason of an Environment that names more than it may.
const NOT_PERMITTED: &str = "NotPermitted";
/// The reason of what nobody knows because the cloud was not seen.
const NOT_SEEN: &str = "NotSeen";

/// What an Environment's conditions follow from.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Its `metadata.generation`.
    pub generation: i64,
    /// Turn, holder, deployed state.
    pub tenure: &'a Tenure,
    /// Whether it is known that these are not older than the groups.
    pub past: Past,
    /// What the Deployment whose turn it is still has to do.
    pub turn: InTurn,
    /// Whether what is deployed was made from the template that the spec holds now.
    pub template: Freshness,
    /// The release that the spec declares, if it does.
    pub declared: Option<Declared<'a>>,
    /// The Deployment that had the newest turn, once that has ended.
    pub newest: Option<Newest<'a>>,
    /// Whether users are served.
    pub service: Service<'a>,
    /// What the cloud does not let the operator do, if anything, in words.
    pub denied: Option<&'a str>,
    /// Why another Environment may use what this one names; none where it may itself.
    pub conflict: Option<&'a str>,
    /// How the parameter stands that is to say what is deployed.
    pub parameter: Parameter<'a>,
    /// Whether it names only what its namespace may name.
    pub permission: Permission<'a>,
    /// Why nothing can be launched from what it says, whatever the release, in words.
    pub flaw: Option<&'a str>,
    /// What is left in the cloud that nobody accounts for.
    pub leftovers: Leftovers<'a>,
}

/// A Deployment that has ended.
#[derive(Clone, Copy, Debug)]
pub struct Newest<'a> {
    /// Its name.
    pub name: &'a str,
    /// What happened to it.
    pub history: &'a History,
}

/// What is left in the cloud that the ledger does not know, or that does not go, in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leftovers<'a> {
    /// Nobody has looked yet: what was said before stands.
    Unknown,
    /// Nothing.
    None,
    /// Something that is left alone.
    Some(&'a str),
}

/// What is known of the parameter that is to say what is deployed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameter<'a> {
    /// There is nothing to be said: none is named, or may be, or nothing is deployed.
    None,
    /// Nobody has looked yet: what was said before stands.
    Unseen,
    /// It stands so.
    Seen(&'a Projection),
}

/// How a parameter stands that is to say what is deployed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Projection {
    /// It says so; that in words.
    Written(String),
    /// It is not written until somebody does something.
    Withheld {
        /// One word.
        reason: &'static str,
        /// What to do.
        message: String,
    },
    /// Nobody knows, for a reason that may pass.
    Unknown(String),
}

/// What the Deployment whose turn it is still has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InTurn {
    /// There is none.
    Nobody,
    /// To bring its release in, or to take it back.
    Bringing,
    /// To clear away what served before: its release is deployed.
    Clearing,
}

impl InTurn {
    /// By who holds the turn, and the state that one is known to be in.
    pub fn of(tenure: &Tenure, state: impl FnOnce(&Uid) -> Option<State>) -> Self {
        let Some(holder) = &tenure.holder else { return Self::Nobody };
        let is_deployed = tenure.deployed.as_ref().is_some_and(|deployed| deployed.uid == *holder);
        match state(holder) {
            Some(State::RetainWait | State::RetireWait | State::Done) if is_deployed => Self::Clearing,
            _ => Self::Bringing,
        }
    }
}

/// How what is deployed relates to what the spec says now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// It was made from this template.
    Current,
    /// The template has been changed since.
    Outdated,
    /// Nobody can tell, as the Deployment that brought it is gone.
    Unknown,
}

/// Whether an Environment names only what the operator's configuration lets its namespace name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission<'a> {
    /// It does.
    Granted,
    /// It does not; what is missing, in words.
    Refused(&'a str),
}

/// Whether users are served, in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service<'a> {
    /// They are.
    Served(&'a str),
    /// They are not.
    Unserved(&'a str),
    /// The cloud was not seen, or not lately.
    Unknown(&'a str),
}

/// The conditions of an Environment, with `previous` for the times of those that stay as they are.
///
/// `Available` is the one to page on. An Environment on which nobody is at work is either `Ready` or `Stalled`, so
/// that whoever waits for it sees an end: `Stalled` says that nothing moves until somebody does something, and what
/// served before still does. `Drifted` says what was deployed by hand over what is declared.
pub fn conditions(facts: Facts<'_>, previous: &[Condition], now: Timestamp) -> Vec<Condition> {
    let of = Of { generation: facts.generation };
    let standing = facts.declared.map(|declared| standing(declared, facts.tenure));
    let ready = ready(facts, standing.as_ref(), previous);
    let mut conditions = vec![
        of.condition(READY, ready.holds, ready.reason, &ready.message, now),
        available(of, facts.service, now),
    ];
    let as_before = |type_| previous.iter().find(move |before| before.type_ == type_).cloned();
    match facts.parameter {
        Parameter::None => {}
        Parameter::Unseen => conditions.extend(as_before(PROJECTED)),
        Parameter::Seen(projection) => conditions.push(projected(of, projection, now)),
    }
    let mut add = |type_, reason, message: &str| {
        conditions.push(of.condition(type_, Holds::True, reason, message, now));
    };
    let permitted = facts.permission == Permission::Granted;
    let rejection = rejection(facts).filter(|_| permitted && standing.is_none());
    match (&standing, facts.turn, &rejection) {
        (_, InTurn::Nobody, _) if facts.conflict.is_some() => add(STALLED, ready.reason, &ready.message),
        (_, InTurn::Nobody, _) if ready.reason == NOT_SEEN => add(RECONCILING, NOT_SEEN, &ready.message),
        (Some(Standing::Underway(message)), _, _) => add(RECONCILING, "Deploying", message),
        (_, InTurn::Bringing, _) => {
            add(RECONCILING, "Deploying", &format!("turn {} is under way", facts.tenure.turn));
        }
        (_, InTurn::Nobody, Some(why)) => add(STALLED, "ReleaseRejected", why),
        (_, InTurn::Nobody | InTurn::Clearing, _) if ready.holds != Holds::True => {
            add(STALLED, ready.reason, &ready.message);
        }
        (_, InTurn::Nobody | InTurn::Clearing, _) => {}
    }
    if let Some(Standing::Stalled { drift: Some(drift), .. }) = &standing {
        add(DRIFTED, "ManualDeploy", drift);
    }
    match facts.leftovers {
        Leftovers::Unknown => conditions.extend(as_before(LEFTOVERS)),
        Leftovers::None => {}
        Leftovers::Some(message) => {
            conditions.push(of.condition(LEFTOVERS, Holds::True, "LeftAlone", message, now));
        }
    }
    settled(conditions, previous)
}

/// The conditions while a record is brought up to groups that are newer than it: what it says of who serves may be about a
/// group that is gone. All else stays as it is.
pub fn outdated(previous: &[Condition], generation: i64, now: Timestamp) -> Vec<Condition> {
    const WHY: &str = "its record is older than its groups, and is being brought up to them";
    let of = Of { generation };
    let at_work = of.condition(RECONCILING, Holds::True, "Adopting", WHY, now);
    let others = without(previous, &[AVAILABLE, RECONCILING, STALLED]);
    settled(others.chain([available(of, Service::Unknown(WHY), now), at_work]).collect(), previous)
}

/// The conditions while a record is older than its groups and nobody can tell which of them is to serve. It stalls until a
/// person has decided, and what the record says of who serves counts as little.
pub fn undecided(
    previous: &[Condition],
    reason: &str,
    why: &str,
    generation: i64,
    now: Timestamp,
) -> Vec<Condition> {
    let others: Vec<_> = without(previous, &[AVAILABLE]).collect();
    let mut conditions = stalled(&others, reason, why, generation, now);
    conditions.push(available(Of { generation }, Service::Unknown(why), now));
    settled(conditions, previous)
}

fn without(conditions: &[Condition], types: &[&str]) -> impl Iterator<Item = Condition> {
    conditions.iter().filter(|condition| !types.contains(&condition.type_.as_str())).cloned()
}

/// Whether this generation is deployed, and why.
struct Ready {
    holds: Holds,
    reason: &'static str,
    message: String,
}

fn ready(facts: Facts<'_>, standing: Option<&Standing>, previous: &[Condition]) -> Ready {
    let no = |reason, message| Ready { holds: Holds::False, reason, message };
    if let Permission::Refused(message) = facts.permission {
        return no(NOT_PERMITTED, message.to_owned());
    }
    if let Some(denied) = facts.denied {
        return no("AccessDenied", denied.to_owned());
    }
    if let Some(conflict) = facts.conflict {
        return no("TargetConflict", conflict.to_owned());
    }
    if let Some(flaw) = facts.flaw {
        return no("TemplateInvalid", flaw.to_owned());
    }
    match standing {
        Some(Standing::Underway(message)) => return no("Deploying", message.clone()),
        Some(Standing::Stalled { reason, message, .. }) => return no(reason, message.clone()),
        Some(Standing::Deployed) | None => {}
    }
    let Some(deployed) = &facts.tenure.deployed else {
        return match facts.past {
            Past::Known => no("NothingDeployed", "nothing is deployed yet; create a Deployment".to_owned()),
            Past::Unknown => Ready {
                holds: Holds::Unknown,
                reason: NOT_SEEN,
                message: "nothing is recorded as deployed, and the cloud does not say whether groups are there; this \
                          is asked again until it does"
                    .to_owned(),
            },
        };
    };
    let how = match standing {
        Some(_) => "change spec.refreshToken",
        None => "create a Deployment",
    };
    let name = &deployed.deployment;
    match facts.template {
        Freshness::Current => is_deployed(format!("{}, by Deployment {name}", deployed.shipment.release)),
        Freshness::Outdated => no(
            "TemplateChanged",
            format!("target or traffic were changed since Deployment {name}; {how} to bring that out"),
        ),
        Freshness::Unknown => match known(facts.generation, previous) {
            Some(message) => is_deployed(message.to_owned()),
            None => Ready {
                holds: Holds::Unknown,
                reason: "DeploymentGone",
                message: format!(
                    "Deployment {name} is gone, so nobody can tell what it was made from; {how} to make that sure"
                ),
            },
        },
    }
}

fn is_deployed(message: String) -> Ready {
    Ready { holds: Holds::True, reason: "Deployed", message }
}

/// What was said when this generation was known to be deployed: a Deployment that is deleted takes nothing back.
fn known(generation: i64, previous: &[Condition]) -> Option<&str> {
    let known = |condition: &&Condition| {
        condition.type_ == READY
            && condition.status == Holds::True.name()
            && condition.observed_generation == Some(generation)
    };
    previous.iter().find(known).map(|condition| condition.message.as_str())
}

fn available(of: Of, service: Service<'_>, now: Timestamp) -> Condition {
    let (holds, reason, message) = match service {
        Service::Served(message) => (Holds::True, "Serving", message),
        Service::Unserved(message) => (Holds::False, "NotServing", message),
        Service::Unknown(message) => (Holds::Unknown, NOT_SEEN, message),
    };
    of.condition(AVAILABLE, holds, reason, message, now)
}

fn projected(of: Of, projection: &Projection, now: Timestamp) -> Condition {
    let (holds, reason, message) = match projection {
        Projection::Written(message) => (Holds::True, "Written", message),
        Projection::Withheld { reason, message } => (Holds::False, *reason, message),
        Projection::Unknown(message) => (Holds::Unknown, NOT_SEEN, message),
    };
    of.condition(PROJECTED, holds, reason, message, now)
}

/// Why the newest release was rejected, if it was. Somebody's abort rejects nothing, and a Deployment that failed before it
/// could launch anything has said so itself and left the Environment as it was.
fn rejection(facts: Facts<'_>) -> Option<String> {
    let Newest { name, history } = facts.newest?;
    let last = history.last().filter(|last| last.state == State::Failed)?;
    history.rollback()?;
    let why = why_it_ended(history, last);
    Some(format!(
        "Deployment {name} has not brought its release in ({}: {}); create another Deployment",
        why.reason, why.message
    ))
}

#[cfg(test)]
mod tests;
