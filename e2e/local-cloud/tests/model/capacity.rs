//! Capacity: how groups grow and shrink, what they refuse, and how they go.

use dryad_local_cloud::faults::{Faults, LaunchFault};
use dryad_local_cloud::model::Code;
use dryad_local_cloud::model::autoscaling::{
    LifecycleState, Process, ResumeProcesses, SetDesiredCapacity, SetInstanceProtection, SuspendProcesses,
    TerminateInstanceInAutoScalingGroup, UpdateAutoScalingGroup,
};
use dryad_local_cloud::model::ec2::{DeleteLaunchTemplate, IMAGES};
use dryad_local_cloud::model::view::InstancePhase;

use crate::stage::{Stage, delete, place};

const NO_CAPACITY: &str = "We currently do not have sufficient m7g.large capacity in us-east-1a.";

fn no_capacity(allow: usize) -> Faults {
    let fault = LaunchFault { group: "web*".into(), allow, message: NO_CAPACITY.to_owned() };
    Faults { launches: vec![fault], ..Faults::default() }
}

#[test]
fn instances_are_spread_over_the_subnets() {
    let mut stage = Stage::new();
    stage.group("web", 6, &[]);
    let mut zones: Vec<String> =
        stage.described("web").instances.into_iter().map(|it| it.availability_zone).collect();
    zones.sort();
    let zone = |letter| format!("us-east-1{letter}");
    assert_eq!(zones, ["a", "a", "b", "b", "c", "c"].map(zone));
}

#[test]
fn a_failed_launch_is_an_activity_and_is_tried_again_until_it_succeeds() {
    let mut stage = Stage::new();
    stage.world.set_faults(no_capacity(1));
    stage.group("web", 3, &[]);
    stage.wait(15);
    assert_eq!(stage.states("web"), ["InService"]);
    let failed = format!("Failed: {NO_CAPACITY} Launching EC2 instance failed.");
    assert_eq!(stage.activities("web")[0], failed);
    stage.wait(60);
    assert_eq!(stage.activities("web").iter().filter(|it| **it == failed).count(), 2);
    stage.world.set_faults(Faults::default());
    stage.wait(60);
    stage.wait(10);
    assert_eq!(stage.states("web"), ["InService"; 3]);
}

#[test]
fn an_image_or_template_that_is_gone_fails_the_next_launch() {
    let mut stage = Stage::new();
    stage.group("web", 1, &[]);
    stage.world.deregister_image(&place(), IMAGES[0]);
    stage.resize("web", 2);
    let gone =
        format!("Failed: The image id '[{}]' does not exist Launching EC2 instance failed.", IMAGES[0]);
    assert_eq!(stage.activities("web")[0], gone);
    stage.world.register_image(&place(), IMAGES[0]);
    stage.ok(DeleteLaunchTemplate { launch_template_name: Some("web".to_owned()), launch_template_id: None });
    stage.wait(60);
    assert!(stage.activities("web")[0].contains("does not exist"), "the template is gone too");
    assert_eq!(stage.described("web").instances.len(), 1);
}

#[test]
fn suspended_launches_happen_after_resuming_only() {
    let mut stage = Stage::new();
    stage.group("web", 0, &[]);
    let (auto_scaling_group_name, scaling_processes) = ("web".to_owned(), vec![Process::Launch]);
    stage.ok(SuspendProcesses {
        auto_scaling_group_name: auto_scaling_group_name.clone(),
        scaling_processes: scaling_processes.clone(),
    });
    stage.resize("web", 2);
    stage.wait(600);
    assert_eq!(stage.states("web"), [""; 0]);
    assert_eq!(stage.activities("web"), [""; 0]);
    stage.ok(ResumeProcesses { auto_scaling_group_name, scaling_processes });
    assert_eq!(stage.states("web"), ["Pending"; 2]);
}

#[test]
fn scaling_in_takes_from_the_fullest_zone_the_oldest_first() {
    let mut stage = Stage::new();
    stage.group("web", 3, &[]);
    stage.wait(10);
    let old: Vec<String> = stage.described("web").instances.into_iter().map(|it| it.instance_id).collect();
    stage.resize("web", 4);
    stage.wait(10);
    stage.resize("web", 3);
    let going = stage
        .described("web")
        .instances
        .into_iter()
        .find(|it| it.lifecycle_state == LifecycleState::Terminating);
    let going = going.expect("one that goes");
    assert_eq!(going.availability_zone, "us-east-1a", "two are there, one elsewhere");
    assert!(old.contains(&going.instance_id), "the older of the two");
}

#[test]
fn scaling_in_spares_what_is_protected() {
    let mut stage = Stage::new();
    stage.group("web", 2, &[]);
    stage.wait(10);
    let ids = |stage: &mut Stage| {
        stage.described("web").instances.into_iter().map(|it| it.instance_id).collect::<Vec<_>>()
    };
    let all = ids(&mut stage);
    let protect = |instance_ids: &[String], protected_from_scale_in| SetInstanceProtection {
        instance_ids: instance_ids.to_vec(),
        auto_scaling_group_name: "web".to_owned(),
        protected_from_scale_in,
    };
    stage.ok(protect(&all, true));
    stage.resize("web", 0);
    stage.wait(600);
    assert_eq!(stage.states("web"), ["InService"; 2]);
    stage.ok(protect(&all[..1], false));
    stage.wait(600);
    assert_eq!(ids(&mut stage), all[1..]);
}

#[test]
fn bounds_move_the_desired_capacity_and_a_given_one_must_lie_between_them() {
    let mut stage = Stage::new();
    stage.group("web", 3, &[]);
    let update = |min_size, max_size, desired_capacity| UpdateAutoScalingGroup {
        auto_scaling_group_name: "web".to_owned(),
        min_size,
        max_size,
        desired_capacity,
        ..Default::default()
    };
    stage.ok(update(Some(5), None, None));
    assert_eq!(stage.described("web").desired_capacity, 5);
    stage.ok(update(Some(0), Some(2), None));
    assert_eq!(stage.described("web").desired_capacity, 2);
    stage.refused_as(Code::ValidationError, update(None, None, Some(3)));
    stage.refused_as(Code::ValidationError, update(Some(3), None, None));
    for desired_capacity in [3, 9] {
        let set = SetDesiredCapacity { auto_scaling_group_name: "web".to_owned(), desired_capacity };
        stage.refused_as(Code::ValidationError, set);
    }
    assert_eq!(stage.described("web").desired_capacity, 2, "a refused change changes nothing");
}

#[test]
fn a_terminated_member_is_replaced_unless_the_capacity_falls_with_it() {
    let mut stage = Stage::new();
    stage.group("web", 2, &[]);
    stage.wait(10);
    for (should_decrement_desired_capacity, left) in [(false, 2), (true, 1)] {
        let instance_id = stage.described("web").instances[0].instance_id.clone();
        let request = TerminateInstanceInAutoScalingGroup { instance_id, should_decrement_desired_capacity };
        stage.ok(request.clone());
        stage.refused_as(Code::ScalingActivityInProgress, request);
        stage.wait(60);
        assert_eq!(stage.states("web").len(), left);
    }
}

#[test]
fn a_group_is_deleted_only_when_nothing_is_in_it_or_under_way() {
    let mut stage = Stage::new();
    stage.group("web", 1, &[]);
    stage.refused_as(Code::ResourceInUse, delete("web", false));
    stage.wait(10);
    stage.refused_as(Code::ResourceInUse, delete("web", false));
    stage.resize("web", 0);
    stage.refused_as(Code::ResourceInUse, delete("web", false));
    stage.wait(20);
    stage.ok(delete("web", false));
    stage.wait(3);
    let gone = stage.refused(delete("web", false));
    assert_eq!(gone.code, Code::ValidationError);
    assert_eq!(gone.message, "AutoScalingGroup name not found - AutoScalingGroup 'web' not found");
}

#[test]
fn force_cuts_instances_off_and_the_name_stays_taken_until_the_group_is_gone() {
    let mut stage = Stage::new();
    let green = stage.green.clone();
    stage.group("web", 2, &[&green]);
    stage.wait(15);
    stage.ok(delete("web", true));
    let running = stage.world.wanted_instances();
    assert!(running.iter().all(|it| it.phase == InstancePhase::ShuttingDown), "nothing waits for draining");
    let described = stage.described("web");
    assert_eq!(described.status.as_deref(), Some("Delete in progress"));
    let pending = UpdateAutoScalingGroup { auto_scaling_group_name: "web".to_owned(), ..Default::default() };
    let refused = stage.refused(pending);
    assert_eq!(refused.message, "The AutoScaling group may not be modified while it is pending delete");
    stage.refused_as(Code::AlreadyExists, crate::stage::group("web", 1, &[]));
    stage.wait(20);
    stage.wait(3);
    assert!(stage.find("web").is_none());
    assert_eq!(stage.health(&green), [""; 0]);
    assert!(stage.activities("web").iter().any(|it| it.starts_with("Successful: Terminating")), "kept");
    stage.group("web", 1, &[]);
}
