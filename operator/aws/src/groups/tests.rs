//! What is asked for when a group is created or changed, and how a described one is understood.

use dryad_cloud::group::{
    Capacity, FailedActivity, Group, HealthSource, Instance, InstanceId, Lifecycle, NewGroup, NewSize,
};
use dryad_cloud::traffic::TargetGroupArn;
use dryad_cloud::{Cloud, CloudError};

use crate::testing::{Fake, done, here, name};

fn new_group(health: HealthSource) -> NewGroup {
    NewGroup {
        name: name("web-7"),
        capacity: Capacity { min: 1, max: 6, desired: 4 },
        subnets: vec!["subnet-a".to_owned(), "subnet-b".to_owned()],
        health,
        tags: [("dryad.dev/turn", "7"), ("team", "shop")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
    }
}

#[tokio::test(start_paused = true)]
async fn a_group_is_created_from_the_first_version_of_its_own_template() {
    let fake = Fake::by_action(|action| done(action, ""));
    let group = new_group(HealthSource::LoadBalancer { grace_seconds: 90 });
    fake.aws().create_group(&here(), &group).await.unwrap();
    assert_eq!(
        fake.only_request().lines(),
        [
            "Action=CreateAutoScalingGroup",
            "AutoScalingGroupName=web-7",
            "LaunchTemplate.LaunchTemplateName=web-7",
            "LaunchTemplate.Version=1",
            "MinSize=1",
            "MaxSize=6",
            "DesiredCapacity=4",
            "HealthCheckType=ELB",
            "HealthCheckGracePeriod=90",
            "VPCZoneIdentifier=subnet-a,subnet-b",
            "Tags.member.1.ResourceId=web-7",
            "Tags.member.1.ResourceType=auto-scaling-group",
            "Tags.member.1.Key=dryad.dev/turn",
            "Tags.member.1.Value=7",
            "Tags.member.1.PropagateAtLaunch=true",
            "Tags.member.2.ResourceId=web-7",
            "Tags.member.2.ResourceType=auto-scaling-group",
            "Tags.member.2.Key=team",
            "Tags.member.2.Value=shop",
            "Tags.member.2.PropagateAtLaunch=true",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_group_may_trust_its_instances_own_status_checks() {
    let fake = Fake::by_action(|action| done(action, ""));
    fake.aws().create_group(&here(), &new_group(HealthSource::Instance)).await.unwrap();
    let request = fake.only_request();
    assert_eq!(request.get("HealthCheckType"), Some("EC2"));
    assert_eq!(request.get("HealthCheckGracePeriod"), None);
}

#[tokio::test(start_paused = true)]
async fn a_change_is_one_request_about_one_group() {
    let fake = Fake::by_action(|action| done(action, ""));
    let (aws, place, group) = (fake.aws(), here(), name("web-7"));
    let target_group = TargetGroupArn("arn:tg".to_owned());
    aws.resize_group(&place, &group, NewSize { min: 0, max: 0, desired: Some(0) }).await.unwrap();
    aws.resize_group(&place, &group, NewSize { min: 2, max: 8, desired: None }).await.unwrap();
    aws.attach(&place, &group, &target_group).await.unwrap();
    aws.detach(&place, &group, &target_group).await.unwrap();
    aws.delete_group(&place, &group).await.unwrap();
    let requests: Vec<_> = fake.asked().iter().map(|request| request.lines().join("&")).collect();
    assert_eq!(
        requests,
        [
            "Action=UpdateAutoScalingGroup&AutoScalingGroupName=web-7&MinSize=0&MaxSize=0&DesiredCapacity=0",
            "Action=UpdateAutoScalingGroup&AutoScalingGroupName=web-7&MinSize=2&MaxSize=8",
            "Action=AttachLoadBalancerTargetGroups&AutoScalingGroupName=web-7&TargetGroupARNs.member.1=arn:tg",
            "Action=DetachLoadBalancerTargetGroups&AutoScalingGroupName=web-7&TargetGroupARNs.member.1=arn:tg",
            "Action=DeleteAutoScalingGroup&AutoScalingGroupName=web-7&ForceDelete=false",
        ]
    );
}

/// What is said of the one group that `described` describes.
async fn seen(described: &str) -> Result<Group, CloudError> {
    let groups = format!("<AutoScalingGroups><member>{described}</member></AutoScalingGroups>");
    let fake = Fake::always(done("DescribeAutoScalingGroups", &groups));
    let mut groups = fake.aws().groups(&here(), &[name("web-7")].into()).await?;
    Ok(groups.remove(&name("web-7")).unwrap())
}

const NAME: &str = "<AutoScalingGroupName>web-7</AutoScalingGroupName>";
const SIZES: &str = "<MinSize>1</MinSize><MaxSize>6</MaxSize><DesiredCapacity>4</DesiredCapacity>";

fn member(id: &str, state: &str, health: &str) -> String {
    format!(
        "<member><InstanceId>{id}</InstanceId><LifecycleState>{state}</LifecycleState>\
         <HealthStatus>{health}</HealthStatus></member>"
    )
}

#[tokio::test(start_paused = true)]
async fn a_description_is_understood_whole() {
    let members = [
        ("i-1", "InService", "Healthy"),
        ("i-2", "Pending:Wait", "Healthy"),
        ("i-3", "Terminating", "Unhealthy"),
    ];
    let members: String = members.iter().map(|(id, state, health)| member(id, state, health)).collect();
    let described = format!(
        "{NAME}{SIZES}<Instances>{members}</Instances>\
         <TargetGroupARNs><member>arn:tg</member></TargetGroupARNs>\
         <LaunchTemplate><LaunchTemplateName>web-7</LaunchTemplateName><Version>1</Version></LaunchTemplate>\
         <Tags><member><Key>team</Key><Value>shop</Value></member></Tags>"
    );
    let instance =
        |id: &str, lifecycle, healthy| Instance { id: InstanceId(id.to_owned()), lifecycle, healthy };
    let expected = Group {
        name: name("web-7"),
        deleting: false,
        capacity: Capacity { min: 1, max: 6, desired: 4 },
        instances: vec![
            instance("i-1", Lifecycle::InService, true),
            instance("i-2", Lifecycle::Coming, true),
            instance("i-3", Lifecycle::Leaving, false),
        ],
        target_groups: [TargetGroupArn("arn:tg".to_owned())].into(),
        template: Some("web-7".to_owned()),
        tags: [("team".to_owned(), "shop".to_owned())].into(),
    };
    assert_eq!(seen(&described).await, Ok(expected.clone()));
    let on_its_way_out = format!("{described}<Status>Delete in progress</Status>");
    assert_eq!(seen(&on_its_way_out).await, Ok(Group { deleting: true, ..expected }));
}

#[tokio::test(start_paused = true)]
async fn a_mixed_instances_policy_has_the_template_too() {
    let policy = "<MixedInstancesPolicy><LaunchTemplate><LaunchTemplateSpecification>\
                  <LaunchTemplateName>base</LaunchTemplateName></LaunchTemplateSpecification></LaunchTemplate>\
                  </MixedInstancesPolicy>";
    assert_eq!(seen(&format!("{NAME}{SIZES}{policy}")).await.unwrap().template, Some("base".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn every_state_of_an_instance_is_one_of_three() {
    let states = [
        (Lifecycle::InService, &["InService"][..]),
        (
            Lifecycle::Coming,
            &[
                "Pending",
                "Pending:Wait",
                "Pending:Proceed",
                "EnteringStandby",
                "Warmed:Pending",
                "Warmed:Stopped",
            ],
        ),
        (
            Lifecycle::Leaving,
            &[
                "Terminating",
                "Terminating:Wait",
                "Terminated",
                "Detaching",
                "Standby",
                "Quarantined",
                "SomethingNew",
            ],
        ),
    ];
    for (lifecycle, states) in states {
        for state in states {
            let group =
                seen(&format!("{NAME}{SIZES}<Instances>{}</Instances>", member("i-1", state, "Healthy")))
                    .await;
            assert_eq!(group.unwrap().instances[0].lifecycle, lifecycle, "{state}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_description_that_makes_no_sense_is_an_error() {
    for odd in [SIZES.to_owned(), format!("{NAME}{}", SIZES.replace('4', "-4"))] {
        let outcome = seen(&odd).await;
        assert!(matches!(outcome, Err(CloudError::Unanswered { .. })), "{outcome:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_instance_of_which_little_is_known_is_not_relied_on() {
    let instances = "<Instances><member><InstanceId>i-1</InstanceId></member></Instances>";
    let [only] = &seen(&format!("{NAME}{SIZES}{instances}")).await.unwrap().instances[..] else { panic!() };
    assert_eq!((only.lifecycle, only.healthy), (Lifecycle::Leaving, false));
}

/// What is said of a group with these activities, the newest first.
async fn failed(activities: &[(&str, &str)]) -> Option<FailedActivity> {
    let activity = |(status, message): &(&str, &str)| {
        format!(
            "<member><Description>Launching a new EC2 instance</Description><StatusCode>{status}</StatusCode>\
             <StatusMessage>{message}</StatusMessage><StartTime>2026-01-01T00:00:00Z</StartTime></member>"
        )
    };
    let activities: String = activities.iter().map(activity).collect();
    let answer = done("DescribeScalingActivities", &format!("<Activities>{activities}</Activities>"));
    let fake = Fake::always(answer);
    let outcome = fake.aws().failed_activity(&here(), &name("web-7")).await.unwrap();
    let question = ["Action=DescribeScalingActivities", "AutoScalingGroupName=web-7", "MaxRecords=1"];
    assert_eq!(fake.only_request().lines(), question);
    outcome
}

#[tokio::test(start_paused = true)]
async fn only_the_newest_activity_says_why_instances_are_missing() {
    let failure = ("Failed", "We currently do not have sufficient m7g.large capacity in us-east-1a.");
    let expected = FailedActivity {
        description: "Launching a new EC2 instance".to_owned(),
        message: failure.1.to_owned(),
        started: 1_767_225_600,
    };
    assert_eq!(failed(&[failure]).await, Some(expected.clone()));
    assert_eq!(failed(&[("Cancelled", failure.1)]).await, Some(expected));
    assert_eq!(failed(&[("InProgress", ""), failure]).await, None);
    assert_eq!(failed(&[("Successful", ""), failure]).await, None);
    assert_eq!(failed(&[]).await, None);
}
