//! From a call over the wire to an answer that a user gets.

use base64::Engine as _;

use crate::support::{Stage, serve, soon};

/// Calls over the wire door as an SDK does.
async fn query(stage: &Stage, service: &str, body: &str) -> String {
    let credential = format!("123456789012/20260101/us-east-1/{service}/aws4_request");
    let authorization = format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=00");
    let request = stage.http.post(stage.cloud.endpoint()).header("authorization", authorization);
    let answer = soon("an answer", request.body(body.to_owned()).send()).await.expect("an answer");
    let (status, text) = (answer.status(), answer.text().await.expect("a text"));
    assert!(status.is_success(), "{body}: {status} {text}");
    text
}

#[tokio::test]
async fn what_is_called_over_the_wire_serves_users_once_its_targets_are_healthy() {
    let mut stage = Stage::open().await;
    stage.release("one", &[("index.html", "version one")]);
    assert_eq!(stage.get(&stage.web.url).await.0, 503, "nobody is there yet");

    let user_data = base64::engine::general_purpose::URL_SAFE.encode(serve("one"));
    let image = &stage.web.image;
    let template = format!(
        "Action=CreateLaunchTemplate&Version=2016-11-15&LaunchTemplateName=web-1&LaunchTemplateData.ImageId={image}\
         &LaunchTemplateData.InstanceType=m7g.large&LaunchTemplateData.UserData={}",
        user_data.replace('-', "%2B").replace('_', "%2F").replace('=', "%3D")
    );
    query(&stage, "ec2", &template).await;
    let target_group = stage.web.target_groups[0].clone();
    let group = format!(
        "Action=CreateAutoScalingGroup&Version=2011-01-01&AutoScalingGroupName=web-1&MinSize=0&MaxSize=4\
         &DesiredCapacity=2&LaunchTemplate.LaunchTemplateName=web-1&LaunchTemplate.Version=1\
         &VPCZoneIdentifier={}&TargetGroupARNs.member.1={target_group}",
        stage.web.subnets.join(",")
    );
    query(&stage, "autoscaling", &group).await;

    stage.healthy(&target_group, 2).await;
    assert_eq!(stage.get(&stage.web.url).await, (200, "version one".to_owned()));
    let described = query(&stage, "ec2", "Action=DescribeInstances&Version=2016-11-15").await;
    let balancers = "Action=DescribeLoadBalancers&Version=2015-12-01&Names.member.1=web";
    let described_balancer = query(&stage, "elasticloadbalancing", balancers).await;
    let address = stage.web.url.strip_prefix("http://").expect("a URL");
    assert!(described_balancer.contains(&format!("<DNSName>{address}</DNSName>")), "{described_balancer}");

    // Each instance answers at its own address, which nobody else has.
    let mut instances = Vec::new();
    for part in described.split("<privateIpAddress>").skip(1) {
        let (ip, _) = part.split_once('<').expect("an end");
        let answer = soon("an answer", stage.http.get(format!("http://{ip}:8080/")).send()).await;
        let answer = answer.expect("an instance that listens there");
        instances.push(answer.headers()["x-instance"].to_str().expect("an id").to_owned());
    }
    instances.sort();
    let processes: Vec<_> =
        stage.cloud.control().processes().borrow().iter().map(ToString::to_string).collect();
    assert_eq!(instances, processes);
    assert!(stage.cloud.control().with(|world, _| world.log().unknown().is_empty()));
}

#[tokio::test]
async fn a_group_that_joins_a_shared_target_group_later_serves_beside_the_first() {
    let mut stage = Stage::open().await;
    let shared = stage.web.shared.clone();
    stage.up("blue", 1, &shared.target_group).await;
    stage.release("green", &[("index.html", "green")]);
    // Attached to nothing when it is launched, it listens at 8080 all the same.
    stage.group("green", 1, &serve("green"), &[]);
    stage.ok(dryad_local_cloud::model::autoscaling::AttachLoadBalancerTargetGroups {
        auto_scaling_group_name: "green".to_owned(),
        target_group_arns: vec![shared.target_group.clone()],
    });
    stage.healthy(&shared.target_group, 2).await;
    let mut answers = [stage.get(&shared.url).await, stage.get(&shared.url).await];
    answers.sort();
    assert_eq!(answers, [(200, "blue".to_owned()), (200, "green".to_owned())]);
}
