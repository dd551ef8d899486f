//! Instances: what their user data sees, and how they end.

use std::collections::BTreeMap;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

use dryad_local_cloud::instances::{
    Directories, Happening, InstanceId, Instances, LaunchError, Settings, Wanted, What,
};
use http_body_util::BodyExt;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::support::client::Client;
use crate::support::fifo::Fifo;
use crate::support::{NEVER, soon};

fn settings(run_dir: &Path, grace: Duration) -> Settings {
    Settings { run_dir: run_dir.join("instances"), grace, directories: Directories::Remove }
}

fn wanted(id: &str, user_data: &str) -> Wanted {
    Wanted {
        id: id.parse().expect("an id"),
        user_data: user_data.as_bytes().to_vec(),
        address: free_address(),
        environment: BTreeMap::new(),
    }
}

fn free_address() -> SocketAddr {
    let socket = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    socket.local_addr().expect("its address")
}

async fn next(heard: &mut UnboundedReceiver<Happening>) -> (String, What) {
    let happening = soon("a happening", heard.recv()).await.expect("instances");
    (happening.id.to_string(), happening.what)
}

macro_rules! assert_next {
    ($heard:expr, $id:expr, $what:pat) => {
        let (id, what) = next(&mut $heard).await;
        assert!(id == $id && matches!(what, $what), "{id}: {what:?}");
    };
}

#[tokio::test]
async fn user_data_serves_requests_at_the_instances_own_address_until_it_is_terminated() {
    let dir = TempDir::new().expect("a directory");
    let checkout = dir.path().join("checkout");
    fs::create_dir(&checkout).expect("a checkout");
    fs::write(checkout.join("index.html"), "version one").expect("a page");
    let (mut instances, mut heard) = Instances::new(settings(dir.path(), NEVER));

    let mut web = wanted("i-1", "#!/bin/sh\nexec \"$WEBAPP\" \"$CHECKOUT\"\n");
    web.environment = BTreeMap::from([
        ("WEBAPP".to_owned(), env!("CARGO_BIN_EXE_dryad-webapp").to_owned()),
        ("CHECKOUT".to_owned(), checkout.to_string_lossy().into_owned()),
        ("INSTANCE_ID".to_owned(), "i-lie".to_owned()),
    ]);
    instances.reconcile(std::slice::from_ref(&web));
    assert_next!(heard, "i-1", What::Started);

    let mut client = Client::connect_when_up(web.address).await;
    let answer = client.begin("/").await;
    assert_eq!(answer.headers()["x-instance"], "i-1");
    assert_eq!(answer.into_body().collect().await.expect("a body").to_bytes(), "version one");
    assert_eq!(client.get("/healthz").await, (http::StatusCode::OK, String::new()));
    drop(client);

    instances.reconcile(&[]);
    assert_next!(heard, "i-1", What::Terminated);
    TcpStream::connect(web.address).await.expect_err("nobody listens any more");
    assert!(!dir.path().join("instances/i-1").exists());
}

#[tokio::test]
async fn user_data_runs_in_its_own_home_and_knows_nothing_of_ours() {
    let dir = TempDir::new().expect("a directory");
    let keep = Settings { directories: Directories::Keep, ..settings(dir.path(), Duration::ZERO) };
    let (mut instances, mut heard) = Instances::new(keep);
    let mut env = wanted("i-env", "#!/bin/sh\npwd\nenv\necho oops >&2\nexit 3\n");
    env.environment = BTreeMap::from([("COLOUR".to_owned(), "green".to_owned())]);
    instances.reconcile(std::slice::from_ref(&env));
    assert_next!(heard, "i-env", What::Started);
    assert_next!(heard, "i-env", What::Exited(3));
    soon("the end", instances.shut_down()).await;
    assert_next!(heard, "i-env", What::Terminated);

    let kept = dir.path().join("instances/i-env");
    let stdout = fs::read_to_string(kept.join("stdout")).expect("its output");
    let (home, seen) = stdout.split_once('\n').expect("a first line");
    assert_eq!(Path::new(home), kept.join("home").canonicalize().expect("its home"));
    for expected in ["COLOUR=green", "INSTANCE_ID=i-env", "PRIVATE_IP=127.0.0.1"] {
        assert!(seen.lines().any(|line| line == expected), "{expected} in {seen}");
    }
    assert!(seen.contains(&format!("PORT={}\n", env.address.port())), "{seen}");
    assert!(!seen.contains("CARGO"), "{seen}");
    assert_eq!(fs::read_to_string(kept.join("stderr")).expect("its output"), "oops\n");
}

/// Holds the pipe in three generations of processes, two of them deaf to SIGTERM and the youngest orphaned.
const DEAF_FAMILY: &str = r#"#!/bin/sh
exec 3>"$FIFO"
trap '' TERM
sh -c 'sh -c "echo ready >&3; while :; do sleep 1000; done" &' 
while :; do sleep 1000; done
"#;

#[tokio::test]
async fn terminating_an_instance_ends_every_process_of_it_even_deaf_ones() {
    let dir = TempDir::new().expect("a directory");
    let mut fifo = Fifo::new(dir.path());
    let (mut instances, mut heard) = Instances::new(settings(dir.path(), Duration::from_millis(50)));
    instances.reconcile(&[holding(&fifo, DEAF_FAMILY)]);
    assert_eq!(fifo.line().await, "ready");
    instances.reconcile(&[]);
    assert_eq!(fifo.rest().await, [""; 0]);
    assert_next!(heard, "i-1", What::Started);
    assert_next!(heard, "i-1", What::Terminated);
}

#[tokio::test]
async fn dropping_the_instances_kills_them_all() {
    let dir = TempDir::new().expect("a directory");
    let mut fifo = Fifo::new(dir.path());
    let (mut instances, _heard) = Instances::new(settings(dir.path(), NEVER));
    instances.reconcile(&[holding(&fifo, DEAF_FAMILY)]);
    assert_eq!(fifo.line().await, "ready");
    drop(instances);
    assert_eq!(fifo.rest().await, [""; 0]);
}

#[tokio::test]
async fn an_instance_that_heeds_sigterm_may_finish_and_is_gone_before_the_grace_is_over() {
    let script = r#"#!/bin/sh
exec 3>"$FIFO"
trap 'echo goodbye >&3; exit 0' TERM
sleep 1000 &
echo ready >&3
wait
"#;
    let dir = TempDir::new().expect("a directory");
    let mut fifo = Fifo::new(dir.path());
    let (mut instances, _heard) = Instances::new(settings(dir.path(), NEVER));
    instances.reconcile(&[holding(&fifo, script)]);
    assert_eq!(fifo.line().await, "ready");
    soon("the end", instances.shut_down()).await;
    assert_eq!(fifo.rest().await, ["goodbye"]);
}

#[tokio::test]
async fn a_killed_instance_stays_wanted_and_is_not_started_again() {
    let dir = TempDir::new().expect("a directory");
    let mut fifo = Fifo::new(dir.path());
    let (mut instances, mut heard) = Instances::new(settings(dir.path(), NEVER));
    let family = holding(&fifo, DEAF_FAMILY);
    instances.reconcile(std::slice::from_ref(&family));
    assert_next!(heard, "i-1", What::Started);
    assert_eq!(fifo.line().await, "ready");

    instances.kill(&family.id).expect("it is up");
    assert_next!(heard, "i-1", What::Died);
    assert_eq!(fifo.rest().await, [""; 0]);
    instances.reconcile(std::slice::from_ref(&family));
    instances.reconcile(&[]);
    assert_next!(heard, "i-1", What::Terminated);

    instances.kill(&family.id).expect_err("it is gone");
    instances.reconcile(std::slice::from_ref(&family));
    soon("the end", instances.shut_down()).await;
    assert!(soon("the end", heard.recv()).await.is_none(), "termination is final");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_instance_does_not_outlive_its_guard() {
    // The number of the group is the guard's own.
    let script = r#"#!/bin/sh
exec 3>"$FIFO"
sleep 1000 &
echo ready >&3
read -r _ _ _ _ guard _ </proc/self/stat
kill -s KILL "$guard"
wait
"#;
    let dir = TempDir::new().expect("a directory");
    let mut fifo = Fifo::new(dir.path());
    let (mut instances, mut heard) = Instances::new(settings(dir.path(), NEVER));
    instances.reconcile(&[holding(&fifo, script)]);
    assert_eq!(fifo.line().await, "ready");
    assert_next!(heard, "i-1", What::Started);
    assert_next!(heard, "i-1", What::Died);
    assert_eq!(fifo.rest().await, [""; 0]);
}

fn holding(fifo: &Fifo, script: &str) -> Wanted {
    let environment = BTreeMap::from([("FIFO".to_owned(), fifo.path.to_string_lossy().into_owned())]);
    Wanted { environment, ..wanted("i-1", script) }
}

#[tokio::test]
async fn an_instance_with_nothing_to_run_is_up_all_the_same() {
    let dir = TempDir::new().expect("a directory");
    let (mut instances, mut heard) = Instances::new(settings(dir.path(), NEVER));
    let mut abroad = wanted("i-abroad", "#!/bin/sh\n");
    abroad.address = "192.0.2.1:80".parse().expect("an address");
    for (wanted, id) in [(wanted("i-text", "echo hello"), "i-text"), (wanted("i-empty", ""), "i-empty")] {
        instances.reconcile(&[wanted]);
        assert_next!(heard, id, What::NotStarted(LaunchError::NotAScript));
        instances.reconcile(&[]);
        assert_next!(heard, id, What::Terminated);
    }
    instances.reconcile(&[abroad]);
    assert_next!(heard, "i-abroad", What::NotStarted(LaunchError::NotLoopback(_)));
}

#[test]
fn an_id_that_could_name_another_directory_is_refused() {
    for id in ["", ".", "..", "i/1", "../i-1", "i 1", "i-1\n"] {
        assert!(id.parse::<InstanceId>().is_err(), "{id:?}");
    }
    assert!("i-0123456789abcdef0".parse::<InstanceId>().is_ok());
}
