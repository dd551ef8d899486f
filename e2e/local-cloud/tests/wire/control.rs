//! Steering the world from another process.

use reqwest::Method;
use serde_json::{Value, json};

use crate::client::Cloud;

#[tokio::test]
async fn faults_set_from_outside_happen_to_calls_and_end() {
    let cloud = Cloud::open().await;
    let rule = json!({"action": "DescribeTags", "effect": {"kind": "throttle"}});
    assert_eq!(cloud.control(Method::POST, "/faults/rules", rule).await.0, 204);
    let throttled = cloud.query("autoscaling", "Action=DescribeTags").await;
    assert_eq!(throttled.status, 400);
    throttled.holds("<Code>Throttling</Code>");
    assert_eq!(cloud.control(Method::DELETE, "/faults", Value::Null).await.0, 204);
    assert_eq!(cloud.query("autoscaling", "Action=DescribeTags").await.status, 200);
    let (_, state) = cloud.control(Method::GET, "/state", Value::Null).await;
    assert_eq!(state["counts"], json!({"autoscaling:DescribeTags": 2}));
    let (_, log) = cloud.control(Method::GET, "/log", Value::Null).await;
    assert_eq!(log[0]["outcome"], json!({"refused": "Throttling"}));
    assert_eq!(log[1]["outcome"], "done");
}

#[tokio::test]
async fn settings_and_the_clock_are_changed_from_outside() {
    let cloud = Cloud::open().await;
    let (_, mut settings) = cloud.control(Method::GET, "/settings", Value::Null).await;
    settings["timings"]["pending"] = json!("1h");
    assert_eq!(cloud.control(Method::PUT, "/settings", settings).await.0, 204);
    let template = "Action=CreateLaunchTemplate&LaunchTemplateName=web&LaunchTemplateData.ImageId=ami-00000000000000001\
                    &LaunchTemplateData.InstanceType=m7g.large";
    cloud.query("ec2", template).await;
    let group = "Action=CreateAutoScalingGroup&AutoScalingGroupName=web&LaunchTemplate.LaunchTemplateName=web\
                 &MinSize=1&MaxSize=1&VPCZoneIdentifier=subnet-0000000000000000a";
    assert_eq!(cloud.query("autoscaling", group).await.status, 200);
    let describe = "Action=DescribeAutoScalingGroups";
    cloud.query("autoscaling", describe).await.holds("<LifecycleState>Pending</LifecycleState>");
    let (_, instances) = cloud.control(Method::GET, "/instances", Value::Null).await;
    assert_eq!(instances[0]["group"], "web");
    assert_eq!(cloud.control(Method::POST, "/clock", json!({"advance": "1h"})).await.0, 204);
    cloud.query("autoscaling", describe).await.holds("<LifecycleState>InService</LifecycleState>");
}

#[tokio::test]
async fn zones_get_into_trouble() {
    let cloud = Cloud::open().await;
    let gone = json!({"zone": "us-east-1a", "trouble": "gone"});
    assert_eq!(cloud.control(Method::POST, "/faults/zones", gone.clone()).await.0, 204);
    let (_, faults) = cloud.control(Method::GET, "/faults", Value::Null).await;
    assert_eq!(faults["zones"], json!([gone]));
    let (status, _) = cloud.control(Method::POST, "/faults/zones", json!({"zone": "us-east-1a"})).await;
    assert_eq!(status, 422, "what is the matter with it?");
}

#[tokio::test]
async fn images_come_and_go() {
    let cloud = Cloud::open().await;
    let image = json!({"account": "123456789012", "region": "us-east-1", "image": "ami-0abc"});
    let describe = "Action=DescribeImages&ImageId.1=ami-0abc";
    assert_eq!(cloud.control(Method::PUT, "/images", image.clone()).await.0, 204);
    assert_eq!(cloud.query("ec2", describe).await.status, 200);
    assert_eq!(cloud.control(Method::DELETE, "/images", image).await.0, 204);
    cloud.query("ec2", describe).await.holds("InvalidAMIID.NotFound");
}

#[tokio::test]
async fn a_mistyped_fault_is_refused_and_not_ignored() {
    let cloud = Cloud::open().await;
    for body in
        [json!({"action": "X"}), json!({"effect": {"kind": "explode"}}), json!({"efect": {"kind": "fail"}})]
    {
        let (status, _) = cloud.control(Method::POST, "/faults/rules", body).await;
        assert_eq!(status, 422);
    }
}
