//! Every clause of the decision, each with the neighbour that decides otherwise.

use super::*;

use crate::name::{AccountName, Arn, Region};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn place() -> Place {
    Place { account: AccountName::new("default"), region: Region::new("us-east-1") }
}

fn shared(arn: &str) -> Access {
    Access::TargetGroup { arn: Arn::new(arn) }
}

/// A group of this turn, launched for an Environment of this uid.
fn group(turn: i64, environment: &str, bearing: Bearing) -> Candidate {
    let (turn, owner) = (Turn::new(turn), Uid::new(format!("d{turn}")));
    Candidate {
        name: GroupName::of("web", turn, &owner),
        place: place(),
        access: shared(&format!("of-{turn}")),
        claim: Claim {
            namespace: "shop".to_owned(),
            environment: "web".to_owned(),
            environment_uid: Uid::new(environment),
            owner,
            turn,
            deployment: Some(format!("web-{turn}")),
            release: Some(Release::default()),
        },
        created: NOW,
        bearing,
    }
}

/// The ledger's line on it.
fn member(candidate: &Candidate, role: Role) -> Member {
    Member {
        name: candidate.name.clone(),
        place: candidate.place.clone(),
        access: None,
        owner: candidate.claim.owner.clone(),
        environment: None,
        turn: candidate.claim.turn,
        role,
        deployed: None,
        held: None,
    }
}

fn record(turn: i64, groups: Vec<Member>) -> Tenure {
    Tenure { turn: Turn::new(turn), groups, ..Tenure::default() }
}

fn verdict(tenure: &Tenure, deployments: i64, candidates: &[Candidate]) -> Verdict {
    verdict_with(tenure, deployments, &BTreeSet::new(), candidates)
}

fn verdict_with(
    tenure: &Tenure,
    deployments: i64,
    unlaunched: &BTreeSet<GroupName>,
    candidates: &[Candidate],
) -> Verdict {
    let heir = Heir { uid: &Uid::new("new"), tenure, deployments: Turn::new(deployments), unlaunched };
    decide(heir, candidates, NOW)
}

fn adopted(verdict: Verdict) -> Tenure {
    match verdict {
        Verdict::Adopt(tenure) => *tenure,
        other => panic!("{other:?}"),
    }
}

fn why(verdict: Verdict) -> String {
    match verdict {
        Verdict::Ambiguous(why) => why,
        other => panic!("{other:?}"),
    }
}

/// The ledger as lines of name, role and the Environment that launched it.
fn ledger(tenure: &Tenure) -> Vec<String> {
    let line = |member: &Member| {
        let of = member.environment.as_ref().map_or("own", Uid::as_str);
        format!("{} {:?} {of}", member.name, member.role)
    };
    tenure.groups.iter().map(line).collect()
}

#[test]
fn a_record_that_knows_every_turn_is_current() {
    let serving = group(2, "new", Bearing::Carries);
    let tenure = record(2, vec![member(&serving, Role::Serving)]);
    assert_eq!(verdict(&tenure, 2, &[serving.clone(), group(1, "new", Bearing::Idle)]), Verdict::Current);
    assert_eq!(verdict(&record(0, Vec::new()), 0, &[]), Verdict::Current, "nothing was ever deployed");
    assert_ne!(verdict(&record(1, Vec::new()), 0, &[serving]), Verdict::Current);
}

#[test]
fn without_a_record_the_one_group_that_carries_traffic_is_adopted() {
    let idle = [group(1, "old", Bearing::Idle), group(7, "old", Bearing::Idle)];
    let [first, last] = idle;
    let next = adopted(verdict(&Tenure::default(), 0, &[first, group(5, "old", Bearing::Carries), last]));
    assert_eq!(ledger(&next), ["web-5-d5 Serving old"]);
    assert_eq!(next.turn, Turn::new(7), "the highest turn of any group");
    assert_eq!(next.holder, None);
    assert_eq!(next.restored, Some(Restored { turn: Turn::new(7), at: NOW }));
    let deployed = next.deployed.unwrap();
    assert_eq!((deployed.deployment.as_str(), deployed.turn), ("web-5", Turn::new(5)));
    assert_eq!((deployed.uid, deployed.since), (Uid::new("d5"), NOW));
}

#[test]
fn what_a_group_runs_is_unknown_where_its_tags_do_not_tell() {
    let mut silent = group(5, "old", Bearing::Carries);
    silent.claim.release = None;
    assert_eq!(adopted(verdict(&Tenure::default(), 0, &[silent])).deployed, None);
}

#[test]
fn an_older_record_gives_up_what_does_not_serve_any_more() {
    let (before, since) = (group(1, "new", Bearing::Idle), group(3, "new", Bearing::Carries));
    let mut blue = member(&before, Role::Serving);
    blue.held = Some(Held { desired: Some(2), original_min: 1, original_max: 4 });
    let gone = member(&group(2, "new", Bearing::Idle), Role::Green);
    let mut tenure = record(2, vec![blue, gone]);
    tenure.holder = Some(Uid::new("d2"));
    let next = adopted(verdict(&tenure, 2, &[before, since]));
    assert_eq!(ledger(&next), ["web-1-d1 Doomed own", "web-2-d2 Doomed own", "web-3-d3 Serving own"]);
    assert_eq!((next.turn, next.holder.clone()), (Turn::new(3), None));
    assert!(next.groups.iter().all(|member| member.held.is_none()));
}

#[test]
fn an_older_record_keeps_what_still_serves_as_it_knows_it() {
    let (before, since) = (group(1, "new", Bearing::Carries), group(2, "new", Bearing::Idle));
    let mut blue = member(&before, Role::Serving);
    let known = Deployed { since: Timestamp::from_second(99).unwrap(), ..super::deployed(&before).unwrap() };
    blue.deployed = Some(known.clone());
    blue.held = Some(Held { desired: Some(2), original_min: 1, original_max: 4 });
    let next = adopted(verdict(&record(1, vec![blue]), 1, &[before, since]));
    assert_eq!(ledger(&next), ["web-1-d1 Serving own"], "the idle one is not adopted");
    assert_eq!((next.turn, next.deployed), (Turn::new(2), Some(known)));
    let held = next.groups[0].held;
    assert_eq!(
        held,
        Some(Held { desired: None, original_min: 1, original_max: 4 }),
        "its bounds are restored"
    );
}

#[test]
fn a_record_that_came_along_with_another_uid_learns_the_old_one() {
    let serving = group(2, "old", Bearing::Carries);
    let leftover = group(1, "old", Bearing::Idle);
    let groups = vec![member(&serving, Role::Serving), member(&leftover, Role::Doomed)];
    let mut tenure = record(2, groups);
    tenure.holder = Some(Uid::new("gone"));
    let next = adopted(verdict(&tenure, 0, &[serving.clone(), leftover.clone()]));
    assert_eq!(ledger(&next), ["web-1-d1 Doomed old", "web-2-d2 Serving old"]);
    assert_eq!((next.turn, next.holder.clone()), (Turn::new(2), None));
    assert_eq!(verdict(&next, 0, &[serving, leftover]), Verdict::Current, "and that settles it");
}

#[test]
fn several_groups_that_carry_traffic_are_for_a_person_to_tell_apart() {
    let both = [group(1, "old", Bearing::Carries), group(2, "old", Bearing::Carries)];
    let why = why(verdict(&Tenure::default(), 0, &both));
    assert!(why.contains("more than one carries traffic (web-1-d1, web-2-d2)"), "{why}");
}

#[test]
fn of_groups_without_traffic_none_is_adopted() {
    let both = [group(2, "old", Bearing::Idle), group(1, "old", Bearing::Idle)];
    let why = why(verdict(&Tenure::default(), 0, &both));
    assert!(why.contains("none carries traffic (web-1-d1, web-2-d2)"), "{why}");
}

#[test]
fn a_group_that_was_given_up_is_not_taken_back() {
    let (given_up, since) = (group(1, "new", Bearing::Carries), group(2, "new", Bearing::Leaving));
    let tenure = record(1, vec![member(&given_up, Role::Doomed)]);
    let why = why(verdict(&tenure, 1, &[given_up, since]));
    assert!(why.contains("web-1-d1, which carries the traffic, was given up"), "{why}");
}

#[test]
fn groups_on_their_way_out_leave_nothing_but_their_turn() {
    let leaving = group(4, "old", Bearing::Leaving);
    let next = adopted(verdict(&Tenure::default(), 0, std::slice::from_ref(&leaving)));
    assert_eq!((ledger(&next).len(), next.turn, next.deployed.clone()), (0, Turn::new(4), None));
    assert_eq!(next.restored, None, "nothing was taken over, so nobody is kept from running");
    let beside = adopted(verdict(&Tenure::default(), 0, &[leaving, group(2, "old", Bearing::Carries)]));
    assert_eq!((ledger(&beside), beside.turn), (vec!["web-2-d2 Serving old".to_owned()], Turn::new(4)));
}

#[test]
fn a_deployment_that_knows_a_later_turn_outdates_the_record_too() {
    let next = adopted(verdict(&Tenure::default(), 5, &[]));
    assert_eq!((next.turn, ledger(&next).len()), (Turn::new(5), 0));
    assert_eq!(verdict(&record(5, Vec::new()), 5, &[]), Verdict::Current);
}

#[test]
fn what_is_declared_today_counts_as_requested() {
    let digest = |of: char| of.to_string().repeat(64).parse::<Sha256>().unwrap();
    let record =
        |number, of, uid: Option<&str>| Requested { number, digest: digest(of), uid: uid.map(Uid::new) };
    let rows = [
        (None, record(0, 'a', None)),
        (Some(record(0, 'a', None)), record(0, 'a', None)),
        (Some(record(3, 'a', Some("d3"))), record(3, 'a', Some("d3"))),
        // Its Deployment was not made yet when the backup was, or nobody knows.
        (Some(record(3, 'a', None)), record(3, 'a', Some("e"))),
        (Some(record(3, 'b', Some("d3"))), record(4, 'a', Some("e"))),
        (Some(record(0, 'b', None)), record(1, 'a', Some("e"))),
    ];
    for (stored, expected) in rows {
        let next = requested(stored.as_ref(), digest('a'), &Uid::new("e"));
        assert_eq!(next, expected, "{stored:?}");
        assert!(next.is_settled(), "or the trigger would make a Deployment of it");
    }
}

#[test]
fn how_requests_reach_what_is_adopted_is_written_down_where_it_was_not() {
    let next = adopted(verdict(&Tenure::default(), 0, &[group(5, "old", Bearing::Carries)]));
    assert_eq!(next.groups[0].access, Some(shared("of-5")));
    let (before, since) = (group(1, "new", Bearing::Idle), group(3, "new", Bearing::Carries));
    let mut known = member(&since, Role::Green);
    known.access = Some(shared("as-announced"));
    let next = adopted(verdict(&record(2, vec![member(&before, Role::Serving), known]), 2, &[before, since]));
    let accesses: Vec<_> = next.groups.iter().map(|member| member.access.clone()).collect();
    assert_eq!(accesses, [Some(shared("of-1")), Some(shared("as-announced"))], "and never written anew");
    let serving = group(1, "new", Bearing::Carries);
    let next = adopted(verdict(&record(1, vec![member(&serving, Role::Serving)]), 2, &[serving]));
    assert_eq!(next.groups[0].access, Some(shared("of-1")), "nor was it where the record is an old one");
}

#[test]
fn a_group_that_is_there_before_its_launch_is_recorded_outdates_the_record() {
    let (blue, green) = (group(1, "new", Bearing::Idle), group(2, "new", Bearing::Carries));
    let mut tenure = record(2, vec![member(&blue, Role::Serving), member(&green, Role::Green)]);
    tenure.holder = Some(green.claim.owner.clone());
    let (both, unlaunched) = ([blue.clone(), green.clone()], BTreeSet::from([green.name]));
    assert_eq!(verdict(&tenure, 2, &both), Verdict::Current, "where the launch is on record");
    let next = adopted(verdict_with(&tenure, 2, &unlaunched, &both));
    assert_eq!(
        (ledger(&next), next.holder),
        (vec!["web-1-d1 Doomed own".into(), "web-2-d2 Serving own".into()], None)
    );
    assert_eq!(verdict_with(&tenure, 2, &unlaunched, &[blue]), Verdict::Current, "it has yet to come");
}
