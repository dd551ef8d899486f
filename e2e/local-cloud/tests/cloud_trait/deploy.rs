//! A whole blue/green deploy, and what is seen when one does not go as wished.

use std::collections::BTreeSet;

use dryad_cloud::Cloud;
use dryad_cloud::group::{Capacity, Group, Lifecycle};
use dryad_cloud::traffic::{Rule, TargetHealth};
use dryad_local_cloud::model::ec2::DescribeLaunchTemplateVersions;
use dryad_local_cloud::model::elb::{DescribeRules, RuleAction};
use dryad_machine::name::GroupName;

use super::stage::{Stage, tags};

fn lifecycles(group: &Group) -> Vec<Lifecycle> {
    group.instances.iter().map(|instance| instance.lifecycle).collect()
}

pub(crate) async fn a_deploy_goes_from_blue_to_green<C: Cloud>(stage: &Stage<C>) {
    let (cloud, place) = (&stage.cloud, &stage.place);
    let (blue, green) = (GroupName::new("web-1"), GroupName::new("web-2"));
    stage.launch("web-1", 2).await;
    cloud.attach(place, &blue, &stage.blue).await.unwrap();
    stage.wait(15);
    let two = |health: &TargetHealth| [health.clone(), health.clone()].to_vec();
    let states = async |target_group| stage.health(target_group).await.into_values().collect::<Vec<_>>();
    assert_eq!(states(&stage.blue).await, two(&TargetHealth::Healthy));

    // Green comes up at weight 0, and is checked all the same.
    stage.launch("web-2", 2).await;
    let group = stage.group("web-2").await;
    assert_eq!(lifecycles(&group), [Lifecycle::Coming; 2]);
    assert_eq!(group.capacity, Capacity { min: 0, max: 10, desired: 2 });
    assert_eq!(group.template.as_deref(), Some("web-2"));
    assert_eq!((group.tags, group.target_groups, group.deleting), (tags(), BTreeSet::new(), false));
    cloud.attach(place, &green, &stage.green).await.unwrap();
    assert_eq!(stage.group("web-2").await.target_groups, [stage.green.clone()].into());
    assert_eq!(states(&stage.green).await, [], "nothing is registered before it is in service");
    stage.wait(10);
    let group = stage.group("web-2").await;
    assert_eq!(lifecycles(&group), [Lifecycle::InService; 2]);
    assert!(group.instances.iter().all(|instance| instance.healthy));
    assert_eq!(states(&stage.green).await, two(&TargetHealth::Initial));
    stage.wait(5);
    assert_eq!(states(&stage.green).await, two(&TargetHealth::Healthy));

    // Its instances have addresses; one that nobody knows has none.
    let mut asked: BTreeSet<_> = group.instances.iter().map(|instance| instance.id.clone()).collect();
    let known = asked.clone();
    asked.insert(dryad_cloud::group::InstanceId("i-0123456789abcdef0".to_owned()));
    let addresses = cloud.addresses(place, &asked).await.unwrap();
    assert_eq!(addresses.keys().cloned().collect::<BTreeSet<_>>(), known);
    assert!(addresses.values().all(|address| address.parse::<std::net::Ipv4Addr>().is_ok()), "{addresses:?}");

    // The switch is one change, which leaves the stickiness alone. Blue drains, shrinks, goes.
    assert_eq!(stage.weights().await, (100, 0));
    stage.weigh(0, 100).await.unwrap();
    assert_eq!(stage.weights().await, (0, 100));
    let rules =
        stage.did(DescribeRules { rule_arns: vec![stage.rule.0.clone()], ..Default::default() }).rules;
    let forward = rules[0].actions[0].forward_config.clone().unwrap();
    assert_eq!(forward.target_group_stickiness_config.unwrap().duration_seconds, Some(90));
    // Bounds alone move the size only as far as they must.
    stage.bound("web-1", 1, 3).await.unwrap();
    assert_eq!(stage.group("web-1").await.capacity, Capacity { min: 1, max: 3, desired: 2 });
    stage.bound("web-1", 0, 10).await.unwrap();

    cloud.detach(place, &blue, &stage.blue).await.unwrap();
    assert_eq!(states(&stage.blue).await, two(&TargetHealth::Draining));
    assert_eq!(stage.group("web-1").await.target_groups, BTreeSet::new());
    stage.wait(30);
    assert_eq!(states(&stage.blue).await, []);
    stage.resize("web-1", 0).await.unwrap();
    assert_eq!(lifecycles(&stage.group("web-1").await), [Lifecycle::Leaving; 2]);
    stage.wait(20);
    assert_eq!(lifecycles(&stage.group("web-1").await), []);
    cloud.delete_group(place, &blue).await.unwrap();
    assert!(stage.group("web-1").await.deleting);
    stage.wait(3);
    assert_eq!(stage.find("web-1").await, None);
    cloud.delete_template(place, &blue).await.unwrap();

    // Both are asked after at once, and what is not there is left out.
    let both = cloud.groups(place, &[blue, green.clone()].into()).await.unwrap();
    assert_eq!(both.into_keys().collect::<Vec<_>>(), [green]);
    let templates = stage
        .did(DescribeLaunchTemplateVersions {
            launch_template_name: Some("web-2".to_owned()),
            ..Default::default()
        })
        .launch_template_versions;
    assert_eq!(templates.len(), 1);
    let metadata = templates[0].launch_template_data.metadata_options.clone().unwrap();
    assert_eq!(metadata.http_tokens.as_deref(), Some("required"));
}

pub(crate) async fn a_launch_that_fails_says_why<C: Cloud>(stage: &Stage<C>) {
    let why = "We currently do not have sufficient m7g.large capacity in us-east-1a.";
    let failed = async || stage.cloud.failed_activity(&stage.place, &GroupName::new("web-1")).await.unwrap();
    stage.no_launches("web-1", why);
    stage.launch("web-1", 1).await;
    let failure = failed().await.expect("a failed activity");
    assert!(failure.message.contains(why), "{failure:?}");
    assert!(failure.description.starts_with("Launching a new EC2 instance"), "{failure:?}");
    assert!(failure.started > 0);
    stage.no_faults();
    stage.wait(60);
    assert_eq!(failed().await, None, "a newer activity outdates it");
    stage.wait(10);
    assert_eq!(failed().await, None);
    assert_eq!(lifecycles(&stage.group("web-1").await), [Lifecycle::InService]);
}

pub(crate) async fn a_target_that_fails_its_checks_says_so<C: Cloud>(stage: &Stage<C>) {
    stage.never_healthy("web-1");
    stage.launch("web-1", 1).await;
    stage.cloud.attach(&stage.place, &GroupName::new("web-1"), &stage.blue).await.unwrap();
    stage.wait(15);
    let health = stage.health(&stage.blue).await;
    assert!(
        matches!(health.values().next(), Some(TargetHealth::Unhealthy(why)) if why.starts_with("unhealthy: ")),
        "{health:?}"
    );
}

pub(crate) async fn a_rule_that_does_not_forward_is_told_in_words<C: Cloud>(stage: &Stage<C>) {
    let fixed = stage.rule_that(2, RuleAction::answer("503"));
    let seen = stage.cloud.rule(&stage.place, &fixed).await;
    assert_eq!(seen, Ok(Rule::Other("a fixed answer 503".to_owned())));
}
