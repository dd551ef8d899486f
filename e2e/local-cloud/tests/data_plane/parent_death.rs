//! What becomes of instances when the process that runs them is killed.

use std::collections::BTreeMap;
use std::env;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use dryad_local_cloud::instances::{Directories, Instances, Settings, Wanted};
use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::process::Command;

use crate::support::fifo::Fifo;
use crate::support::soon;

const FIFO: &str = "DRYAD_TEST_FIFO";

/// Three processes each: the script, a child that is deaf to signals, and an orphan.
const FAMILY: &str = r#"#!/bin/sh
exec 3>"$FIFO"
(trap '' TERM HUP INT; sleep 1000) &
sh -c 'sleep 1000 &'
echo ready >&3
wait
"#;

#[tokio::test]
async fn sigkill_of_the_parent_leaves_no_process_behind() {
    let dir = TempDir::new().expect("a directory");
    let mut fifo = Fifo::new(dir.path());
    let mut parent = Command::new(env::current_exe().expect("this test"))
        .args(["--exact", "parent_death::the_parent", "--ignored", "--nocapture"])
        .env(FIFO, &fifo.path)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("a parent");
    let mut stderr = parent.stderr.take().expect("its standard error");
    assert_eq!([fifo.line().await, fifo.line().await], ["ready", "ready"]);

    parent.start_kill().expect("a living parent");
    assert_eq!(fifo.rest().await, [""; 0]);
    // The guards share the parent's standard error: its end means that they are gone too.
    let mut complaints = String::new();
    soon("the end of the guards", stderr.read_to_string(&mut complaints)).await.expect("a text");
}

#[tokio::test]
#[ignore = "the parent's part in the test above"]
async fn the_parent() {
    let Ok(fifo) = env::var(FIFO) else { return };
    let run_dir = Path::new(&fifo).with_file_name("instances");
    let (mut instances, _heard) =
        Instances::new(Settings { run_dir, grace: Duration::ZERO, directories: Directories::Remove });
    let instance = |id: &str| Wanted {
        id: id.parse().expect("an id"),
        user_data: FAMILY.as_bytes().to_vec(),
        address: SocketAddr::from(([127, 0, 0, 1], 1)),
        environment: BTreeMap::from([("FIFO".to_owned(), fifo.clone())]),
    };
    instances.reconcile(&[instance("i-1"), instance("i-2")]);
    std::future::pending::<()>().await;
}
