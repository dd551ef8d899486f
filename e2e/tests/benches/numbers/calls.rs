//! What one deploy asks of the cloud, held against the table in `docs/numbers.md`.

use std::collections::BTreeMap;

use crate::Row;

/// By how much more often than the table says a question may be asked: there are as many as a deploy takes ticks.
const LONGER: f64 = 1.25;

/// A row for each call that was made, and for each that the table names.
pub(crate) fn compare(made: &BTreeMap<&'static str, u32>) -> Vec<Row> {
    let told = told(include_str!("../../../../docs/numbers.md"));
    let missing = told.keys().copied().filter(|action| !made.contains_key(action));
    let missing: Vec<_> = missing.map(|action| Row::never(format!("`{action}`"))).collect();
    let made = made.iter().map(|(action, count)| {
        let told = f64::from(told.get(action).copied().unwrap_or(0));
        let limit = if action.starts_with("Describe") { (told * LONGER).floor() } else { told };
        Row::at_most(format!("`{action}`"), f64::from(*count), limit, "calls")
    });
    made.chain(missing).collect()
}

/// The numbers of the table of calls, by action.
fn told(text: &str) -> BTreeMap<&str, u32> {
    let (_, table) = text.split_once("| call | number |").expect("a table of calls");
    let rows = table.lines().skip(2).map_while(|line| line.strip_prefix("| `")?.split_once("` | "));
    let number = |words: &str| words.split(|it: char| !it.is_ascii_digit()).next()?.parse().ok();
    rows.map(|(action, words)| (action, number(words).expect("a row begins with its number"))).collect()
}
