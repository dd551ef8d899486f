//! One run of git: its surroundings, its bounds, its end.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Child;

use super::{BasicAuth, GitOptions};

/// How much of what git prints is kept, in bytes. A listing of a branch and its namesakes is far smaller, and a
/// commit's subject is cut anyway.
const KEPT: u64 = 256 * 1024;

/// What of the operator's own environment git needs: where programs are, and how to reach the world.
pub(super) const INHERITED: &[&str] = &[
    "PATH",
    "TMPDIR",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "https_proxy",
    "HTTPS_PROXY",
    "no_proxy",
    "NO_PROXY",
];

/// No key, agent or configuration of the operator's own: an Environment must not read with them what its owner
/// could not.
const SSH: &str = "ssh -F none -oBatchMode=yes -oIdentityAgent=none -oIdentityFile=none -oIdentitiesOnly=yes \
                   -oStrictHostKeyChecking=yes";

/// Git could not be run at all.
#[derive(Debug, thiserror::Error)]
#[error("`{}` could not be run: {cause}", program.display())]
pub(super) struct Failure {
    program: PathBuf,
    cause: io::Error,
}

/// What a run left behind.
pub(super) struct Output {
    /// The exit code; none if a signal ended it.
    pub(super) code: Option<i32>,
    /// What it printed, cut.
    pub(super) stdout: String,
    /// What it complained about, cut.
    pub(super) stderr: String,
}

impl Output {
    pub(super) fn success(&self) -> bool {
        self.code == Some(0)
    }
}

/// A git command being put together.
pub(super) struct Command {
    program: PathBuf,
    inner: std::process::Command,
}

impl Command {
    /// One that may speak to repositories.
    pub(super) fn remote(options: &GitOptions, credentials: Option<&BasicAuth>) -> Self {
        let mut command = Self::new(options, options.protocols.as_git_writes());
        // Git must not follow a redirect: the credentials would follow too.
        command = command.config("http.followRedirects", "false");
        // Should this process be killed, git is to give up by itself.
        let patience = options.timeout.as_secs().max(1).to_string();
        command = command.config("http.lowSpeedLimit", "1").config("http.lowSpeedTime", &patience);
        if let Some(file) = &options.certificates {
            command.inner.env("GIT_SSL_CAINFO", file);
        }
        if let Some(credentials) = credentials {
            let (helper, answers) = credentials.helper();
            command = command.config("credential.helper", helper);
            command.inner.envs(answers);
        }
        command
    }

    /// One that may not.
    pub(super) fn offline(options: &GitOptions) -> Self {
        Self::new(options, "")
    }

    fn new(options: &GitOptions, protocols: &str) -> Self {
        let mut inner = std::process::Command::new(&options.program);
        inner
            .env_clear()
            .envs(INHERITED.iter().filter_map(|name| Some((*name, std::env::var_os(name)?))))
            .env("LC_ALL", "C")
            .env("GIT_ALLOW_PROTOCOL", protocols)
            // An object that is missing stays so. Else git fetches it in passing, each time that a tree is looked
            // at, and from a shallow repository without end: every such fetch misses the same parent and begins
            // one more.
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_ATTR_NOSYSTEM", "1")
            .env("GIT_SSH_COMMAND", SSH)
            // The cache may lie inside a checkout, whose configuration is none of ours.
            .env("GIT_CEILING_DIRECTORIES", options.cache.parent().unwrap_or(Path::new("/")))
            .current_dir(&options.cache)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        Self { program: options.program.clone(), inner }.config("core.hooksPath", "/dev/null")
    }

    fn config(self, key: &str, value: &str) -> Self {
        self.args(["-c", &format!("{key}={value}")])
    }

    /// Works on this copy.
    pub(super) fn git_dir(self, dir: &Path) -> Self {
        let mut argument = OsString::from("--git-dir=");
        argument.push(dir);
        self.args([argument])
    }

    pub(super) fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.inner.args(args);
        self
    }

    /// Runs it to its end. Dropping the future kills it and every process it started.
    pub(super) async fn run(self) -> Result<Output, Failure> {
        let Self { program, inner } = self;
        let failed = |cause| Failure { program: program.clone(), cause };
        let mut child = tokio::process::Command::from(inner).kill_on_drop(true).spawn().map_err(failed)?;
        let group = Group::of(&child);
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let (stdout, stderr, status) =
            tokio::try_join!(kept(stdout), kept(stderr), child.wait()).map_err(failed)?;
        group.ended();
        Ok(Output { code: status.code(), stdout, stderr })
    }
}

/// Reads to the end, so that the writer never blocks, and keeps the beginning.
async fn kept(stream: Option<impl AsyncRead + Unpin>) -> io::Result<String> {
    let Some(mut stream) = stream else { return Ok(String::new()) };
    let mut bytes = Vec::new();
    (&mut stream).take(KEPT).read_to_end(&mut bytes).await?;
    tokio::io::copy(&mut stream, &mut tokio::io::sink()).await?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The process group of a run: git leaves its transport to helpers, which outlive a git that is killed alone.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        Self(child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)))
    }

    /// Git has been waited for: its number may already be somebody else's.
    fn ended(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // It may have ended by itself: there is nobody to tell.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}
