//! What an instance is made of, and why one could not be started.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

/// The id of an instance. It names a directory, so it is made of ASCII letters, digits and hyphens only.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceId(String);

/// A text that cannot be an [`InstanceId`].
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is no instance id: use letters, digits and hyphens, as in i-0123456789abcdef0")]
pub struct BadInstanceId(String);

impl FromStr for InstanceId {
    type Err = BadInstanceId;

    fn from_str(text: &str) -> Result<Self, BadInstanceId> {
        let fits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if fits { Ok(Self(text.to_owned())) } else { Err(BadInstanceId(text.to_owned())) }
    }
}

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One instance as it should run.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Its id, never used for another instance.
    pub id: InstanceId,
    /// Its user data, decoded: a script that begins with `#!`, run once, at launch.
    pub user_data: Vec<u8>,
    /// The loopback address that is the instance's own; the script sees it as `PRIVATE_IP` and `PORT`.
    pub address: SocketAddr,
    /// What else the script finds in its environment. `PATH` apart, nothing of this process's own is there.
    pub environment: BTreeMap<String, String>,
}

/// Why an instance's user data will never run.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// cloud-init would not have run it either.
    #[error("the user data does not begin with #!, so nothing is run: make it a script")]
    NotAScript,
    /// Everything here stays on this machine.
    #[error("{0} is not a loopback address: instances have no other")]
    NotLoopback(SocketAddr),
    /// The instance's directory could not be made.
    #[error("cannot prepare {path}: {source}", path = path.display())]
    Directory {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The process that guards the instance could not be started.
    #[error("cannot start /bin/sh: {0}")]
    Guard(io::Error),
}
