//! Deployments: in progress until they end, then current or failed.

use dryad_crds::condition::{self, deployment::conditions};
use dryad_machine::event::Reason;
use dryad_machine::history::History;
use dryad_machine::state::State;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::seen;

fn in_state(state: State) -> Value {
    let begun = History::default();
    let begun =
        begun.with(begun.next(State::Pending, None, Reason::Created, "created", Timestamp::UNIX_EPOCH));
    let history = match state {
        State::Pending => begun,
        _ => begun.with(begun.next(state, None, Reason::TurnTaken, "because", Timestamp::UNIX_EPOCH)),
    };
    let status = json!({ "observedGeneration": 1, "conditions": conditions(&history, 1) });
    json!({ "metadata": { "generation": 1 }, "status": status })
}

#[test]
fn a_deployment_is_in_progress_until_it_has_ended_and_then_current_or_failed() {
    for state in State::ALL {
        let expected = match state {
            State::Done => "Current",
            State::Failed | State::Aborted | State::Canceled => "Failed",
            State::Pending
            | State::Resolve
            | State::Prepare
            | State::RolloutWait
            | State::EvaluateWait
            | State::RetainWait
            | State::RetireWait
            | State::Rollback => "InProgress",
        };
        assert_eq!(seen(&in_state(state)), expected, "{state}");
    }
}

#[test]
fn a_deployment_that_cannot_be_gone_by_has_failed() {
    let stalled = condition::stalled(&[], "IllegalHistory", "make a new one", 1, Timestamp::UNIX_EPOCH);
    let status = json!({ "observedGeneration": 1, "conditions": stalled });
    assert_eq!(seen(&json!({ "metadata": { "generation": 1 }, "status": status })), "Failed");
}
