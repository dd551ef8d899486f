//! What is settled, and what is refused.

use serde_json::{Value, json};

use super::*;

fn declared(value: Value) -> LaunchTemplate {
    serde_json::from_value(value).unwrap()
}

fn release(image: Option<&str>) -> Release {
    Release { image: image.map(|image| image.parse().unwrap()), ..Release::default() }
}

fn base(image: Option<&str>, kind: Option<&str>, uncarried: &[&str]) -> DescribedTemplate {
    DescribedTemplate {
        version: 12,
        image_id: image.map(str::to_owned),
        instance_type: kind.map(str::to_owned),
        uncarried: uncarried.iter().map(|name| (*name).to_owned()).collect(),
        ..DescribedTemplate::default()
    }
}

#[test]
fn the_image_is_the_releases_else_the_one_declared_else_the_bases() {
    let from = json!({ "id": "lt-0a", "version": "$Latest" });
    let whole = base(Some("ami-00cc"), Some("m7g.large"), &[]);
    let inline = json!({ "imageId": "ami-00bb", "instanceType": "m7g.large" });
    let both = json!({ "from": from, "imageId": "ami-00bb" });
    let bare = json!({ "from": from });
    let table = [
        (&inline, None, None, "ami-00bb", None),
        (&inline, Some("ami-00aa"), None, "ami-00aa", None),
        (&both, Some("ami-00aa"), Some(&whole), "ami-00aa", Some(12)),
        (&both, None, Some(&whole), "ami-00bb", Some(12)),
        (&bare, None, Some(&whole), "ami-00cc", Some(12)),
    ];
    for (launch, image, base, image_id, version) in table {
        let settled = settle(&declared(launch.clone()), &release(image), None, base).unwrap();
        assert_eq!((settled.image_id.as_ref(), settled.version), (image_id, version), "{launch} {image:?}");
    }
}

#[test]
fn what_cannot_be_launched_is_refused_in_a_sentence() {
    let from = json!({ "id": "lt-0a", "version": "$Latest" });
    let bare = json!({ "from": from });
    let kind = Some("m7g.large");
    let table = [
        (
            &bare,
            base(Some("ami-00cc"), kind, &["networkInterfaces", "placement"]),
            "launch template lt-0a version 12 has networkInterfaces, placement, which Dryad cannot carry over; name a \
             version without, or write launchTemplate without from",
        ),
        (
            &bare,
            base(Some("resolve:ssm:/golden"), kind, &[]),
            "launch template lt-0a version 12 names its image as resolve:ssm:/golden, which is no AMI's id; set \
             launchTemplate.imageId or imageIdFromParameter beside from",
        ),
        (
            &bare,
            base(None, kind, &[]),
            "launch template lt-0a version 12 names no image; set launchTemplate.imageId beside from",
        ),
        (
            &bare,
            base(Some("ami-00cc"), None, &[]),
            "launch template lt-0a version 12 names no instance type; set launchTemplate.instanceType beside from",
        ),
    ];
    for (launch, base, sentence) in table {
        let refused = settle(&declared(launch.clone()), &release(None), None, Some(&base)).unwrap_err();
        assert_eq!(refused.to_string(), sentence);
    }
    // What is replaced need not be right.
    let replaced = json!({ "from": from, "imageId": "ami-00bb", "instanceType": "m7g.large" });
    let settled =
        settle(&declared(replaced), &release(None), None, Some(&base(Some("resolve:ssm:/x"), None, &[])));
    assert_eq!(settled.unwrap().image_id.as_ref(), "ami-00bb");
}

#[test]
fn a_parameter_names_the_image_where_the_release_does_not() {
    let from_parameter =
        declared(json!({ "imageIdFromParameter": "/golden/web", "instanceType": "m7g.large" }));
    let parameter: ImageId = "ami-00dd".parse().unwrap();
    let settled = settle(&from_parameter, &release(None), Some(&parameter), None).unwrap();
    assert_eq!(settled.image_id.as_ref(), "ami-00dd");
    let settled = settle(&from_parameter, &release(Some("ami-00aa")), None, None).unwrap();
    assert_eq!(settled.image_id.as_ref(), "ami-00aa");
    let beside = json!({ "from": { "id": "lt-0a", "version": "12" }, "imageIdFromParameter": "/golden/web" });
    let whole = base(Some("resolve:ssm:/golden"), Some("m7g.large"), &[]);
    let settled = settle(&declared(beside), &release(None), Some(&parameter), Some(&whole)).unwrap();
    assert_eq!(settled.image_id.as_ref(), "ami-00dd");
}

#[test]
fn a_parameter_that_names_no_image_is_refused_without_repeating_what_it_holds() {
    let of =
        |kind: ParameterKind, value: &str| image_of("/golden", &Parameter { kind, value: value.to_owned() });
    assert_eq!(of(ParameterKind::Text, "ami-00dd\n").unwrap().as_ref(), "ami-00dd");
    let list = ParameterKind::Other("StringList".to_owned());
    let rows = [
        (
            of(list, "ami-00dd"),
            "launchTemplate.imageIdFromParameter: parameter /golden is a StringList; make it a String with an AMI's id",
        ),
        (
            of(ParameterKind::Text, "hunter2"),
            "launchTemplate.imageIdFromParameter: what parameter /golden holds is no AMI's id, such as ami-0abc1234",
        ),
    ];
    for (outcome, sentence) in rows {
        assert_eq!(outcome.unwrap_err().to_string(), sentence);
    }
}

#[test]
fn what_may_pass_is_waited_for_and_what_stays_is_refused() {
    let action = "GetParameter";
    let message = || "told".to_owned();
    let absent = || Unlaunchable::NoImage;
    let lasting = |error| matches!(obstacle("field", error, absent), Obstacle::Lasting(_));
    assert!(lasting(CloudError::NotFound { action, message: message() }));
    assert!(lasting(CloudError::Invalid { action, message: message() }));
    assert!(!lasting(CloudError::Denied { action, message: message() }));
    assert!(!lasting(CloudError::Throttled { action }));
    assert!(!lasting(CloudError::Unanswered { action, message: message() }));
}
