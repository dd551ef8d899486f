//! How a deploy gives its turn back: whose groups serve from then on, which are gone and which are given up.

use dryad_machine::decide::{Action, TenureChange, Write};
use dryad_machine::event::Reason;
use dryad_machine::name::{Turn, Uid};
use dryad_machine::reading::{Reading, Traffic};
use dryad_machine::state::State;
use dryad_machine::tenure::Role;
use dryad_machine::view::{Finalizer, Past, Remains};

use crate::moment::{Moment, Sight, TICK, at, weights};

/// A deploy that was rolled back and ended for this reason.
fn rolled_back(reason: Reason) -> Moment {
    let mut moment = Moment::weighted(State::Rollback, Some(2));
    moment.enter(State::Failed, reason);
    moment
}

/// A deploy that was found good at second 100 and ended for this reason.
fn done(reason: Reason) -> Moment {
    let mut moment = Moment::weighted(State::RetainWait, Some(2));
    moment.enter(State::RetireWait, Reason::RetainElapsed);
    moment.enter(State::Done, reason);
    moment
}

fn with(mut moment: Moment, traffic: Traffic) -> Moment {
    moment.reading.traffic = traffic;
    moment
}

type Ended = fn(Reason) -> Moment;

/// The ledger once the turn was given back.
fn ledger(moment: &Moment) -> Vec<(String, Role)> {
    let (change, tenure) = moment.tenure().expect("it gives the turn back");
    assert_eq!((change, &tenure.holder), (TenureChange::Release, &None));
    tenure.groups.iter().map(|member| (member.name.to_string(), member.role)).collect()
}

fn lines(lines: &[(&str, Role)]) -> Vec<(String, Role)> {
    lines.iter().map(|(name, role)| ((*name).to_owned(), *role)).collect()
}

#[test]
fn after_a_good_deploy_green_serves_and_what_was_confirmed_gone_is_off_the_ledger() {
    let moment = done(Reason::RetireOk);
    assert_eq!(ledger(&moment), lines(&[("green", Role::Serving)]));
    let deployed = moment.tenure().and_then(|(_, tenure)| tenure.deployed).expect("it is recorded");
    assert_eq!((deployed.uid, deployed.since), (Uid::new("d"), at(100).wall), "since it was found good");
}

#[test]
fn after_a_rollback_blue_serves_and_green_is_off_the_ledger_if_it_is_gone() {
    assert_eq!(ledger(&rolled_back(Reason::RollbackOk)), lines(&[("blue", Role::Serving)]));
    assert_eq!(rolled_back(Reason::RollbackOk).tenure().and_then(|(_, tenure)| tenure.deployed), None);
    let given_up = [("blue", Role::Serving), ("green", Role::Doomed)];
    assert_eq!(ledger(&rolled_back(Reason::TimedOut)), lines(&given_up));
}

#[test]
fn who_gave_up_asks_the_traffic_who_serves() {
    let green_serves = lines(&[("blue", Role::Doomed), ("green", Role::Serving)]);
    let blue_serves = lines(&[("blue", Role::Serving), ("green", Role::Doomed)]);
    let (on_blue, on_green, on_both) = (weights(100, 0), weights(0, 100), weights(50, 50));
    let nowhere = weights(0, 0);
    let rows: [(Ended, Reason, &Traffic, &Vec<_>); 11] = [
        (rolled_back, Reason::TimedOut, &on_green, &green_serves),
        (rolled_back, Reason::TimedOut, &nowhere, &blue_serves),
        (rolled_back, Reason::BlueLost, &on_green, &green_serves),
        (rolled_back, Reason::BlueLost, &on_blue, &blue_serves),
        (rolled_back, Reason::BlueLost, &nowhere, &green_serves),
        (done, Reason::TimedOut, &on_green, &green_serves),
        (done, Reason::TimedOut, &on_both, &green_serves),
        (done, Reason::TimedOut, &nowhere, &green_serves),
        (done, Reason::TimedOut, &on_blue, &blue_serves),
        (done, Reason::Superseded, &on_blue, &blue_serves),
        // Who has brought it to its end knows, whatever somebody has done since.
        (done, Reason::RetireOk, &on_blue, &lines(&[("green", Role::Serving)])),
    ];
    for (ended, reason, traffic, expected) in rows {
        assert_eq!(&ledger(&with(ended(reason), traffic.clone())), expected, "{reason} {traffic:?}");
    }
    let both_serve = lines(&[("blue", Role::Serving), ("green", Role::Serving)]);
    assert_eq!(ledger(&with(rolled_back(Reason::TimedOut), on_both)), both_serve);
}

#[test]
fn two_looks_have_to_agree_on_who_carries_the_traffic_when_something_was_given_up() {
    let mut moment = rolled_back(Reason::BlueLost);
    let (on_blue, on_green) = (weights(100, 0), weights(0, 100));
    let first = Reading { traffic: on_blue, ..moment.reading.clone() };
    let second = Reading { traffic: on_green, ..moment.reading.clone() };
    let Action::Write(Write::Tenure { to, .. }) = moment.decide_on([&first, &second]).action else {
        panic!("it gives the turn back");
    };
    let roles: Vec<_> = to.groups.iter().map(|member| member.role).collect();
    assert_eq!(roles, [Role::Doomed, Role::Serving], "as recorded");
    moment.now = at(moment.now.mono.as_secs() + 100);
    moment.memory.rerouted(moment.now.mono);
    assert_eq!(moment.tenure(), None, "one look is none");
    assert_eq!(moment.said(), "looking which group carries the traffic now");
}

#[test]
fn who_ended_before_anything_was_launched_leaves_blue_and_nothing_else() {
    let mut moment = rolled_back(Reason::ReleaseRejected);
    moment.deployment.plan = None;
    assert_eq!(ledger(&moment), lines(&[("blue", Role::Serving)]));
}

#[test]
fn the_turn_is_given_back_only_once_nothing_can_land() {
    let mut moment = done(Reason::RetireOk);
    moment.memory.unanswered(moment.now.mono + TICK);
    assert_eq!(moment.tenure(), None);
    assert_eq!(moment.said(), "waiting until no request of this deploy can land any more");
}

#[test]
fn who_has_let_go_of_everything_waits_for_nobody() {
    use Finalizer::{Absent, Present};
    let ended = |holder: Option<&str>, finalizer, past| {
        let mut moment = done(Reason::RetireOk);
        moment.environment.tenure.holder = holder.map(Uid::new);
        moment.environment.past = past;
        moment.deployment.finalizer = finalizer;
        moment
    };
    let waits = |moment: Moment| moment.said().starts_with("looking whether its Environment was restored");
    assert!(waits(ended(Some("d"), Present, Past::Unknown)));
    assert!(waits(ended(Some("d"), Absent, Past::Unknown)));
    assert!(waits(ended(Some("d3"), Present, Past::Unknown)));
    assert!(!waits(ended(Some("d3"), Absent, Past::Unknown)));
    let open = ended(Some("d3"), Present, Past::Known);
    assert_eq!(open.decide().action, Action::Write(Write::RemoveFinalizer));
    let mut never_ran = open;
    never_ran.deployment.turn = None;
    assert_eq!(never_ran.decide().action, Action::Write(Write::RemoveFinalizer));
}

#[test]
fn nobody_goes_on_in_a_turn_that_the_cache_does_not_show() {
    let mut moment = Moment::weighted(State::RolloutWait, Some(1));
    assert_eq!(moment.entry().map(|(reason, _)| reason), Some(Reason::RolloutOk));
    moment.environment.tenure.turn = Turn::new(1);
    assert_eq!((moment.entry(), moment.said()), (None, "waiting to see the turn that it holds".to_owned()));
    moment.environment.tenure.turn = Turn::new(2);
    moment.sight = Sight::Unseen;
    assert_eq!((moment.entry(), moment.said()), (None, "waiting to see the turn that it holds".to_owned()));
}

#[test]
fn who_has_no_turn_yet_waits_for_an_environment_to_come() {
    let mut moment = Moment::weighted(State::Pending, None);
    moment.sight = Sight::Gone(Remains::default());
    assert_eq!(moment.said(), "its Environment does not exist; create it, or delete this Deployment");
}
