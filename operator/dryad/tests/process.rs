//! The operator as a process: what it answers and how it ends, with an API server that nobody reaches.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::NamedTempFile;

struct Operator {
    child: Child,
    log: BufReader<ChildStderr>,
    address: SocketAddr,
    _kubeconfig: NamedTempFile,
}

/// A kubeconfig whose server accepts nothing: its port was free a moment ago.
fn kubeconfig() -> NamedTempFile {
    let server = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut file = NamedTempFile::new().unwrap();
    write!(
        file,
        "{{apiVersion: v1, kind: Config, current-context: c, users: [{{name: u, user: {{}}}}], \
         clusters: [{{name: k, cluster: {{server: 'https://{server}'}}}}], \
         contexts: [{{name: c, context: {{cluster: k, user: u}}}}]}}"
    )
    .unwrap();
    file
}

fn dryad(kubeconfig: &NamedTempFile) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dryad"));
    command.env("KUBECONFIG", kubeconfig.path()).env("DRYAD_HTTP", "127.0.0.1:0").stderr(Stdio::piped());
    command
}

impl Operator {
    /// Starts one, and waits until it says where it answers.
    fn start() -> Self {
        let kubeconfig = kubeconfig();
        let mut child = dryad(&kubeconfig).args(["--log-format", "json"]).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let line = said(&mut log, "answering");
        let address = line["address"].as_str().unwrap().parse().unwrap();
        Self { child, log, address, _kubeconfig: kubeconfig }
    }

    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: dryad\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn stop(&mut self, signal: Signal) -> ExitStatus {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
        said(&mut self.log, "asked to stop");
        self.child.wait().unwrap()
    }
}

impl Drop for Operator {
    /// A test that fails leaves no process behind.
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            self.child.kill().and_then(|()| self.child.wait()).expect("the operator can be killed");
        }
    }
}

/// Reads the log up to the line whose message begins so.
fn said(log: &mut impl BufRead, message: &str) -> Value {
    for line in log.lines() {
        let line: Value = serde_json::from_str(&line.unwrap()).expect("every line is an object");
        if line["message"].as_str().unwrap().starts_with(message) {
            return line;
        }
    }
    panic!("it ended without saying {message:?}");
}

#[test]
fn without_an_api_server_it_lives_is_not_ready_and_stops_well_when_asked() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut operator = Operator::start();
        assert!(operator.get("/healthz").starts_with("HTTP/1.1 200 "));
        assert!(operator.get("/readyz").starts_with("HTTP/1.1 503 "));
        assert!(operator.get("/metrics").contains("dryad_build_info"));
        assert!(operator.stop(signal).success(), "{signal:?}");
    }
}

#[test]
fn a_configuration_that_cannot_be_used_ends_it_with_file_line_and_key() {
    let mut file = NamedTempFile::new().unwrap();
    write!(file, "accounts:\n  default: {{regoins: [us-east-1]}}\n").unwrap();
    let output = dryad(&kubeconfig()).arg("--config").arg(file.path()).output().unwrap();
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    let said = [file.path().to_str().unwrap(), "line 2", "regoins"];
    assert!(said.iter().all(|word| log.contains(word)), "{log}");
}

#[test]
fn flags_that_make_no_sense_together_end_it_with_the_rule_they_break() {
    let output = dryad(&kubeconfig()).args(["--lease-duration", "3s"]).output().unwrap();
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert!(log.contains("the renew deadline must be at most nine tenths of the lease duration"), "{log}");
    assert!(!log.contains('\u{1b}'), "colours where nobody sees them: {log:?}");
}
