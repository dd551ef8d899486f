//! The order in which the sources are tried, and what of the environment decides it.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::PathBuf;

use super::cache::Place;
use super::fetched::{self, Patience};
use super::releases::{self, Release};
use super::{Assets, AssetsError, Nowhere, Origin, built, found};
use crate::progress::Progress;

/// What the search depends on.
#[derive(Debug, Clone)]
pub(super) struct Sources {
    /// `KUBEBUILDER_ASSETS`.
    pub(super) folder: Option<PathBuf>,
    /// `PATH`.
    pub(super) path: OsString,
    /// Where fetched and built programs are kept.
    pub(super) cache: PathBuf,
    /// The one source that is allowed; none: all are.
    pub(super) only: Option<Origin>,
    /// What is fetched.
    pub(super) releases: Vec<Release>,
    /// How long a server may be silent.
    pub(super) patience: Patience,
}

impl Sources {
    /// Those of this process.
    pub(super) fn from_env() -> Result<Self, AssetsError> {
        let set = |name| env::var_os(name).filter(|value| !value.is_empty());
        let cache = set("XDG_CACHE_HOME")
            .map(PathBuf::from)
            .or_else(|| set("HOME").map(|home| PathBuf::from(home).join(".cache")))
            .ok_or(AssetsError::NoCache)?;
        Ok(Self {
            folder: set("KUBEBUILDER_ASSETS").map(PathBuf::from),
            path: env::var_os("PATH").unwrap_or_default(),
            cache: cache.join("dryad"),
            only: set("DRYAD_CLUSTER_ASSETS").map(|only| only.to_string_lossy().parse()).transpose()?,
            releases: releases::pinned(env::consts::OS, env::consts::ARCH),
            patience: Patience::default(),
        })
    }

    /// Tries them.
    pub(super) async fn find(&self) -> Result<Assets, AssetsError> {
        if self.allows(Origin::Found) {
            if let Some(folder) = &self.folder {
                return found::in_folder(folder, &self.path);
            }
            if let Some(assets) = found::on_path(&self.path) {
                return Ok(assets);
            }
        }
        let places = [
            (Origin::Fetched, fetched::place(&self.cache, &self.releases)),
            (Origin::Built, built::place(&self.cache)),
        ];
        // Whatever is there already is better than waiting.
        for (origin, place) in &places {
            if self.allows(*origin) && place.is_filled() {
                return self.gather(*origin, place);
            }
        }
        let [(_, to_fetch), (_, to_build)] = &places;
        let mut nowhere = Nowhere { fetched: None, built: None };
        if self.allows(Origin::Fetched) {
            let (releases, patience) = (&self.releases, self.patience);
            match self.fill(to_fetch, async |folder| fetched::into(folder, releases, patience).await).await? {
                Ok(()) => return self.gather(Origin::Fetched, to_fetch),
                Err(why) => nowhere.fetched = Some(why),
            }
        }
        if self.allows(Origin::Built) {
            match self.fill(to_build, async |folder| built::into(folder, &self.path).await).await? {
                Ok(()) => return self.gather(Origin::Built, to_build),
                Err(why) => nowhere.built = Some(why),
            }
        }
        Err(AssetsError::Nowhere(nowhere))
    }

    fn allows(&self, origin: Origin) -> bool {
        self.only.is_none_or(|only| only == origin)
    }

    /// Lets `prepare` fill a folder for `place`, one process at a time.
    async fn fill<E>(
        &self,
        place: &Place,
        prepare: impl AsyncFnOnce(PathBuf) -> Result<(), E>,
    ) -> Result<Result<(), E>, AssetsError> {
        let broken = |source| AssetsError::Cache { folder: self.cache.clone(), source };
        let locked = {
            let place = place.clone();
            let lock = move || place.lock(&Progress::start("control plane"));
            tokio::task::spawn_blocking(lock).await.map_err(|died| broken(io::Error::other(died)))??
        };
        if locked.is_filled() {
            return Ok(Ok(()));
        }
        let folder = locked.begin().map_err(broken)?;
        if let Err(why) = prepare(folder.clone()).await {
            fs::remove_dir_all(folder).map_err(broken)?;
            return Ok(Err(why));
        }
        locked.finish().map_err(broken)?;
        Ok(Ok(()))
    }

    fn gather(&self, origin: Origin, place: &Place) -> Result<Assets, AssetsError> {
        found::gather(origin, &place.folder(), &self.path).map_err(|missing| AssetsError::Cache {
            folder: place.folder(),
            source: io::Error::new(io::ErrorKind::NotFound, format!("{missing}; remove this folder")),
        })
    }
}

#[cfg(test)]
mod tests;
