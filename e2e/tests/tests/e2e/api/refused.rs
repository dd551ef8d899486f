//! Whatever is wrong in itself, comes too late or rewrites what happened is refused, in words that say what to do.

use serde_json::Value;

use super::table::{self, Row};
use super::{Part, Server, Stay};

#[tokio::test]
async fn an_environment_that_is_wrong_is_refused_in_a_sentence() {
    check(table::ENVIRONMENT).await;
}

#[tokio::test]
async fn a_deployment_that_is_wrong_late_or_rewritten_is_refused_in_a_sentence() {
    check(table::DEPLOYMENT).await;
}

async fn check(table: &str) {
    let server = Server::start("refused").await;
    let rows = table::rows(table);
    assert!(rows.len() >= 40, "a table with {} rows has lost some", rows.len());
    let mut failures = Vec::new();
    for row in rows {
        let answer = attempt(&server, &row).await;
        let as_told = match (&answer, &row.refused) {
            (Ok(_), None) => true,
            // A rule may not name a field of the metadata.
            (Err(message), Some(words)) => {
                message.contains(words) && (names_a_field(message, words) || words.contains("name an Env"))
            }
            (Ok(_), Some(_)) | (Err(_), None) => false,
        };
        if !as_told {
            failures.push(format!("{}: wanted {:?}, got {answer:#?}", row.case, row.refused));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Whether it is said what these words are about: else the API server writes `<nil>`.
fn names_a_field(message: &str, words: &str) -> bool {
    let before = message.split(words).next().unwrap_or_default();
    let field = before.rsplit_once(": Invalid value").map_or("", |(field, _)| field);
    !field.ends_with("<nil>")
}

/// Does what the row is about; what is left of it afterwards is taken away.
async fn attempt(server: &Server, row: &Row) -> Result<Value, String> {
    let Some(old) = &row.old else { return server.create(&row.new, Stay::No).await };
    let mut stored = server.create(old, Stay::Yes).await.map_err(|refusal| format!("before: {refusal}"))?;
    if let Some(status) = old.get("status") {
        stored["status"] = status.clone();
        stored =
            server.replace(&stored, Part::Status).await.map_err(|refusal| format!("before: {refusal}"))?;
    }
    let part = if old.get("status") == row.new.get("status") { Part::Main } else { Part::Status };
    let field = match part {
        Part::Main => "spec",
        Part::Status => "status",
    };
    let changed = stored.as_object_mut().expect("an object");
    match row.new.get(field) {
        Some(value) => drop(changed.insert(field.to_owned(), value.clone())),
        None => drop(changed.remove(field)),
    }
    let answer = server.replace(&stored, part).await;
    server.delete(&stored).await;
    answer
}
