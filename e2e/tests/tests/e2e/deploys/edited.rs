//! An Environment that is edited while groups of an earlier spec serve, or while it is being deleted: what serves is
//! looked at, kept and taken down where it was announced, and a deploy goes on where it began.

use dryad_crds::{Deployment, Environment};
use dryad_local_cloud::model::autoscaling::DescribedGroup;
use dryad_local_cloud::model::elb::DescribeRules;
use dryad_local_cloud::model::log::Entry;
use dryad_machine::state::State;
use dryad_stage::capacity::Capacity;
use dryad_stage::deploys::table;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::deploys::accounts::{ROLE, workers};
use crate::deploys::capacity::{declare, group, until_sized};
use crate::deploys::scene::{
    Place, Scene, WEB, assert_ends, carried_out, changes, fault, green_of, until_asked_by,
};
use crate::deploys::stage;
use crate::deploys::users::Users;

/// From now on requests come by the one target group of another load balancer.
pub(crate) fn by_shared(scene: &Scene) -> Value {
    json!({ "traffic": {
        "loadBalancerRule": null,
        "targetGroup": { "arn": scene.stage.web.shared.target_group },
    } })
}

/// From now on requests come by a target group that may be named, and that nobody has made yet.
fn by_what_is_not_there_yet(scene: &Scene) -> Value {
    let absent = format!("{}0", scene.stage.web.shared.target_group);
    let mut configuration = scene.stage.configuration();
    let permits = &mut configuration["accounts"]["default"]["namespaces"][&scene.stage.namespace];
    permits["targetGroups"].as_array_mut().unwrap().push(json!(absent));
    scene.stage.configure(&configuration).unwrap();
    json!({ "traffic": { "loadBalancerRule": null, "targetGroup": { "arn": absent } } })
}

fn elsewhere(field: &str, name: &str) -> Value {
    json!({ "target": { "autoScalingGroup": { field: name } } })
}

/// Waits until the conditions are about the spec as it is, with this one of this status.
pub(crate) async fn until_said(scene: &Scene, type_: &str, status: &str) {
    let said = |environment: Option<&Environment>| {
        let object = environment.expect("it is there");
        object.status.as_ref().is_some_and(|told| {
            told.conditions.iter().any(|it| {
                it.type_ == type_
                    && it.status == status
                    && it.observed_generation == object.metadata.generation
            })
        })
    };
    scene.stage.until(WEB, said).await;
}

/// Edits an Environment between two deploys, and then deletes it.
async fn edited_and_deleted(name: &str, edit: impl FnOnce(&Scene) -> Value) {
    let scene = Scene::set(name, |_| {}).await;
    let (users, edit) = (Users::of(&scene.stage), edit(&scene));
    let _operator = scene.stage.operator("a").unwrap();
    declare(&scene, edit).await;
    until_said(&scene, "Ready", "False").await;
    until_said(&scene, "Available", "True").await;
    assert_eq!(users.leave().await, "one");
    scene.stage.delete::<Environment>(WEB).await;
    scene.until_gone::<Environment>(WEB).await;
    scene.left(&[], 0).await;
    let made = scene.stage.cloud.control().with(|world, _| changes(world));
    assert!(
        made.contains(&"DetachLoadBalancerTargetGroups"),
        "it was not taken out of traffic first: {made:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_serves_is_known_and_taken_down_where_it_is_whatever_the_spec_says_by_now() {
    tokio::join!(
        Box::pin(edited_and_deleted("edited-traffic", by_shared)),
        Box::pin(edited_and_deleted("edited-region", |_| elsewhere("region", "eu-west-1"))),
        Box::pin(edited_and_deleted("edited-account", |_| elsewhere("account", "production"))),
        Box::pin(edited_and_deleted("edited-ahead", by_what_is_not_there_yet)),
    );
}

/// Deploys workers, moves their Environment there, and deploys them again.
async fn moved(name: &str, field: &str, there: &str) {
    let stage = stage(name).await;
    let mut configuration = stage.configuration();
    configuration["accounts"]["default"]["regions"].as_array_mut().unwrap().push(json!("eu-west-1"));
    let mut production = configuration["accounts"]["default"].clone();
    production["roleArn"] = json!(ROLE);
    configuration["accounts"]["production"] = production;
    stage.configure(&configuration).unwrap();
    stage.repository.commit("Say one", &[("index.html", Some("one"))]).unwrap();
    stage.create_environment(&workers(&stage, WEB, "default")).await;
    let _operator = stage.operator("a").unwrap();
    stage.deploy("web-1", json!({ "environment": WEB })).await;
    stage.until_state("web-1", State::Done).await;
    stage.until_free(WEB).await;
    let patch = Patch::Merge(json!({ "spec": elsewhere(field, there) }));
    stage.api::<Environment>().patch(WEB, &PatchParams::default(), &patch).await.expect("it is accepted");
    stage.deploy("web-2", json!({ "environment": WEB })).await;
    let done = stage.until_state("web-2", State::Done).await;
    let tenure = stage.until_free(WEB).await.status.unwrap().tenure;
    let [serving] = tenure.groups.as_slice() else { panic!("{:?}\n{}", tenure.groups, table(&done)) };
    assert!(serving.place.to_string().contains(there), "{}", serving.place);
    let left = stage.cloud.control().left().inventory;
    let green = green_of(&done);
    assert_eq!((left.groups, left.templates), (vec![green.clone()], vec![green]), "{}", table(&done));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_served_goes_from_where_it_is_when_the_next_deploy_is_to_another_region_or_account() {
    tokio::join!(
        Box::pin(moved("moved-region", "region", "eu-west-1")),
        Box::pin(moved("moved-account", "account", "production")),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_serves_is_kept_at_its_size_where_it_is_whatever_the_spec_says_by_now() {
    let scene = Scene::set("edited-size", |_| {}).await;
    let users = Users::of(&scene.stage);
    let blue = green_of(&scene.stage.api().get("web-1").await.unwrap());
    let capacity = Capacity::of(&scene.stage, &scene.stage.web.target_groups[0]);
    let _operator = scene.stage.operator("a").unwrap();
    declare(&scene, by_shared(&scene)).await;
    declare(&scene, json!({ "replicas": 4 })).await;
    until_sized(&scene, &blue, 2, 4, 4).await;
    declare(&scene, json!({ "replicas": 2 })).await;
    until_sized(&scene, &blue, 2, 4, 2).await;
    assert_eq!(users.leave().await, "one");
    assert!(capacity.least() >= Some(2), "fewer than were declared");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_goes_on_where_it_began_whatever_is_edited_meanwhile() {
    let scene = Scene::set("edited-deploy", |_| {}).await;
    let users = Users::of(&scene.stage);
    let _operator = scene.stage.operator("a").unwrap();
    scene.deploy_held("web-2").await;
    let green = green_of(&scene.bring("web-2", Place::ProvenApart).await);
    declare(&scene, by_shared(&scene)).await;
    declare(&scene, elsewhere("region", "eu-west-1")).await;
    declare(&scene, elsewhere("account", "production")).await;
    declare(&scene, json!({ "source": { "branch": "another" } })).await;
    scene.let_all_go().await;
    scene.stage.request("web-2", json!({ "skipEvaluation": true })).await;
    scene.stage.until_state("web-2", State::RetainWait).await;
    scene.stage.delete::<Deployment>("web-2").await;
    scene.until_gone::<Deployment>("web-2").await;
    scene.serves_group(&green).await;
    until_said(&scene, "Available", "True").await;
    assert_eq!(users.leave().await, "two");
}

/// From now on requests come by the rule with two target groups.
fn by_rule(scene: &Scene) -> Value {
    json!({ "traffic": {
        "targetGroup": null,
        "loadBalancerRule": { "ruleArn": scene.stage.web.rule, "targetGroupArns": scene.stage.web.target_groups },
    } })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_deploy_takes_the_edited_traffic_and_leaves_the_old_one_served_until_blue_is_retired() {
    let scene = Scene::set("edited-next", |_| {}).await;
    let old = Users::of(&scene.stage);
    let blue = green_of(&scene.stage.api().get("web-1").await.unwrap());
    let before = group(&scene, &blue);
    let _operator = scene.stage.operator("a").unwrap();
    declare(&scene, by_shared(&scene)).await;
    scene.stage.deploy("web-2", json!({ "environment": WEB, "request": { "skipEvaluation": true } })).await;
    let green = green_of(&scene.stage.until_state("web-2", State::RetainWait).await);
    let new = Users::at(&scene.stage.web.shared.url);
    new.until_answered("two").await;
    scene.hold(&[fault("DetachLoadBalancerTargetGroups")], &[]);
    scene.stage.delete::<Deployment>("web-2").await;
    until_asked_by(&scene, "a", "DetachLoadBalancerTargetGroups").await;
    let kept = group(&scene, &blue);
    assert_eq!((kept.target_group_arns, kept.desired_capacity), (before.target_group_arns, 2));
    assert_eq!(old.leave().await, "one");
    scene.let_all_go().await;
    scene.until_gone::<Deployment>("web-2").await;
    scene.serves_group(&green).await;
    until_said(&scene, "Available", "True").await;
    assert_eq!(new.leave().await, "two");
    let taken_down = scene.stage.cloud.control().with(|world, _| {
        let made = world.log().entries().filter(|it| it.resource == blue && carried_out(it.outcome));
        made.map(|it| it.action).filter(|it| !it.starts_with("Describe")).collect::<Vec<_>>()
    });
    let in_order = ["DetachLoadBalancerTargetGroups", "UpdateAutoScalingGroup", "DeleteAutoScalingGroup"];
    let detached = taken_down.iter().position(|it| *it == in_order[0]).expect("it was detached");
    assert!(taken_down[detached..].starts_with(&in_order), "{taken_down:?}");
}

/// Rolls a deploy back that was to bring other traffic than blue was announced with, after it had all of that.
async fn rolled_back(scene: &Scene, old: &str, edited: Value, new: &str) {
    let blue = green_of(&scene.stage.api().get("web-1").await.unwrap());
    let (before, weights) = (group(scene, &blue), weights(scene));
    let old = Users::at(old);
    let _operator = scene.stage.operator("a").unwrap();
    declare(scene, edited).await;
    scene.stage.deploy("web-2", json!({ "environment": WEB, "request": { "skipEvaluation": true } })).await;
    scene.stage.until_state("web-2", State::RetainWait).await;
    let new = Users::at(new);
    new.until_answered("two").await;
    assert_eq!(new.leave().await, "two");
    scene.stage.request("web-2", json!({ "end": "Rollback" })).await;
    assert_ends(
        &scene.stage.until_state("web-2", State::Aborted).await,
        ["Rollback RollbackRequested", "Aborted RollbackOk"],
    );
    scene.serves_group(&blue).await;
    until_said(scene, "Available", "True").await;
    assert_eq!(old.leave().await, "one");
    let after = group(scene, &blue);
    assert_eq!(after.target_group_arns, before.target_group_arns);
    let size = |it: &DescribedGroup| (it.min_size, it.max_size, it.desired_capacity);
    assert_eq!((size(&after), self::weights(scene)), (size(&before), weights));
    let moved = scene.stage.cloud.control().with(|world, _| {
        let attached = |it: &&Entry| it.action == "AttachLoadBalancerTargetGroups" && it.resource == blue;
        world.log().entries().filter(attached).count()
    });
    assert_eq!(moved, 1, "blue was attached once, when it was brought in");
}

/// What the rule gives to whom.
fn weights(scene: &Scene) -> Vec<(String, u32)> {
    let request = DescribeRules { rule_arns: vec![scene.stage.web.rule.clone()], ..DescribeRules::default() };
    let rules = scene.stage.cloud.control().call(request).expect("the cloud is there").rules;
    let actions = rules.into_iter().flat_map(|rule| rule.actions);
    let forwards = actions.filter_map(|action| action.forward_config);
    forwards
        .flat_map(|forward| forward.target_groups)
        .map(|it| (it.target_group_arn, it.weight.unwrap_or_default()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_leaves_blue_where_it_was_announced_and_attaches_it_nowhere_else() {
    let to_shared = async {
        let scene = Scene::set("back-from-shared", |_| {}).await;
        let (old, new) = (scene.stage.web.url.clone(), scene.stage.web.shared.url.clone());
        rolled_back(&scene, &old, by_shared(&scene), &new).await;
    };
    let to_rule = async {
        let stage = stage("back-from-rule").await;
        let shared = json!({ "targetGroup": { "arn": stage.web.shared.target_group } });
        let scene = Scene::set_on(stage, |environment| environment["spec"]["traffic"] = shared).await;
        let (old, new) = (scene.stage.web.shared.url.clone(), scene.stage.web.url.clone());
        rolled_back(&scene, &old, by_rule(&scene), &new).await;
    };
    tokio::join!(Box::pin(to_shared), Box::pin(to_rule));
}

/// Deletes an Environment in the middle of a deploy, and changes what is to become of its groups then.
async fn thought_better_of(first: &str, then: &str) -> Scene {
    let name = format!("from-{first}").to_lowercase();
    let scene = Scene::set(&name, |environment| environment["spec"]["deletionPolicy"] = json!(first)).await;
    let _operator = scene.stage.operator("a").unwrap();
    scene.deploy_held("web-2").await;
    scene.bring("web-2", Place::ProvenApart).await;
    scene.stage.delete::<Environment>(WEB).await;
    scene.stage.until_state("web-2", State::Rollback).await;
    declare(&scene, json!({ "deletionPolicy": then })).await;
    scene.let_all_go().await;
    scene.until_gone::<Environment>(WEB).await;
    scene
}

#[tokio::test(flavor = "multi_thread")]
async fn what_becomes_of_groups_may_be_thought_better_of_while_their_environment_is_being_deleted() {
    let retained = async {
        let scene = thought_better_of("Delete", "Retain").await;
        let blue = green_of(&scene.stage.api().get("web-1").await.unwrap());
        scene.left(&[&blue], 2).await;
    };
    let deleted = async { thought_better_of("Retain", "Delete").await.left(&[], 0).await };
    tokio::join!(Box::pin(retained), Box::pin(deleted));
}
