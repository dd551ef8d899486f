//! What becomes of a cloud when its process is killed.

use std::collections::BTreeMap;
use std::env;
use std::path::Path;
use std::process::Stdio;

use dryad_local_cloud::instances::Directories;
use dryad_local_cloud::local_cloud::{InstanceKind, LocalCloud, Options};
use tempfile::TempDir;
use tokio::process::Command;

use crate::support::fifo::Fifo;
use crate::support::{launch, timings};

const FIFO: &str = "DRYAD_TEST_FIFO";

/// The script, and a child that is deaf to signals.
const FAMILY: &str = r#"#!/bin/sh
exec 3>"$FIFO"
(trap '' TERM HUP INT; sleep 1000) &
echo ready >&3
wait
"#;

#[tokio::test]
async fn sigkill_of_a_cloud_leaves_no_process_behind() {
    let dir = TempDir::new().expect("a directory");
    let mut fifo = Fifo::new(dir.path());
    let mut parent = Command::new(env::current_exe().expect("this test"))
        .args(["--exact", "parent_death::the_cloud", "--ignored", "--nocapture"])
        .env(FIFO, &fifo.path)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("a cloud");
    assert_eq!([fifo.line().await, fifo.line().await], ["ready", "ready"]);
    parent.start_kill().expect("a living cloud");
    assert_eq!(fifo.rest().await, [""; 0]);
}

#[tokio::test]
#[ignore = "the cloud's part in the test above"]
async fn the_cloud() {
    let Ok(fifo) = env::var(FIFO) else { return };
    let run_dir = Path::new(&fifo).with_file_name("instances");
    let environment = BTreeMap::from([("FIFO".to_owned(), fifo)]);
    let instances = InstanceKind::Real { run_dir, directories: Directories::Remove, environment };
    let options = Options { timings: timings(), instances, ..Options::simulated() };
    let cloud = LocalCloud::start(options).await.expect("a cloud");
    let web = cloud.web_fixture().await.expect("a fixture");
    launch(&cloud, &web, "web-1", 2, FAMILY, &[]);
    std::future::pending::<()>().await;
}
