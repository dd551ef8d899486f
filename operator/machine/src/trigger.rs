//! The trigger: what one tick does about the release that an Environment declares.
//!
//! It compares what is declared with what was requested last, and never with what runs: a release that was rolled
//! back is not tried again, and a manual deploy stands. A request is recorded before its Deployment is made, so that
//! whoever is killed in between leaves something to go on from; that the Deployment exists is recorded as well, so
//! that one which was deleted is not made again.

use crate::name::Uid;
use crate::release::Sha256;
use crate::requested::Requested;

/// What a decision is made from.
#[derive(Clone, Copy, Debug)]
pub struct TriggerCase<'a> {
    /// The digest of what is declared; none where no release is.
    pub declared: Option<&'a Sha256>,
    /// What was requested last.
    pub requested: Option<&'a Requested>,
    /// Whether what is declared runs.
    pub running: Running,
    /// What stands under the name of the Deployment that was requested last.
    pub namesake: &'a Namesake,
}

/// Whether what is declared is exactly what runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Running {
    /// It is.
    Exactly,
    /// It is not, or nobody can tell.
    Otherwise,
}

/// What stands under the name of the Deployment that was requested last, by a quorum read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Namesake {
    /// Nothing.
    Nobody,
    /// The Deployment that was requested.
    Ours(Uid),
    /// Somebody else's Deployment.
    Foreign,
}

/// What one tick does: one write at most.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Trigger {
    /// Nothing.
    Rest,
    /// Store this in the Environment, guarded.
    Record(Requested),
    /// Make the Deployment that was requested.
    Create(Requested),
}

/// Decides what one tick does. `is_taken` says which numbers a Deployment can't have, because another one has that name.
pub fn decide(case: TriggerCase<'_>, is_taken: impl Fn(i64) -> bool) -> Trigger {
    let Some(declared) = case.declared else { return Trigger::Rest };
    let after = |number: i64| {
        let number =
            (number.saturating_add(1)..i64::MAX).find(|number| !is_taken(*number)).unwrap_or(i64::MAX);
        Trigger::Record(Requested { number, digest: declared.clone(), uid: None })
    };
    match case.requested {
        None if case.running == Running::Exactly => Trigger::Record(Requested::already(declared.clone())),
        None => after(0),
        Some(requested) if requested.digest != *declared => after(requested.number),
        Some(requested) if requested.is_settled() => Trigger::Rest,
        Some(requested) => match case.namesake {
            Namesake::Nobody => Trigger::Create(requested.clone()),
            Namesake::Ours(uid) => Trigger::Record(requested.made(uid.clone())),
            Namesake::Foreign => after(requested.number),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(of: char) -> Sha256 {
        of.to_string().repeat(64).parse().expect("a digest")
    }

    fn requested(number: i64, of: char, uid: Option<&str>) -> Requested {
        Requested { number, digest: digest(of), uid: uid.map(Uid::new) }
    }

    #[test]
    fn a_request_is_recorded_then_made_then_known_to_exist() {
        use Namesake::{Foreign, Nobody, Ours};
        use Running::{Exactly, Otherwise};
        use Trigger::{Create, Record, Rest};
        let ours = Ours(Uid::new("u"));
        let table = [
            ("nothing is declared", None, None, Otherwise, &Nobody, Rest),
            ("nothing is declared any more", None, Some(requested(3, 'a', None)), Otherwise, &Nobody, Rest),
            ("the first one", Some('a'), None, Otherwise, &Nobody, Record(requested(1, 'a', None))),
            (
                "the first one runs already",
                Some('a'),
                None,
                Exactly,
                &Nobody,
                Record(requested(0, 'a', None)),
            ),
            ("it was found running", Some('a'), Some(requested(0, 'a', None)), Otherwise, &Nobody, Rest),
            (
                "it is recorded",
                Some('a'),
                Some(requested(1, 'a', None)),
                Otherwise,
                &Nobody,
                Create(requested(1, 'a', None)),
            ),
            (
                "recorded, and runs by now",
                Some('a'),
                Some(requested(1, 'a', None)),
                Exactly,
                &Nobody,
                Create(requested(1, 'a', None)),
            ),
            (
                "it is made",
                Some('a'),
                Some(requested(1, 'a', None)),
                Otherwise,
                &ours,
                Record(requested(1, 'a', Some("u"))),
            ),
            (
                "its name is taken",
                Some('a'),
                Some(requested(1, 'a', None)),
                Otherwise,
                &Foreign,
                Record(requested(2, 'a', None)),
            ),
            ("it is known to exist", Some('a'), Some(requested(1, 'a', Some("u"))), Otherwise, &Nobody, Rest),
            (
                "another one",
                Some('b'),
                Some(requested(1, 'a', Some("u"))),
                Otherwise,
                &ours,
                Record(requested(2, 'b', None)),
            ),
            (
                "another one before the first is made",
                Some('b'),
                Some(requested(1, 'a', None)),
                Otherwise,
                &Nobody,
                Record(requested(2, 'b', None)),
            ),
            (
                "back to what runs",
                Some('a'),
                Some(requested(2, 'b', Some("v"))),
                Exactly,
                &Nobody,
                Record(requested(3, 'a', None)),
            ),
            (
                "after one that was found",
                Some('b'),
                Some(requested(0, 'a', None)),
                Otherwise,
                &Nobody,
                Record(requested(1, 'b', None)),
            ),
        ];
        for (case, declared, requested, running, namesake, expected) in table {
            let declared = declared.map(digest);
            let facts =
                TriggerCase { declared: declared.as_ref(), requested: requested.as_ref(), running, namesake };
            assert_eq!(decide(facts, |_| false), expected, "{case}");
        }
    }

    #[test]
    fn a_number_whose_name_is_taken_is_passed_over() {
        let (a, b) = (digest('a'), digest('b'));
        let declared = |digest, requested| TriggerCase {
            declared: Some(digest),
            requested,
            running: Running::Otherwise,
            namesake: &Namesake::Foreign,
        };
        let is_taken = |number| [1, 2, 4].contains(&number);
        assert_eq!(decide(declared(&a, None), is_taken), Trigger::Record(requested(3, 'a', None)));
        let made = requested(3, 'a', Some("u"));
        assert_eq!(decide(declared(&b, Some(&made)), is_taken), Trigger::Record(requested(5, 'b', None)));
        let collided = requested(3, 'a', None);
        assert_eq!(decide(declared(&a, Some(&collided)), is_taken), Trigger::Record(requested(5, 'a', None)));
    }

    /// Every record it makes is one that the API server takes: the number grows, or only the uid is added.
    #[test]
    fn the_number_grows_whenever_anything_but_the_uid_changes() {
        let namesakes = [Namesake::Nobody, Namesake::Ours(Uid::new("u")), Namesake::Foreign];
        let before = [requested(0, 'a', None), requested(3, 'a', None), requested(3, 'a', Some("u"))];
        for (before, declared) in before.iter().flat_map(|before| ['a', 'b'].map(|of| (before, digest(of)))) {
            for namesake in &namesakes {
                let facts = TriggerCase {
                    declared: Some(&declared),
                    requested: Some(before),
                    running: Running::Exactly,
                    namesake,
                };
                if let Trigger::Record(after) = decide(facts, |_| false) {
                    let grown = after.number > before.number;
                    let confirmed = before.made(Uid::new("u")) == after && before.uid.is_none();
                    assert!(grown || confirmed, "{before:?} became {after:?}");
                }
            }
        }
    }
}
