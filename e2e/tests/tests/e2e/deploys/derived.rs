//! Launch templates derived from one that somebody else made.

use dryad_crds::Deployment;
use dryad_local_cloud::faults::Faults;
use dryad_local_cloud::model::ec2::{
    CreateLaunchTemplate, CreateLaunchTemplateVersion, DescribeLaunchTemplateVersions, NetworkInterface,
    TagSpecification, TemplateData, TemplateTag,
};
use dryad_machine::state::State;
use dryad_stage::Stage;
use dryad_stage::deploys::{history_of, path_of, table};
use serde_json::{Value, json};

use crate::deploys::scene::{carried_out, fault, green_of};
use crate::deploys::stage;

/// Their template, with this in its version 1; its id.
fn created(stage: &Stage, data: TemplateData) -> String {
    let create = CreateLaunchTemplate {
        launch_template_name: "theirs".to_owned(),
        launch_template_data: data,
        ..Default::default()
    };
    stage.cloud.control().call(create).unwrap().launch_template.launch_template_id
}

/// A newer version of it, which takes the rest from version 1.
fn add_version(stage: &Stage, id: &str, data: TemplateData) {
    let create = CreateLaunchTemplateVersion {
        launch_template_id: Some(id.to_owned()),
        source_version: Some("1".to_owned()),
        launch_template_data: data,
        ..Default::default()
    };
    stage.cloud.control().call(create).unwrap();
}

fn theirs(stage: &Stage) -> TemplateData {
    TemplateData {
        image_id: Some(stage.web.image.clone()),
        instance_type: Some("t3.small".to_owned()),
        key_name: Some("theirs".to_owned()),
        security_group_ids: vec![stage.web.security_group.clone()],
        tag_specifications: vec![TagSpecification {
            resource_type: "instance".to_owned(),
            tags: vec![TemplateTag { key: "owner".to_owned(), value: "them".to_owned() }],
        }],
        ..TemplateData::default()
    }
}

/// An Environment whose launch template is derived from this one, with its own user data.
fn derived(stage: &Stage, id: &str, version: &str) -> Value {
    let mut environment = stage.environment("web");
    let launch_template = &mut environment["spec"]["target"]["autoScalingGroup"]["launchTemplate"];
    let user_data = launch_template["userData"].take();
    *launch_template = json!({ "from": { "id": id, "version": version }, "userData": user_data });
    environment
}

fn launched_from(stage: &Stage, object: &Deployment) -> TemplateData {
    let describe =
        DescribeLaunchTemplateVersions { launch_template_name: Some(green_of(object)), ..Default::default() };
    let answer = stage.cloud.control().call(describe).unwrap();
    answer.launch_template_versions.into_iter().next().unwrap().launch_template_data
}

fn settled(object: &Deployment) -> Value {
    let template = object.status.as_ref().unwrap().template.as_ref().unwrap();
    serde_json::to_value(template.launch.as_ref().unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_deployment_launches_the_version_that_was_the_latest_when_it_was_resolved() {
    let stage = stage("derived").await;
    stage.repository.commit("Say one", &[("index.html", Some("one"))]).unwrap();
    let id = created(&stage, theirs(&stage));
    let _operator = stage.operator("a").unwrap();
    stage.create_environment(&derived(&stage, &id, "$Latest")).await;
    stage.deploy("web-1", json!({ "environment": "web" })).await;
    let first = stage.until_state("web-1", State::Done).await;
    assert_eq!(settled(&first), json!({ "imageId": stage.web.image, "version": 1 }));
    let data = launched_from(&stage, &first);
    assert_eq!(
        (data.instance_type.as_deref(), data.key_name.as_deref(), &data.security_group_ids[..]),
        (Some("t3.small"), Some("theirs"), &[stage.web.security_group.clone()][..])
    );
    let tagged: Vec<_> = data.tag_specifications.iter().map(|it| it.resource_type.as_str()).collect();
    assert_eq!(tagged, ["instance", "volume"], "theirs and ours");

    let larger = TemplateData { instance_type: Some("t3.large".to_owned()), ..TemplateData::default() };
    add_version(&stage, &id, larger);
    stage.repository.commit("Say two", &[("index.html", Some("two"))]).unwrap();
    let held = Faults { rules: vec![fault("CreateLaunchTemplate")], ..Faults::default() };
    stage.cloud.control().with(|world, _| world.set_faults(held));
    stage.deploy("web-2", json!({ "environment": "web" })).await;
    stage.until_state("web-2", State::RolloutWait).await;
    // Too late for this one: it is settled what it launches.
    let largest = TemplateData { instance_type: Some("t3.2xlarge".to_owned()), ..TemplateData::default() };
    add_version(&stage, &id, largest);
    stage.cloud.control().with(|world, _| world.set_faults(Faults::default()));
    let second = stage.until_state("web-2", State::Done).await;
    assert_eq!(settled(&second)["version"], 2);
    assert_eq!(launched_from(&stage, &second).instance_type.as_deref(), Some("t3.large"));

    // Theirs is as it was, and the only one left beside the group's own.
    stage.until_free("web").await;
    let mut left = stage.cloud.control().left().inventory.templates;
    left.sort();
    assert_eq!(left, ["theirs".to_owned(), green_of(&second)]);
    let changed = stage.cloud.control().with(|world, _| {
        let entries = world.log().entries().filter(|entry| carried_out(entry.outcome));
        entries.filter(|entry| entry.resource == id && !entry.action.starts_with("Describe")).count()
    });
    assert_eq!(changed, 2, "the versions that this test added itself");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_carried_over_is_refused_by_name_before_anything_is_launched() {
    let stage = stage("uncarried").await;
    stage.repository.commit("Say one", &[("index.html", Some("one"))]).unwrap();
    let id = created(&stage, theirs(&stage));
    let interface = NetworkInterface { device_index: Some(0), associate_public_ip_address: Some(true) };
    add_version(&stage, &id, TemplateData { network_interfaces: vec![interface], ..TemplateData::default() });
    let _operator = stage.operator("a").unwrap();
    let absent = format!("there is no launch template {id} version 9");
    let rows = [
        ("2", format!("launch template {id} version 2 has networkInterfaces, which Dryad cannot carry over")),
        ("9", absent),
    ];
    for (version, sentence) in rows {
        let (environment, name) = (format!("web{version}"), format!("web{version}-1"));
        let mut object = derived(&stage, &id, version);
        object["metadata"]["name"] = json!(environment);
        // The rule is one Environment's.
        object["spec"].as_object_mut().unwrap().remove("traffic");
        stage.create_environment(&object).await;
        stage.deploy(&name, json!({ "environment": environment })).await;
        let failed = stage.until_state(&name, State::Failed).await;
        assert_eq!(path_of(&failed)[2..], ["Failed ReleaseRejected"], "{}", table(&failed));
        let why = &history_of(&failed)[2].message;
        assert!(why.contains(&sentence), "{why}");
    }
    assert_eq!(stage.cloud.control().left().inventory.templates, ["theirs"]);
}
