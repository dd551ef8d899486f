//! How instances, listeners and clouds end.

use dryad_local_cloud::model::autoscaling::DeleteAutoScalingGroup;
use dryad_local_cloud::model::ec2::DeleteLaunchTemplate;
use dryad_local_cloud::model::elb::{DeleteListener, DeleteLoadBalancer};
use tokio::net::TcpStream;

use crate::support::{Stage, soon};

#[tokio::test]
async fn deleting_what_a_deploy_made_leaves_nothing_behind() {
    let mut stage = Stage::open().await;
    let [target_group, _] = stage.web.target_groups.clone();
    stage.up("web-1", 2, &target_group).await;
    let control = stage.cloud.control().clone();
    let left = control.left();
    assert_eq!((left.inventory.groups.len(), left.inventory.instances.len()), (1, 2));
    assert_eq!((left.inventory.templates.len(), left.processes.len()), (1, 2));

    // Smaller first: the one that goes gets no request any more, and drains before it ends.
    stage.resize("web-1", 1);
    stage.healthy(&target_group, 1).await;
    assert_eq!(control.processes().borrow().len(), 2, "draining is no reason to end");
    stage.processes(1).await;
    assert_eq!(stage.get(&stage.web.url).await, (200, "web-1".to_owned()));

    stage
        .ok(DeleteAutoScalingGroup { auto_scaling_group_name: "web-1".to_owned(), force_delete: Some(true) });
    stage.ok(DeleteLaunchTemplate {
        launch_template_name: Some("web-1".to_owned()),
        launch_template_id: None,
    });
    stage.processes(0).await;
    let gone = control.until(|world, _| world.inventory().groups.is_empty().then_some(()));
    soon("the end of the group", gone).await;
    let left = control.left();
    assert!(left.is_nothing(), "{left:?}");
}

#[tokio::test]
async fn a_listener_is_closed_when_it_is_deleted_and_a_cloud_when_it_is_shut_down() {
    let stage = Stage::open().await;
    let address = |url: &str| url.strip_prefix("http://").expect("a URL").to_owned();
    let (web, shared) = (address(&stage.web.url), address(&stage.web.shared.url));
    let door = address(&stage.cloud.endpoint());
    let closed = async |address: &str| {
        let refused = async { while TcpStream::connect(address).await.is_ok() {} };
        soon("a closed port", refused).await;
    };
    stage.ok(DeleteListener { listener_arn: stage.web.listener.clone() });
    closed(&web).await;
    TcpStream::connect(&shared).await.expect("the other one is open");
    stage.ok(DeleteLoadBalancer { load_balancer_arn: stage.web.shared.load_balancer.clone() });
    closed(&shared).await;

    stage.group("web-1", 1, "#!/bin/sh\nsleep 1000\n", &[]);
    stage.processes(1).await;
    let control = stage.cloud.control().clone();
    soon("the end", stage.cloud.shut_down()).await;
    assert!(control.left().processes.is_empty());
    closed(&door).await;
    let killed = control.kill_instance("i-0").await.expect_err("nothing runs");
    assert!(killed.to_string().contains("shut down"), "{killed}");
}
