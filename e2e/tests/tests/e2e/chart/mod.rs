//! The chart, by the real helm on a real API server, and the rights it gives.

mod audit;
mod image;
mod install;
mod permissions;
mod rights;
mod template;

use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A file or folder of this repository.
fn repository(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

/// What a command prints that has to succeed.
fn stdout(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().expect("it can be run");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// What a command complains about that has to fail.
fn complaint(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().expect("it can be run");
    assert!(!output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr).expect("text")
}
