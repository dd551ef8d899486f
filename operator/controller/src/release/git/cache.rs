//! Where history is kept between questions: a bare repository per URL, each with a lock of its own.
//!
//! Everything here can be lost at any time, and a copy that looks wrong is thrown away. A copy appears under its
//! name only when it is whole. The locks are the file system's, so that two operators may share the directory
//! and a killed one holds nothing up.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use dryad_machine::release::{Branch, Commit, RepositoryUrl};
use sha2::{Digest, Sha256};

use super::GitOptions;
use super::command::{Command, Failure};

/// The cache cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum CacheError {
    /// The file system refused.
    #[error("its cache {} cannot be used: {cause}", at.display())]
    Disk {
        /// Where.
        at: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// Git could not be run.
    #[error(transparent)]
    Git(#[from] Failure),
    /// Git would not make a repository.
    #[error("it could not make a copy in {}: {detail}", at.display())]
    Init {
        /// Where.
        at: PathBuf,
        /// What it said.
        detail: String,
    },
}

/// The directory of all copies.
#[derive(Debug, Clone)]
pub(super) struct Cache {
    root: PathBuf,
    bytes: u64,
}

/// One copy, ours alone until it is dropped.
pub(super) struct Entry {
    path: PathBuf,
    _lock: File,
}

impl Cache {
    pub(super) fn new(root: PathBuf, bytes: u64) -> Self {
        Self { root, bytes }
    }

    /// The directory, made if it is not there; git runs in it.
    pub(super) fn ready(&self) -> Result<(), CacheError> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.root).map_err(at(&self.root))
    }

    /// The copy of `repository`, empty if there was none, once nobody else works on it. `tip` tells which kind of
    /// digests the repository speaks.
    pub(super) async fn open(
        &self,
        options: &GitOptions,
        repository: &RepositoryUrl,
        tip: &Commit,
    ) -> Result<Entry, CacheError> {
        let format = if tip.as_str().len() == 64 { "sha256" } else { "sha1" };
        let path = self.root.join(format!("{}.git", name_for(&format!("{format} {repository}"))));
        let lock = lock(lock_of(&path)).await?;
        let entry = Entry { path, _lock: lock };
        if !entry.path.is_dir() {
            entry.make(options, repository, format).await?;
        }
        Ok(entry)
    }

    /// Throws away the copies that were not used for longest, until the rest is small enough. A copy in use
    /// stays.
    pub(super) async fn prune(&self) {
        let cache = self.clone();
        let pruned = tokio::task::spawn_blocking(move || cache.prune_now()).await;
        if let Ok(Err(error)) = pruned {
            tracing::warn!(%error, "the git cache could not be pruned");
        }
    }

    fn prune_now(&self) -> Result<(), CacheError> {
        let mut copies = Vec::new();
        for entry in fs::read_dir(&self.root).map_err(at(&self.root))?.flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|extension| extension == "git") {
                copies.push((last_used(&path), size(&path), path));
            }
        }
        copies.sort();
        let mut total: u64 = copies.iter().map(|(_, size, _)| size).sum();
        for (_, size, path) in copies {
            if total <= self.bytes {
                break;
            }
            let lock = lock_file(&lock_of(&path)).map_err(at(&path))?;
            if lock.try_lock().is_ok() {
                fs::remove_dir_all(&path).map_err(at(&path))?;
                total -= size;
            }
        }
        Ok(())
    }
}

impl Entry {
    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The reference under which a branch's tip is kept: not by its own name, because a branch `a` that gave way
    /// to `a/b` would stand in its way.
    pub(super) fn reference_to(branch: &Branch) -> String {
        format!("refs/tips/{}", name_for(branch.as_str()))
    }

    /// Throws the copy away.
    pub(super) async fn discard(self) -> Result<(), CacheError> {
        let path = self.path.clone();
        let removed = tokio::task::spawn_blocking(move || fs::remove_dir_all(path)).await;
        removed.map_err(io::Error::other).flatten().map_err(at(&self.path))
    }

    async fn make(
        &self,
        options: &GitOptions,
        repository: &RepositoryUrl,
        format: &str,
    ) -> Result<(), CacheError> {
        let unfinished = self.path.with_extension("new");
        match fs::remove_dir_all(&unfinished) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(at(&unfinished)(error)),
            _ => {}
        }
        let output = Command::offline(options)
            .args(["init", "--quiet", "--bare", "--template=", &format!("--object-format={format}"), "--"])
            .args([&unfinished])
            .run()
            .await?;
        if !output.success() {
            return Err(CacheError::Init { at: unfinished, detail: output.stderr });
        }
        let config = unfinished.join("config");
        let mut written = fs::read_to_string(&config).map_err(at(&config))?;
        written = written.replace("repositoryformatversion = 0", "repositoryformatversion = 1");
        // Without a promised remote git refuses to fetch commits alone. A URL has no character that needs quoting.
        written.push_str("[extensions]\n\tpartialClone = origin\n[remote \"origin\"]\n\tpromisor = true\n");
        written.push_str("\turl = ");
        written.push_str(repository.as_str());
        written.push('\n');
        fs::write(&config, written).map_err(at(&config))?;
        fs::rename(&unfinished, &self.path).map_err(at(&self.path))
    }
}

/// A file's name for any text: 32 hexadecimal digits.
fn name_for(text: &str) -> String {
    Sha256::digest(text).iter().take(16).fold(String::new(), |name, byte| format!("{name}{byte:02x}"))
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> CacheError + use<> {
    let at = path.to_owned();
    |cause| CacheError::Disk { at, cause }
}

fn lock_of(copy: &Path) -> PathBuf {
    copy.with_extension("lock")
}

/// Lock files stay when their copy goes: one that is removed while another waits for it guards nothing.
fn lock_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).truncate(false).write(true).open(path)
}

async fn lock(path: PathBuf) -> Result<File, CacheError> {
    let failed = at(&path);
    let taken = tokio::task::spawn_blocking(move || {
        let file = lock_file(&path)?;
        file.lock()?;
        file.set_modified(SystemTime::now())?;
        Ok(file)
    });
    taken.await.map_err(io::Error::other).flatten().map_err(failed)
}

fn last_used(copy: &Path) -> SystemTime {
    fs::metadata(lock_of(copy)).and_then(|lock| lock.modified()).unwrap_or(SystemTime::UNIX_EPOCH)
}

/// The bytes of all files under `path`; what cannot be read counts nothing.
pub(super) fn size(path: &Path) -> u64 {
    fs::read_dir(path).into_iter().flatten().flatten().fold(0, |sum, entry| {
        sum + match entry.metadata() {
            Ok(data) if data.is_dir() => size(&entry.path()),
            Ok(data) => data.len(),
            Err(_) => 0,
        }
    })
}
