//! The rules, tried without an API server, as far as that is faithful: only CEL, and list items that did not move.

mod table;

use dryad_crds::environment::declared;
use dryad_crds::{Environment, generate};
use kube_cel::{Validator, apply_defaults};
use serde_json::Value;

fn schema(plural: &str) -> Value {
    let crd = generate::crds().into_iter().find(|crd| crd.spec.names.plural == plural).expect("our CRD");
    let crd = serde_json::to_value(crd).expect("a CRD is JSON");
    crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"].clone()
}

/// What the rules say of a row: nothing, or the sentences they refuse with.
fn verdict(schema: &Value, row: &table::Row) -> Vec<String> {
    let old = row.old.as_ref().map(|old| apply_defaults(schema, old));
    let new = apply_defaults(schema, &row.new);
    match Validator::new().validate(schema, &new, old.as_ref()) {
        Ok(()) => Vec::new(),
        Err(errors) => errors.as_slice().iter().map(ToString::to_string).collect(),
    }
}

fn check(table: &str, plural: &str) {
    let schema = schema(plural);
    let failures: Vec<_> = table::rows(table)
        .iter()
        .filter(|row| row.only.is_none())
        .filter_map(|row| {
            let sentences = verdict(&schema, row);
            let as_told = match &row.refused {
                Some(words) => sentences.iter().any(|sentence| sentence.contains(words)),
                None => sentences.is_empty(),
            };
            (!as_told).then(|| format!("{}: wanted {:?}, got {sentences:#?}", row.case, row.refused))
        })
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn an_environment_that_is_wrong_is_refused_in_a_sentence() {
    check(table::ENVIRONMENT, "environments");
}

#[test]
fn a_deployment_that_is_wrong_late_or_rewritten_is_refused_in_a_sentence() {
    check(table::DEPLOYMENT, "deployments");
}

#[test]
fn the_environment_of_the_gitops_example_is_accepted_and_declares_a_release() {
    let example = include_str!("../../config/gitops/web-production/environment.yaml");
    let example: Value = serde_saphyr::from_str(example).expect("YAML");
    let row = table::Row { case: String::new(), old: None, new: example.clone(), refused: None, only: None };
    assert_eq!(verdict(&schema("environments"), &row), Vec::<String>::new());
    serde_json::from_value::<Environment>(example.clone()).expect("an Environment");
    assert!(declared::digest(&example["spec"]).is_some());
}
