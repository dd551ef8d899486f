//! How the release that an Environment declares stands: what its `Ready`, `Stalled` and `Drifted` say.

use dryad_machine::deployed::Deployed;
use dryad_machine::history::{Entry, History};
use dryad_machine::name::{Turn, Uid};
use dryad_machine::state::State;
use dryad_machine::tenure::Tenure;

use super::deployment::why_it_ended;
use crate::environment::release::DeclaredRelease;

const NOTHING_RUNS: &str =
    "what was declared does not run any more; change spec.refreshToken to have it deployed";

/// The release that is declared, and what has become of the request for it.
#[derive(Clone, Copy, Debug)]
pub struct Declared<'a> {
    /// The release.
    pub release: &'a DeclaredRelease,
    /// What has become of the request.
    pub request: Request<'a>,
}

/// What has become of the request for a declared release.
#[derive(Clone, Copy, Debug)]
pub enum Request<'a> {
    /// It ran already when it was first declared.
    Found,
    /// A Deployment of this name is being made, or is but was not seen yet.
    Underway(&'a str),
    /// No Deployment can be made, and why.
    Refused(&'a str),
    /// A Deployment was made.
    Made(Made<'a>),
    /// A Deployment was made, and is gone again.
    Gone {
        /// Its name.
        name: &'a str,
        /// Its uid.
        uid: &'a Uid,
    },
}

/// The Deployment that was made for a declared release.
#[derive(Clone, Copy, Debug)]
pub struct Made<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its uid.
    pub uid: &'a Uid,
    /// The turn it took, once it has.
    pub turn: Option<Turn>,
    /// What happened to it.
    pub history: &'a History,
}

/// How a declared release stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is what runs.
    Deployed,
    /// It is being brought in.
    Underway(String),
    /// It is not what runs, and nothing changes that by itself.
    Stalled {
        /// Why, in a word.
        reason: &'static str,
        /// Why, in a sentence.
        message: String,
        /// What runs instead, where somebody has deployed that since.
        drift: Option<String>,
    },
}

/// How the declared release stands in an Environment of this tenure.
pub(super) fn standing(declared: Declared<'_>, tenure: &Tenure) -> Standing {
    let deployed = tenure.deployed.as_ref();
    let drift = deployed.and_then(|deployed| drift(declared.release, deployed));
    match declared.request {
        Request::Underway(name) => Standing::Underway(format!("Deployment {name} is being made")),
        Request::Refused(why) => stalled("RequestRefused", why.to_owned(), None),
        Request::Found => match (deployed, drift) {
            (Some(_), None) => Standing::Deployed,
            (Some(_), Some(drift)) => stalled("Drifted", drift.clone(), Some(drift)),
            (None, _) => stalled("Lost", NOTHING_RUNS.to_owned(), None),
        },
        Request::Gone { uid, .. } if deployed.is_some_and(|deployed| deployed.uid == *uid) => {
            Standing::Deployed
        }
        Request::Gone { .. } if deployed.is_some() && drift.is_none() => Standing::Deployed,
        Request::Gone { name, .. } => {
            let message =
                format!("Deployment {name} was deleted; change spec.refreshToken to have it made again");
            stalled("DeploymentGone", message, drift)
        }
        Request::Made(made) => of_made(made, tenure, drift),
    }
}

fn of_made(made: Made<'_>, tenure: &Tenure, drift: Option<String>) -> Standing {
    let deployed = tenure.deployed.as_ref();
    let underway = || Standing::Underway(format!("Deployment {} is under way", made.name));
    let Some(last) = made.history.last() else { return underway() };
    let is_own = deployed.is_some_and(|deployed| deployed.uid == *made.uid);
    let has_brought = matches!(last.state, State::RetainWait | State::RetireWait | State::Done);
    let since = deployed.filter(|deployed| !is_own && is_later(deployed, made, last));
    match (last.state, since, drift) {
        _ if has_brought && is_own => Standing::Deployed,
        (state, Some(_), None) if state.is_terminal() => Standing::Deployed,
        (State::Done, Some(_), Some(drift)) => stalled("Drifted", drift.clone(), Some(drift)),
        (State::Done, None, _) if made.turn < Some(tenure.turn) => {
            stalled("Lost", NOTHING_RUNS.to_owned(), None)
        }
        (State::Failed | State::Aborted | State::Canceled, since, drift) => {
            let why = why_it_ended(made.history, last);
            let message = format!(
                "Deployment {} has not brought it in ({}: {}); declare another release, or change spec.refreshToken to \
                 try once more",
                made.name, why.reason, why.message
            );
            stalled(ended(last.state), message, drift.filter(|_| since.is_some()))
        }
        // Done, but what runs now was not seen yet; or on its way.
        _ => underway(),
    }
}

/// Whether this was brought in after the request had come to its end.
fn is_later(deployed: &Deployed, made: Made<'_>, last: &Entry) -> bool {
    match made.turn {
        Some(turn) => deployed.turn > turn,
        None => deployed.since > last.at,
    }
}

fn ended(state: State) -> &'static str {
    match state {
        State::Aborted => "ReleaseAborted",
        State::Canceled => "ReleaseCanceled",
        _ => "ReleaseRejected",
    }
}

fn drift(release: &DeclaredRelease, deployed: &Deployed) -> Option<String> {
    let differences = release.differences(&deployed.shipment.release);
    (!differences.is_empty()).then(|| {
        format!(
            "Deployment {} has brought in {}; change spec.refreshToken to have the declared release deployed, or declare \
             what runs",
            deployed.deployment,
            differences.join(", ")
        )
    })
}

fn stalled(reason: &'static str, message: String, drift: Option<String>) -> Standing {
    Standing::Stalled { reason, message, drift }
}
