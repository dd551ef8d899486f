//! The contract suite: boto3 asks the same cases of the local cloud's wire door and of moto.
//!
//! It makes itself a Python environment under the build's target directory, once. `DRYAD_CONTRACT_AWS=1` asks them of the
//! real account of the environment too (see `contract/run.py` for what that needs).

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use dryad_local_cloud::model::{Settings, Timings};
use dryad_local_cloud::shared::Shared;
use dryad_local_cloud::wire::Door;
use jiff::SignedDuration;

const CONTRACT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/contract");

/// The environment's Python, made when there is none yet for these requirements. None: there is no Python at all.
fn python() -> Option<PathBuf> {
    let found = Command::new("python3").arg("--version").stdout(Stdio::null()).status();
    if !found.is_ok_and(|status| status.success()) {
        return None;
    }
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("contract-venv");
    // Two checkouts may share a target directory: one makes the environment, the other waits for it.
    let lock = File::create(home.with_extension("lock")).expect("a writable target directory");
    lock.lock().expect("a lock on the environment");
    let python = home.join("bin/python");
    let wanted =
        std::fs::read_to_string(Path::new(CONTRACT).join("requirements.txt")).expect("the requirements");
    let done = home.join("made-for.txt");
    if std::fs::read_to_string(&done).is_ok_and(|made_for| made_for == wanted) {
        return Some(python);
    }
    eprintln!("making a Python environment with boto3 and moto in {} (once)", home.display());
    let run = |command: &mut Command| {
        let status = command.status().expect("a program that starts");
        assert!(status.success(), "{command:?} failed: {status}; is the Python package index within reach?");
    };
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&home));
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"];
    run(Command::new(&python).args(pip).arg(Path::new(CONTRACT).join("requirements.txt")));
    std::fs::write(done, wanted).expect("a writable target directory");
    Some(python)
}

fn run(python: &Path, arguments: &[&str]) {
    let output = Command::new(python)
        .arg(Path::new(CONTRACT).join("run.py"))
        .args(arguments)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .expect("a Python that starts");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    print!("{out}");
    assert!(output.status.success(), "the contract is broken:\n{out}\n{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wire_door_and_moto_keep_the_same_contract() {
    let Some(python) = python() else {
        eprintln!("SKIPPED: the contract suite needs python3 (3.10 or later) on PATH, and there is none");
        return;
    };
    // Long enough to be seen between two polls, short enough to wait for.
    let timings = Timings {
        initial: SignedDuration::from_millis(800),
        drain: Some(SignedDuration::from_millis(800)),
        ..Timings::default()
    };
    let shared = Shared::new(7, Settings { timings, ..Settings::default() });
    let door = Door::open(std::sync::Arc::clone(&shared), 0).await.expect("a free port");
    let endpoint = door.endpoint();
    let suite = move || {
        run(&python, &["local", &endpoint]);
        run(&python, &["moto"]);
        if std::env::var_os("DRYAD_CONTRACT_AWS").is_some() {
            run(&python, &["aws"]);
        }
    };
    tokio::task::spawn_blocking(suite).await.expect("a suite that passes");
    let unknown = shared.with(|world, _| world.log().unknown().clone());
    assert!(unknown.is_empty(), "asked, and not in the written list: {unknown:?}");
}
