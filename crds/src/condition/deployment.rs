//! A Deployment's conditions: a fold of its history.

use dryad_machine::history::{Entry, History};
use dryad_machine::state::State;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::{ENDED, Holds, Of, READY, RECONCILING, STALLED, SUCCEEDED};

/// The conditions of a Deployment with this history, about this generation of it; none before its first entry.
///
/// While it runs, `Succeeded` and `Ready` are unknown. At its end both are decided, one more condition has the name of
/// the terminal state, and `Ended` is there, whichever that is: `kubectl wait` waits for one value only, so that whoever
/// waits for success would not see a failure. An end other than `Done` is `Stalled`: nothing will happen to this object
/// any more.
pub fn conditions(history: &History, generation: i64) -> Vec<Condition> {
    let (Some(first), Some(last)) = (history.entries().first(), history.last()) else { return Vec::new() };
    let of = Of { generation };
    let begun = |type_, holds| {
        let message = format!("{}: {}", last.state, last.message);
        of.condition(type_, holds, last.reason.name(), &message, first.at)
    };
    let ended = |type_, holds| {
        let reason = why_it_ended(history, last).reason.name();
        of.condition(type_, holds, reason, &last.message, last.at)
    };
    let state = last.state.name();
    match last.state {
        State::Pending
        | State::Resolve
        | State::Prepare
        | State::RolloutWait
        | State::EvaluateWait
        | State::RetainWait
        | State::RetireWait
        | State::Rollback => vec![
            begun(SUCCEEDED, Holds::Unknown),
            begun(READY, Holds::Unknown),
            begun(RECONCILING, Holds::True),
        ],
        State::Done => {
            vec![
                ended(SUCCEEDED, Holds::True),
                ended(READY, Holds::True),
                ended(state, Holds::True),
                ended(ENDED, Holds::True),
            ]
        }
        State::Failed | State::Aborted | State::Canceled => vec![
            ended(SUCCEEDED, Holds::False),
            ended(READY, Holds::False),
            ended(STALLED, Holds::True),
            ended(state, Holds::True),
            ended(ENDED, Holds::True),
        ],
    }
}

/// The entry whose reason tells most about an end: what began the rollback, if there was one.
pub(super) fn why_it_ended<'a>(history: &'a History, last: &'a Entry) -> &'a Entry {
    history.rollback().unwrap_or(last)
}

#[cfg(test)]
mod tests {
    use dryad_machine::event::Reason;

    use super::super::tests::{line, second};
    use super::*;

    /// A history of one entry a second, from second 1 on.
    fn history(entries: &[(State, Reason)]) -> History {
        entries.iter().zip(1..).fold(History::default(), |history, ((state, reason), at)| {
            let entry = history.next(*state, None, *reason, "because", second(at));
            history.with(entry)
        })
    }

    #[test]
    fn conditions_follow_from_the_history() {
        use Reason::{
            AbortRequested, CheckFailed, Created, EvaluateOk, ReleaseRejected, RetainElapsed, RetireOk,
            RollbackOk, Superseded, TurnTaken,
        };
        use State::{
            Aborted, Canceled, Done, EvaluateWait, Failed, Pending, Resolve, RetainWait, RetireWait, Rollback,
        };
        let table: &[(&[(State, Reason)], &str)] = &[
            (&[], ""),
            (
                &[(Pending, Created)],
                "Succeeded=Unknown(Created)@1 Ready=Unknown(Created)@1 Reconciling=True(Created)@1",
            ),
            (
                &[(Pending, Created), (Resolve, TurnTaken)],
                "Succeeded=Unknown(TurnTaken)@1 Ready=Unknown(TurnTaken)@1 Reconciling=True(TurnTaken)@1",
            ),
            (
                &[(Pending, Created), (EvaluateWait, TurnTaken), (Rollback, CheckFailed)],
                "Succeeded=Unknown(CheckFailed)@1 Ready=Unknown(CheckFailed)@1 Reconciling=True(CheckFailed)@1",
            ),
            (
                &[
                    (Pending, Created),
                    (RetainWait, EvaluateOk),
                    (RetireWait, RetainElapsed),
                    (Done, RetireOk),
                ],
                "Succeeded=True(RetireOk)@4 Ready=True(RetireOk)@4 Done=True(RetireOk)@4 Ended=True(RetireOk)@4",
            ),
            (
                &[(Pending, Created), (Resolve, TurnTaken), (Failed, ReleaseRejected)],
                "Succeeded=False(ReleaseRejected)@3 Ready=False(ReleaseRejected)@3 Stalled=True(ReleaseRejected)@3 \
                 Failed=True(ReleaseRejected)@3 Ended=True(ReleaseRejected)@3",
            ),
            (
                &[(Pending, Created), (Rollback, CheckFailed), (Failed, RollbackOk)],
                "Succeeded=False(CheckFailed)@3 Ready=False(CheckFailed)@3 Stalled=True(CheckFailed)@3 \
                 Failed=True(CheckFailed)@3 Ended=True(CheckFailed)@3",
            ),
            (
                &[(Pending, Created), (Rollback, AbortRequested), (Aborted, RollbackOk)],
                "Succeeded=False(AbortRequested)@3 Ready=False(AbortRequested)@3 Stalled=True(AbortRequested)@3 \
                 Aborted=True(AbortRequested)@3 Ended=True(AbortRequested)@3",
            ),
            (
                &[(Pending, Created), (Canceled, Superseded)],
                "Succeeded=False(Superseded)@2 Ready=False(Superseded)@2 Stalled=True(Superseded)@2 \
                 Canceled=True(Superseded)@2 Ended=True(Superseded)@2",
            ),
        ];
        for (entries, expected) in table {
            let conditions = conditions(&history(entries), 3);
            assert_eq!(line(&conditions), *expected, "{entries:?}");
            assert!(conditions.iter().all(|condition| condition.observed_generation == Some(3)));
        }
    }

    #[test]
    fn every_state_either_goes_on_or_has_ended_for_a_watcher() {
        for state in State::ALL.into_iter().filter(|state| *state != State::Pending) {
            let conditions =
                conditions(&history(&[(State::Pending, Reason::Created), (state, Reason::Created)]), 1);
            let is_there = |type_: &str| conditions.iter().any(|condition| condition.type_ == type_);
            assert_eq!(is_there(state.name()), state.is_terminal(), "{state}");
            assert_eq!(is_there(ENDED), state.is_terminal(), "{state}");
            assert_eq!(is_there(RECONCILING), !state.is_terminal(), "{state}");
            assert_eq!(is_there(STALLED), state.is_terminal() && state != State::Done, "{state}");
        }
    }
}
