//! A real repository to ask, made in a temporary directory.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

pub(super) struct Upstream {
    dir: TempDir,
}

impl Upstream {
    /// A bare repository without a commit.
    pub(super) fn empty(format: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let upstream = Self { dir };
        let arguments = ["init", "--quiet", "--bare", "--initial-branch=main", "--object-format", format];
        upstream.git(&arguments);
        upstream.git(&["config", "uploadpack.allowFilter", "true"]);
        upstream
    }

    /// One with `commits` on `main`, returned from the oldest on.
    pub(super) fn with_commits(commits: u32) -> (Self, Vec<String>) {
        let upstream = Self::empty("sha1");
        let made = (1..=commits).map(|n| upstream.commit("main", &format!("Change {n}"))).collect();
        (upstream, made)
    }

    /// One with very many, made in one go; the same ones every time.
    pub(super) fn with_many_commits(commits: u32) -> (Self, Vec<String>) {
        let upstream = Self::empty("sha1");
        let mut import = Command::new("git")
            .args(["fast-import", "--quiet"])
            .current_dir(upstream.path())
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stream = std::io::BufWriter::new(import.stdin.take().unwrap());
        for n in 0..commits {
            let message = format!("Change {n}");
            writeln!(stream, "commit refs/heads/main\ncommitter C <c@example.com> 1700000000 +0000").unwrap();
            writeln!(stream, "data {}\n{message}", message.len()).unwrap();
        }
        drop(stream);
        assert!(import.wait().unwrap().success());
        let made = upstream.git(&["rev-list", "--reverse", "main"]).lines().map(str::to_owned).collect();
        (upstream, made)
    }

    /// Puts a commit on top of `branch`, which begins here if it is not there yet.
    pub(super) fn commit(&self, branch: &str, message: &str) -> String {
        let reference = format!("refs/heads/{branch}");
        let parent = self.try_git(&["rev-parse", "--verify", "--quiet", &reference]);
        self.commit_onto(branch, parent.as_deref(), message)
    }

    /// Makes `branch` point to a new commit on top of `parent`, whatever it pointed to.
    pub(super) fn commit_onto(&self, branch: &str, parent: Option<&str>, message: &str) -> String {
        let tree = self.git(&["mktree"]);
        let mut arguments = vec!["commit-tree", &tree, "-m", message];
        if let Some(parent) = parent {
            arguments.extend(["-p", parent]);
        }
        let commit = self.git(&arguments);
        self.git(&["update-ref", &format!("refs/heads/{branch}"), &commit]);
        commit
    }

    pub(super) fn git(&self, arguments: &[&str]) -> String {
        self.try_git(arguments).unwrap_or_else(|| panic!("git {arguments:?} failed"))
    }

    fn try_git(&self, arguments: &[&str]) -> Option<String> {
        let output = Command::new("git")
            .args(arguments)
            .current_dir(self.path())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .envs([("GIT_AUTHOR_NAME", "A"), ("GIT_AUTHOR_EMAIL", "a@example.com")])
            .envs([("GIT_COMMITTER_NAME", "C"), ("GIT_COMMITTER_EMAIL", "c@example.com")])
            .envs([("GIT_AUTHOR_DATE", "1700000000 +0200"), ("GIT_COMMITTER_DATE", "1700000060 +0200")])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap().trim().to_owned())
    }

    pub(super) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(super) fn url(&self) -> String {
        format!("file://{}", self.path().display())
    }
}

/// A git that writes down what it is asked, one line a command, and then is git.
pub(super) struct Recorder {
    dir: TempDir,
}

impl Recorder {
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        let script = format!("#!/bin/sh\necho \"$*\" >>{}\nexec git \"$@\"\n", log.display());
        // Written by another process: a file that this one has open for writing, another thread's child would hold
        // open too, and what is open for writing cannot be run.
        let written = Command::new("sh")
            .args(["-c", "printf %s \"$1\" >git && chmod +x git", "sh", &script])
            .current_dir(dir.path())
            .status();
        assert!(written.unwrap().success());
        Self { dir }
    }

    pub(super) fn program(&self) -> PathBuf {
        self.dir.path().join("git")
    }

    /// The commands so far that had `word` among their arguments.
    pub(super) fn runs_of(&self, word: &str) -> usize {
        let log = std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default();
        log.lines().filter(|line| line.split(' ').any(|argument| argument == word)).count()
    }
}
