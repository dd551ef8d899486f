//! What each guarded write makes of an Environment's turn, holder and ledger.

use dryad_machine::deployed::{Deployed, Shipment};
use dryad_machine::name::{Turn, Uid};
use dryad_machine::release::Release;
use dryad_machine::state::State;
use dryad_machine::tenure::{End, Held, MOST_GROUPS, Member, Role, Tenure};

use crate::moment::{Moment, at, group};

/// Blue serves, green is being brought in.
fn tenure() -> Tenure {
    Moment::weighted(State::RolloutWait, Some(2)).environment.tenure
}

fn held(desired: Option<u32>, original_min: u32) -> Held {
    Held { desired, original_min, original_max: 4 }
}

fn deployed(uid: &str, turn: i64) -> Deployed {
    let shipment = Shipment { release: Release::default(), committed_at: None, subject: None };
    let deployment = format!("web-{turn}");
    Deployed { shipment, deployment, uid: Uid::new(uid), turn: Turn::new(turn), since: at(0).wall }
}

fn member<'a>(tenure: &'a Tenure, name: &str) -> &'a Member {
    tenure.member(&group(name)).expect("it is in the ledger")
}

#[test]
fn a_group_that_is_held_anew_keeps_the_bounds_that_were_its_own() {
    let mut tenure = tenure();
    assert_eq!(tenure.held_desired(), None);
    tenure.groups[0].held = Some(held(None, 1));
    assert_eq!(tenure.held_desired(), None, "only its bounds are left to be restored");
    let tenure = tenure.hold(&[(group("blue"), held(Some(3), 2))]);
    assert_eq!(member(&tenure, "blue").held, Some(held(Some(3), 1)));
    assert_eq!(tenure.held_desired(), Some(3));
    assert_eq!(tenure.let_go(&[group("blue")]).held_desired(), None);
}

#[test]
fn what_was_found_good_is_on_record_for_the_environment_and_for_its_group() {
    let tenure = tenure().project(&group("green"), &deployed("d", 2));
    assert_eq!(tenure.deployed, Some(deployed("d", 2)));
    assert_eq!(member(&tenure, "green").deployed, Some(deployed("d", 2)));
    assert_eq!(member(&tenure, "blue").deployed, None);
}

#[test]
fn a_turn_that_ends_leaves_who_serves_with_its_bounds_to_restore_and_gives_up_all_others() {
    let mut before = tenure();
    before.groups[0].held = Some(held(Some(2), 1));
    before.groups[0].deployed = Some(deployed("d0", 1));
    let end = |serving: &str, deployed: Option<Deployed>| End {
        serving: vec![group(serving)],
        gone: Vec::new(),
        deployed,
    };
    let blue = before.release(&end("blue", None));
    assert_eq!(member(&blue, "blue").held, Some(held(None, 1)), "nobody needs that size any more");
    assert_eq!((member(&blue, "green").role, blue.deployed), (Role::Doomed, Some(deployed("d0", 1))));
    let green = before.release(&end("green", Some(deployed("d", 2))));
    assert_eq!((member(&green, "blue").role, member(&green, "blue").held), (Role::Doomed, None));
    assert_eq!(member(&green, "green").deployed, Some(deployed("d", 2)));
    assert_eq!(member(&green, "blue").deployed, Some(deployed("d0", 1)), "that is what it runs");
    assert_eq!(green.deployed, Some(deployed("d", 2)));
    let back = before.release(&end("blue", Some(deployed("d", 2))));
    assert_eq!(member(&back, "green").deployed, None, "it serves nobody");
}

#[test]
fn who_is_given_up_stays_so_however_a_turn_ends() {
    let mut before = tenure();
    before.groups[0].role = Role::Doomed;
    let end = End { serving: vec![group("blue"), group("green")], gone: Vec::new(), deployed: None };
    assert_eq!(member(&before.release(&end), "blue").role, Role::Doomed);
}

#[test]
fn what_was_left_behind_is_taken_in_given_up_as_far_as_there_is_room() {
    let before = tenure();
    let left = |name: String| Member { name: group(&name), role: Role::Serving, ..before.groups[0].clone() };
    let known = before.sweep(&[left("blue".to_owned())]);
    assert_eq!(known, before, "it is known");
    let many: Vec<_> = (0..MOST_GROUPS).map(|number| left(format!("old-{number}"))).collect();
    let full = before.sweep(&many);
    assert_eq!(full.groups.len(), MOST_GROUPS);
    assert_eq!(full.of_role(Role::Doomed).count(), MOST_GROUPS - 2);
}
