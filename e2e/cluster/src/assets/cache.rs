//! The folder where fetched and built programs are kept. A set is there whole or not at all: it is prepared beside its
//! place, under a lock that other processes wait for, and then renamed. A process that dies half way leaves a partial
//! folder, which the next one begins anew.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::AssetsError;
use crate::progress::Progress;

/// The place of one set: its folder's name says what it was made from, so it is never stale.
#[derive(Debug, Clone)]
pub(super) struct Place {
    cache: PathBuf,
    name: String,
}

impl Place {
    /// The place in `cache` of what is made from `inputs` by `way`.
    pub(super) fn new<'a>(cache: &Path, way: &str, inputs: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut hash = Sha256::new();
        for input in inputs {
            // The length keeps ("ab", "c") and ("a", "bc") apart.
            hash.update((input.len() as u64).to_le_bytes());
            hash.update(input);
        }
        let key = hex::encode(&hash.finalize()[..8]);
        Self { cache: cache.into(), name: format!("{way}-{key}") }
    }

    /// Where the finished set is.
    pub(super) fn folder(&self) -> PathBuf {
        self.cache.join(&self.name)
    }

    /// Whether the finished set is there.
    pub(super) fn is_filled(&self) -> bool {
        self.folder().is_dir()
    }

    /// Waits until this process alone may fill the place. Blocks, and says so.
    pub(super) fn lock(&self, progress: &Progress) -> Result<Locked, AssetsError> {
        self.try_lock(progress).map_err(|source| AssetsError::Cache { folder: self.cache.clone(), source })
    }

    fn try_lock(&self, progress: &Progress) -> io::Result<Locked> {
        fs::create_dir_all(&self.cache)?;
        let file = File::create(self.cache.join(format!("{}.lock", self.name)))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                progress.note("another process is at it; waiting for that one");
                file.lock()?;
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
        Ok(Locked { place: self.clone(), _lock: file })
    }
}

/// The right to fill a place, until dropped.
#[derive(Debug)]
pub(super) struct Locked {
    place: Place,
    _lock: File,
}

impl Locked {
    /// Whether somebody else filled it while this process waited.
    pub(super) fn is_filled(&self) -> bool {
        self.place.is_filled()
    }

    /// An empty folder to prepare the set in.
    pub(super) fn begin(&self) -> io::Result<PathBuf> {
        let partial = self.partial();
        match fs::remove_dir_all(&partial) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        fs::create_dir(&partial)?;
        Ok(partial)
    }

    /// Puts what was prepared into its place.
    pub(super) fn finish(self) -> io::Result<()> {
        fs::rename(self.partial(), self.place.folder())
    }

    fn partial(&self) -> PathBuf {
        self.place.cache.join(format!("{}.partial", self.place.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_half_made_set_is_begun_anew() {
        let cache = tempfile::tempdir().unwrap();
        let place = Place::new(cache.path(), "built", [b"a".as_slice()]);
        let died = place.lock(&Progress::start("test")).unwrap();
        fs::write(died.begin().unwrap().join("half"), "").unwrap();
        drop(died);
        assert!(!place.is_filled());

        let next = place.lock(&Progress::start("test")).unwrap();
        let partial = next.begin().unwrap();
        assert_eq!(fs::read_dir(&partial).unwrap().count(), 0);
        next.finish().unwrap();
        assert!(place.is_filled());
    }

    #[test]
    fn who_waited_finds_it_filled() {
        let cache = tempfile::tempdir().unwrap();
        let place = Place::new(cache.path(), "built", [b"a".as_slice()]);
        let first = place.lock(&Progress::start("test")).unwrap();
        let second = {
            let place = place.clone();
            std::thread::spawn(move || place.lock(&Progress::start("test")).unwrap().is_filled())
        };
        first.begin().unwrap();
        first.finish().unwrap();
        assert!(second.join().unwrap());
    }

    #[test]
    fn other_inputs_have_another_place() {
        let at = |inputs: [&[u8]; 2]| Place::new(Path::new("/"), "built", inputs).folder();
        assert_ne!(at([b"ab", b"c"]), at([b"a", b"bc"]));
        assert_eq!(at([b"ab", b"c"]), at([b"ab", b"c"]));
    }
}
