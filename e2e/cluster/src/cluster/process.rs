//! One component as a process: its log, its end, its pauses.
//!
//! Not tokio's child: that one belongs to the runtime it was started on, and a cluster shared by the tests of a binary
//! lives on after the runtime of the test that happened to start it.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{Instant, sleep};

use super::guard::Guard;

/// How often the state of a process, or of what it serves, is looked at.
pub(crate) const POLL: Duration = Duration::from_millis(20);

/// What Go's garbage collector is told, in all components: to begin at five times of what is in use instead of twice, as
/// long as that is not too much. A fourth of the API server's time would go into it otherwise.
const COLLECTOR: [(&str, &str); 2] = [("GOGC", "400"), ("GOMEMLIMIT", "1GiB")];

/// A running component. Dropped, it is killed.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `command` under `guard`; what it prints is appended to the file `log`.
    pub(crate) fn start(guard: &Guard, mut command: Command, log: PathBuf) -> io::Result<Self> {
        let output = File::options().create(true).append(true).open(&log)?;
        command.envs(COLLECTOR).stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        Ok(Self { child: guard.spawn(&mut command)?, log })
    }

    /// Its exit status, once it has ended.
    pub(crate) fn exited(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// The last lines of what it printed.
    pub(crate) fn last_words(&self) -> String {
        const LINES: usize = 15;
        let log = std::fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&log);
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(LINES)..].join("\n")
    }

    /// Asks it to end and waits; after `grace` it is killed.
    pub(crate) async fn stop(mut self, grace: Duration) -> io::Result<()> {
        let deadline = Instant::now() + grace;
        self.signal(Signal::TERM)?;
        self.signal(Signal::CONT)?; // A paused process would never see the request.
        while self.exited()?.is_none() && Instant::now() < deadline {
            sleep(POLL).await;
        }
        Ok(()) // Dropping it kills what is left and reaps it.
    }

    /// Freezes it: it keeps its sockets, and answers nobody.
    pub(crate) fn pause(&mut self) -> io::Result<()> {
        self.signal(Signal::STOP)
    }

    /// Lets a frozen one go on.
    pub(crate) fn resume(&mut self) -> io::Result<()> {
        self.signal(Signal::CONT)
    }

    fn signal(&mut self, signal: Signal) -> io::Result<()> {
        // Once reaped, its number may be another's.
        if self.exited()?.is_none() {
            kill_process(Pid::from_child(&self.child), signal)?;
        }
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only where it has already ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
