//! An instance's directory: its user data, its output, and a home to work in.

use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::wanted::{InstanceId, LaunchError};

/// What becomes of the directory of a terminated instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Directories {
    /// It goes with the instance.
    Remove,
    /// It stays, to be read.
    Keep,
}

/// `<run dir>/<instance id>`: `user-data`, `stdout`, `stderr`, and `home`, where the script starts.
#[derive(Debug)]
pub(super) struct Directory(PathBuf);

impl Directory {
    pub(super) fn of(id: &InstanceId, run_dir: &Path) -> Self {
        Self(run_dir.join(id.to_string()))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn home(&self) -> PathBuf {
        self.0.join("home")
    }

    /// Makes it and puts the user data in. Nobody else may read it: user data holds secrets.
    pub(super) fn prepare(&self, user_data: &[u8]) -> Result<(), LaunchError> {
        let home = self.home();
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&home);
        made.map_err(|source| LaunchError::Directory { path: home, source })?;
        let script = self.0.join("user-data");
        let written = fs::write(&script, user_data)
            .and_then(|()| fs::set_permissions(&script, fs::Permissions::from_mode(0o700)));
        written.map_err(|source| LaunchError::Directory { path: script, source })
    }

    /// Removes it. A killed process may still finish the system call it was in, and leave one more file in
    /// a directory that was empty a moment ago: hence more than one attempt, for a second at most.
    pub(super) async fn remove(&self) -> io::Result<()> {
        let mut attempts = 0;
        loop {
            match fs::remove_dir_all(&self.0) {
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
                Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty && attempts < 100 => attempts += 1,
                done => return done,
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
