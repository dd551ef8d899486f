//! Deploys on a real API server, through the real SDK, onto the local cloud with real instances.

mod abort;
mod accounts;
mod backup;
mod bad_release;
mod bounds;
mod capacity;
mod clocks;
mod cloud_away;
mod cloud_slow;
mod columns;
mod conflict;
mod credentials;
mod deletion;
mod derived;
mod edited;
mod environment_deletion;
mod gitops;
mod happy_path;
mod held;
mod killed;
mod late;
mod lost;
mod moving;
mod neighbours;
mod never_healthy;
mod other_traffic;
mod outage;
mod overlay;
mod owned;
mod parameter;
mod preparing;
mod queue;
mod quiet;
mod releases;
mod restore;
mod scene;
mod secrets;
mod stopping;
mod strays;
mod sweeper;
mod trouble;
mod two_operators;
mod under_load;
mod users;
mod withdrawn;
mod zone;

use std::path::Path;

use dryad_cluster::Cluster;
use dryad_stage::Stage;

/// A stage of one's own on the cluster that all tests share.
async fn stage(name: &str) -> Stage {
    stage_on(Cluster::shared().await.expect("a cluster"), name).await
}

/// The same on another cluster.
async fn stage_on(cluster: &Cluster, name: &str) -> Stage {
    let parts = Path::new(env!("CARGO_BIN_EXE_parts"));
    Stage::set(cluster, name, parts).await.unwrap_or_else(|error| panic!("no stage: {error}"))
}
