//! S1 by itself: which removal which readings allow, on the edge of what users need.

use dryad_machine::capacity::{Purpose, Removal, permits, permits_shrinking};
use dryad_machine::plan::Share;
use dryad_machine::reading::{AtWork, Attached, Presence, Reach, Reading, Slot};
use dryad_machine::state::State;

use crate::moment::{Moment, group, weights};

/// Blue in A and green in B, with so many healthy instances and this traffic.
fn seen(healthy: [u32; 2], traffic: [u32; 2]) -> Reading {
    let mut moment = Moment::weighted(State::RolloutWait, Some(2));
    for (name, healthy) in ["blue", "green"].into_iter().zip(healthy) {
        moment.seen(name).healthy = healthy;
    }
    moment.reading.traffic = weights(traffic[0], traffic[1]);
    moment.reading
}

fn may(removal: Removal<'_>, purpose: Purpose<'_>, desired: u32, readings: [&Reading; 2]) -> bool {
    permits(removal, purpose, desired, readings, &|_| AtWork::No)
}

#[test]
fn the_traffic_moves_on_once_green_has_what_users_need_by_both_readings() {
    let green = group("green");
    let forward = Purpose::Forward { green: &green, share: Share::ALL };
    let shift = |healthy, desired| {
        let reading = seen(healthy, [100, 0]);
        may(Removal::Shift(Slot::B), forward, desired, [&reading, &reading])
    };
    for (healthy, desired, allowed) in [
        ([2, 2], 2, true),
        ([2, 3], 2, true),
        ([2, 1], 2, false),
        ([1, 1], 2, false),
        ([0, 0], 0, false),
        ([2, 1], 0, true),
    ] {
        assert_eq!(shift(healthy, desired), allowed, "{healthy:?} of {desired}");
    }
    let (enough, short) = (seen([2, 2], [100, 0]), seen([2, 1], [100, 0]));
    for readings in [[&enough, &short], [&short, &enough]] {
        assert!(!may(Removal::Shift(Slot::B), forward, 2, readings), "one reading is not enough");
    }
}

#[test]
fn a_green_that_is_ready_does_not_excuse_that_others_lose_what_they_have() {
    let green = group("green");
    let forward = Purpose::Forward { green: &green, share: Share::ALL };
    let (idle, serves) = (seen([2, 2], [100, 0]), seen([2, 2], [50, 50]));
    let detach = |reading| may(Removal::Group(&group("blue")), forward, 2, [reading, reading]);
    assert!(!detach(&idle), "nobody else serves");
    assert!(detach(&serves));
}

#[test]
fn green_gives_up_traffic_only_to_a_blue_that_has_its_floor() {
    let (green, blue) = (group("green"), [group("blue")]);
    let back = |floor| Purpose::Back { green: &green, blue: &blue, floor };
    let home = |healthy: [u32; 2], floor| {
        let reading = seen(healthy, [0, 100]);
        may(Removal::Shift(Slot::A), back(floor), 2, [&reading, &reading])
    };
    for (healthy, floor, allowed) in
        [([2, 2], 2, true), ([3, 2], 2, true), ([1, 2], 2, false), ([1, 2], 0, true), ([0, 2], 0, false)]
    {
        assert_eq!(home(healthy, floor), allowed, "{healthy:?} for {floor}");
    }
    let reading = seen([0, 2], [0, 100]);
    let nobody = Purpose::Back { green: &green, blue: &[], floor: 2 };
    assert!(may(Removal::Group(&green), nobody, 2, [&reading, &reading]), "there never was a blue");
}

#[test]
fn a_green_that_has_lost_its_tags_may_be_the_one_that_carries() {
    let (green, blue) = (group("green"), [group("blue")]);
    let back = Purpose::Back { green: &green, blue: &blue, floor: 2 };
    let stray = |healthy: u32, traffic| {
        let mut reading = seen([healthy, 0], traffic);
        reading.groups.remove(&green);
        reading.foreign.insert(green.clone(), "dryad.dev/turn".to_owned());
        reading
    };
    let shift = |reading: &Reading| may(Removal::Shift(Slot::A), back, 2, [reading, reading]);
    assert!(shift(&stray(2, [0, 100])));
    assert!(!shift(&stray(1, [0, 100])), "users are on it, as far as anybody knows");
    let idle = stray(1, [0, 0]);
    assert!(may(Removal::Group(&green), back, 2, [&idle, &idle]), "by itself it is not ours to count");
    let known = seen([1, 2], [100, 0]);
    assert!(shift(&known), "green carries nothing, so nothing is taken from it");
}

#[test]
fn a_group_that_serves_shrinks_only_by_instances_that_nobody_would_miss() {
    let shrinks = |healthy: u32, instances: u32, to: u32| {
        let mut reading = seen([healthy, 2], [100, 0]);
        let blue = reading.groups.get_mut(&group("blue")).expect("it is there");
        blue.instances = instances;
        permits_shrinking(&group("blue"), to, [&reading, &reading])
    };
    for (healthy, instances, to, allowed) in [
        (4, 4, 2, true),
        (3, 4, 2, false),
        (4, 4, 4, true),
        (1, 1, 2, true),
        (3, 3, 2, true),
        (0, 2, 1, true),
        (5, 5, 2, true),
    ] {
        assert_eq!(shrinks(healthy, instances, to), allowed, "{healthy} healthy of {instances} to {to}");
    }
    let mut large = seen([4, 2], [100, 0]);
    large.groups.get_mut(&group("blue")).expect("it is there").instances = 4;
    let mut sick = large.clone();
    sick.groups.get_mut(&group("blue")).expect("it is there").healthy = 3;
    for readings in [[&large, &sick], [&sick, &large]] {
        assert!(!permits_shrinking(&group("blue"), 2, readings), "one reading is not enough");
    }
}

type Change = fn(&mut Reading);

#[test]
fn who_is_attached_nowhere_gets_nothing_of_a_shift_and_who_is_going_is_not_counted_on() {
    let (green, blue) = (group("green"), [group("blue")]);
    let back = Purpose::Back { green: &green, blue: &blue, floor: 2 };
    let changes: [Change; 3] = [
        |reading| reading.groups.get_mut(&group("blue")).expect("it is there").attached = Attached::Nowhere,
        |reading| {
            reading.groups.get_mut(&group("blue")).expect("it is there").presence = Presence::BeingDeleted;
        },
        |reading| reading.groups.retain(|name, _| *name != group("blue")),
    ];
    for change in changes {
        let mut reading = seen([2, 2], [0, 100]);
        change(&mut reading);
        assert!(!may(Removal::Shift(Slot::A), back, 2, [&reading, &reading]));
    }
}

#[test]
fn workers_that_stand_apart_are_reached_while_they_are_at_work() {
    let reached = |reach, at_work| {
        let mut reading = seen([2, 2], [0, 100]);
        reading.groups.get_mut(&group("blue")).expect("it is there").apart.reach = reach;
        reading.carries_apart(&group("blue"), at_work)
    };
    assert!(reached(Reach::Work, AtWork::Yes) && !reached(Reach::Work, AtWork::No));
    assert!(reached(Reach::Requests, AtWork::No) && !reached(Reach::Nothing, AtWork::Yes));
    let nobody = seen([2, 2], [0, 100]);
    assert!(!nobody.carries_apart(&group("other"), AtWork::Yes));
}
