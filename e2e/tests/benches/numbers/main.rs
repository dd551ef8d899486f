//! The numbers of `docs/numbers.md`: measured, printed as a table, and held against their limits.
//!
//! `cargo bench --workspace --bench numbers`. The operator is a process of its own, built as this is, on a real API
//! server and the local cloud. The environment variable `DRYAD_EXECUTABLE` names another one whose memory and processor
//! time are to be measured, such as the static one of the image.

mod calls;
mod deploy;
mod idle;
mod machine;
mod process;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use dryad_cluster::Cluster;

/// One line of the table.
struct Row {
    what: String,
    measured: String,
    limit: String,
    holds: bool,
}

impl Row {
    /// A number that may not be larger than `limit`.
    fn at_most(what: impl Into<String>, measured: f64, limit: f64, unit: &str) -> Self {
        Self {
            what: what.into(),
            measured: format!("{measured:.1} {unit}"),
            limit: format!("≤ {limit} {unit}"),
            holds: measured <= limit,
        }
    }

    /// What should have been done and was not.
    fn never(what: impl Into<String>) -> Self {
        Self { what: what.into(), measured: "never".to_owned(), limit: "once".to_owned(), holds: false }
    }

    /// A number without a limit.
    fn told(what: impl Into<String>, measured: f64, unit: &str) -> Self {
        Self { limit: String::new(), ..Self::at_most(what, measured, f64::INFINITY, unit) }
    }
}

/// The executable that plays the operator and the instances.
fn parts() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_parts"))
}

/// The operator's executable where nobody plays instances.
fn operator() -> PathBuf {
    std::env::var_os("DRYAD_EXECUTABLE").map_or_else(|| parts().to_owned(), PathBuf::from)
}

#[tokio::main]
async fn main() -> ExitCode {
    let cluster = Cluster::shared().await.expect("a cluster");
    let (deploy, made) = deploy::measure(cluster).await;
    let mut rows = deploy;
    rows.extend(idle::measure(cluster).await);
    let calls = calls::compare(&made);
    println!("{}\n", machine::words());
    print("what", &rows);
    print("calls of one deploy", &calls);
    let over: Vec<_> = rows.iter().chain(&calls).filter(|row| !row.holds).collect();
    for row in &over {
        eprintln!("over the limit: {}: {}, {}", row.what, row.measured, row.limit);
    }
    if over.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn print(what: &str, rows: &[Row]) {
    println!("| {what} | measured | limit |\n|---|---|---|");
    for Row { what, measured, limit, .. } in rows {
        println!("| {what} | {measured} | {limit} |");
    }
    println!();
}
