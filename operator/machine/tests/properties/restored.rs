//! What a restore from a backup leaves to decide: nothing is done by a record that may be old, and a copy never runs.

use dryad_machine::decide::{Action, Write};
use dryad_machine::event::Reason;
use dryad_machine::state::State;
use dryad_machine::view::{Mark, Past};
use proptest::prelude::*;

use crate::case::Case;

/// The state and the reason of the entry that is appended.
fn appended(action: &Action) -> Option<(State, Reason)> {
    match action {
        Action::Write(Write::Append(append)) => Some((append.entry.state, append.entry.reason)),
        Action::Write(_) | Action::Wait | Action::Act(_) => None,
    }
}

fn holds_any_turn(case: &Case) -> bool {
    let tenure = case.environment.as_ref().map(|environment| &environment.tenure);
    tenure.is_some_and(|tenure| tenure.holder.as_ref() == Some(&case.deployment.uid))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nobody_goes_by_a_record_whose_past_is_unknown(bytes in any::<[u8; 256]>()) {
        let case = Case::of(&bytes);
        if case.environment.as_ref().is_none_or(|it| it.past == Past::Known) {
            return Ok(());
        }
        if case.home.is_some() {
            return Ok(()); // Who knows of an Environment that it is gone does not go by that one's record.
        }
        match case.decide().action {
            Action::Wait => {}
            Action::Write(Write::Start | Write::RemoveFinalizer) => prop_assert!(!holds_any_turn(&case)
                || case.deployment.finalizer == dryad_machine::view::Finalizer::Absent
                || case.deployment.mark == Mark::None),
            Action::Write(Write::Append(append)) => {
                prop_assert!(matches!(append.entry.state, State::Pending | State::Canceled));
                prop_assert!(append.turn.is_none());
            }
            other => prop_assert!(false, "{:?}", other),
        }
        let decision = case.decide_of_environment().expect("there is one");
        prop_assert!(matches!(decision.action, Action::Wait | Action::Write(Write::AddFinalizer)));
    }

    #[test]
    fn a_copy_never_runs(bytes in any::<[u8; 256]>()) {
        let case = Case::of(&bytes);
        let copy = matches!(case.deployment.mark, Mark::Other(_));
        if !copy || holds_any_turn(&case) || case.state().is_terminal() {
            return Ok(());
        }
        let decision = case.decide();
        match appended(&decision.action) {
            Some((State::Pending, Reason::Created) | (State::Canceled, Reason::Restored)) => {}
            None => prop_assert!(matches!(decision.action, Action::Wait), "{:?}", decision.action),
            other => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn who_does_not_hold_the_turn_can_only_end(bytes in any::<[u8; 256]>()) {
        let case = Case::of(&bytes);
        let orphaned = case.home.is_some() && !matches!(case.deployment.mark, Mark::Other(_));
        if case.state() == State::Pending || case.state().is_terminal() || holds_any_turn(&case) || orphaned {
            return Ok(());
        }
        let decision = case.decide();
        let acts = matches!(decision.action, Action::Act(_) | Action::Write(Write::Tenure { .. }));
        prop_assert!(!acts);
        if let Some(ended) = appended(&decision.action) {
            prop_assert!(matches!(ended, (State::Canceled, Reason::Restored | Reason::TurnLost)), "{:?}", ended);
        }
    }

    #[test]
    fn a_turn_that_is_the_deploys_own_is_never_lost(bytes in any::<[u8; 256]>()) {
        let case = Case::of(&bytes);
        if holds_any_turn(&case) && case.home.is_none() && let Some((_, reason)) = appended(&case.decide().action) {
            prop_assert!(!matches!(reason, Reason::Restored | Reason::TurnLost));
        }
    }
}
