//! What is declared replaces what the base says; all else of the base is copied.

use dryad_cloud::template::Carried;
use dryad_machine::name::{GroupName, Turn, Uid};
use dryad_machine::tenure::Role;
use serde_json::{Value, json};

use super::*;

fn template(launch_template: &Value, launch: &Value) -> Template {
    serde_json::from_value(json!({
        "target": { "autoScalingGroup": {
            "account": "default",
            "region": "us-east-1",
            "launchTemplate": launch_template,
            "subnetIds": ["subnet-a"],
            "capacity": { "min": 2, "max": 4 },
        } },
        "launch": launch,
    }))
    .unwrap()
}

fn made(template: &Template, base: Option<&DescribedTemplate>) -> Result<NewTemplate, Unbuildable> {
    let release = Release { commit: Some("a".repeat(40).parse().unwrap()), ..Release::default() };
    let owner = Owner {
        installation: "test".to_owned(),
        namespace: "shop".to_owned(),
        environment: "web".to_owned(),
        uid: Uid::new("u"),
    };
    let member = Member {
        name: GroupName::new("web-1"),
        place: template.target.place(),
        access: None,
        owner: Uid::new("d"),
        environment: None,
        turn: Turn::new(1),
        role: Role::Green,
        deployed: None,
        held: None,
    };
    let freight = Freight { deployment: "web-1", release: &release };
    blueprint(template, base, freight, &owner, &member).map(|made| made.template)
}

fn base(user_data: &[u8]) -> DescribedTemplate {
    DescribedTemplate {
        version: 3,
        image_id: Some("ami-00cc".to_owned()),
        instance_type: Some("c7g.large".to_owned()),
        instance_profile: Some("theirs".to_owned()),
        key_name: Some("theirs".to_owned()),
        security_group_ids: vec!["sg-1".to_owned(), "sg-2".to_owned()],
        user_data: Some(user_data.to_vec()),
        carried: Carried { ebs_optimized: Some(true), ..Carried::default() },
        uncarried: Vec::new(),
    }
}

#[test]
fn what_is_declared_replaces_what_the_base_says() {
    let from = json!({ "id": "lt-0a", "version": "3" });
    let launch = json!({ "imageId": "ami-00dd", "version": 3 });
    let bare = made(&template(&json!({ "from": from }), &launch), Some(&base(b"theirs"))).unwrap();
    let expected = NewTemplate {
        name: GroupName::new("web-1"),
        image_id: "ami-00dd".to_owned(),
        instance_type: "c7g.large".to_owned(),
        instance_profile: Some("theirs".to_owned()),
        key_name: Some("theirs".to_owned()),
        security_group_ids: vec!["sg-1".to_owned(), "sg-2".to_owned()],
        user_data: Some(b"theirs".to_vec()),
        carried: Carried { ebs_optimized: Some(true), ..Carried::default() },
        tags: bare.tags.clone(),
    };
    assert_eq!(bare, expected);
    let declared = json!({
        "from": from,
        "imageId": "ami-00ee",
        "instanceType": "m7g.large",
        "instanceProfile": "ours",
        "keyName": "ours",
        "securityGroupIds": ["sg-3"],
        "userData": "ours",
    });
    let replaced = made(&template(&declared, &launch), Some(&base(b"theirs"))).unwrap();
    let expected = NewTemplate {
        instance_type: "m7g.large".to_owned(),
        instance_profile: Some("ours".to_owned()),
        key_name: Some("ours".to_owned()),
        security_group_ids: vec!["sg-3".to_owned()],
        user_data: Some(b"ours".to_vec()),
        ..expected
    };
    assert_eq!(replaced, expected);
}

#[test]
fn the_release_is_filled_in_whoever_wrote_the_user_data() {
    let commit = "a".repeat(40);
    let (asks, wants) = ("boot {{ release.commit }}", format!("boot {commit}").into_bytes());
    let launch = json!({ "imageId": "ami-00dd", "version": 3 });
    let from = json!({ "id": "lt-0a", "version": "3" });
    let derived = template(&json!({ "from": from }), &launch);
    let of_base = |user_data: &[u8]| made(&derived, Some(&base(user_data)));
    assert_eq!(of_base(asks.as_bytes()).unwrap().user_data, Some(wants.clone()));
    let inline = json!({ "imageId": "ami-00dd", "instanceType": "m7g.large", "userData": asks });
    let inline = template(&inline, &json!({ "imageId": "ami-00dd" }));
    assert_eq!(made(&inline, None).unwrap().user_data, Some(wants));

    // What is no text is not looked into.
    let compressed = [0x1f, 0x8b, 0xff, b'{', b'{', b' '];
    assert_eq!(of_base(&compressed).unwrap().user_data, Some(compressed.to_vec()));
    let refused = of_base(b"{{ release.tag }}").unwrap_err().to_string();
    assert!(refused.starts_with("the user data of launch template lt-0a: "), "{refused}");
}

#[test]
fn a_plan_from_before_anything_was_settled_goes_by_what_is_declared() {
    let inline = json!({ "imageId": "ami-00dd", "instanceType": "m7g.large" });
    assert_eq!(made(&template(&inline, &Value::Null), None).unwrap().image_id, "ami-00dd");
    let from = json!({ "from": { "id": "lt-0a", "version": "3" } });
    let refused = made(&template(&from, &Value::Null), None).unwrap_err();
    assert_eq!(refused, Unbuildable::Unsettled("which image"));
}
