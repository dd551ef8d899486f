//! Health: who finds an instance unhealthy, when, and what comes of it.

use dryad_local_cloud::faults::Faults;
use dryad_local_cloud::model::autoscaling::{
    HealthStatus, Process, ResumeProcesses, SetInstanceHealth, SuspendProcesses,
};
use dryad_local_cloud::model::ec2::TerminateInstances;
use dryad_local_cloud::model::elb::{ModifyTargetGroup, Probe};
use dryad_local_cloud::model::{HealthSource, Settings};

use crate::stage::{Stage, place, secs};

fn forbid(stage: &mut Stage, group: &str) {
    stage.world.set_faults(Faults { never_healthy: vec![group.into()], ..Faults::default() });
}

fn first_instance(stage: &mut Stage, group: &str) -> String {
    stage.described(group).instances[0].instance_id.clone()
}

#[test]
fn a_group_that_was_never_healthy_keeps_its_instances() {
    let mut stage = Stage::new();
    let green = stage.green.clone();
    forbid(&mut stage, "bad");
    stage.group("bad", 2, &[&green]);
    stage.wait(600);
    assert_eq!(stage.health(&green), ["unhealthy", "unhealthy"]);
    assert_eq!(stage.states("bad"), ["InService", "InService"]);
    assert_eq!(stage.activities("bad").len(), 2, "two launches, no replacement");
}

#[test]
fn once_one_was_healthy_unhealthy_instances_are_replaced_and_registered_again() {
    let mut stage = Stage::new();
    let green = stage.green.clone();
    stage.group("web", 2, &[&green]);
    stage.wait(15);
    let bad = first_instance(&mut stage, "web");
    forbid(&mut stage, &bad);
    // It drains before it shuts down, while its replacement starts.
    assert_eq!(stage.health(&green), ["draining", "healthy"]);
    let mut states = stage.states("web");
    states.sort();
    assert_eq!(states, ["InService", "Pending", "Terminating"]);
    stage.wait(60);
    assert_eq!(stage.health(&green), ["healthy", "healthy"]);
    assert!(stage.described("web").instances.iter().all(|it| it.instance_id != bad));
}

#[test]
fn elb_does_not_count_in_the_grace_period() {
    let mut stage = Stage::new();
    let green = stage.green.clone();
    let mut request = crate::stage::group("web", 2, &[&green]);
    request.health_check_grace_period = Some(100);
    stage.ok(request);
    stage.wait(15);
    let bad = first_instance(&mut stage, "web");
    forbid(&mut stage, &bad);
    stage.wait(94);
    assert_eq!(stage.health(&green), ["healthy", "unhealthy"], "in service for 99 s");
    stage.wait(1);
    assert_eq!(stage.health(&green), ["draining", "healthy"]);
}

#[test]
fn an_ended_instance_is_unused_at_once_and_replaced_once_noticed() {
    let mut stage = Stage::new();
    let green = stage.green.clone();
    stage.group("web", 2, &[&green]);
    stage.wait(15);
    let ended = first_instance(&mut stage, "web");
    stage.ok(TerminateInstances { instance_ids: vec![ended.clone()] });
    assert_eq!(stage.health(&green), ["healthy", "unused"]);
    assert_eq!(stage.states("web"), ["InService", "InService"], "not noticed yet");
    stage.wait(7);
    assert_eq!(stage.states("web").iter().filter(|it| *it == "Pending").count(), 1);
    stage.wait(60);
    assert_eq!(stage.health(&green), ["healthy", "healthy"]);
}

#[test]
fn an_instance_said_to_be_unhealthy_is_replaced_unless_that_is_suspended() {
    let mut stage = Stage::new();
    stage.group("web", 1, &[]);
    stage.wait(10);
    let name = "web".to_owned();
    let suspend = vec![Process::ReplaceUnhealthy];
    stage.ok(SuspendProcesses { auto_scaling_group_name: name.clone(), scaling_processes: suspend.clone() });
    let instance_id = first_instance(&mut stage, "web");
    stage.ok(SetInstanceHealth {
        instance_id,
        health_status: HealthStatus::Unhealthy,
        should_respect_grace_period: None,
    });
    stage.wait(60);
    assert_eq!(stage.described("web").instances[0].health_status, HealthStatus::Unhealthy);
    assert_eq!(stage.states("web"), ["InService"]);
    stage.ok(ResumeProcesses { auto_scaling_group_name: name, scaling_processes: suspend });
    let mut states = stage.states("web");
    states.sort();
    assert_eq!(states, ["Pending", "Terminating"]);
}

#[test]
fn where_a_data_plane_probes_only_its_probes_count() {
    let mut stage = Stage::new();
    let green = stage.green.clone();
    let settings = stage.world.settings().clone();
    stage.world.set_settings(Settings { health: HealthSource::Probed, ..settings });
    stage.ok(ModifyTargetGroup {
        target_group_arn: green.clone(),
        healthy_threshold_count: Some(3),
        unhealthy_threshold_count: Some(2),
        ..Default::default()
    });
    stage.group("web", 1, &[&green]);
    stage.wait(600);
    assert_eq!(stage.health(&green), ["initial"]);
    let instance = first_instance(&mut stage, "web");
    let probe = |stage: &mut Stage, result: Probe| {
        stage.world.probe(&place(), &green, &instance, &result);
        stage.health(&green).pop().unwrap_or_default()
    };
    // One good check makes it healthy at first; afterwards thresholds count.
    assert_eq!(probe(&mut stage, Probe::Good), "healthy");
    assert_eq!(probe(&mut stage, Probe::Timeout), "healthy");
    assert_eq!(probe(&mut stage, Probe::Good), "healthy");
    assert_eq!(probe(&mut stage, Probe::Timeout), "healthy");
    // This one makes it unhealthy: the group, of one instance that has passed before, replaces it.
    assert_eq!(probe(&mut stage, Probe::WrongStatus(500)), "draining");
}

/// Runs checks, `.` good, `x` failed, `5` answered 500, and writes the state after each: `H` healthy, `U` unhealthy,
/// `i` initial.
fn states_after(checks: &str) -> String {
    let mut stage = Stage::new();
    let green = stage.green.clone();
    let settings = stage.world.settings().clone();
    stage.world.set_settings(Settings { health: HealthSource::Probed, ..settings });
    stage.ok(ModifyTargetGroup {
        target_group_arn: green.clone(),
        healthy_threshold_count: Some(3),
        unhealthy_threshold_count: Some(2),
        ..Default::default()
    });
    // What is unhealthy stays, to be looked at.
    let mut group = crate::stage::group("web", 1, &[&green]);
    group.health_check_type = None;
    stage.ok(group);
    stage.wait(10);
    let instance = first_instance(&mut stage, "web");
    let after = |check| {
        let probe = match check {
            '.' => Probe::Good,
            '5' => Probe::WrongStatus(500),
            _ => Probe::Failed,
        };
        stage.world.probe(&place(), &green, &instance, &probe);
        match stage.health(&green).concat().as_str() {
            "healthy" => 'H',
            "unhealthy" => 'U',
            "initial" => 'i',
            other => panic!("the target is {other}"),
        }
    };
    checks.chars().map(after).collect()
}

#[test]
fn health_changes_exactly_when_a_threshold_is_reached() {
    let table = [
        // A new target: one good check is enough, unhealthy needs its threshold.
        (".", "H"),
        ("xx", "iU"),
        ("x.", "iH"),
        // Healthy: two failures in a row, and only in a row.
        (".x.x.xx", "HHHHHHU"),
        // Unhealthy: three good ones in a row, and only in a row.
        ("xx..x...", "iUUUUUUH"),
        // The count begins anew after a change.
        (".5x...xx", "HHUUUHHU"),
    ];
    for (checks, expected) in table {
        assert_eq!(states_after(checks), expected, "after {checks}");
    }
}

#[test]
fn the_reason_says_what_a_probe_has_found() {
    let mut stage = Stage::new();
    let green = stage.green.clone();
    let settings = stage.world.settings().clone();
    stage.world.set_settings(Settings { health: HealthSource::Probed, ..settings });
    stage.group("web", 1, &[&green]);
    stage.wait(10);
    let instance = first_instance(&mut stage, "web");
    stage.world.probe(&place(), &green, &instance, &Probe::WrongStatus(503));
    stage.world.probe(&place(), &green, &instance, &Probe::WrongStatus(503));
    let request =
        dryad_local_cloud::model::elb::DescribeTargetHealth { target_group_arn: green, targets: Vec::new() };
    let health = stage.ok(request).target_health_descriptions.remove(0).target_health;
    assert_eq!(health.state, "unhealthy");
    assert_eq!(health.reason.as_deref(), Some("Target.ResponseCodeMismatch"));
    assert_eq!(health.description.as_deref(), Some("Health checks failed with these codes: [503]"));
}

#[test]
fn targets_of_a_group_that_no_rule_names_are_unused_until_one_does() {
    let mut stage = Stage::new();
    let other = stage.target_group("other");
    stage.group("web", 1, &[&other]);
    stage.wait(600);
    assert_eq!(stage.health(&other), ["unused"]);
    let (blue, green) = (stage.blue.clone(), stage.green.clone());
    let weights = [(blue.as_str(), 1), (green.as_str(), 0), (other.as_str(), 0)];
    stage.ok(dryad_local_cloud::model::elb::ModifyRule {
        rule_arn: stage.rule.clone(),
        actions: vec![dryad_local_cloud::model::elb::RuleAction::forward(weights)],
        ..Default::default()
    });
    assert_eq!(stage.health(&other), ["initial"], "weight 0 is use too");
    stage.wait(5);
    assert_eq!(stage.health(&other), ["healthy"]);
    stage.weigh(1, 0);
    assert_eq!(stage.health(&other), ["unused"]);
}

#[test]
fn draining_takes_what_the_target_group_says_unless_the_timings_do() {
    let mut stage = Stage::new();
    let green = stage.green.clone();
    let mut settings = stage.world.settings().clone();
    settings.timings.drain = None;
    stage.world.set_settings(settings);
    stage.group("web", 1, &[&green]);
    stage.wait(15);
    stage.detach("web", &green);
    stage.wait(299);
    assert_eq!(stage.health(&green), ["draining"]);
    stage.now += secs(1);
    assert_eq!(stage.health(&green), [""; 0]);
}
