//! The CRDs and their reference as they are checked in: up to date, and bounded.

use std::path::Path;

use dryad_crds::environment::declared::DIGESTED;
use dryad_crds::{generate, reference};
use serde_json::Value;

#[test]
fn the_checked_in_yaml_and_the_charts_are_what_the_types_generate() {
    for crd in generate::crds() {
        let generated = generate::yaml(&crd).expect("YAML");
        for folder in ["crds/yaml", "charts/dryad/files/crds"] {
            let name = format!("{folder}/{}.yaml", crd.spec.names.plural);
            let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(&name);
            let checked_in = std::fs::read_to_string(&file).unwrap_or_default();
            assert!(
                checked_in == generated,
                "{name} is not what the types say; run `cargo run -p dryad-crds --bin crdgen` and commit it"
            );
        }
    }
}

#[test]
fn the_checked_in_reference_is_what_the_crds_say() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/api.md");
    let checked_in = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        checked_in == reference::markdown(&generate::crds()),
        "docs/api.md is not what the CRDs say; run `cargo run -p dryad-crds --bin crdgen` and commit it"
    );
}

/// CEL is charged by the worst case, and an object in etcd has 1.5 MB to fit into: nothing users write is unbounded.
#[test]
fn everything_that_users_write_is_bounded() {
    for crd in generate::crds() {
        let crd = serde_json::to_value(crd).expect("a CRD is JSON");
        let root = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
        let mut unbounded = Vec::new();
        find_unbounded(&root["properties"]["spec"], "spec", &mut unbounded);
        assert!(unbounded.is_empty(), "{}: {unbounded:?}", crd["metadata"]["name"]);
    }
}

fn find_unbounded(schema: &Value, path: &str, found: &mut Vec<String>) {
    let bound = match schema["type"].as_str() {
        Some("string") if schema["enum"].is_null() => "maxLength",
        Some("array") => "maxItems",
        Some("integer") => "maximum",
        Some("string" | "boolean" | "object") => "type",
        other => panic!("{path} is of type {other:?}"),
    };
    if schema[bound].is_null() {
        found.push(format!("{path} has no {bound}"));
    }
    for (name, part) in schema["properties"].as_object().into_iter().flatten() {
        find_unbounded(part, &format!("{path}.{name}"), found);
    }
    if !schema["items"].is_null() {
        find_unbounded(&schema["items"], &format!("{path}[]"), found);
    }
}

/// The API server adds defaults to what is stored already. One under what the trigger digests, or one that brings
/// such a part about, would redeploy every Environment when Dryad is upgraded.
#[test]
fn nothing_that_is_digested_has_a_default() {
    let crd = generate::crds().into_iter().find(|crd| crd.spec.names.kind == "Environment").expect("our CRD");
    let crd = serde_json::to_value(crd).expect("a CRD is JSON");
    let spec = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
    for path in DIGESTED {
        let mut part = spec;
        let mut found = Vec::new();
        for name in path.split('/').skip(1) {
            assert!(part["default"].is_null(), "the default of what holds {name} brings {path} about");
            part = &part["properties"][name];
            assert!(part.is_object(), "{path} is not in the schema");
        }
        find_defaults(part, path, &mut found);
        assert!(
            found.is_empty(),
            "take these defaults out of the schema, and have the code supply them: {found:?}"
        );
    }
}

fn find_defaults(schema: &Value, path: &str, found: &mut Vec<String>) {
    if !schema["default"].is_null() {
        found.push(path.to_owned());
    }
    for (name, part) in schema["properties"].as_object().into_iter().flatten() {
        find_defaults(part, &format!("{path}/{name}"), found);
    }
    if !schema["items"].is_null() {
        find_defaults(&schema["items"], &format!("{path}[]"), found);
    }
}

/// What kubectl can't know how to print, it warns of at every apply.
#[test]
fn no_format_is_unknown_to_kubernetes() {
    for crd in generate::crds() {
        let yaml = generate::yaml(&crd).expect("YAML");
        let formats = yaml.lines().filter_map(|line| line.trim().strip_prefix("format: "));
        let unknown: Vec<_> = formats.filter(|format| !["int64", "date-time"].contains(format)).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }
}
