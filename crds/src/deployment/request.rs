//! What may be asked of a Deployment while it runs: the one part of its spec that may change.
//!
//! Each request is a level or is set once, so that asking twice is asking once and nothing is consumed. Which
//! come too late is said by rules at the root of [`Deployment`](super::Deployment), where spec and status meet.

use dryad_machine::state::State;
use dryad_machine::view::{EndRequest, Evaluation, Paused, Request as Asked};
use kube::core::{Message, Rule};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::schema::{among, rule};

/// What is asked of a running Deployment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(inline, transform = rule(
    "!has(oldSelf.end) || (has(self.end) && self.end == oldSelf.end)",
    "an end that was asked for can't be taken back or changed; wait for it, then make a new Deployment",
))]
pub struct Request {
    /// Whether going on is withheld, until the release serves. Deadlines run on.
    pub paused: bool,
    /// Whether healthy instances are proof enough.
    pub skip_evaluation: bool,
    /// Ends the deploy: what served before serves again, and the new group goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<End>,
}

/// Which end is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub enum End {
    /// Stop this.
    Abort,
    /// Go back.
    Rollback,
}

impl From<Request> for Asked {
    fn from(request: Request) -> Self {
        Self {
            paused: if request.paused { Paused::Yes } else { Paused::No },
            evaluation: if request.skip_evaluation { Evaluation::Skipped } else { Evaluation::Full },
            end: request.end.map(|end| match end {
                End::Abort => EndRequest::Abort,
                End::Rollback => EndRequest::Rollback,
            }),
        }
    }
}

/// An end can't be asked for once blue is being retired.
pub(super) fn end_in_time() -> Rule {
    let late = State::ALL.into_iter().filter(|state| state.is_terminal() || *state == State::RetireWait);
    too_late(
        "end",
        "has(self.spec.request.end) && !has(oldSelf.spec.request.end)",
        late,
        "'this Deployment is already ' + self.status.state + '; to change what runs, make a new Deployment, whose \
         spec.from names the one with the release you want'",
    )
}

/// Nor when that is what happens anyway.
pub(super) fn end_before_rollback() -> Rule {
    too_late(
        "end",
        "has(self.spec.request.end) && !has(oldSelf.spec.request.end)",
        [State::Rollback],
        "'this Deployment is rolling back already; wait for its end'",
    )
}

/// A pause can't be asked for once the release serves or is on its way out.
pub(super) fn paused_in_time() -> Rule {
    too_late(
        "paused",
        "self.spec.request.paused && !oldSelf.spec.request.paused",
        after_evaluation(),
        "'this Deployment is already ' + self.status.state + ', and only what comes before RetainWait can be paused; \
         leave request.paused out'",
    )
}

/// Nor can an evaluation be skipped that is over.
pub(super) fn skip_evaluation_in_time() -> Rule {
    too_late(
        "skipEvaluation",
        "self.spec.request.skipEvaluation && !oldSelf.spec.request.skipEvaluation",
        after_evaluation(),
        "'this Deployment is already ' + self.status.state + ', so no evaluation is left to skip; leave \
         request.skipEvaluation out'",
    )
}

fn after_evaluation() -> impl Iterator<Item = State> {
    let late = [State::RetainWait, State::RetireWait, State::Rollback];
    State::ALL.into_iter().filter(move |state| state.is_terminal() || late.contains(state))
}

/// Refuses a request in the write that first asks for it. Writes of status ask for nothing, so they all pass.
fn too_late(field: &str, asked: &str, late: impl IntoIterator<Item = State>, sentence: &str) -> Rule {
    let late = among("oldSelf.status.state", late);
    Rule::new(format!("!({asked}) || !has(oldSelf.status.state) || !({late})"))
        .message(Message::Expression(sentence.to_owned()))
        .field_path(format!(".spec.request.{field}"))
}
