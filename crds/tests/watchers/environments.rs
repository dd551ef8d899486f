//! Environments: whatever happens to what they declare, whoever waits sees an end.

use dryad_crds::condition::declared::{Declared, Made, Request};
use dryad_crds::condition::environment::{
    Facts, Freshness, InTurn, Leftovers, Parameter, Permission, Service, conditions, outdated, undecided,
};
use dryad_crds::environment::release::DeclaredRelease;
use dryad_machine::deployed::{Deployed, Shipment};
use dryad_machine::event::Reason;
use dryad_machine::history::History;
use dryad_machine::name::{Turn, Uid};
use dryad_machine::release::Release;
use dryad_machine::state::State;
use dryad_machine::tenure::Tenure;
use dryad_machine::view::Past;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use serde_json::json;

use super::seen;

/// The commits of releases A and B.
const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

/// What runs: a commit, brought in by a Deployment of this uid in this turn. Times are as many seconds.
fn runs(commit: &str, uid: &str, turn: i64) -> Deployed {
    let release: Release =
        serde_json::from_value(json!({ "branch": "main", "commit": commit })).expect("a release");
    Deployed {
        shipment: Shipment { release, committed_at: None, subject: None },
        deployment: format!("web-{turn}"),
        uid: Uid::new(uid),
        turn: Turn::new(turn),
        since: Timestamp::from_second(turn * 10).expect("a small number"),
    }
}

fn tenure(turn: i64, holder: Option<&str>, deployed: Option<Deployed>) -> Tenure {
    Tenure {
        turn: Turn::new(turn),
        holder: holder.map(Uid::new),
        groups: Vec::new(),
        deployed,
        restored: None,
    }
}

/// A Deployment that was made in turn 5, or before it had one, and stands here.
fn history(state: State) -> History {
    let at = Timestamp::from_second(55).expect("a small number");
    let begun = History::default();
    let begun = begun.with(begun.next(State::Pending, None, Reason::Created, "created", at));
    match state {
        State::Pending => begun,
        _ => begun.with(begun.next(state, None, Reason::CheckFailed, "the front page says 500", at)),
    }
}

/// An Environment on which nobody works, and of which all is well.
fn quiet(tenure: &Tenure) -> Facts<'_> {
    Facts {
        generation: 3,
        tenure,
        past: Past::Known,
        turn: InTurn::Nobody,
        template: Freshness::Current,
        declared: None,
        newest: None,
        flaw: None,
        service: Service::Served("it serves"),
        denied: None,
        conflict: None,
        parameter: Parameter::None,
        permission: Permission::Granted,
        leftovers: Leftovers::None,
    }
}

/// What is to be seen of an Environment: kstatus, the reason of `Ready`, and `Drifted` if it has.
fn story(tenure: &Tenure, request: Option<Request<'_>>, state: Option<State>, template: Freshness) -> String {
    let release: DeclaredRelease =
        serde_json::from_value(json!({ "branch": "main", "commit": B })).expect("a release");
    let declared = request.map(|request| Declared { release: &release, request });
    let facts = Facts { turn: InTurn::of(tenure, |_| state), template, declared, ..quiet(tenure) };
    let conditions = conditions(facts, &[], Timestamp::UNIX_EPOCH);
    let again = dryad_crds::condition::environment::conditions(
        facts,
        &conditions,
        Timestamp::from_second(9).expect("a small number"),
    );
    assert_eq!(again, conditions, "nothing changed, so nothing is to be written");
    let status = json!({ "observedGeneration": 3, "conditions": conditions });
    let seen = seen(&json!({ "metadata": { "generation": 3 }, "status": status }));
    let reason = |type_: &str| {
        let found = conditions.iter().find(|condition| condition.type_ == type_)?;
        Some(format!(" {type_}={}({})", found.status, found.reason))
    };
    format!("{seen}{}{}", reason("Ready").unwrap_or_default(), reason("Drifted").unwrap_or_default())
}

/// The Deployment for B, of uid `b`, in turn 5.
fn made(history: &History) -> Request<'_> {
    let uid: &'static Uid = Box::leak(Box::new(Uid::new("b")));
    let turn =
        (history.state() != State::Pending && history.state() != State::Canceled).then(|| Turn::new(5));
    Request::Made(Made { name: "web-b", uid, turn, history })
}

#[test]
fn what_is_declared_is_in_progress_until_it_runs_and_then_current() {
    let before = || Some(runs(A, "a", 4));
    let table = [
        ("nothing is made yet", tenure(4, None, before()), Request::Underway("web-b"), None),
        ("it waits", tenure(4, None, before()), made(&history(State::Pending)), None),
    ]
    .map(|(case, tenure, request, state)| (case, story(&tenure, Some(request), state, Freshness::Outdated)));
    for (case, seen) in table {
        assert_eq!(seen, "InProgress Ready=False(Deploying)", "{case}");
    }
    for state in State::ALL.into_iter().filter(|state| !state.is_terminal() && *state != State::Pending) {
        let history = history(state);
        let brings = tenure(5, Some("b"), before());
        let seen = story(&brings, Some(made(&history)), Some(state), Freshness::Outdated);
        assert_eq!(seen, "InProgress Ready=False(Deploying)", "{state}, and A still runs");
        let brought = tenure(5, Some("b"), Some(runs(B, "b", 5)));
        let seen = story(&brought, Some(made(&history)), Some(state), Freshness::Current);
        let expected = match state {
            State::RetainWait | State::RetireWait => "Current Ready=True(Deployed)",
            _ => "InProgress Ready=False(Deploying)",
        };
        assert_eq!(seen, expected, "{state}, and B runs");
    }
    let done = history(State::Done);
    let seen = |tenure: &Tenure| story(tenure, Some(made(&done)), Some(State::Done), Freshness::Current);
    assert_eq!(seen(&tenure(5, Some("b"), Some(runs(B, "b", 5)))), "Current Ready=True(Deployed)");
    assert_eq!(seen(&tenure(5, None, Some(runs(B, "b", 5)))), "Current Ready=True(Deployed)");
    assert_eq!(seen(&tenure(5, None, before())), "InProgress Ready=False(Deploying)", "the cache is behind");
}

#[test]
fn what_did_not_make_it_has_failed_until_it_runs_all_the_same() {
    for (state, reason) in [
        (State::Failed, "ReleaseRejected"),
        (State::Aborted, "ReleaseAborted"),
        (State::Canceled, "ReleaseCanceled"),
    ] {
        let history = history(state);
        let idle = |deployed| {
            let turn = 6;
            story(&tenure(turn, None, deployed), Some(made(&history)), None, Freshness::Current)
        };
        assert_eq!(idle(None), format!("Failed Ready=False({reason})"));
        assert_eq!(
            idle(Some(runs(A, "a", 4))),
            format!("Failed Ready=False({reason})"),
            "A was never taken away"
        );
        assert_eq!(
            idle(Some(runs(A, "c", 6))),
            format!("Failed Ready=False({reason}) Drifted=True(ManualDeploy)"),
            "A was deployed by hand afterwards"
        );
        assert_eq!(
            idle(Some(runs(B, "a", 4))),
            format!("Failed Ready=False({reason})"),
            "a refresh that failed"
        );
        assert_eq!(idle(Some(runs(B, "c", 6))), "Current Ready=True(Deployed)", "it was tried again by hand");
    }
}

#[test]
fn a_manual_deploy_over_what_is_declared_is_told_as_drift() {
    let done = history(State::Done);
    let (by_hand, drifted) = (runs(A, "c", 6), "Failed Ready=False(Drifted) Drifted=True(ManualDeploy)");
    let story = |tenure: &Tenure, request, state| story(tenure, Some(request), state, Freshness::Current);
    let idle = tenure(6, None, Some(by_hand.clone()));
    assert_eq!(story(&idle, made(&done), None), drifted);
    assert_eq!(story(&idle, Request::Found, None), drifted);
    let gone = Uid::new("b");
    let gone = Request::Gone { name: "web-b", uid: &gone };
    assert_eq!(story(&idle, gone, None), "Failed Ready=False(DeploymentGone) Drifted=True(ManualDeploy)");
    // While it is brought in, what is declared still runs.
    let bringing = tenure(6, Some("c"), Some(runs(B, "b", 5)));
    assert_eq!(story(&bringing, made(&done), Some(State::EvaluateWait)), "InProgress Ready=True(Deployed)");
    let brought = tenure(6, Some("c"), Some(by_hand));
    assert_eq!(story(&brought, made(&done), Some(State::RetainWait)), drifted);
    // The same by hand is no drift, whoever brought it.
    let same = tenure(6, None, Some(runs(B, "c", 6)));
    for request in [made(&done), Request::Found, gone] {
        assert_eq!(story(&same, request, None), "Current Ready=True(Deployed)");
    }
}

#[test]
fn what_cannot_be_brought_in_has_failed() {
    let (before, nothing) = (tenure(4, None, Some(runs(A, "a", 4))), tenure(6, None, None));
    let refused = Request::Refused("Deployment web-b can't be made: no");
    let done = history(State::Done);
    let gone = Uid::new("b");
    let gone = Request::Gone { name: "web-b", uid: &gone };
    let story = |tenure: &Tenure, request| story(tenure, Some(request), None, Freshness::Current);
    assert_eq!(story(&before, refused), "Failed Ready=False(RequestRefused)");
    assert_eq!(story(&nothing, gone), "Failed Ready=False(DeploymentGone)");
    assert_eq!(story(&nothing, made(&done)), "Failed Ready=False(Lost)");
    assert_eq!(story(&nothing, Request::Found), "Failed Ready=False(Lost)");
    let brought = tenure(5, None, Some(runs(B, "b", 5)));
    assert_eq!(
        story(&brought, gone),
        "Current Ready=True(Deployed)",
        "its Deployment was deleted afterwards"
    );
}

#[test]
fn an_environment_that_declares_no_release_is_current_or_waits_for_somebody() {
    let story = |tenure: &Tenure, template| story(tenure, None, Some(State::EvaluateWait), template);
    let (fresh, idle) = (tenure(0, None, None), tenure(4, None, Some(runs(A, "a", 4))));
    let busy = tenure(5, Some("b"), Some(runs(A, "a", 4)));
    assert_eq!(story(&fresh, Freshness::Unknown), "Failed Ready=False(NothingDeployed)");
    assert_eq!(story(&idle, Freshness::Current), "Current Ready=True(Deployed)");
    assert_eq!(story(&idle, Freshness::Outdated), "Failed Ready=False(TemplateChanged)");
    assert_eq!(story(&idle, Freshness::Unknown), "Failed Ready=Unknown(DeploymentGone)");
    assert_eq!(story(&busy, Freshness::Outdated), "InProgress Ready=False(TemplateChanged)");
}

#[test]
fn after_a_restore_it_is_in_progress_until_it_is_adopted_or_waits_for_somebody() {
    let idle = tenure(4, None, Some(runs(A, "a", 4)));
    let before = [conditions(quiet(&idle), &[], Timestamp::UNIX_EPOCH), Vec::new()];
    for before in &before {
        let told = |conditions: Vec<Condition>| {
            let status = json!({ "observedGeneration": 3, "conditions": conditions });
            seen(&json!({ "metadata": { "generation": 3 }, "status": status }))
        };
        let doubted = outdated(before, 3, Timestamp::UNIX_EPOCH);
        let stalled = undecided(&doubted, "RestoreAmbiguous", "two of them", 3, Timestamp::UNIX_EPOCH);
        let again = outdated(&stalled, 3, Timestamp::UNIX_EPOCH);
        assert_eq!([doubted, stalled, again].map(told), ["InProgress", "Failed", "InProgress"]);
    }
}
