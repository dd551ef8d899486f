//! A group that loses a tag in mid-deploy. Nobody can prove any more that it is ours, so it is never changed again; but
//! users who have it keep it, and the way back to it stands open.

use dryad_crds::{Deployment, Environment};
use dryad_local_cloud::model::autoscaling::{CreateOrUpdateTags, DeleteTags, GroupTag};
use dryad_machine::name::GroupName;
use dryad_machine::state::State;
use dryad_stage::capacity::Capacity;
use dryad_stage::deploys::{history_of, table};
use dryad_stage::operator::Operator;
use serde_json::json;

use crate::deploys::capacity::{group, until_sized};
use crate::deploys::lost::held;
use crate::deploys::moving::blue_of;
use crate::deploys::scene::{Place, Scene, WEB, assert_ends, green_of};
use crate::deploys::stage;
use crate::deploys::trouble::{asked_since, logged, until_looked};
use crate::deploys::users::Users;

/// Takes the tag with the turn off a group.
fn untag(scene: &Scene, name: &str) -> GroupTag {
    let mut tag =
        group(scene, name).tags.into_iter().find(|tag| tag.key == "dryad.dev/turn").expect("a turn");
    tag.resource_id = Some(name.to_owned());
    scene.stage.cloud.control().call(DeleteTags { tags: vec![tag.clone()] }).expect("it is there");
    tag
}

/// Waits until nobody is on record as held, and the turn is free.
async fn until_let_go(scene: &Scene) {
    let let_go = |environment: Option<&Environment>| {
        let status = environment.and_then(|environment| environment.status.as_ref());
        status.is_some_and(|status| {
            let tenure = &status.tenure;
            tenure.holder.is_none() && tenure.groups.iter().all(|member| member.held.is_none())
        })
    };
    scene.stage.until(WEB, let_go).await;
}

/// Blue loses a tag while a deploy stands there, and the deploy is told to go back.
async fn goes_back_from(name: &str, place: Place, asked: &str, ends: [&str; 2]) {
    let scene = Scene::set(name, held).await;
    let blue = blue_of(&scene).await;
    let (users, capacity) =
        (Users::of(&scene.stage), Capacity::of(&scene.stage, &scene.stage.web.target_groups[0]));
    let _operator = scene.stage.operator("a").unwrap();
    scene.deploy_held("web-2").await;
    scene.bring("web-2", place).await;
    let bounds = group(&scene, &blue).min_size;
    let (tag, begun) = (untag(&scene, &blue), logged(&scene));
    scene.let_all_go().await;
    scene.stage.request("web-2", json!({ "end": asked })).await;
    let ended = scene.stage.until_ended("web-2").await;
    assert_ends(&ended, ends);
    let why = history_of(&ended).pop().expect("it has ended").message;
    let words = format!("group {blue} does not carry this Environment's tags any more (dryad.dev/turn)");
    assert!(why.contains(&words), "{}", table(&ended));

    scene.serves_group(&blue).await;
    let told = |environment: Option<&Environment>| {
        let status = environment.and_then(|environment| environment.status.as_ref());
        status.is_some_and(|status| {
            status.conditions.iter().any(|it| {
                it.type_ == "Available"
                    && it.message.contains(&blue)
                    && it.message.contains("give it its tags back")
            })
        })
    };
    scene.stage.until(WEB, told).await;
    let asked = asked_since(&scene, begun);
    assert!(!asked.iter().any(|entry| entry.resource == blue), "{asked:#?}");
    assert_eq!(group(&scene, &blue).min_size, bounds);

    scene.stage.cloud.control().call(CreateOrUpdateTags { tags: vec![tag] }).expect("it is there");
    until_sized(&scene, &blue, 1, 4, 2).await;
    until_let_go(&scene).await;
    assert!(capacity.least() >= Some(2), "fewer than two instances served:\n{}", table(&ended));
    assert_eq!(users.leave().await, "one");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_is_aborted_beside_a_blue_that_has_lost_a_tag() {
    goes_back_from(
        "stray-apart",
        Place::ProvenApart,
        "Abort",
        ["Rollback AbortRequested", "Aborted RollbackOk"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_traffic_goes_back_to_a_blue_that_was_held_and_has_lost_a_tag() {
    let ends = ["Rollback AbortRequested", "Aborted RollbackOk"];
    goes_back_from("stray-serving", Place::ProvenInService, "Abort", ends).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blue_that_was_kept_and_has_lost_a_tag_is_still_there_to_return_to() {
    let ends = ["Rollback RollbackRequested", "Aborted RollbackOk"];
    goes_back_from("stray-kept", Place::Retaining, "Rollback", ends).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_green_that_loses_a_tag_is_given_up_and_named_as_what_is_left() {
    let scene = Scene::set("stray-green", |_| {}).await;
    let blue = blue_of(&scene).await;
    let users = Users::of(&scene.stage);
    let _operator = scene.stage.operator("a").unwrap();
    scene.deploy_held("web-2").await;
    let green = green_of(&scene.bring("web-2", Place::ProvenApart).await);
    untag(&scene, &green);
    let begun = logged(&scene);
    let ended = scene.stage.until_state("web-2", State::Failed).await;
    assert_ends(&ended, ["Rollback GreenLost", "Failed RollbackOk"]);
    let why = history_of(&ended).pop().expect("it has ended").message;
    let words = format!("what is called {green} does not carry this Deployment's tags (dryad.dev/turn)");
    assert!(why.contains(&words) && why.contains("delete it"), "{}", table(&ended));
    let free = scene.stage.until_free(WEB).await;
    let ledger: Vec<_> = free.status.unwrap().tenure.groups.into_iter().map(|member| member.name).collect();
    assert_eq!(ledger.iter().map(GroupName::as_str).collect::<Vec<_>>(), [blue]);
    let asked = asked_since(&scene, begun);
    assert!(
        !asked.iter().any(|entry| entry.action.contains("AutoScaling") && entry.resource == green),
        "{asked:#?}"
    );
    assert_eq!(group(&scene, &green).instances.len(), 2);
    assert_eq!(users.answers().await, ["one"]);
}

/// A blue that shared its target group with green, was detached when green had joined, and has lost a tag since.
struct Detached {
    scene: Scene,
    blue: String,
    green: String,
    tag: GroupTag,
    users: Users,
    begun: usize,
    _operator: Operator,
}

/// Goes back to it, with so much time for that, until it is said that it can't be attached.
async fn goes_back_to_a_detached_blue(name: &str, timeout: &str) -> Detached {
    let stage = stage(name).await;
    let shared = json!({ "targetGroup": { "arn": stage.web.shared.target_group } });
    let scene = Scene::set_on(stage, |environment| {
        environment["spec"]["traffic"] = shared;
        environment["spec"]["rollout"]["timeout"] = json!(timeout);
    })
    .await;
    let (blue, users) = (blue_of(&scene).await, Users::at(&scene.stage.web.shared.url));
    let operator = scene.stage.operator("a").unwrap();
    scene.stage.deploy("web-2", json!({ "environment": WEB, "request": { "skipEvaluation": true } })).await;
    let green = green_of(&scene.stage.until_state("web-2", State::RetainWait).await);
    assert_eq!(group(&scene, &blue).target_group_arns, Vec::<String>::new());
    users.until_answered("two").await;
    let (tag, begun) = (untag(&scene, &blue), logged(&scene));
    scene.stage.request("web-2", json!({ "end": "Rollback" })).await;
    let words = format!(
        "group {blue} does not carry this Environment's tags any more (dryad.dev/turn): it can't be attached again"
    );
    let told = |deployment: Option<&Deployment>| {
        let status = deployment.and_then(|deployment| deployment.status.as_ref());
        let progress = status.and_then(|status| status.progress.as_ref());
        progress.is_some_and(|progress| progress.message.contains(&words))
    };
    scene.stage.until("web-2", told).await;
    Detached { scene, blue, green, tag, users, begun, _operator: operator }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_detached_blue_that_has_lost_a_tag_has_the_traffic_back_once_it_has_the_tag_back() {
    let it = goes_back_to_a_detached_blue("stray-detached", "10m").await;
    until_looked(&it.scene, 4).await;
    assert_eq!(group(&it.scene, &it.blue).target_group_arns, Vec::<String>::new());
    it.scene.stage.cloud.control().call(CreateOrUpdateTags { tags: vec![it.tag] }).expect("it is there");
    let ended = it.scene.stage.until_ended("web-2").await;
    assert_ends(&ended, ["Rollback RollbackRequested", "Aborted RollbackOk"]);
    it.scene.serves_group(&it.blue).await;
    assert_eq!(it.users.leave().await, "one");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_detached_blue_that_has_lost_a_tag_for_good_is_given_up_and_green_serves() {
    let it = goes_back_to_a_detached_blue("stray-given-up", "30s").await;
    let ended = it.scene.stage.until_ended("web-2").await;
    assert_ends(&ended, ["Rollback RollbackRequested", "Failed BlueLost"]);
    let free = it.scene.stage.until_free(WEB).await;
    let ledger: Vec<_> = free.status.unwrap().tenure.groups.into_iter().map(|member| member.name).collect();
    assert_eq!(ledger.iter().map(GroupName::as_str).collect::<Vec<_>>(), [it.green]);
    let asked = asked_since(&it.scene, it.begun);
    let mut of_blue = asked.iter().filter(|entry| entry.resource == it.blue);
    assert!(
        of_blue.all(|entry| entry.action == "DeleteLaunchTemplate"),
        "only that has its tags: {asked:#?}"
    );
    assert_eq!(group(&it.scene, &it.blue).instances.len(), 2);
    assert_eq!(it.users.leave().await, "two");
}
