//! What an administrator does for the worst case: keeping a copy of what etcd has stored, and going back to it.
//!
//! The cluster stands still meanwhile, as where a copy is taken of etcd's directory. Everything goes back to what it
//! was then: objects, uids, resource versions. Who watched meanwhile has seen a future that did not come to pass.

use std::fs;
use std::io;
use std::path::Path;

use tempfile::TempDir;

use super::{Cluster, ClusterError};

/// What etcd had stored when it was taken. Dropping it removes it.
#[derive(Debug)]
pub struct Snapshot {
    copy: TempDir,
}

impl Cluster {
    /// Takes a snapshot of everything that is stored.
    ///
    /// # Errors
    /// The files can't be copied, or the cluster does not come back.
    pub async fn snapshot(&mut self) -> Result<Snapshot, ClusterError> {
        self.stop_components().await?;
        let copy = tempfile::Builder::new().prefix("dryad-snapshot-").tempdir()?;
        copy_into(&self.files.etcd_data(), copy.path())?;
        self.start_components().await?;
        Ok(Snapshot { copy })
    }

    /// Goes back to what was stored then.
    ///
    /// # Errors
    /// The files can't be copied, or the cluster does not come back.
    pub async fn restore(&mut self, snapshot: &Snapshot) -> Result<(), ClusterError> {
        self.stop_components().await?;
        let data = self.files.etcd_data();
        fs::remove_dir_all(&data)?;
        copy_into(snapshot.copy.path(), &data)?;
        self.start_components().await
    }
}

/// Copies what is in a directory into another one, which is made where it is not there. etcd's holds plain files and
/// directories only, and wants them for itself.
fn copy_into(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    fs::set_permissions(to, fs::metadata(from)?.permissions())?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_into(&entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), &to)?;
        }
    }
    Ok(())
}
