//! The program by itself.

use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use crate::support::soon;

#[tokio::test]
async fn serve_says_how_to_use_it_and_ends_by_ctrl_c() {
    let mut serve = Command::new(env!("CARGO_BIN_EXE_dryad-local-cloud"))
        .arg("serve")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("a program");
    let mut said = BufReader::new(serve.stdout.take().expect("its output")).lines();
    let mut endpoint = None;
    loop {
        let line = soon("a line", said.next_line()).await.expect("a text").expect("a line before the end");
        if let Some(told) = line.strip_prefix("endpoint: ") {
            endpoint = Some(told.to_owned());
        }
        if line.starts_with("Ctrl-C") {
            break;
        }
    }
    let endpoint = endpoint.expect("an endpoint");
    let address = endpoint.strip_prefix("http://").expect("a URL");
    soon("a connection", tokio::net::TcpStream::connect(address)).await.expect("an open door");

    let pid = serve.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw).expect("a process");
    kill_process(pid, Signal::INT).expect("a living process");
    assert!(soon("the end", serve.wait()).await.expect("an end").success());
}
