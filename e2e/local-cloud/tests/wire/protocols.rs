//! Requests and answers in each service's protocol, and who is let in.

use crate::client::Cloud;

const TEMPLATE: &str = "Action=CreateLaunchTemplate&Version=2016-11-15&LaunchTemplateName=web\
    &LaunchTemplateData.ImageId=ami-00000000000000001&LaunchTemplateData.InstanceType=m7g.large\
    &LaunchTemplateData.SecurityGroupId.1=sg-00000000000000001\
    &LaunchTemplateData.TagSpecification.1.ResourceType=instance\
    &LaunchTemplateData.TagSpecification.1.Tag.1.Key=a%26b&LaunchTemplateData.TagSpecification.1.Tag.1.Value=%3C1%3E";

const GROUP: &str = "Action=CreateAutoScalingGroup&Version=2011-01-01&AutoScalingGroupName=web-1\
    &LaunchTemplate.LaunchTemplateName=web&LaunchTemplate.Version=1&MinSize=0&MaxSize=2&DesiredCapacity=1\
    &VPCZoneIdentifier=subnet-0000000000000000a&TargetGroupARNs=\
    &Tags.member.1.Key=turn&Tags.member.1.Value=7&Tags.member.1.PropagateAtLaunch=true";

#[tokio::test]
async fn ec2_speaks_its_own_dialect_of_xml() {
    let cloud = Cloud::open().await;
    let made = cloud.query("ec2", TEMPLATE).await;
    assert_eq!((made.status, made.content_type.as_str()), (200, "text/xml"));
    made.holds(
        "<CreateLaunchTemplateResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>",
    );
    made.holds("<launchTemplateName>web</launchTemplateName>");
    let described =
        "Action=DescribeLaunchTemplateVersions&LaunchTemplateName=web&LaunchTemplateVersion.1=%24Latest";
    let described = cloud.query("ec2", described).await;
    described.holds("<launchTemplateVersionSet><item>");
    described.holds("<securityGroupIdSet><item>sg-00000000000000001</item></securityGroupIdSet>");
    described.holds("<tagSet><item><key>a&amp;b</key><value>&lt;1&gt;</value></item></tagSet>");
    let again = cloud.query("ec2", TEMPLATE).await;
    assert_eq!(again.status, 400);
    again.holds(
        "<Response><Errors><Error><Code>InvalidLaunchTemplateName.AlreadyExistsException</Code><Message>",
    );
    again.holds("</Errors><RequestID>");
}

#[tokio::test]
async fn query_services_wrap_results_and_errors() {
    let cloud = Cloud::open().await;
    cloud.query("ec2", TEMPLATE).await;
    let made = cloud.query("autoscaling", GROUP).await;
    assert_eq!(made.status, 200);
    made.holds("<CreateAutoScalingGroupResponse xmlns=\"http://autoscaling.amazonaws.com/doc/2011-01-01/\">");
    made.holds("<ResponseMetadata><RequestId>");
    let described = cloud.query("autoscaling", "Action=DescribeAutoScalingGroups&Filters.member.1.Name=tag:turn&Filters.member.1.Values.member.1=7").await;
    described.holds("<DescribeAutoScalingGroupsResult><AutoScalingGroups><member>");
    described.holds("<AutoScalingGroupName>web-1</AutoScalingGroupName>");
    described.holds("<LifecycleState>Pending</LifecycleState>");
    assert!(!described.body.contains("NextToken"), "what is unset is not there");
    let refused = cloud.query("autoscaling", GROUP).await;
    assert_eq!(refused.status, 400);
    refused.holds("<ErrorResponse xmlns=\"http://autoscaling.amazonaws.com/doc/2011-01-01/\"><Error><Type>Sender</Type>");
    refused.holds("<Code>AlreadyExists</Code>");
}

#[tokio::test]
async fn ssm_speaks_json() {
    let cloud = Cloud::open().await;
    let put = cloud.json("PutParameter", r#"{"Name":"/a/b","Value":"é<","Type":"String"}"#).await;
    assert_eq!((put.status, put.content_type.as_str()), (200, "application/x-amz-json-1.1"));
    let got = cloud.json("GetParameter", r#"{"Name":"/a/b","WithDecryption":true}"#).await;
    let got: serde_json::Value = serde_json::from_str(&got.body).expect("JSON");
    assert_eq!(got["Parameter"]["Value"], "é<");
    assert!(got["Parameter"]["LastModifiedDate"].is_f64(), "seconds: {got}");
    let missing = cloud.json("GetParameter", r#"{"Name":"/a/c"}"#).await;
    assert_eq!(missing.status, 400);
    missing.holds(r#""__type":"ParameterNotFound""#);
    let garbled = cloud.json("GetParameter", "{").await;
    assert_eq!(garbled.status, 400);
}

#[tokio::test]
async fn what_is_not_in_the_written_list_is_501_and_remembered() {
    let cloud = Cloud::open().await;
    for (service, body, what) in [
        ("ec2", "Action=RunInstances", "ec2:RunInstances"),
        ("autoscaling", "Action=StartInstanceRefresh", "autoscaling:StartInstanceRefresh"),
        ("s3", "", "s3"),
        (
            "autoscaling",
            "Action=SetDesiredCapacity&AutoScalingGroupName=a&DesiredCapacity=1&HonorCooldown=true",
            "autoscaling:SetDesiredCapacity HonorCooldown",
        ),
        (
            "ec2",
            "Action=CreateLaunchTemplate&LaunchTemplateName=abc&LaunchTemplateData.KernelId=aki-1",
            "ec2:CreateLaunchTemplate KernelId",
        ),
        (
            "elasticloadbalancing",
            "Action=CreateTargetGroup&Name=a&TargetType=ip",
            "elasticloadbalancing:CreateTargetGroup value 'ip'",
        ),
    ] {
        let answer = cloud.query(service, body).await;
        assert_eq!(answer.status, 501, "{what}: {answer:?}");
        answer.holds(what);
        assert!(cloud.shared.with(|world, _| world.log().unknown().contains(what)), "{what} is remembered");
    }
    let answer = cloud.json("GetParameters", "{}").await;
    assert_eq!(answer.status, 501);
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_in_the_words_of_the_service() {
    let cloud = Cloud::open().await;
    let answer = cloud
        .query("autoscaling", "Action=SetDesiredCapacity&AutoScalingGroupName=a&DesiredCapacity=many")
        .await;
    assert_eq!(answer.status, 400);
    answer.holds("<Code>ValidationError</Code>");
    let answer = cloud.query("ec2", "Action=DescribeInstances&MaxResults=-1").await;
    answer.holds("<Code>InvalidParameterValue</Code>");
}

#[tokio::test]
async fn the_access_key_is_the_account_and_unknown_keys_are_refused() {
    let cloud = Cloud::open().await;
    let who = "Action=GetCallerIdentity";
    cloud.query_as("000000000000", "sts", who).await.holds("<Account>000000000000</Account>");
    let alice = cloud.query_as("000000000000.alice", "sts", who).await;
    alice.holds("<Arn>arn:aws:iam::000000000000:user/alice</Arn>");
    for (service, status, code) in [
        ("sts", 403, "InvalidClientTokenId"),
        ("ec2", 401, "AuthFailure"),
        ("autoscaling", 403, "InvalidClientTokenId"),
    ] {
        let action = if service == "sts" {
            who
        } else if service == "ec2" {
            "Action=DescribeInstances"
        } else {
            "Action=DescribeTags"
        };
        let answer = cloud.query_as("AKIANOBODY", service, action).await;
        assert_eq!(answer.status, status);
        answer.holds(&format!("<Code>{code}</Code>"));
    }
    assert_eq!(cloud.unsigned(who).await.status, 403);
}

#[tokio::test]
async fn an_assumed_role_calls_its_own_account() {
    let cloud = Cloud::open().await;
    let assume = "Action=AssumeRole&RoleArn=arn:aws:iam::210987654321:role/deploy&RoleSessionName=dryad";
    let answer = cloud.query("sts", assume).await;
    let (_, rest) = answer.body.split_once("<AccessKeyId>").expect("a key");
    let (key, _) = rest.split_once("</AccessKeyId>").expect("a key");
    let who = cloud.query_as(key, "sts", "Action=GetCallerIdentity").await;
    who.holds("<Arn>arn:aws:sts::210987654321:assumed-role/deploy/dryad</Arn>");
}

#[tokio::test]
async fn the_door_is_on_the_loopback_interface() {
    assert!(Cloud::open().await.door.address().ip().is_loopback());
}

#[test]
fn every_action_of_the_list_is_there_once_and_documented() {
    let list = dryad_local_cloud::actions::LIST;
    let mut pages: Vec<String> = list.iter().map(dryad_local_cloud::actions::Entry::documentation).collect();
    pages.sort();
    pages.dedup();
    assert_eq!(pages.len(), list.len());
    assert!(pages.iter().all(|page| page.starts_with("https://docs.aws.amazon.com/")));
}
