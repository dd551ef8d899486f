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
        let settled = settle(&declared(launch.clone()), &release(image), base).unwrap();
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
             launchTemplate.imageId beside from",
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
        let refused = settle(&declared(launch.clone()), &release(None), Some(&base)).unwrap_err();
        assert_eq!(refused.to_string(), sentence);
    }
    // What is replaced need not be right.
    let replaced = json!({ "from": from, "imageId": "ami-00bb", "instanceType": "m7g.large" });
    let settled = settle(&declared(replaced), &release(None), Some(&base(Some("resolve:ssm:/x"), None, &[])));
    assert_eq!(settled.unwrap().image_id.as_ref(), "ami-00bb");
}
