//! Which looks count, for how long, and what makes them worthless.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::*;
use crate::reading::Traffic;

const TICK: Duration = Duration::from_secs(10);

fn at(seconds: u64) -> Now {
    skewed(seconds, i64::try_from(seconds).unwrap())
}

fn skewed(mono: u64, wall: i64) -> Now {
    Now { wall: Timestamp::from_second(wall).unwrap(), mono: Duration::from_secs(mono) }
}

fn look(at: Now) -> Look {
    Look {
        at,
        reading: Reading { groups: BTreeMap::new(), foreign: BTreeMap::new(), traffic: Traffic::Shared },
    }
}

fn memory(looks: &[Now]) -> Memory {
    let mut memory = Memory::new(Duration::ZERO);
    for now in looks {
        memory.saw(look(*now), TICK);
    }
    memory
}

#[test]
fn two_looks_count_as_two_only_a_tick_apart() {
    assert!(memory(&[at(0)]).two(at(0), TICK).is_none());
    assert!(memory(&[at(0), at(9)]).two(at(9), TICK).is_none());
    assert!(memory(&[at(0), at(10)]).two(at(10), TICK).is_some());
    assert!(memory(&[at(0), at(4), at(8), at(12)]).two(at(12), TICK).is_some(), "frequent looks add up");
}

#[test]
fn looks_that_always_come_sooner_than_a_tick_still_become_two_since_any_moment() {
    let mut memory = Memory::new(Duration::from_secs(31));
    let certain = (0..100).map(|number| number * 3).find(|second| {
        memory.saw(look(at(*second)), TICK);
        memory.two_certain(at(*second), TICK).is_some()
    });
    assert_eq!(certain, Some(51), "the first pair that is a tick apart after a look at 31 or later");
}

#[test]
fn a_look_older_than_a_tick_does_not_count() {
    let memory = memory(&[at(0), at(10)]);
    assert!(memory.two(at(20), TICK).is_some());
    assert!(memory.two(at(21), TICK).is_none());
    assert!(memory.latest(at(21), TICK).is_none());
    assert_eq!(memory.fresh_until(TICK), at(20).mono);
    assert_eq!(Memory::new(Duration::ZERO).fresh_until(TICK), Duration::ZERO);
}

#[test]
fn an_answered_mutation_makes_earlier_looks_worthless() {
    let mut memory = memory(&[at(0), at(10)]);
    memory.mutated();
    assert!(memory.latest(at(10), TICK).is_none());
    memory.saw(look(at(11)), TICK);
    assert!(memory.two(at(11), TICK).is_none());
}

#[test]
fn looks_count_for_removals_only_once_they_must_show_the_last_change_of_traffic() {
    let mut memory = memory(&[at(0), at(10)]);
    assert!(memory.two_settled(at(10), TICK).is_some());
    memory.rerouted(Duration::from_secs(5));
    assert!(memory.two(at(10), TICK).is_some());
    assert!(memory.two_settled(at(10), TICK).is_none());
    assert!(memory.two_certain(at(10), TICK).is_none());
    memory.saw(look(at(20)), TICK);
    assert!(memory.two_settled(at(20), TICK).is_some() && memory.two_certain(at(20), TICK).is_some());
    let mut other = Memory::new(Duration::ZERO);
    other.saw(look(at(0)), TICK);
    other.saw(look(at(10)), TICK);
    other.beyond(memory.horizon());
    assert!(other.two_settled(at(10), TICK).is_none(), "it concerns all that is done to the Environment");
}

#[test]
fn good_ticks_count_only_while_they_follow_one_another() {
    let mut memory = Memory::new(Duration::ZERO);
    for second in [0, 10, 20] {
        memory.checked(Verdict::Good, Duration::from_secs(second), TICK);
    }
    assert_eq!(memory.good_for(), Duration::from_secs(20));
    memory.checked(Verdict::Good, Duration::from_secs(3600), TICK);
    assert_eq!(memory.good_for(), Duration::ZERO, "an hour asleep is not an hour watched");
    memory.checked(Verdict::Good, Duration::from_secs(3610), TICK);
    memory.checked(Verdict::NotYet("500".into()), Duration::from_secs(3620), TICK);
    assert_eq!(memory.good_for(), Duration::ZERO);
}

#[test]
fn a_deletion_counts_only_after_the_last_creation_can_have_landed() {
    let group = GroupName::new("web-1-a");
    let mut memory = Memory::new(Duration::ZERO);
    memory.creating(Duration::from_secs(300));
    memory.deletion_answered(&group, Duration::from_secs(299));
    assert!(!memory.is_deletion_answered(&group));
    memory.deletion_answered(&group, Duration::from_secs(300));
    assert!(memory.is_deletion_answered(&group));
    assert!(!memory.is_gone(&group, at(300), TICK), "it was not yet seen to be absent");
    memory.saw(look(at(301)), TICK);
    memory.saw(look(at(311)), TICK);
    assert!(memory.is_gone(&group, at(311), TICK));
}

#[test]
fn what_hinders_a_change_is_told_whatever_a_look_shows_until_nothing_does() {
    let mut memory = memory(&[]);
    memory.hindered(Some("ModifyRule is denied".into()));
    memory.saw(look(at(0)), TICK);
    memory.explained(None);
    assert_eq!(memory.note(), Some("ModifyRule is denied"));
    memory.hindered(None);
    memory.explained(Some("no capacity".into()));
    assert_eq!(memory.note(), Some("no capacity"));
    memory.hindered(Some("ModifyRule is denied".into()));
    memory.enter(Stage(1));
    assert_eq!(memory.note(), None);
}

#[test]
fn a_wall_clock_that_jumps_is_noticed() {
    let steady = memory(&[at(0), at(10)]);
    assert!(steady.clocks_agree(at(12), TICK));
    assert!(!steady.clocks_agree(skewed(12, 3600), TICK), "jumped since");
    assert!(!memory(&[at(0), skewed(10, 3600)]).clocks_agree(skewed(12, 3602), TICK), "jumped between");
}

#[test]
fn a_new_entry_makes_everything_seen_before_worthless() {
    let mut memory = memory(&[at(0), at(10)]);
    memory.checked(Verdict::Good, Duration::from_secs(10), TICK);
    memory.enter(Stage(3));
    assert!(memory.latest(at(10), TICK).is_none());
    assert!(memory.verdict().is_none());
}
