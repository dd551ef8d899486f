//! An Environment's conditions: a fold of its tenure, of how its newest Deployment ended, and of what serves.

use dryad_machine::history::History;
use dryad_machine::state::State;
use dryad_machine::tenure::Tenure;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::deployment::why_it_ended;
use super::{AVAILABLE, Holds, Of, PROJECTED, READY, RECONCILING, STALLED, settled};

/// What an Environment's conditions follow from.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Its `metadata.generation`.
    pub generation: i64,
    /// Turn, holder, deployed state.
    pub tenure: &'a Tenure,
    /// Whether what is deployed was made from the template that the spec holds now.
    pub template: Freshness,
    /// The history of the Deployment that had the newest turn, once that has ended.
    pub newest: Option<&'a History>,
    /// Whether users are served.
    pub service: Service<'a>,
    /// What the cloud does not let the operator do, if anything, in words.
    pub denied: Option<&'a str>,
    /// How the parameter stands, where one is named and something is deployed.
    pub projection: Option<&'a Projection>,
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
/// `Available` is the one to page on. `Stalled` says that the newest release did not make it and that nothing is
/// tried any more; what served before still does.
pub fn conditions(facts: Facts<'_>, previous: &[Condition], now: Timestamp) -> Vec<Condition> {
    let of = Of { generation: facts.generation };
    let mut conditions = vec![ready(of, facts, now), available(of, facts.service, now)];
    conditions.extend(facts.projection.map(|projection| projected(of, projection, now)));
    if facts.tenure.holder.is_some() {
        let message = format!("turn {} is under way", facts.tenure.turn);
        conditions.push(of.condition(RECONCILING, Holds::True, "Deploying", &message, now));
    } else if let Some(message) = facts.newest.and_then(rejection) {
        conditions.push(of.condition(STALLED, Holds::True, "ReleaseRejected", &message, now));
    }
    settled(conditions, previous)
}

fn ready(of: Of, facts: Facts<'_>, now: Timestamp) -> Condition {
    if let Some(denied) = facts.denied {
        return of.condition(READY, Holds::False, "AccessDenied", denied, now);
    }
    let (holds, reason, message) = match (&facts.tenure.deployed, facts.template) {
        (None, _) => {
            (Holds::False, "NothingDeployed", "nothing is deployed yet; create a Deployment".to_owned())
        }
        (Some(deployed), Freshness::Current) => (
            Holds::True,
            "Deployed",
            format!("{}, by Deployment {}", deployed.shipment.release, deployed.deployment),
        ),
        (Some(deployed), Freshness::Outdated) => (
            Holds::False,
            "TemplateChanged",
            format!(
                "target, traffic or checks were changed since Deployment {}; create a Deployment to bring that out",
                deployed.deployment
            ),
        ),
        (Some(deployed), Freshness::Unknown) => (
            Holds::Unknown,
            "DeploymentGone",
            format!("Deployment {} is gone, so nobody can tell what it was made from", deployed.deployment),
        ),
    };
    of.condition(READY, holds, reason, &message, now)
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
fn rejection(newest: &History) -> Option<String> {
    let last = newest.last().filter(|last| last.state == State::Failed)?;
    Some(format!("{}: {}", why_it_ended(newest, last).reason, last.message))
}

#[cfg(test)]
mod tests {
    use dryad_machine::deployed::{Deployed, Shipment};
    use dryad_machine::event::Reason;
    use dryad_machine::name::{Turn, Uid};
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
                "Ready=False(NothingDeployed)@9 Available=False(NotServing)@9",
            ),
            ((&idle, Freshness::Current, None, served), "Ready=True(Deployed)@9 Available=True(Serving)@9"),
            (
                (&idle, Freshness::Outdated, None, served),
                "Ready=False(TemplateChanged)@9 Available=True(Serving)@9",
            ),
            (
                (&idle, Freshness::Unknown, None, Service::Unknown("throttled")),
                "Ready=Unknown(DeploymentGone)@9 Available=Unknown(NotSeen)@9",
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
            let facts =
                Facts { generation: 2, tenure, template, newest, service, denied: None, projection: None };
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
        let template = Freshness::Current;
        let facts =
            Facts { generation: 2, tenure: &idle, template, newest: None, service, denied, projection: None };
        let conditions = conditions(facts, &[], second(9));
        assert_eq!(line(&conditions), "Ready=False(AccessDenied)@9 Available=True(Serving)@9");
        assert_eq!(conditions[0].message, "DescribeRules is denied to the operator");
    }

    #[test]
    fn a_transition_has_its_own_time_and_leaves_the_others_theirs() {
        let (fresh, idle) = (tenure(None, None), tenure(None, Some("web-6")));
        let service = Service::Served("4 of 4 instances are healthy");
        let template = Freshness::Current;
        let facts = |tenure| Facts {
            generation: 2,
            tenure,
            template,
            newest: None,
            service,
            denied: None,
            projection: None,
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
                template: Freshness::Current,
                newest: None,
                service: Service::Served("4 of 4 instances are healthy"),
                denied: None,
                projection: Some(projection),
            };
            let told = line(&conditions(facts, &[], second(9)));
            assert_eq!(told, format!("Ready=True(Deployed)@9 Available=True(Serving)@9 {expected}"));
        }
    }
}
