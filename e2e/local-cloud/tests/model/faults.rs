//! Faults: what goes wrong on demand, and what the caller and the log can see of it.

use dryad_local_cloud::faults::{Effect, Faults, Rule};
use dryad_local_cloud::model::autoscaling::DescribeAutoScalingGroups;
use dryad_local_cloud::model::log::Outcome;
use dryad_local_cloud::model::ssm::GetParameter;
use dryad_local_cloud::model::{CallError, Code, Service, ec2};

use crate::stage::{Stage, delete, group, secs};

fn rule(action: &str, resource: &str, times: u32, effect: Effect) -> Rule {
    Rule {
        service: None,
        action: action.into(),
        resource: resource.into(),
        skip: 0,
        times: Some(times),
        effect,
    }
}

#[test]
fn throttling_speaks_the_words_of_the_service() {
    let mut stage = Stage::new();
    stage.world.add_rule(rule("*", "*", 3, Effect::Throttle));
    stage.refused_as(Code::Throttling, DescribeAutoScalingGroups::default());
    stage.refused_as(Code::RequestLimitExceeded, ec2::DescribeInstances::default());
    stage.refused_as(Code::ThrottlingException, GetParameter::default());
    stage.ok(DescribeAutoScalingGroups::default());
}

#[test]
fn a_ration_lets_pass_what_there_are_tokens_for() {
    let mut stage = Stage::new();
    let effect = Effect::Ration { every: secs(1), burst: 2, spent: None };
    stage.world.add_rule(Rule { times: None, ..rule("*", "*", 0, effect) });
    let mut passed = |calls: usize, then: i64| {
        let answers = (0..calls).map(|_| stage.call(DescribeAutoScalingGroups::default()).is_ok());
        let passed = answers.filter(|passed| *passed).count();
        stage.wait(then);
        passed
    };
    assert_eq!(passed(5, 1), 2, "as many as are kept");
    assert_eq!(passed(5, 3), 1, "one a second");
    assert_eq!(passed(5, 0), 2, "no more are kept");
}

#[test]
fn a_rule_happens_to_the_calls_it_names_only_after_those_it_skips() {
    let mut stage = Stage::new();
    let named = Rule { skip: 1, ..rule("Create*", "web-*", 1, Effect::Deny) };
    stage.world.add_rule(named);
    stage.group("api-1", 0, &[]);
    stage.group("web-1", 0, &[]);
    let denied = stage.refused(group("web-2", 0, &[]));
    assert_eq!(denied.code, Code::AccessDenied);
    assert!(denied.message.contains("autoscaling:CreateAutoScalingGroup"), "{denied}");
    stage.group("web-3", 0, &[]);
}

#[test]
fn a_refusal_leaves_the_world_as_it_was() {
    let mut stage = Stage::new();
    let contention = Effect::Refuse { code: Code::ResourceContention, message: "try again".to_owned() };
    for effect in [Effect::Throttle, Effect::Fail, Effect::Deny, contention] {
        stage.world.add_rule(rule("CreateAutoScalingGroup", "*", 1, effect));
        stage.refused(group("web", 1, &[]));
        assert!(stage.find("web").is_none());
    }
}

#[test]
fn a_lost_answer_is_to_something_done() {
    let mut stage = Stage::new();
    stage.world.add_rule(rule("CreateAutoScalingGroup", "*", 1, Effect::LoseAnswer));
    assert_eq!(stage.call(group("web", 1, &[])).err(), Some(CallError::Unanswered));
    assert!(stage.find("web").is_some());
    stage.refused_as(Code::AlreadyExists, group("web", 1, &[]));
}

#[test]
fn a_late_call_lands_long_after_its_caller_gave_up() {
    let mut stage = Stage::new();
    stage.world.add_rule(rule("CreateAutoScalingGroup", "*", 1, Effect::ArriveLate { after: secs(120) }));
    assert_eq!(stage.call(group("web", 1, &[])).err(), Some(CallError::Unanswered));
    stage.wait(119);
    assert!(stage.find("web").is_none());
    assert_eq!(stage.world.late_calls(), 1);
    // One jump past it: it lands at its own time, and what follows from it happens in between.
    stage.wait(11);
    assert_eq!(stage.states("web"), ["InService"]);
    let landed =
        stage.world.log().entries().find(|entry| entry.outcome == Outcome::LandedDone).expect("landed");
    assert_eq!(landed.action, "CreateAutoScalingGroup");
    assert_eq!(stage.world.log().count(Service::AutoScaling, "CreateAutoScalingGroup"), 1, "called once");
}

#[test]
fn a_late_call_can_be_overtaken() {
    let mut stage = Stage::new();
    stage.group("web", 0, &[]);
    stage.world.add_rule(rule("DeleteAutoScalingGroup", "*", 1, Effect::ArriveLate { after: secs(60) }));
    assert!(stage.call(delete("web", true)).is_err());
    stage.ok(delete("web", true));
    stage.wait(3);
    // The late deletion finds a group of the same name, and cannot tell that it is another.
    stage.group("web", 1, &[]);
    stage.wait(57);
    assert_eq!(stage.described("web").status.as_deref(), Some("Delete in progress"));
}

#[test]
fn late_calls_land_at_once_when_they_are_told_to() {
    let mut stage = Stage::new();
    stage.world.add_rule(rule("CreateAutoScalingGroup", "*", 1, Effect::ArriveLate { after: secs(120) }));
    assert!(stage.call(group("web", 1, &[])).is_err());
    stage.world.land_late_calls(stage.now);
    assert!(stage.find("web").is_some());
    assert_eq!(stage.world.late_calls(), 0);
    stage.wait(10);
    assert_eq!(stage.states("web"), ["InService"], "what follows from it takes its time");
    stage.wait(120);
    let landed = stage.world.log().entries().filter(|entry| entry.outcome == Outcome::LandedDone);
    assert_eq!(landed.count(), 1, "not again when it was due");
}

#[test]
fn stale_answers_come_from_the_past_and_writes_do_not() {
    let mut stage = Stage::new();
    stage.group("old", 0, &[]);
    let aged = Rule { times: None, ..rule("*", "*", 0, Effect::Stale { by: secs(30) }) };
    stage.world.add_rule(aged);
    stage.wait(100);
    stage.group("new", 1, &[]);
    assert!(stage.find("new").is_none());
    assert!(stage.find("old").is_some());
    stage.refused_as(Code::AlreadyExists, group("new", 1, &[]));
    stage.wait(30);
    assert_eq!(stage.states("new"), ["Pending"], "as of its creation");
    stage.wait(10);
    assert_eq!(stage.states("new"), ["InService"]);
    stage.world.set_faults(Faults::default());
    stage.ok(delete("new", true));
    assert_eq!(stage.states("new"), ["Terminating"]);
}

#[test]
fn a_delay_is_the_doors_to_keep_and_adds_to_what_else_happens() {
    let mut stage = Stage::new();
    stage.world.add_rule(rule("*", "*", 1, Effect::Delay { by: secs(9) }));
    stage.world.add_rule(rule("*", "*", 1, Effect::LoseAnswer));
    let (now, caller) = (stage.now, stage.caller.clone());
    let reply = stage.world.call(now, &caller, group("web", 1, &[]));
    assert_eq!(reply.delay, secs(9));
    assert_eq!(reply.outcome.err(), Some(CallError::Unanswered));
    assert!(stage.find("web").is_some());
}

#[test]
fn every_call_is_counted_and_the_log_says_how_it_ended() {
    let mut stage = Stage::new();
    stage.world.log_mut().clear();
    stage.world.add_rule(rule("CreateAutoScalingGroup", "b", 1, Effect::Throttle));
    stage.world.add_rule(rule("CreateAutoScalingGroup", "c", 1, Effect::LoseAnswer));
    for name in ["a", "a", "b", "c"] {
        let _ = stage.call(group(name, 0, &[]));
    }
    assert_eq!(
        stage.world.log().counts().into_iter().collect::<Vec<_>>(),
        [("autoscaling:CreateAutoScalingGroup".to_owned(), 4)]
    );
    let ends: Vec<_> = stage.world.log().entries().map(|it| (it.resource.as_str(), it.outcome)).collect();
    assert_eq!(
        ends,
        [
            ("a", Outcome::Done),
            ("a", Outcome::Refused(Code::AlreadyExists)),
            ("b", Outcome::Refused(Code::Throttling)),
            ("c", Outcome::DoneUnanswered),
        ]
    );
}

#[test]
fn faults_are_written_as_json() {
    let faults: Faults = serde_json::from_str(
        r#"{
            "rules": [
                {"service": "ec2", "action": "Create*", "times": 2, "effect": {"kind": "throttle"}},
                {"resource": "web-*", "skip": 1, "effect": {"kind": "arriveLate", "after": "2m"}},
                {"effect": {"kind": "refuse", "code": "ResourceContention", "message": "m"}}
            ],
            "launches": [{"group": "web-*", "allow": 1, "message": "no capacity"}],
            "zones": [{"zone": "us-east-1a", "trouble": "gone"}],
            "neverHealthy": ["web-2"]
        }"#,
    )
    .expect("faults");
    assert_eq!(faults.rules[1].effect, Effect::ArriveLate { after: secs(120) });
    assert!(serde_json::from_str::<Faults>(r#"{"rulez": []}"#).is_err());
}
