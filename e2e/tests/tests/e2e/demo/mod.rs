//! The demo as a newcomer starts it, from end to end.

mod samples;

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

#[test]
fn it_keeps_what_it_promises() {
    let output = demo().output().expect("it starts");
    let story = String::from_utf8(output.stdout).expect("text");
    println!("{story}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}", output.status);

    let report = story.lines().find_map(|line| line.strip_prefix(" ✓ ")?.strip_suffix(" requests, 0 failed"));
    let requests: u32 = report.expect("a report without failures").parse().expect("a number");
    assert!(requests > 0);
    for number in [1, 2, 4, 5, 6] {
        let row = format!("   shop {number} ");
        assert!(story.lines().any(|line| line.starts_with(&row) && line.contains('█')), "users met {row}");
    }
    for end in ["1  Done", "2  Done", "3  Failed", "4  Aborted", "5  Done", "6  Aborted"] {
        assert!(story.contains(&format!("web-production-{end}")), "a Deployment ends: {end}");
    }
    assert!(story.contains("0 groups, 0 launch templates, 0 instances, 0 processes"));
    assert!(story.ends_with(" ✓ nothing left behind\n"));
    assert!(!story.contains('\x1b'), "no colours where nobody sees them");
}

#[test]
fn ctrl_c_ends_everything_that_it_started() {
    let mut child = demo().stdout(Stdio::piped()).spawn().expect("it starts");
    let mut lines =
        BufReader::new(child.stdout.take().expect("its story")).lines().map(|line| line.expect("text"));
    let mut find = |what: &str| {
        lines.by_ref().find_map(|line| Some(line.split_once(what)?.1.to_owned())).expect("it gets that far")
    };
    let repository = find("file://");
    let kubeconfig = find("KUBECONFIG=");
    let kubeconfig = kubeconfig.split_whitespace().next().expect("a path").to_owned();
    find("EvaluateWait 1");
    assert!(Path::new(&repository).exists() && Path::new(&kubeconfig).exists());

    kill_process(Pid::from_child(&child), Signal::INT).expect("it runs");
    find("not to its end");
    let status = child.wait().expect("it ends");
    assert_eq!(status.code(), Some(1));
    // The cluster's guard removes its directory when it has ended the last process.
    let deadline = Instant::now() + Duration::from_secs(30);
    while Path::new(&kubeconfig).exists() {
        assert!(Instant::now() < deadline, "{kubeconfig} is left");
        std::thread::sleep(Duration::from_millis(20));
    }
    let stage = Path::new(&repository).parent().expect("a directory");
    assert!(!stage.exists(), "{} is left", stage.display());
}

fn demo() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_parts"));
    command.stdin(Stdio::null());
    command
}
