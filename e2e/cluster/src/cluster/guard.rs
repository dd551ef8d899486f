//! Processes that cannot outlive this one.
//!
//! `PR_SET_PDEATHSIG` would be the kernel's own way, but it fires when the *thread* that forked ends, exists on Linux
//! only, and needs unsafe code between fork and exec. A pipe has none of these faults: its end reads as closed when
//! its last writer is gone, however it went. So a small shell waits on a pipe that only this process can write to and
//! then kills a whole process group. It works for any binary, ours or a release's.
//!
//! The group's leader is an idle process of its own, so that the group exists before its first member and is never
//! somebody else's. Standard library pipes are closed on exec: no other child keeps the writing end open.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A process group, and perhaps a directory, that end with this value or with this process.
#[derive(Debug)]
pub(crate) struct Guard {
    leader: Child,
    shell: Child,
}

impl Guard {
    /// A guard over an empty group. `directory` is removed, with all in it, after the last process.
    pub(crate) fn new(directory: Option<&Path>) -> io::Result<Self> {
        // Each in a process group of its own: a Ctrl-C on the terminal must not reach them.
        let leader = idle(&mut Command::new("cat")).spawn()?;
        let shell = idle(
            Command::new("sh")
                .args(["-c", include_str!("guard.sh"), "dryad-guard"])
                .arg(leader.id().to_string())
                .arg(directory.unwrap_or(Path::new(""))),
        )
        .spawn()?;
        Ok(Self { leader, shell })
    }

    /// Starts `command` as a member of the group.
    pub(crate) fn spawn(&self, command: &mut Command) -> io::Result<Child> {
        command.process_group(self.leader.id().cast_signed()).spawn()
    }
}

fn idle(command: &mut Command) -> &mut Command {
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0)
}

impl Drop for Guard {
    fn drop(&mut self) {
        // The leader is reaped only after the shell was told to kill: until then the group's number is not free.
        drop(self.shell.stdin.take());
        drop(self.leader.stdin.take());
        for child in [&mut self.leader, &mut self.shell] {
            // Fails only where somebody else has reaped it: it is gone then too.
            let _ = child.wait();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_the_group_and_removes_the_directory() {
        let directory = tempfile::tempdir().unwrap().keep();
        std::fs::write(directory.join("data"), "x").unwrap();
        let guard = Guard::new(Some(&directory)).unwrap();
        let mut member = guard.spawn(Command::new("sleep").arg("600")).unwrap();
        assert!(member.try_wait().unwrap().is_none());

        let waiter = std::thread::spawn(move || member.wait().unwrap());
        drop(guard);

        assert!(!waiter.join().unwrap().success(), "killed, not finished");
        assert!(!directory.exists());
    }

    #[test]
    fn grandchildren_end_with_the_group() {
        let guard = Guard::new(None).unwrap();
        let mut shell = Command::new("sh");
        shell.args(["-c", "sleep 600 & echo $!; wait"]).stdout(Stdio::piped());
        let mut member = guard.spawn(&mut shell).unwrap();
        let mut output = io::BufReader::new(member.stdout.take().unwrap());
        io::BufRead::read_line(&mut output, &mut String::new()).unwrap();

        let waiter = std::thread::spawn(move || member.wait().unwrap());
        drop(guard);

        // The grandchild holds the other end of the pipe: that it reads as closed says both are gone.
        assert_eq!(io::Read::read_to_end(&mut output, &mut Vec::new()).unwrap(), 0);
        waiter.join().unwrap();
    }
}
