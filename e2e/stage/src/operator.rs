//! An operator as a process of its own, which can be killed, stopped and started again.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
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

/// A running operator. Dropping it kills it.
#[derive(Debug)]
pub struct Operator {
    child: Child,
    /// Held for as long as the operator is to live: it ends when this does, should we die without a word.
    _lifeline: Option<ChildStdin>,
    log: PathBuf,
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
        let output = File::options().create(true).append(true).open(&log)?;
        let mut child = Command::new(&wiring.executable)
            .env(parts::PART, parts::OPERATOR)
            .env("KUBECONFIG", &wiring.kubeconfig)
            // Each replica is a user of its own to the cloud, whose log then tells who did what.
            .env("AWS_ACCESS_KEY_ID", format!("123456789012.{replica}"))
            .env("AWS_SECRET_ACCESS_KEY", AWS_SECRET)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            // Not as flags: those may be given once, and these are for tests to change.
            .env("DRYAD_UNCERTAINTY", "3s")
            .env("DRYAD_LOG_FILTER", "info,dryad=trace")
            .env("DRYAD_INSTALLATION", &wiring.namespace)
            .args(["--aws-endpoint", &wiring.endpoint])
            .args(["--namespace", &wiring.namespace])
            .args(["--lease-namespace", &wiring.namespace])
            .args(["--lease-name", LEASE_NAME, "--lease-duration", &format!("{}s", LEASE.as_secs())])
            .args(["--lease-renew-deadline", "5s", "--lease-retry-period", "500ms"])
            .args(["--pod", replica])
            .arg("--allow-file-repositories")
            .arg("--git-cache")
            .arg(wiring.directory.join("git"))
            .arg("--config")
            .arg(&wiring.config)
            .args(["--http", "127.0.0.1:0"])
            .args(flags)
            .stdin(Stdio::piped())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()?;
        Ok(Self { _lifeline: child.stdin.take(), child, log })
    }

    /// Ends it on the spot, as a power cut would.
    ///
    /// # Errors
    /// When it has ended already.
    pub fn kill(mut self) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait().map(|_| ())
    }

    /// Asks it to stop, and waits until it has.
    ///
    /// # Errors
    /// When it has ended already.
    pub fn stop(mut self) -> io::Result<ExitStatus> {
        self.signal(Signal::TERM)?;
        self.child.wait()
    }

    /// Whether it has not ended.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits until it ends by itself.
    ///
    /// # Errors
    /// When the system can't say.
    pub fn wait(mut self) -> io::Result<ExitStatus> {
        self.child.wait()
    }

    /// Sends it a signal, such as the one that freezes it.
    ///
    /// # Errors
    /// When it has ended already.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        Ok(kill_process(Pid::from_child(&self.child), signal)?)
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits until it has logged these words; all that it has logged.
    ///
    /// # Panics
    /// When it does not in time.
    pub async fn until_logged(&self, words: &str) -> String {
        const PATIENCE: Duration = Duration::from_secs(90);
        const PAUSE: Duration = Duration::from_millis(50);
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
        self.child.id()
    }

    /// Where it logs.
    pub fn log_path(&self) -> &Path {
        &self.log
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
