//! The table: what each event means in each state.
//!
//! It is data. [`answer`] is the one place that says what follows what; the diagram in the documentation is
//! drawn from it, and [`resolve`] turns the few answers that depend on more than (state, event) into a state.

use crate::event::{Event, Reason};
use crate::state::State;

/// What the table answers to an event in a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing happens, nothing is recorded.
    Stay,
    /// On to this state.
    Go(State),
    /// On to the next step's `RolloutWait`, or to `RetainWait` after the last step.
    NextStep,
    /// To `Rollback`, but only while green carries no traffic.
    RollbackBeforeTraffic,
    /// To `Rollback`, but only while blue is viable.
    RollbackOntoViableBlue,
    /// The end that belongs to what began the rollback.
    EndOfRollback,
    /// The same where traffic is on blue; else green keeps serving and the deploy is `Failed`, `BlueLost`.
    GiveUpRollback,
}

/// The table. Exhaustive on purpose: a new state or event does not compile until it has its answers.
// Merging equal answers across states would save lines and lose the rows.
#[allow(clippy::match_same_arms)]
pub const fn answer(state: State, event: Event) -> Answer {
    use Answer::{
        EndOfRollback, GiveUpRollback, Go, NextStep, RollbackBeforeTraffic, RollbackOntoViableBlue, Stay,
    };
    use Event::{Deleted, EndRequested, Failed, GreenLost, Ok, Orphaned, Restored, Superseded, TimedOut};
    match (state, event) {
        (State::Pending, Ok) => Go(State::Resolve),
        (State::Pending, Failed | TimedOut | GreenLost) => Stay,
        (State::Pending, EndRequested | Deleted | Superseded) => Go(State::Canceled),
        (State::Pending, Orphaned) => Stay,

        (State::Resolve, Ok) => Go(State::Prepare),
        (State::Resolve, Failed | TimedOut) => Go(State::Failed),
        (State::Resolve, GreenLost) => Stay,
        (State::Resolve, EndRequested | Deleted) => Go(State::Aborted),
        (State::Resolve, Superseded) => Go(State::Canceled),
        (State::Resolve, Orphaned) => Go(State::Failed),

        (State::Prepare, Ok) => Go(State::RolloutWait),
        (State::Prepare, Failed | TimedOut | EndRequested | Deleted | Superseded) => Go(State::Rollback),
        (State::Prepare, GreenLost) => Stay,
        (State::Prepare, Orphaned) => Go(State::Failed),

        (State::RolloutWait, Ok) => Go(State::EvaluateWait),
        (State::EvaluateWait, Ok) => NextStep,
        (
            State::RolloutWait | State::EvaluateWait,
            Failed | TimedOut | GreenLost | EndRequested | Deleted,
        ) => Go(State::Rollback),
        (State::RolloutWait | State::EvaluateWait, Superseded) => RollbackBeforeTraffic,
        (State::RolloutWait | State::EvaluateWait, Orphaned) => Go(State::Failed),

        (State::RetainWait, Ok | Deleted | Superseded) => Go(State::RetireWait),
        (State::RetainWait, Failed | TimedOut) => Stay,
        (State::RetainWait, GreenLost | EndRequested) => RollbackOntoViableBlue,
        (State::RetainWait, Orphaned) => Go(State::Failed),

        (State::RetireWait, Ok | Failed | TimedOut | Superseded) => Go(State::Done),
        (State::RetireWait, GreenLost | EndRequested | Deleted) => Stay,
        (State::RetireWait, Orphaned) => Go(State::Failed),

        (State::Rollback, Ok) => EndOfRollback,
        (State::Rollback, Failed | TimedOut) => GiveUpRollback,
        (State::Rollback, GreenLost | EndRequested | Deleted | Superseded) => Stay,
        (State::Rollback, Orphaned) => Go(State::Failed),

        (
            State::Done | State::Failed | State::Aborted | State::Canceled,
            Ok | Failed | TimedOut | GreenLost | EndRequested | Deleted | Superseded | Orphaned | Restored,
        ) => Stay,

        // Whoever has lost the turn can end, and nothing else.
        (
            State::Pending
            | State::Resolve
            | State::Prepare
            | State::RolloutWait
            | State::EvaluateWait
            | State::RetainWait
            | State::RetireWait
            | State::Rollback,
            Restored,
        ) => Go(State::Canceled),
    }
}

/// Whether blue could take the traffic back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blue {
    /// It exists, is not being deleted, and has or can regrow its floor.
    Viable,
    /// Anything else, ignorance included.
    NotViable,
}

/// Whom requests go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// Green carries none.
    Blue,
    /// Green carries some, or nobody knows.
    Green,
}

/// Whether the plan has a step after the present one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ladder {
    /// There is one.
    MoreSteps,
    /// The present one is the last, or no step has begun.
    LastStep,
}

/// What [`resolve`] needs to know beyond state and event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Could blue take the traffic back?
    pub blue: Blue,
    /// Does green carry traffic?
    pub carrier: Carrier,
    /// Is there another step?
    pub ladder: Ladder,
    /// The reason of the entry that began the rollback, in `Rollback`.
    pub cause: Option<Reason>,
}

/// The state that the event leads to, or `None` where nothing happens.
pub fn resolve(state: State, event: Event, facts: Facts) -> Option<State> {
    match answer(state, event) {
        Answer::Stay => None,
        Answer::Go(next) => Some(next),
        Answer::NextStep => Some(match facts.ladder {
            Ladder::MoreSteps => State::RolloutWait,
            Ladder::LastStep => State::RetainWait,
        }),
        Answer::RollbackBeforeTraffic => match facts.carrier {
            Carrier::Blue => Some(State::Rollback),
            Carrier::Green => None,
        },
        Answer::RollbackOntoViableBlue => match facts.blue {
            Blue::Viable => Some(State::Rollback),
            Blue::NotViable => None,
        },
        Answer::EndOfRollback => Some(end_of_rollback(facts.cause)),
        Answer::GiveUpRollback => Some(match facts.carrier {
            Carrier::Blue => end_of_rollback(facts.cause),
            Carrier::Green => State::Failed,
        }),
    }
}

/// How a rollback ends, by what began it.
fn end_of_rollback(cause: Option<Reason>) -> State {
    match cause.and_then(Reason::event) {
        Some(Event::EndRequested | Event::Deleted) => State::Aborted,
        Some(Event::Superseded | Event::Restored) => State::Canceled,
        Some(Event::Ok | Event::Failed | Event::TimedOut | Event::GreenLost | Event::Orphaned) | None => {
            State::Failed
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of the design, cell by cell, written down a second time on purpose.
    #[test]
    fn the_table_is_the_one_that_was_designed() {
        use Event::{Deleted, EndRequested, Failed, GreenLost, Ok, Orphaned, Restored, Superseded, TimedOut};
        let cells = |state: State| {
            [Ok, Failed, TimedOut, GreenLost, EndRequested, Deleted, Superseded, Orphaned, Restored]
                .map(|event| match answer(state, event) {
                    Answer::Stay => "-".to_owned(),
                    Answer::Go(next) => next.to_string(),
                    other => format!("{other:?}"),
                })
                .join(" ")
        };
        let expected = [
            "Resolve - - - Canceled Canceled Canceled - Canceled",
            "Prepare Failed Failed - Aborted Aborted Canceled Failed Canceled",
            "RolloutWait Rollback Rollback - Rollback Rollback Rollback Failed Canceled",
            "EvaluateWait Rollback Rollback Rollback Rollback Rollback RollbackBeforeTraffic Failed Canceled",
            "NextStep Rollback Rollback Rollback Rollback Rollback RollbackBeforeTraffic Failed Canceled",
            "RetireWait - - RollbackOntoViableBlue RollbackOntoViableBlue RetireWait RetireWait Failed Canceled",
            "Done Done Done - - - Done Failed Canceled",
            "EndOfRollback GiveUpRollback GiveUpRollback - - - - Failed Canceled",
            "- - - - - - - - -",
            "- - - - - - - - -",
            "- - - - - - - - -",
            "- - - - - - - - -",
        ];
        for (state, row) in State::ALL.into_iter().zip(expected) {
            assert_eq!(cells(state), row, "{state}");
        }
    }

    #[test]
    fn a_rollback_ends_by_what_began_it() {
        let end = |cause| {
            let facts = Facts {
                blue: Blue::Viable,
                carrier: Carrier::Blue,
                ladder: Ladder::LastStep,
                cause: Some(cause),
            };
            resolve(State::Rollback, Event::Ok, facts)
        };
        for cause in [Reason::CheckFailed, Reason::TimedOut, Reason::GreenLost, Reason::LaunchRefused] {
            assert_eq!(end(cause), Some(State::Failed), "{cause}");
        }
        for cause in [Reason::AbortRequested, Reason::RollbackRequested, Reason::DeploymentDeleted] {
            assert_eq!(end(cause), Some(State::Aborted), "{cause}");
        }
        assert_eq!(end(Reason::Superseded), Some(State::Canceled));
    }

    #[test]
    fn a_rollback_that_leaves_green_in_traffic_has_failed_whatever_began_it() {
        for cause in [Reason::CheckFailed, Reason::AbortRequested, Reason::Superseded] {
            let end = |carrier| {
                let facts =
                    Facts { blue: Blue::NotViable, carrier, ladder: Ladder::LastStep, cause: Some(cause) };
                resolve(State::Rollback, Event::TimedOut, facts)
            };
            assert_eq!(end(Carrier::Green), Some(State::Failed), "{cause}");
            assert_eq!(end(Carrier::Blue), Some(end_of_rollback(Some(cause))), "{cause}");
        }
    }

    #[test]
    fn nothing_leaves_a_terminal_state() {
        for state in State::ALL.into_iter().filter(|state| state.is_terminal()) {
            for event in Event::BY_PRIORITY {
                assert_eq!(answer(state, event), Answer::Stay, "{state} {event:?}");
            }
        }
    }
}
