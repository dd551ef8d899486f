//! What becomes of requests that are refused, lost or late.

use std::collections::{BTreeMap, BTreeSet};

use dryad_cloud::group::InstanceId;
use dryad_cloud::parameter::Replacing;
use dryad_cloud::traffic::{RuleArn, TargetGroupArn, Weight};
use dryad_cloud::{Cloud, CloudError};
use dryad_local_cloud::faults::Effect;
use dryad_local_cloud::model::Code;
use dryad_machine::name::GroupName;
use jiff::SignedDuration;

use super::stage::Stage;

/// The mutations of the trait, by AWS's names.
const MUTATIONS: [&str; 10] = [
    "CreateLaunchTemplate",
    "CreateAutoScalingGroup",
    "UpdateAutoScalingGroup",
    "AttachLoadBalancerTargetGroups",
    "DetachLoadBalancerTargetGroups",
    "ModifyRule",
    "DeleteAutoScalingGroup",
    "DeleteLaunchTemplate",
    "PutParameter",
    "DeleteParameter",
];

/// Asks for the mutation of that name: creations are of `web-2`, all else is about `web-1`.
async fn mutate<C: Cloud>(stage: &Stage<C>, action: &str) -> Result<(), CloudError> {
    let (cloud, place, group) = (&stage.cloud, &stage.place, &GroupName::new("web-1"));
    match action {
        "CreateLaunchTemplate" => cloud.create_template(place, &Stage::<C>::template("web-2")).await,
        "CreateAutoScalingGroup" => cloud.create_group(place, &Stage::<C>::new_group("web-2", 1)).await,
        "UpdateAutoScalingGroup" => stage.resize("web-1", 5).await,
        "AttachLoadBalancerTargetGroups" => cloud.attach(place, group, &stage.green).await,
        "DetachLoadBalancerTargetGroups" => cloud.detach(place, group, &stage.blue).await,
        "ModifyRule" => stage.weigh(50, 50).await,
        "DeleteAutoScalingGroup" => cloud.delete_group(place, group).await,
        "DeleteLaunchTemplate" => cloud.delete_template(place, group).await,
        "PutParameter" => cloud.put_parameter(place, "/web-1", "a", Replacing::Nothing).await,
        "DeleteParameter" => cloud.delete_parameter(place, "/web-1").await,
        other => panic!("{other} is no mutation"),
    }
}

/// The name of an error's kind, and of the request that it is about.
fn kind(outcome: &Result<(), CloudError>) -> (&'static str, &'static str) {
    match outcome {
        Ok(()) => ("ok", ""),
        Err(CloudError::Unanswered { action, .. }) => ("unanswered", action),
        Err(CloudError::Unreachable { action, .. }) => ("unreachable", action),
        Err(CloudError::Throttled { action }) => ("throttled", action),
        Err(CloudError::NotFound { action, .. }) => ("not found", action),
        Err(CloudError::AlreadyExists { action, .. }) => ("already exists", action),
        Err(CloudError::Busy { action, .. }) => ("busy", action),
        Err(CloudError::Denied { action, .. }) => ("denied", action),
        Err(CloudError::Invalid { action, .. }) => ("invalid", action),
    }
}

#[track_caller]
pub(super) fn assert_kind(outcome: &Result<(), CloudError>, kind_of_error: &str, action: &str) {
    assert_eq!(kind(outcome), (kind_of_error, action), "{outcome:?}");
}

/// Blue as it works: one instance, attached.
async fn blue_works<C: Cloud>(stage: &Stage<C>) {
    stage.launch("web-1", 1).await;
    stage.cloud.attach(&stage.place, &GroupName::new("web-1"), &stage.blue).await.unwrap();
    stage.wait(15);
}

pub(crate) async fn what_is_not_there_is_not_described<C: Cloud>(stage: &Stage<C>) {
    let (cloud, place) = (&stage.cloud, &stage.place);
    assert_eq!(cloud.groups(place, &[GroupName::new("nobody")].into()).await, Ok(BTreeMap::new()));
    assert_eq!(cloud.groups(place, &BTreeSet::new()).await, Ok(BTreeMap::new()));
    let nobody = InstanceId("i-0123456789abcdef0".to_owned());
    assert_eq!(cloud.addresses(place, &[nobody].into()).await, Ok(BTreeMap::new()));
    assert_eq!(cloud.addresses(place, &BTreeSet::new()).await, Ok(BTreeMap::new()));
    let nowhere = TargetGroupArn(stage.blue.0.replace("/blue/", "/nowhere/"));
    let health = cloud.target_health(place, &nowhere).await.map(drop);
    assert_kind(&health, "not found", "DescribeTargetHealth");
    let nothing = RuleArn(format!("{}0", stage.rule.0));
    assert_kind(&cloud.rule(place, &nothing).await.map(drop), "not found", "DescribeRules");
}

pub(crate) async fn what_is_not_there_cannot_be_changed<C: Cloud>(stage: &Stage<C>) {
    let (cloud, place, nobody) = (&stage.cloud, &stage.place, &GroupName::new("nobody"));
    assert_kind(&stage.resize("nobody", 1).await, "not found", "UpdateAutoScalingGroup");
    let attached = cloud.attach(place, nobody, &stage.blue).await;
    assert_kind(&attached, "not found", "AttachLoadBalancerTargetGroups");
    let detached = cloud.detach(place, nobody, &stage.blue).await;
    assert_kind(&detached, "not found", "DetachLoadBalancerTargetGroups");
    assert_kind(&cloud.delete_group(place, nobody).await, "not found", "DeleteAutoScalingGroup");
    assert_kind(&cloud.delete_template(place, nobody).await, "not found", "DeleteLaunchTemplate");
    let nothing = RuleArn(format!("{}0", stage.rule.0));
    let weighed = cloud.set_weights(place, &nothing, &[]).await;
    assert_eq!(kind(&weighed).0, "not found", "{weighed:?}");

    blue_works(stage).await;
    let nowhere = TargetGroupArn(stage.blue.0.replace("/blue/", "/nowhere/"));
    let attached = cloud.attach(place, &GroupName::new("web-1"), &nowhere).await;
    assert_kind(&attached, "not found", "AttachLoadBalancerTargetGroups");
}

pub(crate) async fn weights_take_nobody_out_of_a_rule<C: Cloud>(stage: &Stage<C>) {
    let only = [Weight { target_group: stage.blue.clone(), weight: 7 }];
    let before = stage.weights().await;
    let weighed = stage.cloud.set_weights(&stage.place, &stage.rule, &only).await;
    assert_kind(&weighed, "busy", "ModifyRule");
    assert_eq!(stage.weights().await, before);
}

pub(crate) async fn what_is_there_cannot_be_created_again<C: Cloud>(stage: &Stage<C>) {
    stage.launch("web-1", 1).await;
    let template = stage.cloud.create_template(&stage.place, &Stage::<C>::template("web-1")).await;
    assert_kind(&template, "already exists", "CreateLaunchTemplate");
    let group = stage.cloud.create_group(&stage.place, &Stage::<C>::new_group("web-1", 1)).await;
    assert_kind(&group, "already exists", "CreateAutoScalingGroup");
}

pub(crate) async fn a_group_with_instances_is_not_deleted<C: Cloud>(stage: &Stage<C>) {
    blue_works(stage).await;
    assert_kind(&mutate(stage, "DeleteAutoScalingGroup").await, "busy", "DeleteAutoScalingGroup");
    assert!(!stage.group("web-1").await.deleting);
}

pub(crate) async fn a_wrong_request_is_refused_in_the_clouds_words<C: Cloud>(stage: &Stage<C>) {
    stage.cloud.create_template(&stage.place, &Stage::<C>::template("web-1")).await.unwrap();
    let wrong = Stage::<C>::new_group("web-1", 11);
    let outcome = stage.cloud.create_group(&stage.place, &wrong).await;
    assert_kind(&outcome, "invalid", "CreateAutoScalingGroup");
    assert!(outcome.unwrap_err().to_string().to_lowercase().contains("desired"));
    let heavy = stage.weigh(1000, 0).await;
    assert_kind(&heavy, "invalid", "ModifyRule");
}

pub(crate) async fn a_refused_mutation_changes_nothing<C: Cloud>(stage: &Stage<C>) {
    blue_works(stage).await;
    let before = (stage.group("web-1").await, stage.weights().await);
    let contention =
        Effect::Refuse { code: Code::ResourceContention, message: "a pending update".to_owned() };
    for action in MUTATIONS {
        for (effect, meaning) in
            [(Effect::Fail, "unanswered"), (Effect::Deny, "denied"), (contention.clone(), "busy")]
        {
            stage.next(action, effect);
            assert_kind(&mutate(stage, action).await, meaning, action);
        }
    }
    assert_eq!((stage.group("web-1").await, stage.weights().await), before);
    assert_eq!(stage.find("web-2").await, None);
}

/// Apart from the others: whoever is throttled may hold back by itself from then on.
pub(crate) async fn a_throttled_mutation_changes_nothing<C: Cloud>(stage: &Stage<C>) {
    blue_works(stage).await;
    let before = (stage.group("web-1").await, stage.weights().await);
    for action in MUTATIONS {
        stage.next(action, Effect::Throttle);
        assert_kind(&mutate(stage, action).await, "throttled", action);
    }
    assert_eq!((stage.group("web-1").await, stage.weights().await), before);
    assert_eq!(stage.find("web-2").await, None);
}

pub(crate) async fn a_mutation_whose_answer_is_lost_has_taken_effect<C: Cloud>(stage: &Stage<C>) {
    blue_works(stage).await;
    for action in MUTATIONS {
        if action == "DeleteAutoScalingGroup" {
            stage.resize("web-1", 0).await.unwrap();
            stage.wait(60);
        }
        stage.next(action, Effect::LoseAnswer);
        assert_kind(&mutate(stage, action).await, "unanswered", action);
        if action == "ModifyRule" {
            assert_eq!(stage.weights().await, (50, 50));
        }
    }
    assert!(stage.group("web-1").await.deleting);
    assert_eq!(stage.group("web-2").await.capacity.desired, 1);
    for created in ["CreateLaunchTemplate", "CreateAutoScalingGroup"] {
        assert_kind(&mutate(stage, created).await, "already exists", created);
    }
    for deleted in ["DeleteLaunchTemplate", "DeleteParameter"] {
        assert_kind(&mutate(stage, deleted).await, "not found", deleted);
    }
}

pub(crate) async fn a_mutation_may_arrive_after_it_was_given_up<C: Cloud>(stage: &Stage<C>) {
    stage.cloud.create_template(&stage.place, &Stage::<C>::template("web-2")).await.unwrap();
    stage.next("CreateAutoScalingGroup", Effect::ArriveLate { after: SignedDuration::from_mins(4) });
    assert_kind(&mutate(stage, "CreateAutoScalingGroup").await, "unanswered", "CreateAutoScalingGroup");
    assert_eq!(stage.find("web-2").await, None);
    stage.wait(4);
    assert_eq!(stage.group("web-2").await.capacity.desired, 1);
}
