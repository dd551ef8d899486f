//! A cloud without processes.

use dryad_local_cloud::balancer::Observation;
use dryad_local_cloud::local_cloud::{KillError, LocalCloud, Options};

use crate::support::{launch, soon};

#[tokio::test]
async fn a_thousand_simulated_instances_are_healthy_and_run_nothing() {
    let cloud = LocalCloud::start(Options::simulated()).await.expect("a cloud");
    let mut observations = cloud.control().observe();
    let web = soon("the fixture", cloud.web_fixture()).await.expect("a fixture");
    launch(&cloud, &web, "web-1", 1000, "#!/bin/sh\nexit 1\n", &[&web.target_groups[0]]);
    let full = async {
        loop {
            if let Some(Observation::Table(view)) = observations.recv().await
                && view.rules.iter().any(|rule| rule.rule == web.rule && rule.serving() == 1000)
            {
                return;
            }
        }
    };
    soon("the capacity", full).await;
    let left = cloud.control().left();
    assert_eq!((left.inventory.instances.len(), left.processes.len()), (1000, 0));
    let killed = cloud.control().kill_instance(&left.inventory.instances[0]).await;
    assert!(matches!(killed, Err(KillError::Simulated)));
}
