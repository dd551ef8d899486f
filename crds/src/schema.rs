//! What the derived schemas don't say by themselves: rules with sentences, unions, keys of lists.
//!
//! Each function here is a transform, for `#[schemars(transform = …)]` on a type or a field. Rules are linear in
//! what they look at and everything they look at is bounded: a quadratic rule passes when the CRD is created and
//! fails on the first long object.

use dryad_machine::state::State;
use kube::core::{Message, Rule, validate};
use schemars::Schema;
use schemars::transform::Transform;
use serde_json::{Map, Value, json};

/// A CEL rule, and the sentence that it refuses with, which says what to do.
pub(crate) fn rule(cel: impl Into<String>, sentence: impl Into<String>) -> impl Transform {
    let rule = Rule::new(cel).message(Message::Message(sentence.into()));
    move |schema: &mut Schema| validate(schema, rule.clone()).expect("a rule is plain JSON")
}

/// CEL that says whether a state is among these.
pub(crate) fn among(state: &str, states: impl IntoIterator<Item = State>) -> String {
    let names: Vec<_> = states.into_iter().map(|state| format!("'{state}'")).collect();
    format!("{state} in [{}]", names.join(", "))
}

/// A list whose items are told apart by one of their members. Order means nothing in it, and the API server
/// finds an item's former self by its key.
pub(crate) fn keyed_by(key: &'static str) -> impl Transform {
    move |schema: &mut Schema| {
        schema.insert("x-kubernetes-list-type".to_owned(), json!("map"));
        schema.insert("x-kubernetes-list-map-keys".to_owned(), json!([key]));
    }
}

/// A list without duplicates, in which order means nothing.
pub(crate) fn set(schema: &mut Schema) {
    schema.insert("x-kubernetes-list-type".to_owned(), json!("set"));
}

/// Applies a transform to the items of a list.
pub(crate) fn items(mut transform: impl Transform) -> impl Transform {
    move |schema: &mut Schema| transform.transform(part(schema.ensure_object().get_mut("items")))
}

/// Applies a transform to one property of an object.
pub(crate) fn property(name: &'static str, mut transform: impl Transform) -> impl Transform {
    move |schema: &mut Schema| {
        let properties = schema.ensure_object().get_mut("properties");
        transform.transform(part(properties.and_then(|properties| properties.get_mut(name))));
    }
}

fn part(found: Option<&mut Value>) -> &mut Schema {
    let found = found.expect("a transform is about something that the schema has");
    found.try_into().expect("it is a schema")
}

/// A union: an object of which exactly one member is set.
///
/// Derived, it would be `oneOf` with `required`, which an API server refuses in words about schemas and without
/// looking at any rule. Here all members are optional, and one rule says in a sentence what to do.
pub(crate) fn one_of(schema: &mut Schema) {
    let object = schema.ensure_object();
    let Some(Value::Array(variants)) = object.remove("oneOf") else { panic!("a union is an enum") };
    let mut members = Map::new();
    for variant in variants {
        let Value::Object(mut variant) = variant else { panic!("a variant is an object") };
        let Some(Value::Object(properties)) = variant.remove("properties") else {
            panic!("a variant has one member")
        };
        let described = variant.remove("description");
        members.extend(properties.into_iter().map(|(name, mut member)| {
            if let (Some(member), Some(text)) = (member.as_object_mut(), described.clone()) {
                member.insert("description".to_owned(), text);
            }
            (name, member)
        }));
    }
    let names: Vec<_> = members.keys().cloned().collect();
    object.insert("type".to_owned(), json!("object"));
    object.insert("properties".to_owned(), Value::Object(members));
    let set = names.iter().map(|name| format!("has(self.{name})")).collect::<Vec<_>>().join(", ");
    let sentence = match names.as_slice() {
        [only] => format!("set {only}, the only kind there is"),
        _ => format!("set exactly one of {}", names.join(", ")),
    };
    rule(format!("[{set}].filter(is_set, is_set).size() == 1"), sentence).transform(schema);
}
