//! Health as real requests find it, and what comes of it.

use dryad_local_cloud::balancer::Observation;
use dryad_local_cloud::faults::{Trouble, ZoneFault};
use dryad_local_cloud::local_cloud::KillError;

use crate::support::{Stage, serve, soon};

#[tokio::test]
async fn an_application_that_answers_500_to_its_checks_is_never_healthy_and_the_reason_says_so() {
    let mut stage = Stage::open().await;
    let [target_group, _] = stage.web.target_groups.clone();
    stage.release("bad", &[("index.html", "bad"), ("healthz", "500")]);
    stage.group("web-1", 1, &serve("bad"), &[&target_group]);
    let wanted = "unhealthy, Target.ResponseCodeMismatch, Health checks failed with these codes: [500]";
    let control = stage.cloud.control().clone();
    let told = control.until(|world, _| {
        let routing = world.routing();
        let targets = &routing.target_groups[&target_group].targets;
        targets.iter().any(|target| target.state == "unhealthy").then_some(())
    });
    soon("an unhealthy target", told).await;
    assert_eq!(stage.targets(&target_group), [wanted]);
    let never_healthy = |observation: &Observation| match observation {
        Observation::Table(view) => view.rules.iter().all(|rule| rule.serving() == 0),
        Observation::Request(_) => true,
    };
    assert!(stage.observed().iter().all(never_healthy));
}

#[tokio::test]
async fn an_instance_whose_processes_are_killed_is_found_out_and_replaced() {
    let mut stage = Stage::open().await;
    let [target_group, _] = stage.web.target_groups.clone();
    stage.up("web-1", 2, &target_group).await;

    let control = stage.cloud.control().clone();
    let before = control.processes().borrow().clone();
    let victim = before.first().expect("an instance").to_string();
    control.kill_instance(&victim).await.expect("it is up");
    stage.healthy(&target_group, 1).await;
    stage.healthy(&target_group, 2).await;
    assert_eq!(stage.get(&stage.web.url).await, (200, "web-1".to_owned()));

    let gone = control.until(|world, _| (!world.inventory().instances.contains(&victim)).then_some(()));
    soon("the end of the victim", gone).await;
    assert!(matches!(control.kill_instance(&victim).await, Err(KillError::NotUp(_))));
    assert!(matches!(control.kill_instance("../etc").await, Err(KillError::BadId(_))));
}

#[tokio::test]
async fn what_runs_in_a_zone_that_goes_dies_with_it_and_runs_elsewhere_soon() {
    let mut stage = Stage::open().await;
    let [target_group, _] = stage.web.target_groups.clone();
    stage.up("web-1", 3, &target_group).await;
    let control = stage.cloud.control().clone();
    let gone = ZoneFault { zone: "us-east-1a".into(), trouble: Trouble::Gone };
    control.with(|world, _| world.add_zone_fault(gone));
    stage.healthy(&target_group, 2).await;
    stage.healthy(&target_group, 3).await;
    let elsewhere = control.until(|world, _| {
        let wanted = world.wanted_instances();
        (wanted.len() == 3 && wanted.iter().all(|it| it.zone != "us-east-1a")).then_some(())
    });
    soon("three instances elsewhere", elsewhere).await;
    let mut processes = control.processes();
    soon("the processes", processes.wait_for(|processes| processes.len() == 3)).await.expect("a cloud");
}
