//! `cargo demo`: a local Kubernetes, a local cloud, Dryad, and six deploys under load.
//!
//! The same executable is the operator and the application on the instances ([`dryad_stage::parts`]). It ends with
//! 0 only if all went as it says: every deploy came to the end it was to come to, no request failed, nothing is left
//! behind.

mod acts;
mod board;
mod error;
mod live;
mod narrator;
mod report;
mod samples;
mod shop;
mod show;
mod timeline;
mod users;

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;

use narrator::Narrator;
use show::Afterwards;

/// Shows what Dryad does: a local Kubernetes, a local cloud, six deploys under load. Takes less than two minutes.
#[derive(Debug, Parser)]
struct Arguments {
    /// Leaves everything running in the end, to play with, until Ctrl-C.
    #[arg(long)]
    keep: bool,
}

/// Runs the demo, or plays the part that this process was started for.
pub fn main() -> ExitCode {
    if let Some(code) = dryad_stage::parts::play() {
        return code;
    }
    let afterwards = if Arguments::parse().keep { Afterwards::Keep } else { Afterwards::Leave };
    let narrator = Arc::new(Narrator::new());
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            narrator.trouble(&error.to_string());
            return ExitCode::FAILURE;
        }
    };
    runtime.block_on(show::run(&narrator, afterwards))
}
