//! The guard of one instance: a small shell that leads its process group and ends it.
//!
//! The guard reads a pipe, its leash, whose only writing end is in this process. A line on it asks for SIGTERM
//! to the group, its end for SIGKILL. When this process dies, by whatever signal, the kernel closes the pipe
//! and the guard kills its own group, itself included. Since the guard is a living member of that group until
//! that moment, the group's number cannot have come to mean anything else, and there is no instant between
//! starting and guarding an instance.
//!
//! What it does not hold: a process that leaves its group (`setsid`) has left the instance.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::directory::Directory;
use super::wanted::LaunchError;

const SCRIPT: &str = include_str!("guard.sh");

/// A running guard. Dropping it lets go of the leash: the group is killed.
#[derive(Debug)]
pub(super) struct Guard {
    shell: Child,
    leash: ChildStdin,
    exit_codes: Lines<BufReader<ChildStdout>>,
}

/// What a guard tells.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// The user data's own process ended with this code.
    Exited(i32),
    /// The guard itself is dead, and with it, now, the whole group.
    Died,
}

impl Guard {
    /// Starts the guard, which starts the user data.
    pub(super) fn start(
        directory: &Directory,
        environment: &BTreeMap<String, String>,
    ) -> Result<Self, LaunchError> {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", SCRIPT, "dryad-instance"]).arg(directory.path());
        command.env_clear().envs(environment).current_dir(directory.home());
        // Standard error stays ours: what the guard itself complains about is for whoever runs the cloud.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
        let mut shell = command.spawn().map_err(LaunchError::Guard)?;
        let (Some(leash), Some(stdout)) = (shell.stdin.take(), shell.stdout.take()) else {
            unreachable!("both were just asked for")
        };
        Ok(Self { shell, leash, exit_codes: BufReader::new(stdout).lines() })
    }

    /// The next thing that happens. Can be dropped and asked again without loss.
    pub(super) async fn next(&mut self) -> Seen {
        let group = self.shell.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        loop {
            tokio::select! {
                biased;
                Ok(Some(line)) = self.exit_codes.next_line() => {
                    if let Ok(code) = line.parse() {
                        return Seen::Exited(code);
                    }
                }
                _ = self.shell.wait() => {
                    // Somebody killed it, perhaps alone. Its number stays taken while its group has a member
                    // and comes round again only after all others: this reaches the group or nothing.
                    if let Some(group) = group {
                        _ = kill_process_group(group, Signal::KILL);
                    }
                    return Seen::Died;
                }
            }
        }
    }

    /// SIGTERM to all, then SIGKILL to what is left after the grace, or as soon as the user data's own process
    /// has heeded the SIGTERM.
    pub(super) async fn terminate(mut self, grace: Duration) {
        if self.leash.write_all(b"\n").await.is_ok() {
            _ = tokio::time::timeout(grace, self.next()).await;
        }
        self.kill().await;
    }

    /// SIGKILL to all.
    pub(super) async fn kill(self) {
        let Self { mut shell, leash, .. } = self;
        drop(leash);
        _ = shell.wait().await;
    }
}
