//! A restore from a backup touches nothing that serves, deploys nothing again, and deploys go on from there.

use dryad_cluster::{Cluster, Options};
use dryad_crds::{Deployment, Environment};
use dryad_local_cloud::faults::Effect;
use dryad_local_cloud::model::autoscaling::{
    AttachLoadBalancerTargetGroups, CreateAutoScalingGroup, DeleteAutoScalingGroup,
    DescribeAutoScalingGroups, DescribedGroup, GroupTag, TemplateSpecification,
};
use dryad_machine::access::Access;
use dryad_machine::event::Reason;
use dryad_machine::state::State;
use dryad_machine::tenure::Role;
use dryad_stage::deploys::history_of;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::ResourceExt;
use kube::api::{ListParams, ObjectMeta, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::deploys::backup::{Backup, Status, until_later};
use crate::deploys::capacity::declare;
use crate::deploys::edited::by_shared;
use crate::deploys::scene::{Place, Scene, WEB, changes, green_of};
use crate::deploys::stage_on;
use crate::deploys::trouble::always;
use crate::deploys::users::Users;

fn impatient(environment: &mut Value) {
    environment["spec"]["retain"]["previous"] = json!("1s");
}

/// Waits until this Deployment has ended because of a restore.
async fn until_canceled(scene: &Scene, name: &str, reason: Reason) {
    let object = scene.stage.until_state(name, State::Canceled).await;
    let history = history_of(&object);
    assert_eq!(history.last().map(|entry| entry.reason), Some(reason), "{history:?}");
}

/// Deploys the newest commit, after which nothing of what was adopted is left.
async fn deploys_go_on(scene: &Scene, name: &str) {
    until_later(&scene.stage).await;
    let spec = json!({ "environment": WEB, "request": { "skipEvaluation": true } });
    scene.stage.deploy(name, spec).await;
    scene.stage.until_state(name, State::Done).await;
    scene.serves(name).await;
}

async fn web(scene: &Scene) -> Environment {
    scene.stage.api().get(WEB).await.expect("it exists")
}

fn made(scene: &Scene) -> usize {
    scene.stage.cloud.control().with(|world, _| changes(world).len())
}

/// A group as the cloud has it.
pub(crate) fn described(scene: &Scene, name: &str) -> DescribedGroup {
    let names = vec![name.to_owned()];
    let request = DescribeAutoScalingGroups { auto_scaling_group_names: names, ..Default::default() };
    let found = scene.stage.cloud.control().call(request).expect("it is answered");
    found.auto_scaling_groups.into_iter().next().expect("it is there")
}

/// Creates a group without instances from another one's template, with its tags but for these.
pub(crate) fn alike(scene: &Scene, of: &str, name: &str, tags: &[(&str, &str)]) {
    let original = described(scene, of);
    let tag = |tag: &GroupTag| {
        let other = tags.iter().find(|(key, _)| *key == tag.key).map(|(_, value)| (*value).to_owned());
        GroupTag::new(&tag.key, other.unwrap_or_else(|| tag.value.clone()))
    };
    let request = CreateAutoScalingGroup {
        auto_scaling_group_name: name.to_owned(),
        launch_template: Some(TemplateSpecification {
            launch_template_id: None,
            ..original.launch_template.clone()
        }),
        min_size: 0,
        max_size: 1,
        desired_capacity: Some(0),
        vpc_zone_identifier: Some(original.vpc_zone_identifier.clone()),
        tags: original.tags.iter().map(tag).collect(),
        ..CreateAutoScalingGroup::default()
    };
    scene.stage.cloud.control().call(request).expect("it is accepted");
}

/// Attaches a group to the target group that gets the requests.
pub(crate) fn put_in_traffic(scene: &Scene, like: &str, name: &str) {
    let target_group_arns = described(scene, like).target_group_arns;
    let request =
        AttachLoadBalancerTargetGroups { auto_scaling_group_name: name.to_owned(), target_group_arns };
    scene.stage.cloud.control().call(request).expect("it is accepted");
}

fn remove(scene: &Scene, name: &str) {
    let request =
        DeleteAutoScalingGroup { auto_scaling_group_name: name.to_owned(), force_delete: Some(false) };
    scene.stage.cloud.control().call(request).expect("it is accepted");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_status_what_serves_is_adopted_and_nothing_runs_again() {
    let scene = Scene::set("restored", impatient).await;
    let users = Users::of(&scene.stage);
    let before = web(&scene).await;
    let group = green_of(&scene.stage.api().get("web-1").await.unwrap());
    // One that waits and one that was never seen by anybody, when the backup is taken.
    let operator = scene.stage.operator("before").unwrap();
    let paused = json!({ "environment": WEB, "request": { "paused": true } });
    scene.stage.deploy("web-2", paused.clone()).await;
    scene.until("web-2", Place::Pending).await;
    operator.stop().unwrap();
    scene.stage.deploy("web-3", json!({ "environment": WEB })).await;
    // And something else than what runs was declared meanwhile.
    let release = json!({ "spec": { "release": { "branch": "main" } } });
    scene
        .stage
        .api::<Environment>()
        .patch(WEB, &PatchParams::default(), &Patch::Merge(release))
        .await
        .unwrap();
    let backup = Backup::take(&scene.stage).await;
    let changes = made(&scene);
    backup.restore(&scene.stage, Status::Dropped).await;

    let _operator = scene.stage.operator("after").unwrap();
    for name in ["web-1", "web-2", "web-3"] {
        until_canceled(&scene, name, Reason::Restored).await;
    }
    scene.serves_group(&group).await;
    let after = web(&scene).await;
    let tenure = after.status.clone().unwrap().tenure;
    assert_eq!(tenure.turn.number(), 1, "the turn on the tag");
    assert_eq!(tenure.groups[0].environment.as_ref().unwrap().as_str(), before.uid().unwrap());
    let announced = &before.status.as_ref().unwrap().tenure.groups[0].access;
    assert!(announced.is_some() && tenure.groups[0].access == *announced, "{:?}", tenure.groups[0].access);
    let (was, is) = (before.status.unwrap().tenure.deployed.unwrap(), tenure.deployed.unwrap());
    assert_eq!(
        (&is.shipment.release, &is.deployment, &is.uid),
        (&was.shipment.release, &was.deployment, &was.uid)
    );
    let requested = after.status.unwrap().requested.expect("what is declared counts as requested");
    assert_eq!((requested.number, requested.uid), (0, None));
    assert_eq!(made(&scene), changes, "the cloud was changed");

    deploys_go_on(&scene, "web-4").await;
    // One that is copied when all this is long over: nothing but its mark says that it has run already.
    let mut copy: Deployment = scene.stage.api().get("web-4").await.unwrap();
    copy.metadata = ObjectMeta {
        name: Some("web-5".to_owned()),
        annotations: copy.metadata.annotations,
        ..ObjectMeta::default()
    };
    scene.stage.api().create(&PostParams::default(), &copy).await.expect("it is accepted");
    until_canceled(&scene, "web-5", Reason::Restored).await;
    let deployments = scene.stage.api::<Deployment>().list(&ListParams::default()).await.unwrap().items;
    assert_eq!(
        deployments.iter().map(ResourceExt::name_any).collect::<Vec<_>>(),
        ["web-1", "web-2", "web-3", "web-4", "web-5"]
    );
    assert_eq!(users.leave().await, "two");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_serves_is_adopted_where_it_is_though_the_spec_names_other_traffic_by_now() {
    let scene = Scene::set("restored-edited", impatient).await;
    let users = Users::of(&scene.stage);
    let group = green_of(&scene.stage.api().get("web-1").await.unwrap());
    declare(&scene, by_shared(&scene)).await;
    let backup = Backup::take(&scene.stage).await;
    let changes = made(&scene);
    backup.restore(&scene.stage, Status::Dropped).await;

    let _operator = scene.stage.operator("after").unwrap();
    scene.serves_group(&group).await;
    let access = web(&scene).await.status.unwrap().tenure.groups[0].access.clone();
    let attached = described(&scene, &group).target_group_arns;
    let arns: Vec<_> = access.iter().flat_map(Access::arns).map(ToString::to_string).collect();
    assert_eq!(arns, attached, "nobody knows more than what it is attached to");
    assert_eq!(made(&scene), changes, "the cloud was changed");
    assert_eq!(users.leave().await, "one");

    deploys_go_on(&scene, "web-2").await;
    let new = Users::at(&scene.stage.web.shared.url);
    new.until_answered("two").await;
    assert_eq!(new.leave().await, "two");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_status_gives_way_to_what_serves_since() {
    let scene = Scene::set("rewound", impatient).await;
    let users = Users::of(&scene.stage);
    // The backup is taken while a deploy is under way, which ends afterwards.
    let operator = scene.stage.operator("before").unwrap();
    scene.deploy_held("web-2").await;
    scene.bring("web-2", Place::ProvenApart).await;
    let backup = Backup::take(&scene.stage).await;
    for place in [Place::ProvenApart, Place::Shifting, Place::ProvenInService] {
        scene.until("web-2", place).await;
        scene.let_go("web-2", place).await;
    }
    scene.let_all_go().await;
    scene.stage.until_state("web-2", State::Done).await;
    scene.serves("web-2").await;
    let group = green_of(&scene.stage.api().get("web-2").await.unwrap());
    operator.stop().unwrap();
    let changes = made(&scene);
    backup.restore(&scene.stage, Status::Kept).await;

    let _operator = scene.stage.operator("after").unwrap();
    until_canceled(&scene, "web-2", Reason::Restored).await;
    scene.serves_group(&group).await;
    let tenure = web(&scene).await.status.unwrap().tenure;
    assert_eq!((tenure.turn.number(), tenure.deployed.unwrap().deployment), (2, "web-2".to_owned()));
    assert_eq!(made(&scene), changes, "the cloud was changed");
    scene.stage.until_state("web-1", State::Done).await;

    scene.stage.repository.commit("Say three", &[("index.html", Some("three"))]).unwrap();
    deploys_go_on(&scene, "web-3").await;
    assert_eq!(users.leave().await, "three");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_etcd_under_the_same_uids_gives_way_to_what_serves_since() {
    let mut cluster = Cluster::start(Options::default()).await.unwrap();
    let scene = Scene::set_on(stage_on(&cluster, "older-etcd").await, impatient).await;
    let users = Users::of(&scene.stage);
    let snapshot = cluster.snapshot().await.unwrap();
    let before = scene.stage.operator("before").unwrap();
    let spec = json!({ "environment": WEB, "request": { "skipEvaluation": true } });
    let second = scene.stage.deploy("web-2", spec).await;
    scene.stage.until_state("web-2", State::Done).await;
    scene.serves("web-2").await;
    let group = green_of(&scene.stage.api().get("web-2").await.unwrap());
    before.stop().unwrap();
    let changes = made(&scene);
    cluster.restore(&snapshot).await.unwrap();
    let rewound = web(&scene).await.status.unwrap().tenure;
    assert_eq!((rewound.turn.number(), rewound.groups.len()), (1, 1));

    let _operator = scene.stage.operator("after").unwrap();
    // Until it is adopted nobody says that the group of the record serves, which is gone.
    let doubted = |environment: Option<&Environment>| {
        let status = environment.and_then(|environment| environment.status.as_ref());
        status.is_some_and(|status| {
            status.conditions.iter().any(|it| it.type_ == "Available" && it.status == "Unknown")
        })
    };
    scene.stage.until(WEB, doubted).await;
    scene.serves_group(&group).await;
    let tenure = web(&scene).await.status.unwrap().tenure;
    let deployed = tenure.deployed.unwrap();
    assert_eq!((tenure.turn.number(), deployed.deployment), (2, "web-2".to_owned()));
    assert_eq!(Some(deployed.uid.as_str()), second.uid().as_deref());
    assert_eq!(made(&scene), changes, "the cloud was changed");

    scene.stage.repository.commit("Say three", &[("index.html", Some("three"))]).unwrap();
    deploys_go_on(&scene, "web-3").await;
    assert_eq!(users.leave().await, "three");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_two_groups_carry_traffic_nothing_is_adopted_until_a_person_has_decided() {
    let scene = Scene::set("ambiguous", impatient).await;
    let group = green_of(&scene.stage.api().get("web-1").await.unwrap());
    let (uid, other) = ("0aaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", "web-7-0aaaaaaabbbb");
    alike(&scene, &group, other, &[("dryad.dev/deployment-uid", uid), ("dryad.dev/turn", "7")]);
    put_in_traffic(&scene, &group, other);
    let backup = Backup::take(&scene.stage).await;
    let changes = made(&scene);
    backup.restore(&scene.stage, Status::Dropped).await;
    scene.stage.deploy("web-2", json!({ "environment": WEB })).await;

    let _operator = scene.stage.operator("after").unwrap();
    let stalled = |environment: Option<&Environment>| {
        let status = environment.and_then(|environment| environment.status.as_ref());
        status.is_some_and(|status| {
            let stalled = status.conditions.iter().find(|condition| condition.type_ == "Stalled");
            stalled.is_some_and(|stalled| {
                let named = stalled.message.contains(&group) && stalled.message.contains(other);
                stalled.reason == "RestoreAmbiguous" && named
            })
        })
    };
    let environment: Environment = scene.stage.until(WEB, stalled).await.unwrap();
    let status = environment.status.unwrap();
    assert_eq!(
        Some(status.observed_generation),
        environment.metadata.generation,
        "else nobody sees it stall"
    );
    let available = status.conditions.iter().find(|condition| condition.type_ == "Available");
    assert_eq!(available.map(|condition| condition.status.as_str()), Some("Unknown"));
    let tenure = status.tenure;
    assert_eq!((tenure.turn.number(), tenure.groups.len(), tenure.holder), (0, 0, None));
    // Whoever waits goes on waiting, and says for what.
    let explained = |object: Option<&Deployment>| {
        let progress = object.and_then(|object| object.status.as_ref()?.progress.as_ref());
        progress.is_some_and(|progress| progress.message.contains("restored from a backup"))
    };
    scene.stage.until("web-2", explained).await;
    assert_eq!(made(&scene), changes, "the cloud was changed");

    // A person decides.
    remove(&scene, other);
    let adopted = |environment: Option<&Environment>| {
        let status = environment.and_then(|environment| environment.status.as_ref());
        status.is_some_and(|status| {
            let groups = &status.tenure.groups;
            let only = groups.len() == 1 && groups[0].name.as_str() == group;
            only && groups[0].role == Role::Serving
                && !status.conditions.iter().any(|it| it.reason == "RestoreAmbiguous")
        })
    };
    scene.stage.until(WEB, adopted).await;
    until_canceled(&scene, "web-2", Reason::Restored).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_record_says_nothing_of_who_serves_before_the_cloud_has_answered() {
    let scene = Scene::set("restored-blind", impatient).await;
    let group = green_of(&scene.stage.api().get("web-1").await.unwrap());
    let backup = Backup::take(&scene.stage).await;
    backup.restore(&scene.stage, Status::Dropped).await;
    scene.hold(&[always("*", Effect::Fail)], &[]);

    let _operator = scene.stage.operator("after").unwrap();
    let told = |environment: Option<&Environment>| {
        let status = environment.and_then(|environment| environment.status.as_ref());
        let said = status.map(|status| line(&status.conditions)).unwrap_or_default();
        !said.is_empty() && {
            assert!(!said.contains("NothingDeployed") && !said.contains("NotServing"), "{said}");
            said.contains("Ready=Unknown") && said.contains("Reconciling=True")
        }
    };
    scene.stage.until(WEB, told).await;
    scene.let_all_go().await;
    scene.serves_group(&group).await;
}

/// Conditions in a line.
fn line(conditions: &[Condition]) -> String {
    let each = conditions.iter().map(|it| format!("{}={} {}", it.type_, it.status, it.reason));
    each.collect::<Vec<_>>().join(", ")
}
