//! The programs a cluster consists of, and where they come from. Best first:
//!
//! 1. **Found**: the folder `KUBEBUILDER_ASSETS` (what `setup-envtest use -p path` prints), which needs etcd and
//!    kube-apiserver; or `PATH`, where kube-controller-manager has to be too, as nobody chose that set on purpose.
//! 2. **Fetched**: the official releases, pinned by digest (`assets/releases.rs`).
//! 3. **Built**: by Go, from the module that this crate carries (`go/`).
//!
//! What was fetched or built is kept in the user's cache folder (`$XDG_CACHE_HOME/dryad`, else `~/.cache/dryad`), and
//! whatever of it is there is taken before anything is fetched or built. `DRYAD_CLUSTER_ASSETS` = `found`, `fetched`
//! or `built` allows that one source only.
//!
//! Programs of a cluster come from one source, so that their versions fit; only kubectl and helm, where a source lacks
//! them, are taken from `PATH`.

mod built;
mod cache;
mod fetched;
mod found;
mod releases;
mod sources;

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

pub use built::BuildError;
pub use fetched::FetchError;
pub use releases::Digest;
use sources::Sources;

/// One of the programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tool {
    /// The database.
    Etcd,
    /// The API.
    ApiServer,
    /// Garbage collection, namespaces, service accounts, Jobs, `ReplicaSets`, …
    ControllerManager,
    /// The client.
    Kubectl,
    /// The installer of charts.
    Helm,
}

impl Tool {
    /// Every one.
    pub const ALL: [Self; 5] =
        [Self::Etcd, Self::ApiServer, Self::ControllerManager, Self::Kubectl, Self::Helm];

    /// The name of its file.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::ApiServer => "kube-apiserver",
            Self::ControllerManager => "kube-controller-manager",
            Self::Kubectl => "kubectl",
            Self::Helm => "helm",
        }
    }

    fn without_it(self) -> &'static str {
        match self {
            Self::Etcd | Self::ApiServer => "no cluster starts",
            Self::ControllerManager => {
                "deleted namespaces stay Terminating, nothing is deleted with its owner, no service account is made, \
                 and Jobs and ReplicaSets do nothing"
            }
            Self::Kubectl => "the cluster can be reached by other clients only",
            Self::Helm => "charts cannot be installed",
        }
    }
}

/// A program that is not there, what does not work without it, and how to get it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no {}: {}. Put one on PATH or into KUBEBUILDER_ASSETS, or set DRYAD_CLUSTER_ASSETS=built, which needs Go",
    .0.file_name(), .0.without_it()
)]
pub struct MissingTool(pub Tool);

/// Where programs come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// They were there.
    Found,
    /// From the official releases.
    Fetched,
    /// By Go.
    Built,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Found => "found",
            Self::Fetched => "fetched",
            Self::Built => "built",
        })
    }
}

impl FromStr for Origin {
    type Err = AssetsError;

    fn from_str(text: &str) -> Result<Self, AssetsError> {
        [Self::Found, Self::Fetched, Self::Built]
            .into_iter()
            .find(|origin| origin.to_string() == text)
            .ok_or_else(|| AssetsError::UnknownOrigin(text.into()))
    }
}

/// Programs enough to start a cluster.
#[derive(Debug, Clone)]
pub struct Assets {
    origin: Origin,
    etcd: PathBuf,
    api_server: PathBuf,
    controller_manager: Option<PathBuf>,
    kubectl: Option<PathBuf>,
    helm: Option<PathBuf>,
}

impl Assets {
    /// Finds, fetches or builds them, as this process's environment has it. Several processes at once fetch or build
    /// once; progress is shown on standard error.
    ///
    /// # Errors
    /// None of the three ways works: the error says why not each, and every way out.
    pub async fn find() -> Result<Self, AssetsError> {
        Sources::from_env()?.find().await
    }

    /// Where they came from.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// The database.
    pub fn etcd(&self) -> &Path {
        &self.etcd
    }

    /// The API server.
    pub fn api_server(&self) -> &Path {
        &self.api_server
    }

    /// The controllers.
    pub fn controller_manager(&self) -> Option<&Path> {
        self.controller_manager.as_deref()
    }

    /// The client.
    ///
    /// # Errors
    /// There is none.
    pub fn kubectl(&self) -> Result<&Path, MissingTool> {
        self.kubectl.as_deref().ok_or(MissingTool(Tool::Kubectl))
    }

    /// The installer of charts.
    ///
    /// # Errors
    /// There is none.
    pub fn helm(&self) -> Result<&Path, MissingTool> {
        self.helm.as_deref().ok_or(MissingTool(Tool::Helm))
    }

    /// Which file a tool is, if it is there.
    pub fn path(&self, tool: Tool) -> Option<&Path> {
        match tool {
            Tool::Etcd => Some(&self.etcd),
            Tool::ApiServer => Some(&self.api_server),
            Tool::ControllerManager => self.controller_manager.as_deref(),
            Tool::Kubectl => self.kubectl.as_deref(),
            Tool::Helm => self.helm.as_deref(),
        }
    }

    /// What is not there.
    pub fn missing(&self) -> Vec<MissingTool> {
        Tool::ALL.into_iter().filter(|tool| self.path(*tool).is_none()).map(MissingTool).collect()
    }

    /// A set from `locate`; without etcd or API server there is none.
    fn gather(origin: Origin, locate: impl Fn(Tool) -> Option<PathBuf>) -> Result<Self, MissingTool> {
        Ok(Self {
            origin,
            etcd: locate(Tool::Etcd).ok_or(MissingTool(Tool::Etcd))?,
            api_server: locate(Tool::ApiServer).ok_or(MissingTool(Tool::ApiServer))?,
            controller_manager: locate(Tool::ControllerManager),
            kubectl: locate(Tool::Kubectl),
            helm: locate(Tool::Helm),
        })
    }
}

/// Why there is nothing to run.
#[derive(Debug, thiserror::Error)]
pub enum AssetsError {
    /// `KUBEBUILDER_ASSETS` names a folder that cannot start a cluster. It was set on purpose, so nothing else is
    /// tried.
    #[error(
        "KUBEBUILDER_ASSETS is {}, and {} is not in it. Unset it, or fill that folder (`setup-envtest use -p path` prints one)",
        folder.display(), missing.0.file_name()
    )]
    Incomplete {
        /// The folder.
        folder: PathBuf,
        /// What it lacks.
        missing: MissingTool,
    },
    /// `DRYAD_CLUSTER_ASSETS` has a value without a meaning.
    #[error("DRYAD_CLUSTER_ASSETS is `{0}`; it can be found, fetched or built")]
    UnknownOrigin(String),
    /// Nothing was found, and neither fetching nor building worked.
    #[error("{0}")]
    Nowhere(Nowhere),
    /// There is no place to keep what is fetched or built.
    #[error("neither XDG_CACHE_HOME nor HOME is set: there is no folder to keep a control plane in")]
    NoCache,
    /// The cache folder cannot be used.
    #[error("the cache folder {}: {source}", folder.display())]
    Cache {
        /// Which.
        folder: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// Why each way failed; none where it was not allowed.
#[derive(Debug)]
pub struct Nowhere {
    /// Why none were fetched.
    pub fetched: Option<FetchError>,
    /// Why none were built.
    pub built: Option<BuildError>,
}

impl fmt::Display for Nowhere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "there is no Kubernetes to run:")?;
        writeln!(
            f,
            "- found: KUBEBUILDER_ASSETS is not set, and etcd, kube-apiserver and kube-controller-manager"
        )?;
        writeln!(f, "  are not all on PATH")?;
        if let Some(why) = &self.fetched {
            writeln!(f, "- fetched: {why}")?;
        }
        if let Some(why) = &self.built {
            writeln!(f, "- built: {why}")?;
        }
        write!(
            f,
            "Any one of these helps:
- install Go (https://go.dev/doc/install): it builds one, once, in some minutes
- let this machine reach dl.k8s.io and github.com (HTTPS_PROXY is respected): some hundred MB, once
- set KUBEBUILDER_ASSETS to a folder with etcd, kube-apiserver, kube-controller-manager and kubectl"
        )?;
        if self.fetched.is_none() || self.built.is_none() {
            write!(f, "\n- unset DRYAD_CLUSTER_ASSETS, which allows one source only")?;
        }
        Ok(())
    }
}
