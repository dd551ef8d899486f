//! The API reference, as Markdown, from the CRDs themselves.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray, ValidationRule,
};

const HEAD: &str = "# API reference\n\n\
    <!-- Generated from crds/src by `cargo run -p dryad-crds --bin crdgen`; do not edit. -->\n\n\
    Both kinds are namespaced and belong to `dryad.dev/v1alpha1`. What is wrong is refused by the API server, in \
    the sentences that stand here in *italics*.\n";

/// The page on all these CRDs.
pub fn markdown(crds: &[CustomResourceDefinition]) -> String {
    let mut lines = vec![HEAD.to_owned()];
    for crd in crds {
        let names = &crd.spec.names;
        let short = names.short_names.as_deref().unwrap_or_default().join("`, `");
        let schemas = crd.spec.versions.iter().filter_map(|version| version.schema.as_ref());
        for root in schemas.filter_map(|schema| schema.open_api_v3_schema.as_ref()) {
            lines.push(format!("## {}\n", names.kind));
            lines.extend(root.description.iter().map(|about| format!("{about}\n")));
            lines.push(format!("`kubectl get {}.{}`, or `{short}`.\n", names.plural, crd.spec.group));
            rules(&mut lines, root);
            for (part, schema) in root.properties.iter().flatten() {
                lines.push(format!("### {part}\n"));
                rules(&mut lines, schema);
                lines.push("| field | type | default | meaning |\n|---|---|---|---|".to_owned());
                rows(&mut lines, "", schema);
                lines.push(String::new());
            }
        }
    }
    lines.join("\n")
}

fn rules(lines: &mut Vec<String>, schema: &JSONSchemaProps) {
    let before = lines.len();
    lines.extend(sentences(schema).map(|sentence| format!("- *{sentence}*")));
    if lines.len() > before {
        lines.push(String::new());
    }
}

fn rows(lines: &mut Vec<String>, prefix: &str, schema: &JSONSchemaProps) {
    let required = schema.required.as_deref().unwrap_or_default();
    for (name, field) in schema.properties.iter().flatten() {
        let path = format!("{prefix}{name}");
        let default = match &field.default {
            Some(default) if field.properties.is_none() => format!("`{}`", default.0),
            None if required.contains(name) => "required".to_owned(),
            Some(_) | None => String::new(),
        };
        let about = field.description.iter().map(|about| about.replace('\n', " "));
        let refusals = sentences(field).chain(items(field).into_iter().flat_map(sentences));
        let meaning: Vec<_> = about.chain(refusals.map(|sentence| format!("*{sentence}*"))).collect();
        let cells = [format!("`{path}`"), kind(field), default, meaning.join(" ")];
        lines.push(format!("| {} |", cells.map(|cell| cell.replace('|', "\\|")).join(" | ")));
        rows(lines, &format!("{path}."), field);
        if let Some(item) = items(field) {
            rows(lines, &format!("{path}[]."), item);
        }
    }
}

/// What a field holds, in a few words.
fn kind(schema: &JSONSchemaProps) -> String {
    if let Some(values) = &schema.enum_ {
        return values.iter().map(|value| format!("`{}`", value.0)).collect::<Vec<_>>().join(", ");
    }
    let type_ = |schema: &JSONSchemaProps| schema.type_.clone().unwrap_or_else(|| "anything".to_owned());
    let name = match (schema.format.as_deref(), items(schema)) {
        (Some("date-time"), _) => "time".to_owned(),
        (_, Some(item)) => format!("list of {}s", type_(item)),
        (_, None) => type_(schema),
    };
    let bounds = [
        schema.minimum.map(|min| format!("from {min}")),
        schema.maximum.map(|max| format!("to {max}")),
        schema.max_length.map(|max| format!("of at most {max} characters")),
        schema.max_items.map(|max| format!("(at most {max})")),
    ];
    std::iter::once(name).chain(bounds.into_iter().flatten()).collect::<Vec<_>>().join(" ")
}

fn items(schema: &JSONSchemaProps) -> Option<&JSONSchemaProps> {
    match schema.items.as_ref()? {
        JSONSchemaPropsOrArray::Schema(item) => Some(item),
        JSONSchemaPropsOrArray::Schemas(_) => None,
    }
}

/// The sentences of a part's own rules; those that are put together when they are needed are not here.
fn sentences(schema: &JSONSchemaProps) -> impl Iterator<Item = &str> {
    let rules: &[ValidationRule] = schema.x_kubernetes_validations.as_deref().unwrap_or_default();
    rules.iter().filter_map(|rule| rule.message.as_deref())
}
