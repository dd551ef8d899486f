//! A real git repository with a small web application in it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use thiserror::Error;

/// When everything is committed: commits that are alike in all else then have the same id wherever they are made.
const DATE: &str = "1000000000 +0000";

/// Git said no, or is not there.
#[derive(Debug, Error)]
#[error("git {arguments}: {why}")]
pub struct GitError {
    arguments: String,
    why: String,
}

/// A repository, and the directory it is in.
#[derive(Debug)]
pub struct Repository {
    directory: PathBuf,
}

/// One file of a commit; without text it is removed.
pub type Change<'a> = (&'a str, Option<&'a str>);

impl Repository {
    /// A new one, with an empty branch `main`.
    ///
    /// # Errors
    /// When git is missing or says no.
    pub fn create(directory: &Path) -> Result<Self, GitError> {
        let repository = Self { directory: directory.to_owned() };
        let path = directory.to_string_lossy();
        run(Path::new("."), &["init", "--quiet", "--initial-branch=main", path.as_ref()])?;
        repository.git(&["config", "user.name", "Shop"])?;
        repository.git(&["config", "user.email", "shop@example.com"])?;
        // Instances clone by commit, which a server must allow.
        repository.git(&["config", "uploadpack.allowAnySHA1InWant", "true"])?;
        repository.git(&["config", "uploadpack.allowFilter", "true"])?;
        Ok(repository)
    }

    /// Commits these changes to the branch that is checked out, which is `main`; the new commit's full id.
    ///
    /// # Errors
    /// When git says no, or a file can't be written.
    pub fn commit(&self, message: &str, changes: &[Change<'_>]) -> Result<String, GitError> {
        for (name, text) in changes {
            let path = self.directory.join(name);
            let written = match text {
                Some(text) => std::fs::write(&path, text),
                None => std::fs::remove_file(&path),
            };
            written.map_err(|error| GitError { arguments: (*name).to_owned(), why: error.to_string() })?;
        }
        self.git(&["add", "--all"])?;
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message])?;
        self.git(&["rev-parse", "HEAD"])
    }

    /// Commits these changes to another branch, which begins where `main` is now; `main` stays as it is.
    ///
    /// # Errors
    /// When git says no, or a file can't be written.
    pub fn commit_aside(
        &self,
        branch: &str,
        message: &str,
        changes: &[Change<'_>],
    ) -> Result<String, GitError> {
        self.git(&["checkout", "--quiet", "-b", branch])?;
        let commit = self.commit(message, changes)?;
        self.git(&["checkout", "--quiet", "main"])?;
        Ok(commit)
    }

    /// Brings two commits into the history of `main`, without any of their files, whose ids begin with the same seven
    /// digits; these digits.
    ///
    /// # Errors
    /// When git says no.
    pub fn namesakes(&self) -> Result<&'static str, GitError> {
        let tree = self.git(&["hash-object", "-t", "tree", "-w", "/dev/null"])?;
        // Found by trying.
        for message in ["Namesake 15001", "Namesake 26803"] {
            let commit = self.git(&["commit-tree", "-m", message, &tree])?;
            self.git(&["merge", "--quiet", "--allow-unrelated-histories", "--strategy=ours", &commit])?;
        }
        Ok("f1613cb")
    }

    /// A URL that the git CLI reads.
    pub fn url(&self) -> String {
        format!("file://{}", self.directory.display())
    }

    fn git(&self, arguments: &[&str]) -> Result<String, GitError> {
        run(&self.directory, arguments)
    }
}

fn run(directory: &Path, arguments: &[&str]) -> Result<String, GitError> {
    let failed = |why: String| GitError { arguments: arguments.join(" "), why };
    let output = Command::new("git")
        .args(arguments)
        .current_dir(directory)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_AUTHOR_DATE", DATE)
        .env("GIT_COMMITTER_DATE", DATE)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| failed(format!("{error}; install git")))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    } else {
        Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
    }
}
