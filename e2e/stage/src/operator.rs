//! An operator as a process of its own, which can be killed, stopped and started again.
//!
//! One that has lost its lease ends, as it must, and is started again, as a kubelet does: on a machine that is busy enough
//! the API server answers nobody for longer than a lease. What ends in any other way stays as it is, for the test to see.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

pub use rustix::process::Signal;
use rustix::process::{Pid, kill_process};

use crate::parts;

/// The secret of the access key that operators sign with. The local cloud takes any; nobody may show it.
pub const AWS_SECRET: &str = "canary-secret-of-the-access-key";
/// The name of the Lease that a stage's operators stand for.
pub const LEASE_NAME: &str = "dryad";
/// How long a lease holds on a stage, where production has 15 s: whatever is long or short against a lease there is so
/// here too, in less time.
pub const LEASE: Duration = Duration::from_secs(6);

/// What an operator says last that has lost its lease.
pub const GIVES_UP: &str = "must not act any more";
/// How often is looked whether an operator has ended.
const PAUSE: Duration = Duration::from_millis(50);

/// A running operator. Dropping it kills it.
#[derive(Debug)]
pub struct Operator {
    process: Arc<Mutex<Process>>,
    log: PathBuf,
}

#[derive(Debug)]
struct Process {
    child: Child,
    /// Held for as long as the operator is to live: it ends when this does, should we die without a word.
    _lifeline: Option<ChildStdin>,
    care: Care,
}

/// What becomes of an operator that has given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Care {
    /// It is started again.
    Kept,
    /// Nothing.
    LeftAlone,
}

/// What an operator is told.
#[derive(Clone, Debug)]
pub struct Wiring {
    /// The executable that plays the parts.
    pub executable: PathBuf,
    /// Who it is to the API server.
    pub kubeconfig: PathBuf,
    /// The namespace it reconciles, and in which its Lease is.
    pub namespace: String,
    /// The local cloud.
    pub endpoint: String,
    /// Its configuration.
    pub config: PathBuf,
    /// Where its git cache and its log are.
    pub directory: PathBuf,
}

impl Operator {
    /// Starts one, with more flags than every operator of a stage has. Replicas of one namespace stand for the same
    /// Lease.
    ///
    /// # Errors
    /// When the process can't be started.
    pub fn start(wiring: &Wiring, replica: &str, flags: &[&str]) -> io::Result<Self> {
        let log = wiring.directory.join(format!("operator-{replica}.log"));
        let mut command = wiring.command(replica, flags);
        let process = Arc::new(Mutex::new(Process::spawn(&mut command, &log)?));
        let (weak, output) = (Arc::downgrade(&process), log.clone());
        thread::spawn(move || {
            // Held for no longer than a look: dropping the operator is to end it at once.
            while let Some(process) = weak.upgrade() {
                keep(&process, &mut command, &output);
                drop(process);
                thread::sleep(PAUSE);
            }
        });
        Ok(Self { process, log })
    }

    /// Does not start it again when it gives up.
    #[must_use]
    pub fn left_alone(self) -> Self {
        locked(&self.process).care = Care::LeftAlone;
        self
    }

    /// Ends it on the spot, as a power cut would.
    ///
    /// # Errors
    /// When it has ended already.
    pub fn kill(self) -> io::Result<()> {
        let operator = self.left_alone();
        let mut process = locked(&operator.process);
        process.child.kill()?;
        process.child.wait().map(|_| ())
    }

    /// Asks it to stop, and waits until it has.
    ///
    /// # Errors
    /// When it has ended already.
    pub fn stop(self) -> io::Result<ExitStatus> {
        let operator = self.left_alone();
        operator.signal(Signal::TERM)?;
        operator.wait()
    }

    /// Whether it has not ended.
    pub fn is_running(&self) -> bool {
        matches!(locked(&self.process).child.try_wait(), Ok(None))
    }

    /// Waits until it ends by itself.
    ///
    /// # Errors
    /// When the system can't say.
    pub fn wait(self) -> io::Result<ExitStatus> {
        let operator = self.left_alone();
        locked(&operator.process).child.wait()
    }

    /// Sends it a signal, such as the one that freezes it.
    ///
    /// # Errors
    /// When it has ended already.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        Ok(kill_process(Pid::from_child(&locked(&self.process).child), signal)?)
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// What it has counted since it was started the last time, as Prometheus would see it.
    ///
    /// # Panics
    /// When it does not answer.
    pub fn metrics(&self) -> String {
        let log = self.log();
        let line = log.lines().rfind(|line| line.contains("answering /metrics")).expect("it says where");
        let port = line.rsplit("127.0.0.1:").next().expect("a port");
        let port: String = port.chars().take_while(char::is_ascii_digit).collect();
        let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).expect("it answers");
        stream
            .write_all(b"GET /metrics HTTP/1.1\r\nHost: dryad\r\nConnection: close\r\n\r\n")
            .expect("it listens");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("text");
        answer
    }

    /// Waits until it has logged these words; all that it has logged.
    ///
    /// # Panics
    /// When it does not in time.
    pub async fn until_logged(&self, words: &str) -> String {
        const PATIENCE: Duration = Duration::from_secs(90);
        let began = Instant::now();
        loop {
            let log = self.log();
            if log.contains(words) {
                return log;
            }
            assert!(began.elapsed() < PATIENCE, "{words:?} is not logged after {PATIENCE:?}:\n{log}");
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        locked(&self.process).child.id()
    }

    /// Where it logs.
    pub fn log_path(&self) -> &Path {
        &self.log
    }
}

impl Wiring {
    fn command(&self, replica: &str, flags: &[&str]) -> Command {
        let mut command = Command::new(&self.executable);
        command
            .env(parts::PART, parts::OPERATOR)
            .env("KUBECONFIG", &self.kubeconfig)
            // Each replica is a user of its own to the cloud, whose log then tells who did what.
            .env("AWS_ACCESS_KEY_ID", format!("123456789012.{replica}"))
            .env("AWS_SECRET_ACCESS_KEY", AWS_SECRET)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            // Not as flags: those may be given once, and these are for tests to change.
            .env("DRYAD_UNCERTAINTY", "3s")
            .env("DRYAD_LOG_FILTER", "info,dryad=trace")
            .env("DRYAD_INSTALLATION", &self.namespace)
            .args(["--aws-endpoint", &self.endpoint])
            .args(["--namespace", &self.namespace])
            .args(["--lease-namespace", &self.namespace])
            .args(["--lease-name", LEASE_NAME, "--lease-duration", &format!("{}s", LEASE.as_secs())])
            .args(["--lease-renew-deadline", "5s", "--lease-retry-period", "500ms"])
            .args(["--pod", replica])
            .arg("--allow-file-repositories")
            .arg("--git-cache")
            .arg(self.directory.join("git"))
            .arg("--config")
            .arg(&self.config)
            .args(["--http", "127.0.0.1:0"])
            .args(flags)
            .stdin(Stdio::piped());
        command
    }
}

impl Process {
    fn spawn(command: &mut Command, log: &Path) -> io::Result<Self> {
        let output = File::options().create(true).append(true).open(log)?;
        let mut child = command.stdout(output.try_clone()?).stderr(output).spawn()?;
        Ok(Self { _lifeline: child.stdin.take(), child, care: Care::Kept })
    }

    /// Whether it has ended because it lost its lease, and nobody is there to see that.
    fn has_given_up(&mut self, log: &Path) -> bool {
        let ended = self.care == Care::Kept && matches!(self.child.try_wait(), Ok(Some(_)));
        ended && {
            let log = std::fs::read_to_string(log).unwrap_or_default();
            log.lines().rev().take(3).any(|line| line.contains(GIVES_UP))
        }
    }
}

/// Starts an operator again that has given up.
fn keep(process: &Mutex<Process>, command: &mut Command, log: &Path) {
    let mut process = locked(process);
    if process.has_given_up(log)
        && let Ok(next) = Process::spawn(command, log)
    {
        *process = next;
    }
}

fn locked(process: &Mutex<Process>) -> MutexGuard<'_, Process> {
    process.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
