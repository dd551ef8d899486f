//! Programs that are already there.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::{Assets, AssetsError, MissingTool, Origin, Tool};

/// The set in `folder`, completed by `path` where it lacks a client.
pub(super) fn in_folder(folder: &Path, path: &OsStr) -> Result<Assets, AssetsError> {
    gather(Origin::Found, folder, path)
        .map_err(|missing| AssetsError::Incomplete { folder: folder.into(), missing })
}

/// The set on `path`, if it has all that makes a whole control plane.
pub(super) fn on_path(path: &OsStr) -> Option<Assets> {
    let assets = Assets::gather(Origin::Found, |tool| executable_on(path, tool.file_name())).ok()?;
    assets.controller_manager.is_some().then_some(assets)
}

/// The set in `folder`; clients that it lacks are taken from `path`.
pub(super) fn gather(origin: Origin, folder: &Path, path: &OsStr) -> Result<Assets, MissingTool> {
    Assets::gather(origin, |tool| {
        let here = Some(folder.join(tool.file_name())).filter(|file| is_executable(file));
        match tool {
            Tool::Etcd | Tool::ApiServer | Tool::ControllerManager => here,
            Tool::Kubectl | Tool::Helm => here.or_else(|| executable_on(path, tool.file_name())),
        }
    })
}

/// The first executable file called `name` on `path`.
pub(super) fn executable_on(path: &OsStr, name: &str) -> Option<PathBuf> {
    std::env::split_paths(path).map(|folder| folder.join(name)).find(|file| is_executable(file))
}

fn is_executable(file: &Path) -> bool {
    file.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}
