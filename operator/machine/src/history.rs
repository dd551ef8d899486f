//! The append-only history: the only state there is.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::event::Reason;
use crate::state::State;

/// The longest message an entry may hold, in bytes.
pub const MESSAGE_LIMIT: usize = 1024;

/// One transition.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Its place in the history, from 0.
    #[schemars(range(min = 0, max = 511))]
    pub sequence: i64,
    /// The step of the plan that it belongs to, from 1; none outside the steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 480))]
    pub step: Option<i64>,
    /// The state that was entered.
    pub state: State,
    /// Why.
    pub reason: Reason,
    /// Why, in a sentence for people.
    #[schemars(length(max = 1024))]
    pub message: String,
    /// When, by the API server's clock, and never before the entry that came before.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub at: Timestamp,
}

/// Why a stored history can't be gone by. It can only come from outside of Dryad, or from a newer Dryad.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum IllegalHistory {
    /// Sequences are not 0, 1, 2, …
    #[error(
        "entry {expected} of the history is missing; it can't be repaired, so delete this Deployment and make a new one"
    )]
    Gap {
        /// The first sequence that is missing or stands twice.
        expected: i64,
    },
    /// It does not begin with `Pending`.
    #[error("the history begins with {0} instead of Pending; delete this Deployment and make a new one")]
    Beginning(State),
    /// Something follows an end.
    #[error("the history goes on after {0}, which is an end; delete this Deployment and make a new one")]
    AfterTheEnd(State),
}

/// A history that is known to be whole: entries in order, none missing, at most one end and that at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct History(Vec<Entry>);

impl History {
    /// Puts stored entries in order (a map list has none) and checks that they are whole.
    ///
    /// # Errors
    /// When entries are missing or doubled, or stand where none may.
    pub fn new(mut entries: Vec<Entry>) -> Result<Self, IllegalHistory> {
        entries.sort_by_key(|entry| entry.sequence);
        for (expected, entry) in (0..).zip(&entries) {
            if entry.sequence != expected {
                return Err(IllegalHistory::Gap { expected });
            }
        }
        if let Some(first) = entries.first().filter(|entry| entry.state != State::Pending) {
            return Err(IllegalHistory::Beginning(first.state));
        }
        if let [before @ .., _] = entries.as_slice()
            && let Some(end) = before.iter().find(|entry| entry.state.is_terminal())
        {
            return Err(IllegalHistory::AfterTheEnd(end.state));
        }
        Ok(Self(entries))
    }

    /// All entries, oldest first.
    pub fn entries(&self) -> &[Entry] {
        &self.0
    }

    /// The last entry: where the deploy stands.
    pub fn last(&self) -> Option<&Entry> {
        self.0.last()
    }

    /// The state the deploy is in; `Pending` before anything was recorded.
    pub fn state(&self) -> State {
        self.last().map_or(State::Pending, |entry| entry.state)
    }

    /// The step it is in or was in last, from 1.
    pub fn step(&self) -> Option<i64> {
        self.0.iter().rev().find_map(|entry| entry.step)
    }

    /// The sequence of the next entry.
    pub fn next_sequence(&self) -> i64 {
        self.last().map_or(0, |entry| entry.sequence + 1)
    }

    /// Whether this state was ever entered.
    pub fn has(&self, state: State) -> bool {
        self.0.iter().any(|entry| entry.state == state)
    }

    /// The entry that began the rollback.
    pub fn rollback(&self) -> Option<&Entry> {
        self.0.iter().find(|entry| entry.state == State::Rollback)
    }

    /// The entry to append: in order, never before the last one in time, its message cut to what fits.
    pub fn next(
        &self,
        state: State,
        step: Option<i64>,
        reason: Reason,
        message: &str,
        now: Timestamp,
    ) -> Entry {
        let at = self.last().map_or(now, |last| last.at.max(now));
        Entry {
            sequence: self.next_sequence(),
            step,
            state,
            reason,
            message: cut(message, MESSAGE_LIMIT),
            at,
        }
    }

    /// The history with one more entry, which must come from [`History::next`].
    #[must_use]
    pub fn with(&self, entry: Entry) -> Self {
        let mut entries = self.0.clone();
        entries.push(entry);
        Self(entries)
    }
}

/// The text, cut at a character to at most `limit` bytes.
pub fn cut(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let ellipsis = '…';
    let mut end = limit.saturating_sub(ellipsis.len_utf8());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{ellipsis}", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(states: &[State]) -> Result<History, IllegalHistory> {
        let entries = (0..)
            .zip(states)
            .map(|(sequence, state)| Entry {
                sequence,
                step: None,
                state: *state,
                reason: Reason::Created,
                message: String::new(),
                at: Timestamp::UNIX_EPOCH,
            })
            .collect();
        History::new(entries)
    }

    #[test]
    fn entries_are_read_in_order_whatever_order_they_are_stored_in() {
        let whole = history(&[State::Pending, State::Resolve, State::Prepare]).unwrap();
        let mut shuffled = whole.entries().to_vec();
        shuffled.reverse();
        assert_eq!(History::new(shuffled), Ok(whole));
    }

    #[test]
    fn a_history_that_is_not_whole_is_refused() {
        let whole = history(&[State::Pending, State::Resolve, State::Prepare]).unwrap();
        let mut gap = whole.entries().to_vec();
        gap.remove(1);
        assert_eq!(History::new(gap), Err(IllegalHistory::Gap { expected: 1 }));
        let mut doubled = whole.entries().to_vec();
        doubled.push(doubled[1].clone());
        assert_eq!(History::new(doubled), Err(IllegalHistory::Gap { expected: 2 }));
        assert_eq!(history(&[State::Resolve]), Err(IllegalHistory::Beginning(State::Resolve)));
        assert_eq!(
            history(&[State::Pending, State::Canceled, State::Resolve]),
            Err(IllegalHistory::AfterTheEnd(State::Canceled))
        );
    }

    #[test]
    fn time_never_runs_backwards_in_a_history() {
        let later = Timestamp::from_second(100).unwrap();
        let first = History::default().next(State::Pending, None, Reason::Created, "", later);
        let second = History::default().with(first).next(
            State::Resolve,
            None,
            Reason::TurnTaken,
            "",
            Timestamp::from_second(50).unwrap(),
        );
        assert_eq!(second.at, later);
    }

    #[test]
    fn a_message_is_cut_to_what_fits_at_a_character() {
        let long = "ä".repeat(MESSAGE_LIMIT);
        let message = cut(&long, MESSAGE_LIMIT);
        assert!(message.len() <= MESSAGE_LIMIT && message.ends_with('…'), "{}", message.len());
        assert_eq!(cut("short", MESSAGE_LIMIT), "short");
        assert_eq!((cut("exact", 5).as_str(), cut("exacter", 5).as_str()), ("exact", "ex…"));
    }
}
