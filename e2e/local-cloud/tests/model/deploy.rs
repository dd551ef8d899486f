//! A whole blue/green deploy, call by call.

use dryad_local_cloud::model::ec2::DeleteLaunchTemplate;
use dryad_local_cloud::model::view::InstancePhase;

use crate::stage::{Stage, delete};

#[test]
fn a_deploy_brings_green_up_beside_blue_switches_and_retires_blue() {
    let mut stage = Stage::new();
    let (blue, green) = (stage.blue.clone(), stage.green.clone());
    stage.group("web-1", 2, &[&blue]);
    stage.wait(15);
    assert_eq!(stage.health(&blue), ["healthy", "healthy"]);

    // Green comes up at weight 0, and is checked all the same.
    stage.group("web-2", 2, &[&green]);
    assert_eq!(stage.states("web-2"), ["Pending", "Pending"]);
    assert_eq!(stage.health(&green), [""; 0], "nothing is registered before it is in service");
    stage.wait(10);
    assert_eq!(stage.states("web-2"), ["InService", "InService"]);
    assert_eq!(stage.health(&green), ["initial", "initial"]);
    stage.wait(5);
    assert_eq!(stage.health(&green), ["healthy", "healthy"]);
    assert!(
        stage
            .activities("web-2")
            .iter()
            .all(|it| it.starts_with("Successful: Launching a new EC2 instance: i-"))
    );

    // The switch is one call. Blue drains, shrinks, goes.
    stage.weigh(0, 100);
    stage.detach("web-1", &blue);
    assert_eq!(stage.health(&blue), ["draining", "draining"]);
    assert_eq!(stage.described("web-1").target_group_arns, [""; 0]);
    stage.wait(30);
    assert_eq!(stage.health(&blue), [""; 0]);
    assert_eq!(stage.states("web-1"), ["InService", "InService"], "detaching ends no instance");
    stage.resize("web-1", 0);
    assert_eq!(stage.states("web-1"), ["Terminating", "Terminating"]);
    stage.wait(20);
    assert_eq!(stage.states("web-1"), [""; 0]);
    stage.ok(delete("web-1", false));
    assert_eq!(stage.described("web-1").status.as_deref(), Some("Delete in progress"));
    stage.wait(3);
    assert!(stage.find("web-1").is_none());
    let running = stage.world.wanted_instances();
    assert_eq!(running.len(), 2);
    assert!(running.iter().all(|it| it.group == "web-2" && it.phase == InstancePhase::Up));
    assert!(running.iter().all(|it| it.user_data.as_deref() == Some("echo hello")));

    stage.ok(DeleteLaunchTemplate { launch_template_name: Some("web".to_owned()), launch_template_id: None });
    assert!(stage.world.log().unknown().is_empty());
}
