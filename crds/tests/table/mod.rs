//! The tables of `tests/refused`: what must be refused in which words, and what must not be.

use serde::Deserialize;
use serde_json::Value;

/// What is wrong with an Environment.
pub(crate) const ENVIRONMENT: &str = include_str!("../refused/environment.yaml");
/// What is wrong with a Deployment, comes too late or rewrites what happened.
pub(crate) const DEPLOYMENT: &str = include_str!("../refused/deployment.yaml");

/// One table.
#[derive(Deserialize)]
pub(crate) struct Table {
    /// What the rows change.
    object: Value,
    rows: Vec<Line>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    case: String,
    before: Option<Value>,
    change: Value,
    refused: Option<String>,
    accepted: Option<bool>,
    only: Option<Only>,
}

/// Where a row holds, if not everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Only {
    /// On a real API server.
    Server,
}

/// One row, with its patches applied.
pub(crate) struct Row {
    /// What it is about.
    pub(crate) case: String,
    /// The object that is changed; none where one is made.
    pub(crate) old: Option<Value>,
    /// The object as it is asked for.
    pub(crate) new: Value,
    /// The words it must be refused in; none where it must be accepted.
    pub(crate) refused: Option<String>,
    /// Where this holds, if not everywhere.
    #[allow(dead_code, reason = "not every test that uses this table asks")]
    pub(crate) only: Option<Only>,
}

/// The rows of a table.
pub(crate) fn rows(table: &str) -> Vec<Row> {
    let table: Table = serde_saphyr::from_str(table).expect("a table");
    table.rows.into_iter().map(|line| row(&table.object, line)).collect()
}

fn row(object: &Value, line: Line) -> Row {
    assert_ne!(line.refused.is_some(), line.accepted == Some(true), "{}: one verdict, please", line.case);
    let old = line.before.map(|before| merged(object, &before));
    let new = merged(old.as_ref().unwrap_or(object), &line.change);
    Row { case: line.case, old, new, refused: line.refused, only: line.only }
}

/// A JSON merge patch (RFC 7386).
pub(crate) fn merged(target: &Value, patch: &Value) -> Value {
    let Value::Object(patch) = patch else { return patch.clone() };
    let mut target = target.as_object().cloned().unwrap_or_default();
    for (name, change) in patch {
        match change {
            Value::Null => drop(target.remove(name)),
            change => {
                let before = target.remove(name).unwrap_or(Value::Null);
                target.insert(name.clone(), merged(&before, change));
            }
        }
    }
    Value::Object(target)
}
