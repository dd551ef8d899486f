//! Groups of others in the same account: whatever they are called and however they are tagged, nobody touches them.

use dryad_crds::{Deployment, Environment};
use dryad_local_cloud::model::autoscaling::{
    CreateAutoScalingGroup, CreateOrUpdateTags, DeleteTags, DescribeAutoScalingGroups, DescribedGroup,
    GroupTag, LifecycleState, TemplateSpecification,
};
use dryad_local_cloud::model::ec2::{CreateLaunchTemplate, TemplateData};
use dryad_local_cloud::model::{Caller, World};
use dryad_machine::name::{GroupName, Uid};
use dryad_machine::state::State;
use dryad_stage::deploys::{path_of, table};
use jiff::Timestamp;
use serde_json::json;

use crate::deploys::scene::{Place, Scene, WEB, asked, carried_out, changes, green_of};

/// What a neighbour's instance runs: `exec sleep 3600`.
const SLEEPS: &str = "IyEvYmluL3NoCmV4ZWMgc2xlZXAgMzYwMAo=";

/// A group of one instance, with a launch template of the same name.
fn move_in(scene: &Scene, name: &str, tags: Vec<GroupTag>) {
    template(scene, name);
    group(scene, name, name, tags);
}

fn template(scene: &Scene, name: &str) {
    let launch_template_data = TemplateData {
        image_id: Some(scene.stage.web.image.clone()),
        instance_type: Some("t3.micro".to_owned()),
        user_data: Some(SLEEPS.to_owned()),
        ..TemplateData::default()
    };
    let template = CreateLaunchTemplate {
        launch_template_name: name.to_owned(),
        launch_template_data,
        ..CreateLaunchTemplate::default()
    };
    scene.stage.cloud.control().call(template).unwrap();
}

fn group(scene: &Scene, name: &str, template: &str, tags: Vec<GroupTag>) {
    let launch_template = TemplateSpecification {
        launch_template_name: Some(template.to_owned()),
        ..TemplateSpecification::default()
    };
    let group = CreateAutoScalingGroup {
        auto_scaling_group_name: name.to_owned(),
        launch_template: Some(launch_template),
        min_size: 1,
        max_size: 1,
        vpc_zone_identifier: Some(scene.stage.web.subnets.join(",")),
        tags,
        ..CreateAutoScalingGroup::default()
    };
    scene.stage.cloud.control().call(group).unwrap();
}

/// The group as anybody sees it.
fn described(scene: &Scene, name: &str) -> DescribedGroup {
    scene.stage.cloud.control().with(|world, now| seen(world, now, scene, name))
}

/// The same once its instances are in service: then nothing about it changes by itself.
async fn settled(scene: &Scene, name: &str) -> DescribedGroup {
    let in_service = |world: &mut World, now| {
        let group = seen(world, now, scene, name);
        let mut instances = group.instances.iter();
        let all = instances.all(|instance| instance.lifecycle_state == LifecycleState::InService);
        (all && !group.instances.is_empty()).then_some(group)
    };
    scene.stage.cloud.control().until(in_service).await
}

fn seen(world: &mut World, now: Timestamp, scene: &Scene, name: &str) -> DescribedGroup {
    let request = DescribeAutoScalingGroups {
        auto_scaling_group_names: vec![name.to_owned()],
        ..DescribeAutoScalingGroups::default()
    };
    let caller = Caller::root(scene.stage.web.place.clone());
    let mut groups = world.call(now, &caller, request).outcome.unwrap().auto_scaling_groups;
    groups.pop().unwrap_or_else(|| panic!("{name} is gone"))
}

/// The tags of a group of ours, with one changed.
fn tags_but(ours: &DescribedGroup, key: &str, value: &str) -> Vec<GroupTag> {
    let tags = ours.tags.iter().map(|tag| {
        let value = if tag.key == key { value } else { &tag.value };
        GroupTag::new(tag.key.clone(), value)
    });
    tags.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_of_others_are_left_alone_whatever_they_are_called_and_however_they_are_tagged() {
    let scene = Scene::set("neighbours", |_| {}).await;
    let blue = green_of(&scene.stage.api().get("web-1").await.unwrap());
    let ours = described(&scene, &blue);
    let mut neighbours = [
        (WEB.to_owned(), Vec::new()),
        (format!("{blue}-2"), Vec::new()),
        (blue[..blue.len() - 1].to_owned(), Vec::new()),
        ("web-1-another".to_owned(), tags_but(&ours, "dryad.dev/installation", "another")),
        ("web-1-elsewhere".to_owned(), tags_but(&ours, "dryad.dev/environment-uid", "elsewhere")),
    ];
    neighbours.sort_by(|one, other| one.0.cmp(&other.0));
    for (name, tags) in &neighbours {
        move_in(&scene, name, tags.clone());
    }
    let names = neighbours.each_ref().map(|(name, _)| name.as_str());
    let mut with_blue = [&names[..], &[&blue]].concat();
    with_blue.sort_unstable();
    scene.left(&with_blue, names.len() + 2).await;
    let mut before = Vec::new();
    for name in names {
        before.push(settled(&scene, name).await);
    }

    let _operator = scene.stage.operator("a").unwrap();
    scene.deploy_held("web-2").await;
    scene.bring("web-2", Place::ProvenInService).await;
    scene.stage.request("web-2", json!({ "end": "Abort" })).await;
    scene.let_all_go().await;
    scene.stage.until_state("web-2", State::Aborted).await;
    scene.stage.deploy("web-3", json!({ "environment": WEB, "request": { "skipEvaluation": true } })).await;
    scene.stage.until_state("web-3", State::RetainWait).await;
    scene.stage.delete::<Environment>(WEB).await;
    scene.until_gone::<Environment>(WEB).await;

    scene.left(&names, names.len()).await;
    assert_eq!(names.map(|name| described(&scene, name)).to_vec(), before);
    scene.stage.cloud.control().with(|world, _| {
        assert_eq!(asked(world).find(|entry| names.contains(&entry.resource.as_str())), None);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_has_lost_a_tag_is_left_alone_until_it_has_it_again() {
    let scene = Scene::set("untagged", |_| {}).await;
    let blue = green_of(&scene.stage.api().get("web-1").await.unwrap());
    let mut tag = described(&scene, &blue).tags.into_iter().find(|tag| tag.key == "dryad.dev/turn").unwrap();
    tag.resource_id = Some(blue.clone());
    let control = scene.stage.cloud.control();
    control.call(DeleteTags { tags: vec![tag.clone()] }).unwrap();

    let _operator = scene.stage.operator("a").unwrap();
    let before = control.with(|world, _| changes(world).len());
    scene.stage.deploy("web-2", json!({ "environment": WEB, "request": { "skipEvaluation": true } })).await;
    let told = |object: Option<&Deployment>| {
        let progress = object.and_then(|object| object.status.as_ref()?.progress.as_ref());
        progress.is_some_and(|progress| {
            let words =
                "exists but does not carry this Environment's tags (dryad.dev/turn); it is left alone";
            progress.message.contains(&blue) && progress.message.contains(words)
        })
    };
    scene.stage.until("web-2", told).await;
    assert_eq!(control.with(|world, _| changes(world).len()), before, "the cloud was changed");

    control.call(CreateOrUpdateTags { tags: vec![tag] }).unwrap();
    scene.stage.until_state("web-2", State::RetainWait).await;
    scene.stage.delete::<Deployment>("web-2").await;
    scene.until_gone::<Deployment>("web-2").await;
    let left = control.left().inventory;
    assert!(left.groups.len() == 1 && left.groups != [blue], "{left:?}");
}

/// Creates the Deployment while no operator is there to see it; the name that its group will have.
async fn announced(scene: &Scene, name: &str) -> String {
    let spec = json!({ "environment": WEB, "request": { "skipEvaluation": true } });
    let uid = scene.stage.deploy(name, spec).await.metadata.uid.unwrap();
    let environment: Environment = scene.stage.api().get(WEB).await.unwrap();
    let turn = environment.status.unwrap().tenure.turn.next();
    GroupName::of(WEB, turn, &Uid::new(&uid)).to_string()
}

/// The deploy ends by itself as one whose launch was refused, for this reason, which an Event tells as well, and blue
/// serves; the next one gets through.
async fn is_refused_and_the_next_is_not(scene: &Scene, blue: &str, words: &str) {
    let ended = scene.stage.until_state("web-2", State::Failed).await;
    assert_eq!(
        path_of(&ended)[3..],
        ["RolloutWait 1 PrepareOk", "Rollback LaunchRefused", "Failed RollbackOk"]
    );
    assert!(table(&ended).contains(words), "{}", table(&ended));
    scene.stage.until_event(words).await;
    let environment = scene.stage.until_free(WEB).await;
    let known: Vec<_> = environment.status.unwrap().tenure.groups.into_iter().map(|it| it.name).collect();
    assert_eq!(known, [GroupName::new(blue)]);
    scene.stage.deploy("web-3", json!({ "environment": WEB, "request": { "skipEvaluation": true } })).await;
    scene.stage.until_state("web-3", State::RetainWait).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_whose_groups_name_somebody_else_has_ends_by_itself_and_leaves_it_alone() {
    let scene = Scene::set("squatter", |_| {}).await;
    let blue = green_of(&scene.stage.api().get("web-1").await.unwrap());
    let name = announced(&scene, "web-2").await;
    template(&scene, "somebodys");
    group(&scene, &name, "somebodys", tags_but(&described(&scene, &blue), "dryad.dev/turn", "7"));
    let before = settled(&scene, &name).await;

    let _operator = scene.stage.operator("a").unwrap();
    let words = format!("there is a group {name} that does not carry this Deployment's tags (dryad.dev/");
    is_refused_and_the_next_is_not(&scene, &blue, &words).await;
    assert_eq!(described(&scene, &name), before);
    scene.stage.cloud.control().with(|world, _| {
        assert_eq!(asked(world).find(|entry| entry.resource == name), None);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_whose_launch_templates_name_somebody_else_has_ends_by_itself_and_leaves_it_alone() {
    let scene = Scene::set("squatting", |_| {}).await;
    let blue = green_of(&scene.stage.api().get("web-1").await.unwrap());
    let name = announced(&scene, "web-2").await;
    template(&scene, &name);

    let _operator = scene.stage.operator("a").unwrap();
    let words = format!("there is a launch template {name} in ");
    is_refused_and_the_next_is_not(&scene, &blue, &words).await;
    let control = scene.stage.cloud.control();
    let left = control.left().inventory;
    assert!(left.templates.contains(&name) && !left.groups.contains(&name), "{left:?}");
    control.with(|world, _| {
        let made = world.log().entries().filter(|entry| entry.resource == name && carried_out(entry.outcome));
        let made: Vec<_> =
            made.map(|entry| entry.action).filter(|action| !action.starts_with("Describe")).collect();
        assert_eq!(made, ["CreateLaunchTemplate"], "what was made of it");
    });
}
