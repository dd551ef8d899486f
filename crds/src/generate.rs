//! The CRDs, as an API server takes them.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSON, JSONSchemaProps, JSONSchemaPropsOrArray,
};
use kube::CustomResourceExt;

use crate::deployment::Deployment;
use crate::environment::Environment;
use crate::unobserved;

/// Every CRD of this group.
pub fn crds() -> [CustomResourceDefinition; 2] {
    [Environment::crd(), Deployment::crd()].map(finish)
}

/// A CRD as YAML, with a line on where it comes from.
///
/// # Errors
/// Never for the CRDs of this crate; a schema that YAML can't hold otherwise.
pub fn yaml(crd: &CustomResourceDefinition) -> Result<String, serde_saphyr::ser::Error> {
    let body = serde_saphyr::to_string(crd)?;
    Ok(format!("# Generated from crds/src by `cargo run -p dryad-crds --bin crdgen`; do not edit.\n{body}"))
}

fn finish(mut crd: CustomResourceDefinition) -> CustomResourceDefinition {
    let schemas = crd.spec.versions.iter_mut().filter_map(|version| version.schema.as_mut());
    for schema in schemas.filter_map(|schema| schema.open_api_v3_schema.as_mut()) {
        tidy(schema);
        // A status at birth that says it is about no generation: kstatus takes an absent one for current. It
        // also means that rules find a status always, be it one that somebody has just tried to take away.
        if let Some(status) = schema.properties.as_mut().and_then(|parts| parts.get_mut("status")) {
            status.default = Some(JSON(serde_json::json!({ "observedGeneration": unobserved() })));
        }
    }
    crd
}

/// Takes out what an API server does not know, or would answer less well by than by what else is there.
fn tidy(schema: &mut JSONSchemaProps) {
    // Without it, an explicit null is the same as leaving the field out, and no rule ever meets one.
    schema.nullable = None;
    // Rust's unsigned formats are none of Kubernetes'; the bounds that they stand for are in `minimum`.
    if schema.format.as_deref().is_some_and(|format| format.starts_with("uint")) {
        schema.format = Some("int64".to_owned());
    }
    // A rule with a sentence says the same as the pattern beside it, so that nobody is told of a regular expression.
    if let (Some(pattern), Some(rules)) = (&schema.pattern, &schema.x_kubernetes_validations)
        && rules.iter().any(|rule| rule.rule.contains(pattern.as_str()))
    {
        schema.pattern = None;
    }
    schema.properties.iter_mut().flat_map(|parts| parts.values_mut()).for_each(tidy);
    for schemas in [&mut schema.one_of, &mut schema.any_of, &mut schema.all_of].into_iter().flatten() {
        schemas.iter_mut().for_each(tidy);
    }
    match &mut schema.items {
        Some(JSONSchemaPropsOrArray::Schema(items)) => tidy(items),
        Some(JSONSchemaPropsOrArray::Schemas(items)) => items.iter_mut().for_each(tidy),
        None => {}
    }
}
