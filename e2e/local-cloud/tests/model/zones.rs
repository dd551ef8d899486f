//! Zones that are full, or gone: what groups do about them, and what of it can be seen.

use std::collections::BTreeMap;

use dryad_local_cloud::faults::{Faults, Trouble, ZoneFault};
use dryad_local_cloud::model::autoscaling::{
    CreateAutoScalingGroup, DescribedMember, HealthCheckType, HealthStatus, LifecycleState, Process,
    SuspendProcesses, UpdateAutoScalingGroup,
};
use dryad_local_cloud::model::ec2::{DescribeInstances, SUBNETS};
use dryad_local_cloud::model::view::InstancePhase;

use crate::stage::{Stage, group};

const REFUSED: &str = "Failed: We currently do not have sufficient m7g.large capacity in the Availability Zone you requested \
                       (us-east-1a). Our system will be working on provisioning additional capacity. Launching EC2 \
                       instance failed.";

fn trouble(zone: &str, trouble: Trouble) -> ZoneFault {
    ZoneFault { zone: zone.into(), trouble }
}

/// A group of four in the zones `a` and `b`.
fn request(target_groups: &[&str]) -> CreateAutoScalingGroup {
    let vpc_zone_identifier = Some(SUBNETS[..2].join(","));
    CreateAutoScalingGroup { vpc_zone_identifier, ..group("web", 4, target_groups) }
}

/// Such a group, all of it in service.
fn in_two_zones() -> Stage {
    let mut stage = Stage::new();
    stage.ok(request(&[]));
    stage.wait(15);
    stage
}

/// How many instances that work there are in each zone, by its letter.
fn spread(stage: &mut Stage) -> BTreeMap<char, usize> {
    let mut zones = BTreeMap::new();
    let working = |it: &DescribedMember| {
        it.health_status == HealthStatus::Healthy && it.lifecycle_state == LifecycleState::InService
    };
    for member in stage.described("web").instances.iter().filter(|it| working(it)) {
        *zones.entry(member.availability_zone.chars().last().expect("a letter")).or_default() += 1;
    }
    zones
}

#[test]
fn a_full_zone_fails_the_launches_there_and_the_group_launches_in_the_next() {
    let mut stage = Stage::new();
    stage.world.add_zone_fault(trouble("us-east-1a", Trouble::Full));
    stage.ok(request(&[]));
    assert_eq!(stage.activities("web").iter().filter(|it| **it == REFUSED).count(), 1, "once an attempt");
    stage.wait(10);
    assert_eq!(spread(&mut stage), [('b', 4)].into());
}

#[test]
fn a_group_with_no_other_zone_tries_again_until_its_own_has_capacity() {
    let mut stage = in_two_zones();
    stage.world.add_zone_fault(trouble("us-east-1?", Trouble::Full));
    assert_eq!(spread(&mut stage), [('a', 2), ('b', 2)].into(), "what is there stays");
    stage.resize("web", 5);
    assert!(stage.activities("web")[0].contains("(us-east-1b)"), "{:?}", stage.activities("web"));
    assert_eq!(stage.activities("web")[1], REFUSED);
    stage.wait(60);
    assert_eq!(stage.activities("web").iter().filter(|it| **it == REFUSED).count(), 2);
    stage.world.set_faults(Faults::default());
    stage.wait(60);
    stage.wait(10);
    assert_eq!(spread(&mut stage), [('a', 3), ('b', 2)].into());
}

#[test]
fn what_was_in_a_zone_that_is_gone_is_found_out_about_and_made_up_for_elsewhere() {
    let mut stage = Stage::new();
    let green = stage.green.clone();
    stage.weigh(0, 100);
    stage.ok(CreateAutoScalingGroup { health_check_type: Some(HealthCheckType::Ec2), ..request(&[&green]) });
    stage.wait(15);
    assert_eq!(stage.health(&green), ["healthy"; 4]);
    stage.world.add_zone_fault(trouble("us-east-1a", Trouble::Gone));
    let lost = |stage: &Stage| {
        let wanted = stage.world.wanted_instances();
        wanted
            .iter()
            .filter(|it| it.phase == InstancePhase::Lost)
            .map(|it| it.zone.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(lost(&stage), ["us-east-1a"; 2]);
    assert_eq!(stage.health(&green), ["healthy", "healthy", "unhealthy", "unhealthy"]);
    assert_eq!(spread(&mut stage), [('a', 2), ('b', 2)].into(), "the group does not know yet");
    let described = stage.ok(DescribeInstances::default());
    let states = described.reservations.iter().flat_map(|it| &it.instances).map(|it| it.instance_state.name);
    assert_eq!(states.collect::<Vec<_>>(), ["running"; 4], "EC2 does not tell");
    stage.wait(7);
    assert!(stage.activities("web").contains(&REFUSED.to_owned()));
    stage.wait(10);
    assert_eq!(spread(&mut stage), [('b', 4)].into());
    stage.wait(60);
    assert_eq!(stage.health(&green), ["healthy"; 4]);
    assert_eq!(lost(&stage), [""; 0], "terminated");
}

#[test]
fn a_zone_that_comes_back_is_balanced_by_launching_first_and_what_was_in_it_stays_dead() {
    let mut stage = in_two_zones();
    stage.world.add_zone_fault(trouble("us-east-1a", Trouble::Gone));
    stage.wait(7);
    stage.wait(30);
    assert_eq!(spread(&mut stage), [('b', 4)].into());
    stage.world.set_faults(Faults::default());
    for _ in 0..40 {
        let working: usize = spread(&mut stage).values().sum();
        assert!((4..=5).contains(&working), "{working} at {}", stage.now);
        stage.wait(1);
    }
    assert_eq!(spread(&mut stage), [('a', 2), ('b', 2)].into());
    let balancing = |it: &String| it.contains("Launching a new EC2 instance: ");
    assert_eq!(
        stage.activities("web").iter().filter(|it| balancing(it)).count(),
        8,
        "four, two, and two more"
    );
}

#[test]
fn nothing_is_balanced_where_that_is_suspended_or_the_zone_is_still_full() {
    let mut stage = in_two_zones();
    stage.world.add_zone_fault(trouble("us-east-1a", Trouble::Gone));
    stage.wait(60);
    stage.world.set_faults(Faults { zones: vec![trouble("us-east-1a", Trouble::Full)], ..Faults::default() });
    stage.wait(60);
    assert_eq!(spread(&mut stage), [('b', 4)].into());
    stage.ok(SuspendProcesses {
        auto_scaling_group_name: "web".to_owned(),
        scaling_processes: vec![Process::AzRebalance],
    });
    stage.world.set_faults(Faults::default());
    stage.wait(60);
    assert_eq!(spread(&mut stage), [('b', 4)].into());
}

#[test]
fn a_group_that_is_shrunk_while_it_is_being_balanced_keeps_no_more_than_it_wants() {
    let mut stage = in_two_zones();
    stage.world.add_zone_fault(trouble("us-east-1a", Trouble::Gone));
    stage.wait(60);
    stage.world.set_faults(Faults::default());
    stage.ok(UpdateAutoScalingGroup {
        auto_scaling_group_name: "web".to_owned(),
        min_size: Some(0),
        desired_capacity: Some(0),
        ..Default::default()
    });
    stage.wait(60);
    assert_eq!(stage.described("web").instances.len(), 0);
}
