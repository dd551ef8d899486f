//! An Environment's conditions: a fold of its tenure, of what it declares, of how its newest Deployment ended, and of
//! what serves.

use dryad_machine::history::History;
use dryad_machine::name::Uid;
use dryad_machine::state::State;
use dryad_machine::tenure::Tenure;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::declared::{Declared, Standing, standing};
use super::deployment::why_it_ended;
use super::{AVAILABLE, DRIFTED, Holds, LEFTOVERS, Of, PROJECTED, READY, RECONCILING, STALLED, settled};

/// The reason of an Environment that names more than it may.
const NOT_PERMITTED: &str = "NotPermitted";

/// What an Environment's conditions follow from.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Its `metadata.generation`.
    pub generation: i64,
    /// Turn, holder, deployed state.
    pub tenure: &'a Tenure,
    /// What the Deployment whose turn it is still has to do.
    pub turn: InTurn,
    /// Whether what is deployed was made from the template that the spec holds now.
    pub template: Freshness,
    /// The release that the spec declares, if it does.
    pub declared: Option<Declared<'a>>,
    /// The history of the Deployment that had the newest turn, once that has ended.
    pub newest: Option<&'a History>,
    /// Whether users are served.
    pub service: Service<'a>,
    /// What the cloud does not let the operator do, if anything, in words.
    pub denied: Option<&'a str>,
    /// Why another Environment may use what this one names; none where it may itself.
    pub conflict: Option<&'a str>,
    /// How the parameter stands, where one is named and something is deployed.
    pub projection: Option<&'a Projection>,
    /// Whether it names only what its namespace may name.
    pub permission: Permission<'a>,
    /// What is left in the cloud that nobody accounts for.
    pub leftovers: Leftovers<'a>,
}

/// What is left in the cloud that the ledger does not know, in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leftovers<'a> {
    /// Nobody has looked yet: what was said before stands.
    Unknown,
    /// Nothing.
    None,
    /// Something that is left alone.
    Some(&'a str),
}

/// How the parameter stands that is to say what is deployed.
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
    conditions.extend(facts.projection.map(|projection| projected(of, projection, now)));
    let mut add = |type_, reason, message: &str| {
        conditions.push(of.condition(type_, Holds::True, reason, message, now));
    };
    let permitted = facts.permission == Permission::Granted;
    let rejection = rejection(facts).filter(|_| permitted && standing.is_none());
    match (&standing, facts.turn, &rejection) {
        (_, InTurn::Nobody, _) if facts.conflict.is_some() => add(STALLED, ready.reason, &ready.message),
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
        Leftovers::Unknown => {
            conditions.extend(previous.iter().find(|before| before.type_ == LEFTOVERS).cloned());
        }
        Leftovers::None => {}
        Leftovers::Some(message) => {
            conditions.push(of.condition(LEFTOVERS, Holds::True, "LeftAlone", message, now));
        }
    }
    settled(conditions, previous)
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
    match standing {
        Some(Standing::Underway(message)) => return no("Deploying", message.clone()),
        Some(Standing::Stalled { reason, message, .. }) => return no(reason, message.clone()),
        Some(Standing::Deployed) | None => {}
    }
    let Some(deployed) = &facts.tenure.deployed else {
        return no("NothingDeployed", "nothing is deployed yet; create a Deployment".to_owned());
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
        Service::Unknown(message) => (Holds::Unknown, "NotSeen", message),
    };
    of.condition(AVAILABLE, holds, reason, message, now)
}

fn projected(of: Of, projection: &Projection, now: Timestamp) -> Condition {
    let (holds, reason, message) = match projection {
        Projection::Written(message) => (Holds::True, "Written", message),
        Projection::Withheld { reason, message } => (Holds::False, *reason, message),
        Projection::Unknown(message) => (Holds::Unknown, "NotSeen", message),
    };
    of.condition(PROJECTED, holds, reason, message, now)
}

/// Why the newest release was rejected, if it was. Somebody's abort rejects nothing.
fn rejection(facts: Facts<'_>) -> Option<String> {
    let newest = facts.newest?;
    let last = newest.last().filter(|last| last.state == State::Failed)?;
    Some(format!("{}: {}", why_it_ended(newest, last).reason, last.message))
}

#[cfg(test)]
mod tests {
    use dryad_machine::deployed::{Deployed, Shipment};
    use dryad_machine::event::Reason;
    use dryad_machine::name::Turn;
    use dryad_machine::release::Release;

    use super::super::tests::{line, second};
    use super::*;

    fn tenure(holder: Option<&str>, deployed: Option<&str>) -> Tenure {
        Tenure {
            turn: Turn::new(7),
            holder: holder.map(Uid::new),
            groups: Vec::new(),
            deployed: deployed.map(|deployment| Deployed {
                shipment: Shipment { release: Release::default(), committed_at: None, subject: None },
                deployment: deployment.to_owned(),
                uid: Uid::new("u"),
                turn: Turn::new(6),
                since: second(1),
            }),
            restored: None,
        }
    }

    fn ended(state: State, reason: Reason) -> History {
        let begun = History::default();
        let begun = begun.with(begun.next(State::Pending, None, Reason::Created, "", second(1)));
        begun.with(begun.next(state, None, reason, "no such commit", second(2)))
    }

    #[test]
    fn conditions_follow_from_tenure_template_and_the_newest_end() {
        let rejected = ended(State::Failed, Reason::ReleaseRejected);
        let aborted = ended(State::Aborted, Reason::AbortRequested);
        let (idle, busy) = (tenure(None, Some("web-6")), tenure(Some("u7"), Some("web-6")));
        let fresh = tenure(None, None);
        let served = Service::Served("4 of 4 instances are healthy");
        let table = [
            (
                (&fresh, Freshness::Unknown, None, Service::Unserved("there are no instances")),
                "Ready=False(NothingDeployed)@9 Available=False(NotServing)@9 Stalled=True(NothingDeployed)@9",
            ),
            ((&idle, Freshness::Current, None, served), "Ready=True(Deployed)@9 Available=True(Serving)@9"),
            (
                (&idle, Freshness::Outdated, None, served),
                "Ready=False(TemplateChanged)@9 Available=True(Serving)@9 Stalled=True(TemplateChanged)@9",
            ),
            (
                (&idle, Freshness::Unknown, None, Service::Unknown("throttled")),
                "Ready=Unknown(DeploymentGone)@9 Available=Unknown(NotSeen)@9 Stalled=True(DeploymentGone)@9",
            ),
            (
                (&busy, Freshness::Current, Some(&rejected), served),
                "Ready=True(Deployed)@9 Available=True(Serving)@9 Reconciling=True(Deploying)@9",
            ),
            (
                (&idle, Freshness::Current, Some(&rejected), served),
                "Ready=True(Deployed)@9 Available=True(Serving)@9 Stalled=True(ReleaseRejected)@9",
            ),
            (
                (&idle, Freshness::Current, Some(&aborted), served),
                "Ready=True(Deployed)@9 Available=True(Serving)@9",
            ),
        ];
        for ((tenure, template, newest, service), expected) in table {
            let turn = InTurn::of(tenure, |_| Some(State::RolloutWait));
            let permission = Permission::Granted;
            let facts = Facts {
                generation: 2,
                tenure,
                turn,
                template,
                declared: None,
                newest,
                service,
                denied: None,
                conflict: None,
                projection: None,
                permission,
                leftovers: Leftovers::None,
            };
            let first = conditions(facts, &[], second(9));
            assert_eq!(line(&first), expected);
            assert_eq!(
                conditions(facts, &first, second(50)),
                first,
                "nothing changed, so nothing is to be written"
            );
        }
    }

    #[test]
    fn what_the_cloud_denies_is_what_keeps_it_from_being_ready() {
        let idle = tenure(None, Some("web-6"));
        let service = Service::Served("4 of 4 instances are healthy");
        let denied = Some("DescribeRules is denied to the operator");
        let (template, permission) = (Freshness::Current, Permission::Granted);
        let turn = InTurn::Nobody;
        let facts = Facts {
            generation: 2,
            tenure: &idle,
            turn,
            template,
            declared: None,
            newest: None,
            service,
            denied,
            conflict: None,
            projection: None,
            permission,
            leftovers: Leftovers::None,
        };
        let conditions = conditions(facts, &[], second(9));
        assert_eq!(
            line(&conditions),
            "Ready=False(AccessDenied)@9 Available=True(Serving)@9 Stalled=True(AccessDenied)@9"
        );
        assert_eq!(conditions[0].message, "DescribeRules is denied to the operator");
    }

    #[test]
    fn an_environment_that_is_not_permitted_says_so_before_all_else_and_still_serves() {
        let rejected = ended(State::Failed, Reason::NotPermitted);
        let (idle, busy) = (tenure(None, Some("web-6")), tenure(Some("u7"), Some("web-6")));
        let table = [
            (&idle, "Ready=False(NotPermitted)@9 Available=True(Serving)@9 Stalled=True(NotPermitted)@9"),
            (&busy, "Ready=False(NotPermitted)@9 Available=True(Serving)@9 Reconciling=True(Deploying)@9"),
        ];
        for (tenure, expected) in table {
            let facts = Facts {
                generation: 2,
                tenure,
                turn: InTurn::of(tenure, |_| Some(State::RolloutWait)),
                template: Freshness::Current,
                declared: None,
                newest: Some(&rejected),
                service: Service::Served("4 of 4 instances are healthy"),
                denied: Some("DescribeRules is denied to the operator"),
                conflict: Some("Environment shop/api uses it, too"),
                projection: None,
                permission: Permission::Refused("accounts lacks production"),
                leftovers: Leftovers::None,
            };
            let conditions = conditions(facts, &[], second(9));
            assert_eq!(line(&conditions), expected);
            assert_eq!(conditions[0].message, "accounts lacks production");
        }
    }

    #[test]
    fn a_conflict_stalls_an_environment_that_has_no_turn_whatever_it_declares() {
        let (idle, busy) = (tenure(None, Some("web-6")), tenure(Some("u7"), Some("web-6")));
        let told = |tenure: &Tenure| {
            let facts = Facts {
                generation: 2,
                tenure,
                turn: InTurn::of(tenure, |_| Some(State::RolloutWait)),
                template: Freshness::Current,
                declared: None,
                newest: None,
                service: Service::Served("web-6 serves"),
                denied: None,
                conflict: Some("Environment shop/api uses it, too"),
                projection: None,
                permission: Permission::Granted,
                leftovers: Leftovers::None,
            };
            line(&conditions(facts, &[], second(9)))
        };
        let (ready, available) = ("Ready=False(TargetConflict)@9", "Available=True(Serving)@9");
        assert_eq!(told(&idle), format!("{ready} {available} Stalled=True(TargetConflict)@9"));
        assert_eq!(told(&busy), format!("{ready} {available} Reconciling=True(Deploying)@9"));
    }

    #[test]
    fn a_transition_has_its_own_time_and_leaves_the_others_theirs() {
        let (fresh, idle) = (tenure(None, None), tenure(None, Some("web-6")));
        let service = Service::Served("4 of 4 instances are healthy");
        let facts = |tenure| Facts {
            generation: 2,
            tenure,
            turn: InTurn::Nobody,
            template: Freshness::Current,
            declared: None,
            newest: None,
            service,
            denied: None,
            conflict: None,
            projection: None,
            permission: Permission::Granted,
            leftovers: Leftovers::None,
        };
        let before = conditions(facts(&fresh), &[], second(9));
        let after = conditions(facts(&idle), &before, second(20));
        assert_eq!(line(&after), "Ready=True(Deployed)@20 Available=True(Serving)@9");
    }

    #[test]
    fn how_the_parameter_stands_is_told_where_there_is_one() {
        let idle = tenure(None, Some("web-6"));
        let message = || "a sentence".to_owned();
        let table = [
            (Projection::Written(message()), "Projected=True(Written)@9"),
            (Projection::Withheld { reason: "Foreign", message: message() }, "Projected=False(Foreign)@9"),
            (Projection::Unknown(message()), "Projected=Unknown(NotSeen)@9"),
        ];
        for (projection, expected) in &table {
            let facts = Facts {
                generation: 2,
                tenure: &idle,
                turn: InTurn::Nobody,
                template: Freshness::Current,
                declared: None,
                newest: None,
                service: Service::Served("4 of 4 instances are healthy"),
                denied: None,
                conflict: None,
                projection: Some(projection),
                permission: Permission::Granted,
                leftovers: Leftovers::None,
            };
            let told = line(&conditions(facts, &[], second(9)));
            assert_eq!(told, format!("Ready=True(Deployed)@9 Available=True(Serving)@9 {expected}"));
        }
    }

    #[test]
    fn a_deployment_that_is_deleted_takes_back_nothing_that_was_known_of_this_generation() {
        let idle = tenure(None, Some("web-6"));
        let facts = |generation, template| Facts {
            generation,
            tenure: &idle,
            turn: InTurn::Nobody,
            template,
            declared: None,
            newest: None,
            service: Service::Served("g serves"),
            denied: None,
            conflict: None,
            projection: None,
            permission: Permission::Granted,
            leftovers: Leftovers::None,
        };
        let known = conditions(facts(2, Freshness::Current), &[], second(9));
        assert_eq!(conditions(facts(2, Freshness::Unknown), &known, second(20)), known);
        let edited = conditions(facts(3, Freshness::Unknown), &known, second(20));
        assert!(line(&edited).starts_with("Ready=Unknown(DeploymentGone)@20"), "{}", line(&edited));
    }

    #[test]
    fn a_deploy_is_under_way_until_its_release_is_deployed_and_again_when_that_is_taken_back() {
        let (mut busy, idle) = (tenure(Some("u"), Some("web-6")), tenure(None, Some("web-6")));
        let in_turn = |tenure: &Tenure, state| InTurn::of(tenure, |_| state);
        assert_eq!(in_turn(&idle, None), InTurn::Nobody);
        for state in [State::RetainWait, State::RetireWait, State::Done] {
            assert_eq!(in_turn(&busy, Some(state)), InTurn::Clearing);
        }
        assert_eq!(in_turn(&busy, Some(State::Rollback)), InTurn::Bringing);
        assert_eq!(in_turn(&busy, None), InTurn::Bringing);
        busy.holder = Some(Uid::new("another"));
        assert_eq!(in_turn(&busy, Some(State::RetainWait)), InTurn::Bringing, "it is not deployed yet");
    }

    #[test]
    fn what_is_left_behind_is_told_while_it_is_there() {
        let idle = tenure(None, Some("web-6"));
        let told = |leftovers, previous: &[Condition]| {
            let facts = Facts {
                generation: 2,
                tenure: &idle,
                turn: InTurn::Nobody,
                template: Freshness::Current,
                declared: None,
                newest: None,
                service: Service::Served("web-6 serves"),
                denied: None,
                conflict: None,
                projection: None,
                permission: Permission::Granted,
                leftovers,
            };
            conditions(facts, previous, second(9))
        };
        let some = told(Leftovers::Some("web-9: requests may reach it"), &[]);
        let serving = "Ready=True(Deployed)@9 Available=True(Serving)@9";
        assert_eq!(line(&some), format!("{serving} Leftovers=True(LeftAlone)@9"));
        assert_eq!(
            told(Leftovers::Unknown, &some),
            some,
            "a process that has not looked yet takes nothing back"
        );
        assert_eq!(line(&told(Leftovers::None, &some)), serving);
    }
}
