//! What was left behind goes if nobody can miss it; everything else stays, and is reported.

use dryad_crds::Environment;
use dryad_local_cloud::faults::Effect;
use dryad_local_cloud::model::autoscaling::AttachLoadBalancerTargetGroups;
use dryad_machine::state::State;
use kube::ResourceExt;
use serde_json::json;

use crate::deploys::accounts::workers;
use crate::deploys::backup::take_away;
use crate::deploys::capacity::declare;
use crate::deploys::edited::by_shared;
use crate::deploys::restore::{alike, described, put_in_traffic};
use crate::deploys::scene::{Scene, WEB, green_of};
use crate::deploys::trouble::{always, until_asked};
use crate::deploys::users::Users;

/// Goes round often enough for a test.
const SWEEPING: [&str; 2] = ["--sweep-interval", "1s"];
/// So many failing questions are more than one round of them.
const ROUNDS: usize = 8;

/// The uid of a Deployment that nobody has, and the name of its group in this turn.
fn nobodys(number: u32, turn: u32) -> (String, String) {
    (format!("{number:08}-bbbb-cccc-dddd-eeeeeeeeeeee"), format!("web-{turn}-{number:08}bbbb"))
}

/// What the Environment says was left behind.
pub(crate) fn left_behind(environment: Option<&Environment>) -> Option<String> {
    let conditions = &environment?.status.as_ref()?.conditions;
    Some(conditions.iter().find(|condition| condition.type_ == "Leftovers")?.message.clone())
}

/// Waits until the Environment says that these were left behind: all that it says.
async fn until_reported(scene: &Scene, names: &[&String]) -> String {
    let all = |message: String| names.iter().all(|name| message.contains(name.as_str()));
    let environment = scene.stage.until(WEB, |environment| left_behind(environment).is_some_and(all)).await;
    left_behind(environment.as_ref()).expect("it was said")
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_nobody_can_miss_is_swept() {
    let scene = Scene::set("swept", |_| {}).await;
    let users = Users::of(&scene.stage);
    let group = green_of(&scene.stage.api().get("web-1").await.unwrap());
    let make = |number: u32, turn: u32, tags: &[(&str, &str)]| {
        let (uid, name) = nobodys(number, turn);
        let turn = turn.to_string();
        let own = [("dryad.dev/deployment-uid", uid.as_str()), ("dryad.dev/turn", turn.as_str())];
        alike(&scene, &group, &name, &[&own, tags].concat());
        name
    };
    let left_behind = make(1, 1, &[]);
    let installation = make(2, 1, &[("dryad.dev/installation", "another")]);
    let stranger = make(3, 1, &[("dryad.dev/environment-uid", "of-another-time")]);
    let serving = make(5, 1, &[]);
    put_in_traffic(&scene, &group, &serving);
    let misnamed = "web-somebodys";
    alike(&scene, &group, misnamed, &[]);

    let _operator = scene.stage.operator_told("sweeper", &SWEEPING).unwrap();
    until_reported(&scene, &[&stranger, &serving]).await;
    // From here on the Environment's past is known, and a newer turn is not taken for a restore.
    let newer = make(4, 9, &[]);
    let message = until_reported(&scene, &[&stranger, &serving, &newer]).await;
    for name in [&group, &installation] {
        assert!(!message.contains(name.as_str()), "{name}: {message}");
    }
    let control = scene.stage.cloud.control();
    let gone = control.until(|world, _| (!world.inventory().groups.contains(&left_behind)).then_some(()));
    tokio::time::timeout(std::time::Duration::from_secs(90), gone).await.expect("it goes");
    scene.stage.until_free(WEB).await;
    let mut expected = vec![group, installation, stranger, newer, serving, misnamed.to_owned()];
    expected.sort();
    assert_eq!(control.with(|world, _| world.inventory().groups), expected);
    assert_eq!(users.leave().await, "one");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_can_be_missed_is_told_by_where_groups_serve_and_not_by_an_edited_spec() {
    let scene = Scene::set("swept-edited", |_| {}).await;
    let users = Users::of(&scene.stage);
    let group = green_of(&scene.stage.api().get("web-1").await.unwrap());
    let make = |number: u32| {
        let (uid, name) = nobodys(number, 1);
        alike(&scene, &group, &name, &[("dryad.dev/deployment-uid", uid.as_str()), ("dryad.dev/turn", "1")]);
        name
    };
    let (idle, serving) = (make(1), make(2));
    put_in_traffic(&scene, &group, &serving);
    let [a, b] = scene.stage.web.target_groups.clone();
    let spare = if described(&scene, &group).target_group_arns == [a.clone()] { b } else { a };
    let attach = AttachLoadBalancerTargetGroups {
        auto_scaling_group_name: idle.clone(),
        target_group_arns: vec![spare],
    };
    scene.stage.cloud.control().call(attach).expect("it is accepted");
    declare(&scene, by_shared(&scene)).await;

    let _operator = scene.stage.operator_told("sweeper", &SWEEPING).unwrap();
    let control = scene.stage.cloud.control();
    let gone = control.until(|world, _| (!world.inventory().groups.contains(&idle)).then_some(()));
    tokio::time::timeout(std::time::Duration::from_secs(90), gone).await.expect("no request can reach it");
    until_reported(&scene, &[&serving]).await;
    assert_eq!(control.with(|world, _| world.inventory().groups.len()), 2);
    assert_eq!(users.leave().await, "one");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_left_behind_is_still_told_while_it_cannot_be_seen() {
    let scene = Scene::set("swept-unseen", |_| {}).await;
    let users = Users::of(&scene.stage);
    let group = green_of(&scene.stage.api().get("web-1").await.unwrap());
    let (uid, serving) = nobodys(1, 1);
    let own = [("dryad.dev/deployment-uid", uid.as_str()), ("dryad.dev/turn", "1")];
    alike(&scene, &group, &serving, &own);
    put_in_traffic(&scene, &group, &serving);
    let _operator = scene.stage.operator_told("sweeper", &SWEEPING).unwrap();
    until_reported(&scene, &[&serving]).await;
    // The one keeps anything from being listed, the other from being judged.
    for action in ["DescribeLaunchTemplates", "DescribeRules"] {
        scene.hold(&[always(action, Effect::Deny)], &[]);
        until_asked(&scene, action, ROUNDS).await;
        let environment = scene.stage.api().get(WEB).await.unwrap();
        assert!(left_behind(Some(&environment)).is_some_and(|it| it.contains(&serving)), "{action}");
    }
    scene.hold(&[], &[]);
    assert_eq!(users.leave().await, "one");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_serves_in_an_account_that_goes_by_two_names_is_not_left_behind() {
    let scene = Scene::set("swept-twice", |_| {}).await;
    let group = green_of(&scene.stage.api().get("web-1").await.unwrap());
    let mut configuration = scene.stage.configuration();
    configuration["accounts"]["alias"] = configuration["accounts"]["default"].clone();
    scene.stage.configure(&configuration).unwrap();
    scene.stage.create_environment(&workers(&scene.stage, "other", "alias")).await;
    let (uid, serving) = nobodys(1, 1);
    let own = [("dryad.dev/deployment-uid", uid.as_str()), ("dryad.dev/turn", "1")];
    alike(&scene, &group, &serving, &own);
    put_in_traffic(&scene, &group, &serving);
    let _operator = scene.stage.operator_told("sweeper", &SWEEPING).unwrap();
    let said = until_reported(&scene, &[&serving]).await;
    assert!(!said.contains(&group), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_installations_leave_each_others_groups_alone() {
    let scene = Scene::set("installations", |_| {}).await;
    let users = Users::of(&scene.stage);
    let theirs = green_of(&scene.stage.api().get("web-1").await.unwrap());
    let before = described(&scene, &theirs);
    // Another installation has an Environment of the same namespace and name: in another cluster, were there two.
    take_away::<dryad_crds::Deployment>(&scene.stage).await;
    take_away::<Environment>(&scene.stage).await;
    let mut environment = scene.stage.environment(WEB);
    let spec = &mut environment["spec"];
    spec["traffic"].take();
    spec["evaluate"].take();
    spec.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    spec["acceptUnproven"] = json!(true);
    let own = scene.stage.create_environment(&environment).await;
    let told = [&SWEEPING[..], &["--installation", "neighbour"]].concat();
    let _operator = scene.stage.operator_told("neighbour", &told).unwrap();
    let spec = json!({ "environment": WEB, "request": { "skipEvaluation": true } });
    scene.stage.deploy("web-1", spec).await;
    let done = scene.stage.until_state("web-1", State::Done).await;
    let ours = green_of(&done);
    assert_ne!(ours, theirs);
    let tenure = scene.stage.until_free(WEB).await.status.unwrap().tenure;
    assert_eq!((tenure.turn.number(), tenure.restored), (1, None), "nothing was adopted");
    assert_eq!(own.name_any(), WEB);
    scene.stage.delete::<Environment>(WEB).await;
    scene.stage.until::<Environment>(WEB, |object| object.is_none()).await;
    assert_eq!(
        scene.stage.cloud.control().with(|world, _| world.inventory().groups),
        std::slice::from_ref(&theirs)
    );
    let after = described(&scene, &theirs);
    assert_eq!(
        (after.instances.len(), after.target_group_arns),
        (before.instances.len(), before.target_group_arns)
    );
    assert_eq!(users.leave().await, "one");
}
