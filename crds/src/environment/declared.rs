//! The digest of what an Environment declares: what the trigger goes by.
//!
//! It is made from JSON as the API server returns it and never from our types, so that a Dryad which knows more
//! fields, or other defaults for absent ones, comes to the same digest and redeploys nothing. For the same reason the
//! schema has no default under a digested path: the API server would add it to what is stored already.

use std::fmt::Write;

use dryad_machine::release::Sha256;
use serde_json::{Map, Value};
use sha2::Digest;

/// What is digested, as JSON pointers into `spec`. Adding a path changes no digest of an Environment without it.
pub const DIGESTED: [&str; 3] = ["/refreshToken", "/release", "/target/autoScalingGroup/launchTemplate"];

/// The digest of what this `spec` declares; none where it declares no release.
pub fn digest(spec: &Value) -> Option<Sha256> {
    spec.get("release")?;
    let parts = DIGESTED.iter().filter_map(|path| Some(((*path).to_owned(), spec.pointer(path)?.clone())));
    let mut canonical = String::new();
    write_canonical(&Value::Object(parts.collect::<Map<_, _>>()), &mut canonical);
    let digest = sha2::Sha256::digest(canonical.as_bytes());
    let hex = digest.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string does not fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    hex.parse().ok()
}

/// JSON without spaces, the members of objects by name; lists as they stand.
fn write_canonical(value: &Value, into: &mut String) {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| name.as_str());
            into.push('{');
            for (at, (name, member)) in members.into_iter().enumerate() {
                into.push_str(if at == 0 { "" } else { "," });
                into.push_str(&Value::from(name.as_str()).to_string());
                into.push(':');
                write_canonical(member, into);
            }
            into.push('}');
        }
        Value::Array(items) => {
            into.push('[');
            for (at, item) in items.iter().enumerate() {
                into.push_str(if at == 0 { "" } else { "," });
                write_canonical(item, into);
            }
            into.push(']');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            into.push_str(&value.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn spec() -> Value {
        json!({
            "target": { "autoScalingGroup": {
                "region": "us-east-1",
                "launchTemplate": { "imageId": "ami-0abc", "instanceType": "m7g.large", "securityGroupIds": [] },
                "capacity": { "min": 4, "max": 16 },
            } },
            "release": { "commit": "4f0c2d14f0c2d14f0c2d14f0c2d14f0c2d14f0c2", "branch": "main" },
            "historyLimit": 20,
        })
    }

    /// Whoever changes this constant redeploys every Environment in the world when they upgrade.
    #[test]
    fn the_digest_of_what_is_stored_today_stays_what_it_is() {
        let digest = digest(&spec()).expect("it declares a release");
        assert_eq!(digest.as_str(), "96d542f4ab6c661c1ccba7c0a38570f7109ace50bad45580279f32121bd1b44d");
    }

    #[test]
    fn only_what_is_declared_counts_and_in_whatever_order_it_comes() {
        let changed = |path: &str, value: Value| {
            let mut spec = spec();
            *spec.pointer_mut(path).expect("it is there") = value;
            digest(&spec)
        };
        let before = digest(&spec());
        let group = "/target/autoScalingGroup";
        for (path, value) in [
            (format!("{group}/capacity/min"), json!(8)),
            (format!("{group}/region"), json!("eu-west-1")),
            ("/historyLimit".to_owned(), json!(3)),
        ] {
            assert_eq!(changed(&path, value), before, "{path}");
        }
        for (path, value) in [
            (format!("{group}/launchTemplate/imageId"), json!("ami-0def")),
            (format!("{group}/launchTemplate/securityGroupIds"), json!(["sg-1"])),
            ("/release/branch".to_owned(), json!("sale")),
            ("/release".to_owned(), json!({})),
        ] {
            assert_ne!(changed(&path, value), before, "{path}");
        }
        let reordered: Value = serde_json::from_str(
            r#"{ "release": { "branch": "main", "commit": "4f0c2d14f0c2d14f0c2d14f0c2d14f0c2d14f0c2" },
                 "target": { "autoScalingGroup": { "launchTemplate":
                 { "securityGroupIds": [], "instanceType": "m7g.large", "imageId": "ami-0abc" } } } }"#,
        )
        .expect("JSON");
        assert_eq!(digest(&reordered), before);
    }

    #[test]
    fn a_refresh_token_is_part_of_it_and_without_a_release_there_is_none() {
        let mut refreshed = spec();
        refreshed["refreshToken"] = json!("2026-11-21T14:00:00Z");
        assert_ne!(digest(&refreshed), digest(&spec()));
        let mut silent = spec();
        silent.as_object_mut().expect("an object").remove("release");
        assert_eq!(digest(&silent), None);
    }
}
