//! Launch templates: versions, tokens, and which version a group really uses.

use dryad_local_cloud::model::Code;
use dryad_local_cloud::model::autoscaling::UpdateAutoScalingGroup;
use dryad_local_cloud::model::ec2::{
    CreateLaunchTemplate, CreateLaunchTemplateVersion, DescribeLaunchTemplateVersions,
    DescribeLaunchTemplates, Filter, TagSpecification, TemplateData, TemplateTag,
};

use crate::stage::{Stage, group, template, template_data};

fn version(data: TemplateData) -> CreateLaunchTemplateVersion {
    CreateLaunchTemplateVersion {
        launch_template_name: Some("web".to_owned()),
        launch_template_data: data,
        ..Default::default()
    }
}

#[test]
fn instances_say_which_version_they_were_really_launched_from() {
    let mut stage = Stage::new();
    stage.ok(version(template_data()));
    for (name, asked, used) in [("a", "$Latest", "2"), ("b", "$Default", "1"), ("c", "2", "2")] {
        let mut request = group(name, 1, &[]);
        request.launch_template = Some(template("web", asked));
        stage.ok(request);
        let described = stage.described(name);
        assert_eq!(described.launch_template.version.as_deref(), Some(asked), "as asked for");
        let member = described.instances[0].launch_template.version.as_deref();
        assert_eq!(member, Some(used), "{asked}");
    }
    // A later version is for later instances only.
    stage.ok(version(template_data()));
    stage.resize("a", 2);
    let mut used: Vec<_> =
        stage.described("a").instances.into_iter().filter_map(|it| it.launch_template.version).collect();
    used.sort();
    assert_eq!(used, ["2", "3"]);
}

#[test]
fn the_same_token_is_the_same_request() {
    let mut stage = Stage::new();
    let create = CreateLaunchTemplate {
        launch_template_name: "once".to_owned(),
        launch_template_data: template_data(),
        client_token: Some("t".to_owned()),
        ..Default::default()
    };
    let first = stage.ok(create.clone()).launch_template;
    assert_eq!(stage.ok(create.clone()).launch_template, first);
    let other = CreateLaunchTemplate { client_token: Some("u".to_owned()), ..create };
    stage.refused_as(Code::InvalidLaunchTemplateNameAlreadyExists, other);
    let add = CreateLaunchTemplateVersion { client_token: Some("t".to_owned()), ..version(template_data()) };
    assert_eq!(stage.ok(add.clone()).launch_template_version.version_number, 2);
    assert_eq!(stage.ok(add).launch_template_version.version_number, 2);
}

#[test]
fn a_version_is_its_own_data_over_that_of_its_source() {
    let mut stage = Stage::new();
    let own = TemplateData { instance_type: Some("m7g.xlarge".to_owned()), ..Default::default() };
    let alone = stage.ok(version(own.clone())).launch_template_version.launch_template_data;
    assert_eq!(alone, own);
    let over = CreateLaunchTemplateVersion { source_version: Some("1".to_owned()), ..version(own.clone()) };
    let data = stage.ok(over).launch_template_version.launch_template_data;
    assert_eq!(data, TemplateData { instance_type: own.instance_type, ..template_data() });
    let missing = CreateLaunchTemplateVersion { source_version: Some("9".to_owned()), ..Default::default() };
    let missing = CreateLaunchTemplateVersion { launch_template_name: Some("web".to_owned()), ..missing };
    stage.refused_as(Code::InvalidLaunchTemplateIdVersionNotFound, missing);
}

#[test]
fn templates_are_found_by_tag_and_versions_are_listed_newest_first() {
    let mut stage = Stage::new();
    let tag = TemplateTag { key: "turn".to_owned(), value: "7".to_owned() };
    stage.ok(CreateLaunchTemplate {
        launch_template_name: "tagged".to_owned(),
        tag_specifications: vec![TagSpecification {
            resource_type: "launch-template".to_owned(),
            tags: vec![tag],
        }],
        ..Default::default()
    });
    let filters = vec![Filter { name: "tag:turn".to_owned(), values: vec!["7".to_owned()] }];
    let found = stage.ok(DescribeLaunchTemplates { filters, ..Default::default() }).launch_templates;
    assert_eq!(found.iter().map(|it| it.launch_template_name.as_str()).collect::<Vec<_>>(), ["tagged"]);
    stage.ok(version(template_data()));
    let versions = stage.ok(DescribeLaunchTemplateVersions {
        launch_template_name: Some("web".to_owned()),
        ..Default::default()
    });
    let numbers: Vec<u64> = versions.launch_template_versions.iter().map(|it| it.version_number).collect();
    assert_eq!(numbers, [2, 1]);
}

#[test]
fn names_that_break_the_rules_are_refused() {
    let mut stage = Stage::new();
    for name in ["ab", "a b c", "käse", &"x".repeat(129)] {
        let request = CreateLaunchTemplate { launch_template_name: name.to_owned(), ..Default::default() };
        stage.refused_as(Code::InvalidLaunchTemplateNameMalformed, request);
    }
}

#[test]
fn a_changed_template_is_for_instances_launched_from_then_on() {
    let mut stage = Stage::new();
    stage.group("web", 1, &[]);
    stage.wait(10);
    stage.ok(version(template_data()));
    stage.ok(UpdateAutoScalingGroup {
        auto_scaling_group_name: "web".to_owned(),
        launch_template: Some(template("web", "2")),
        ..Default::default()
    });
    let used = |stage: &mut Stage| stage.described("web").instances[0].launch_template.version.clone();
    assert_eq!(used(&mut stage).as_deref(), Some("1"));
}
