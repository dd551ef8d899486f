//! Whose turn it would be next. Pure.
//!
//! Deployments of one Environment wait in the order in which they were made; who cannot run yet is skipped,
//! not waited for.

use dryad_machine::name::Uid;
use dryad_machine::view::{Others, PlaceInLine, Queue, Successor};
use jiff::Timestamp;

/// A Deployment that waits for its turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Waiter {
    /// When it was made.
    pub(super) created: Timestamp,
    /// Its uid, which decides between two of the same second.
    pub(super) uid: Uid,
    /// Whether it could run if it had the turn.
    pub(super) readiness: Readiness,
}

/// Whether a Deployment could run if it had the turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Readiness {
    /// It could.
    Runnable,
    /// It could not: it is paused, ending, or knows no release yet.
    Held,
}

/// The place of the Deployment `own` among those that wait, itself included if it does.
pub(super) fn place(waiters: &[Waiter], own: &Uid) -> Queue {
    let runnable = || waiters.iter().filter(|waiter| waiter.readiness == Readiness::Runnable);
    let first = runnable().min_by_key(|waiter| (waiter.created, &waiter.uid));
    let next = first.is_some_and(|waiter| waiter.uid == *own);
    let others = runnable().any(|waiter| waiter.uid != *own);
    Queue {
        place: if next { PlaceInLine::Next } else { PlaceInLine::NotYet },
        others: if others { Others::Waiting } else { Others::None },
        successor: Successor::None,
    }
}

/// Whether one that was made for a declared release has been followed by another: its own number, and theirs.
pub(super) fn successor(own: Option<i64>, all: impl IntoIterator<Item = i64>) -> Successor {
    let Some(own) = own else { return Successor::None };
    if all.into_iter().any(|other| other > own) { Successor::Newer } else { Successor::None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiter(uid: &str, second: i64, readiness: Readiness) -> Waiter {
        Waiter { created: Timestamp::from_second(second).unwrap(), uid: Uid::new(uid), readiness }
    }

    #[test]
    fn the_oldest_is_next_and_the_uid_decides_within_a_second() {
        use Readiness::Runnable;
        let waiters = [waiter("c", 2, Runnable), waiter("b", 1, Runnable), waiter("a", 1, Runnable)];
        let place = |uid| place(&waiters, &Uid::new(uid)).place;
        assert_eq!(place("a"), PlaceInLine::Next);
        assert_eq!(place("b"), PlaceInLine::NotYet);
        assert_eq!(place("c"), PlaceInLine::NotYet);
    }

    #[test]
    fn who_cannot_run_is_not_waited_for() {
        let waiters = [waiter("a", 1, Readiness::Held), waiter("b", 2, Readiness::Runnable)];
        assert_eq!(place(&waiters, &Uid::new("b")).place, PlaceInLine::Next);
        let own = place(&waiters, &Uid::new("a"));
        assert_eq!((own.place, own.others), (PlaceInLine::NotYet, Others::Waiting));
    }

    #[test]
    fn a_running_deploy_sees_whether_anybody_could_follow() {
        let running = Uid::new("r");
        assert_eq!(place(&[waiter("a", 1, Readiness::Held)], &running).others, Others::None);
        assert_eq!(place(&[waiter("a", 1, Readiness::Runnable)], &running).others, Others::Waiting);
    }

    #[test]
    fn only_what_was_declared_is_followed_and_only_by_what_was_declared_later() {
        assert_eq!(successor(Some(2), [1, 2]), Successor::None);
        assert_eq!(successor(Some(2), [1, 2, 3]), Successor::Newer);
        assert_eq!(successor(None, [1, 2, 3]), Successor::None);
    }
}
