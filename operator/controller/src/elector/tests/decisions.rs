//! What follows from what is seen, row by row.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};

use super::*;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A follower that looks at this every two seconds, from `start` on: when it first bids, and how.
fn first_bid(observed: &Observed, start: Instant) -> Option<(Duration, Bid)> {
    let mut elector = Elector::new(Identity::of_process("us"), Durations::default());
    (0..400).map(|round| seconds(2 * round)).find_map(|after| {
        let bid = elector.decide(observed, start + after)?;
        Some((after, bid))
    })
}

fn leader(start: Instant) -> (Elector, Identity) {
    let identity = Identity::of_process("us");
    let mut elector = Elector::new(identity.clone(), Durations::default());
    let bid = elector.decide(&record(1, Holder::Nobody, 4), start).unwrap();
    elector.wrote(bid, &record(2, Holder::Process(identity.clone()), 5), start, start + seconds(1));
    (elector, identity)
}

#[test]
fn how_a_lease_looks_decides_when_and_how_it_is_taken() {
    let take = |epoch, takeover| Bid::Take { epoch: Epoch::read(Some(epoch)), takeover };
    let rows = [
        (Observed::Absent, 0, Bid::LayDown { epoch: Epoch::default() }),
        (record(1, Holder::Unclaimed, 0), 16, take(1, Takeover::First)),
        (record(1, Holder::Unclaimed, 7), 16, take(8, Takeover::Unclean)),
        (record(1, Holder::Nobody, 7), 0, take(8, Takeover::Clean)),
        (record(1, somebody("other"), 7), 16, take(8, Takeover::Unclean)),
        (record(1, somebody("us"), 7), 16, take(8, Takeover::Unclean)),
    ];
    for (observed, after, bid) in rows {
        assert_eq!(first_bid(&observed, Instant::now()), Some((seconds(after), bid)), "{observed:?}");
    }
}

#[test]
fn garbage_in_a_lease_counts_as_not_set_and_delays_at_most_by_the_longest_lease() {
    let lease = |spec| {
        let mut lease = Lease { spec, ..Lease::default() };
        lease.metadata.resource_version = Some("1".to_owned());
        Observed::of(Some(&lease))
    };
    let held = |duration, transitions| {
        lease(Some(LeaseSpec {
            holder_identity: Some(" \u{0}?".to_owned()),
            lease_duration_seconds: Some(duration),
            lease_transitions: Some(transitions),
            ..LeaseSpec::default()
        }))
    };
    let rows = [
        (lease(None), 0, 1),
        (lease(Some(LeaseSpec { holder_identity: Some(String::new()), ..LeaseSpec::default() })), 0, 1),
        (held(-5, -3), 16, 1),
        (held(0, 0), 16, 1),
        (held(60, 1), 60, 2),
        (held(i32::MAX, i32::MAX), 600, i32::MAX),
    ];
    for (observed, after, epoch) in rows {
        let Some((waited, Bid::Take { epoch: taken, .. })) = first_bid(&observed, Instant::now()) else {
            panic!("never taken: {observed:?}")
        };
        assert_eq!((waited, taken.write()), (seconds(after), epoch), "{observed:?}");
    }
}

#[test]
fn a_lease_that_changes_is_never_taken() {
    let start = Instant::now();
    let mut elector = Elector::new(Identity::of_process("us"), Durations::default());
    for round in 0..100 {
        assert_eq!(elector.decide(&record(round, somebody("other"), 1), start + seconds(14 * round)), None);
    }
}

#[test]
fn a_leadership_counts_from_the_question_and_not_from_the_answer() {
    let start = Instant::now();
    let (elector, _) = leader(start);
    assert_eq!(epoch_of(elector.standing()), Some((5, Takeover::Clean, start + seconds(10))));
}

#[test]
fn a_renewal_moves_the_end_and_nothing_else() {
    let start = Instant::now();
    let (mut elector, us) = leader(start);
    let keep = elector.decide(&record(2, Holder::Process(us.clone()), 5), start + seconds(2)).unwrap();
    assert_eq!(keep, Bid::Keep { epoch: Epoch::read(Some(5)) });
    elector.wrote(keep, &record(3, Holder::Process(us), 5), start + seconds(2), start + seconds(3));
    assert_eq!(epoch_of(elector.standing()), Some((5, Takeover::Clean, start + seconds(12))));
}

#[test]
fn a_leadership_that_was_not_renewed_is_lost_for_good() {
    let start = Instant::now();
    let (mut elector, us) = leader(start);
    elector.check(start + seconds(10) - Duration::from_nanos(1));
    assert_eq!(elector.loss(), None);
    assert_eq!(elector.decide(&record(2, Holder::Process(us), 5), start + seconds(10)), None);
    assert_eq!((elector.standing(), elector.loss()), (Standing::Over, Some(&Loss::NotRenewed)));
    assert_eq!(elector.decide(&record(9, Holder::Nobody, 5), start + seconds(99)), None);
}

#[test]
fn whoever_the_lease_names_instead_ends_a_leadership_at_once() {
    for by in [somebody("other"), Holder::Nobody, Holder::Unclaimed] {
        let start = Instant::now();
        let (mut elector, _) = leader(start);
        assert_eq!(elector.decide(&record(3, by.clone(), 6), start + seconds(1)), None);
        assert_eq!((elector.standing(), elector.loss()), (Standing::Over, Some(&Loss::Taken { by })));
    }
}

#[test]
fn a_deleted_lease_is_put_back_by_its_leader() {
    let start = Instant::now();
    let (mut elector, _) = leader(start);
    let bid = elector.decide(&Observed::Absent, start + seconds(2));
    assert_eq!(bid, Some(Bid::Keep { epoch: Epoch::read(Some(5)) }));
}

#[test]
fn a_deleted_lease_does_not_reset_the_epoch_of_who_has_seen_it() {
    let start = Instant::now();
    let mut elector = Elector::new(Identity::of_process("us"), Durations::default());
    elector.decide(&record(1, somebody("other"), 7), start);
    let bid = elector.decide(&Observed::Absent, start + seconds(2));
    assert_eq!(bid, Some(Bid::LayDown { epoch: Epoch::read(Some(7)) }));
}

#[test]
fn an_attempt_that_succeeded_unheard_is_taken_up_as_what_it_was() {
    let start = Instant::now();
    let us = Identity::of_process("us");
    let mut elector = Elector::new(us.clone(), Durations::default());
    let attempt = elector.decide(&record(1, Holder::Nobody, 4), start).unwrap();
    assert_eq!(elector.standing(), Standing::Standby);
    let again = elector.decide(&record(2, Holder::Process(us.clone()), 5), start + seconds(2));
    assert_eq!(again, Some(attempt));
}

#[test]
fn only_a_lease_that_is_still_ours_is_released() {
    let start = Instant::now();
    let (mut elector, us) = leader(start);
    assert_eq!(elector.release(&record(3, somebody("other"), 6)), None);
    let bid = elector.release(&record(2, Holder::Process(us.clone()), 5));
    assert_eq!(bid, Some(Bid::Release { epoch: Epoch::read(Some(5)) }));
    assert_eq!(elector.standing(), Standing::Over);
    assert_eq!(elector.release(&record(2, Holder::Process(us), 5)), None);
}
