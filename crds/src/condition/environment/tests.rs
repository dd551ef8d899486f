//! What the conditions of an Environment say, by tables.

use dryad_machine::deployed::{Deployed, Shipment};
use dryad_machine::event::Reason;
use dryad_machine::name::Turn;
use dryad_machine::release::Release;

use super::super::tests::{line, second};
use super::*;

fn tenure(holder: Option<&str>, deployed: Option<&str>) -> Tenure {
    Tenure {
        turn: Turn::new(7),
        holder: holder.map(Uid::new),
        groups: Vec::new(),
        deployed: deployed.map(|deployment| Deployed {
            shipment: Shipment { release: Release::default(), committed_at: None, subject: None },
            deployment: deployment.to_owned(),
            uid: Uid::new("u"),
            turn: Turn::new(6),
            since: second(1),
        }),
        restored: None,
    }
}

fn ended(state: State, reason: Reason) -> History {
    let begun = History::default();
    let begun = begun.with(begun.next(State::Pending, None, Reason::Created, "", second(1)));
    begun.with(begun.next(state, None, reason, "no such commit", second(2)))
}

/// One that launched a group, and took it back.
fn rolled_back() -> History {
    let begun = History::default();
    let begun = begun.with(begun.next(State::Pending, None, Reason::Created, "", second(1)));
    let begun = begun.with(begun.next(State::Rollback, Some(2), Reason::CheckFailed, "/ is bad", second(2)));
    begun.with(begun.next(State::Failed, None, Reason::RollbackOk, "rolled back, green is gone", second(3)))
}

fn newest(history: &History) -> Newest<'_> {
    Newest { name: "web-7", history }
}

/// An Environment on which nobody works, and of which all is well.
fn quiet(tenure: &Tenure) -> Facts<'_> {
    Facts {
        generation: 2,
        tenure,
        past: Past::Known,
        turn: InTurn::Nobody,
        template: Freshness::Current,
        declared: None,
        newest: None,
        service: Service::Served("4 of 4 instances are healthy"),
        denied: None,
        conflict: None,
        parameter: Parameter::None,
        permission: Permission::Granted,
        flaw: None,
        leftovers: Leftovers::None,
    }
}

#[test]
fn conditions_follow_from_tenure_template_and_the_newest_end() {
    let (refused, rejected) = (ended(State::Failed, Reason::ReleaseRejected), rolled_back());
    let aborted = ended(State::Aborted, Reason::AbortRequested);
    let (idle, busy) = (tenure(None, Some("web-6")), tenure(Some("u7"), Some("web-6")));
    let fresh = tenure(None, None);
    let served = Service::Served("4 of 4 instances are healthy");
    let table = [
        (
            (&fresh, Freshness::Unknown, None, Service::Unserved("there are no instances")),
            "Ready=False(NothingDeployed)@9 Available=False(NotServing)@9 Stalled=True(NothingDeployed)@9",
        ),
        ((&idle, Freshness::Current, None, served), "Ready=True(Deployed)@9 Available=True(Serving)@9"),
        (
            (&idle, Freshness::Outdated, None, served),
            "Ready=False(TemplateChanged)@9 Available=True(Serving)@9 Stalled=True(TemplateChanged)@9",
        ),
        (
            (&idle, Freshness::Unknown, None, Service::Unknown("throttled")),
            "Ready=Unknown(DeploymentGone)@9 Available=Unknown(NotSeen)@9 Stalled=True(DeploymentGone)@9",
        ),
        (
            (&busy, Freshness::Current, Some(newest(&rejected)), served),
            "Ready=True(Deployed)@9 Available=True(Serving)@9 Reconciling=True(Deploying)@9",
        ),
        (
            (&idle, Freshness::Current, Some(newest(&rejected)), served),
            "Ready=True(Deployed)@9 Available=True(Serving)@9 Stalled=True(ReleaseRejected)@9",
        ),
        (
            (&idle, Freshness::Current, Some(newest(&refused)), served),
            "Ready=True(Deployed)@9 Available=True(Serving)@9",
        ),
        (
            (&idle, Freshness::Current, Some(newest(&aborted)), served),
            "Ready=True(Deployed)@9 Available=True(Serving)@9",
        ),
    ];
    for ((tenure, template, newest, service), expected) in table {
        let turn = InTurn::of(tenure, |_| Some(State::RolloutWait));
        let permission = Permission::Granted;
        let facts = Facts { turn, template, newest, service, permission, ..quiet(tenure) };
        let first = conditions(facts, &[], second(9));
        assert_eq!(line(&first), expected);
        assert_eq!(
            conditions(facts, &first, second(50)),
            first,
            "nothing changed, so nothing is to be written"
        );
    }
}

#[test]
fn who_brought_the_rejected_release_and_why_it_went_is_said() {
    let (idle, rejected) = (tenure(None, Some("web-6")), rolled_back());
    let facts = Facts { newest: Some(newest(&rejected)), ..quiet(&idle) };
    let all = conditions(facts, &[], second(9));
    let stalled = all.iter().find(|condition| condition.type_ == STALLED).unwrap();
    assert_eq!(
        stalled.message,
        "Deployment web-7 has not brought its release in (CheckFailed: / is bad); create another \
         Deployment"
    );
}

#[test]
fn what_nothing_can_be_launched_from_is_said_before_anybody_tries() {
    let idle = tenure(None, Some("web-6"));
    let facts = Facts { flaw: Some("user data, line 3: no"), ..quiet(&idle) };
    let all = conditions(facts, &[], second(9));
    assert_eq!(
        line(&all),
        "Ready=False(TemplateInvalid)@9 Available=True(Serving)@9 Stalled=True(TemplateInvalid)@9"
    );
    assert_eq!(all[0].message, "user data, line 3: no");
}

#[test]
fn of_an_outdated_record_it_is_not_known_who_serves() {
    let idle = tenure(None, Some("web-6"));
    let before = conditions(quiet(&idle), &[], second(9));
    let meanwhile = outdated(&before, 2, second(12));
    assert_eq!(
        line(&meanwhile),
        "Ready=True(Deployed)@9 Available=Unknown(NotSeen)@12 Reconciling=True(Adopting)@12"
    );
    assert_eq!(outdated(&meanwhile, 2, second(50)), meanwhile, "and that is written once");
}

#[test]
fn while_nobody_can_tell_which_group_is_to_serve_it_is_not_known_who_does() {
    let idle = tenure(None, Some("web-6"));
    let before = outdated(&conditions(quiet(&idle), &[], second(9)), 2, second(12));
    let stalled =
        |before: &[Condition], at| undecided(before, "RestoreAmbiguous", "two of them", 2, second(at));
    let meanwhile = stalled(&before, 15);
    assert_eq!(
        line(&meanwhile),
        "Ready=False(RestoreAmbiguous)@15 Stalled=True(RestoreAmbiguous)@15 Available=Unknown(NotSeen)@12"
    );
    assert_eq!(stalled(&meanwhile, 50), meanwhile, "and that is written once");
}

#[test]
fn of_an_empty_record_it_is_not_said_that_nothing_runs_before_the_cloud_was_seen() {
    let fresh = tenure(None, None);
    let told = |denied| {
        let service = Service::Unknown("the cloud was not seen");
        let facts = Facts { past: Past::Unknown, service, denied, ..quiet(&fresh) };
        line(&conditions(facts, &[], second(9)))
    };
    let unknown = "Ready=Unknown(NotSeen)@9 Available=Unknown(NotSeen)@9 Reconciling=True(NotSeen)@9";
    assert_eq!(told(None), unknown);
    let denied = "Ready=False(AccessDenied)@9 Available=Unknown(NotSeen)@9 Stalled=True(AccessDenied)@9";
    assert_eq!(told(Some("DescribeAutoScalingGroups is denied")), denied, "somebody has to do something");
}

#[test]
fn what_the_cloud_denies_is_what_keeps_it_from_being_ready() {
    let idle = tenure(None, Some("web-6"));
    let service = Service::Served("4 of 4 instances are healthy");
    let denied = Some("DescribeRules is denied to the operator");
    let (template, permission) = (Freshness::Current, Permission::Granted);
    let turn = InTurn::Nobody;
    let facts = Facts { turn, template, service, denied, permission, ..quiet(&idle) };
    let conditions = conditions(facts, &[], second(9));
    assert_eq!(
        line(&conditions),
        "Ready=False(AccessDenied)@9 Available=True(Serving)@9 Stalled=True(AccessDenied)@9"
    );
    assert_eq!(conditions[0].message, "DescribeRules is denied to the operator");
}

#[test]
fn an_environment_that_is_not_permitted_says_so_before_all_else_and_still_serves() {
    let rejected = ended(State::Failed, Reason::NotPermitted);
    let (idle, busy) = (tenure(None, Some("web-6")), tenure(Some("u7"), Some("web-6")));
    let table = [
        (&idle, "Ready=False(NotPermitted)@9 Available=True(Serving)@9 Stalled=True(NotPermitted)@9"),
        (&busy, "Ready=False(NotPermitted)@9 Available=True(Serving)@9 Reconciling=True(Deploying)@9"),
    ];
    for (tenure, expected) in table {
        let facts = Facts {
            turn: InTurn::of(tenure, |_| Some(State::RolloutWait)),
            newest: Some(newest(&rejected)),
            denied: Some("DescribeRules is denied to the operator"),
            conflict: Some("Environment shop/api uses it, too"),
            permission: Permission::Refused("accounts lacks production"),
            ..quiet(tenure)
        };
        let conditions = conditions(facts, &[], second(9));
        assert_eq!(line(&conditions), expected);
        assert_eq!(conditions[0].message, "accounts lacks production");
    }
}

#[test]
fn a_conflict_stalls_an_environment_that_has_no_turn_whatever_it_declares() {
    let (idle, busy) = (tenure(None, Some("web-6")), tenure(Some("u7"), Some("web-6")));
    let told = |tenure: &Tenure| {
        let facts = Facts {
            turn: InTurn::of(tenure, |_| Some(State::RolloutWait)),
            service: Service::Served("web-6 serves"),
            conflict: Some("Environment shop/api uses it, too"),
            ..quiet(tenure)
        };
        line(&conditions(facts, &[], second(9)))
    };
    let (ready, available) = ("Ready=False(TargetConflict)@9", "Available=True(Serving)@9");
    assert_eq!(told(&idle), format!("{ready} {available} Stalled=True(TargetConflict)@9"));
    assert_eq!(told(&busy), format!("{ready} {available} Reconciling=True(Deploying)@9"));
}

#[test]
fn a_transition_has_its_own_time_and_leaves_the_others_theirs() {
    let (fresh, idle) = (tenure(None, None), tenure(None, Some("web-6")));
    let service = Service::Served("4 of 4 instances are healthy");
    let facts = |tenure| Facts { service, ..quiet(tenure) };
    let before = conditions(facts(&fresh), &[], second(9));
    let after = conditions(facts(&idle), &before, second(20));
    assert_eq!(line(&after), "Ready=True(Deployed)@20 Available=True(Serving)@9");
}

#[test]
fn how_the_parameter_stands_is_told_where_there_is_one() {
    let idle = tenure(None, Some("web-6"));
    let message = || "a sentence".to_owned();
    let table = [
        (Projection::Written(message()), "Projected=True(Written)@9"),
        (Projection::Withheld { reason: "Foreign", message: message() }, "Projected=False(Foreign)@9"),
        (Projection::Unknown(message()), "Projected=Unknown(NotSeen)@9"),
    ];
    for (projection, expected) in &table {
        let facts = Facts { parameter: Parameter::Seen(projection), ..quiet(&idle) };
        let told = conditions(facts, &[], second(9));
        assert_eq!(line(&told), format!("Ready=True(Deployed)@9 Available=True(Serving)@9 {expected}"));
        let unseen = Facts { parameter: Parameter::Unseen, ..facts };
        let again = conditions(unseen, &told, second(50));
        assert_eq!(again, told, "a process that has not looked yet takes nothing back");
        let none = conditions(quiet(&idle), &told, second(50));
        assert_eq!(line(&none), "Ready=True(Deployed)@9 Available=True(Serving)@9");
    }
}

#[test]
fn a_deployment_that_is_deleted_takes_back_nothing_that_was_known_of_this_generation() {
    let idle = tenure(None, Some("web-6"));
    let facts = |generation, template| Facts {
        generation,
        template,
        service: Service::Served("g serves"),
        ..quiet(&idle)
    };
    let known = conditions(facts(2, Freshness::Current), &[], second(9));
    assert_eq!(conditions(facts(2, Freshness::Unknown), &known, second(20)), known);
    let edited = conditions(facts(3, Freshness::Unknown), &known, second(20));
    assert!(line(&edited).starts_with("Ready=Unknown(DeploymentGone)@20"), "{}", line(&edited));
}

#[test]
fn a_deploy_is_under_way_until_its_release_is_deployed_and_again_when_that_is_taken_back() {
    let (mut busy, idle) = (tenure(Some("u"), Some("web-6")), tenure(None, Some("web-6")));
    let in_turn = |tenure: &Tenure, state| InTurn::of(tenure, |_| state);
    assert_eq!(in_turn(&idle, None), InTurn::Nobody);
    for state in [State::RetainWait, State::RetireWait, State::Done] {
        assert_eq!(in_turn(&busy, Some(state)), InTurn::Clearing);
    }
    assert_eq!(in_turn(&busy, Some(State::Rollback)), InTurn::Bringing);
    assert_eq!(in_turn(&busy, None), InTurn::Bringing);
    busy.holder = Some(Uid::new("another"));
    assert_eq!(in_turn(&busy, Some(State::RetainWait)), InTurn::Bringing, "it is not deployed yet");
}

#[test]
fn what_is_left_behind_is_told_while_it_is_there() {
    let idle = tenure(None, Some("web-6"));
    let told = |leftovers, previous: &[Condition]| {
        let facts = Facts { service: Service::Served("web-6 serves"), leftovers, ..quiet(&idle) };
        conditions(facts, previous, second(9))
    };
    let some = told(Leftovers::Some("web-9: requests may reach it"), &[]);
    let serving = "Ready=True(Deployed)@9 Available=True(Serving)@9";
    assert_eq!(line(&some), format!("{serving} Leftovers=True(LeftAlone)@9"));
    assert_eq!(told(Leftovers::Unknown, &some), some, "a process that has not looked yet takes nothing back");
    assert_eq!(line(&told(Leftovers::None, &some)), serving);
}
