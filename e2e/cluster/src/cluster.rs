//! One running cluster: etcd, kube-apiserver and kube-controller-manager, each its own process.
//!
//! A cluster is ready when the API server says so and the controllers have made the first service account: from then
//! on pods can be created. It ends with this process, however that ends ([`guard`]).

mod api;
mod components;
mod credentials;
mod guard;
mod kubeconfig;
mod port;
mod process;
mod shared;
mod snapshot;

use std::io;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::assets::{Assets, AssetsError, MissingTool};
use crate::progress::Progress;
use api::Api;
pub use api::{NamespaceError, TokenError};
use components::Files;
use credentials::{Authority, Identity, Proof};
pub(crate) use guard::Guard;
pub use kubeconfig::Kubeconfig;
use port::ReservedPort;
use process::{POLL, Process};
pub use snapshot::Snapshot;

/// How long a component may take to serve. On two idle cores it takes seconds; a machine that also compiles is slow.
const START: Duration = Duration::from_mins(2);
/// How long the API server may take to finish what it is asked when it stops, and etcd after it.
const GRACE: Duration = Duration::from_millis(800);

/// How a cluster is to differ from the usual.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// What to run; none: [`Assets::find`].
    pub assets: Option<Assets>,
    /// Flags for kube-apiserver after our own: of a flag given twice the last one holds
    /// (`--enable-priority-and-fairness=true`).
    pub api_server_flags: Vec<String>,
}

/// A running Kubernetes. Dropped, it is killed and its data removed; [`Cluster::stop`] ends it in order.
#[derive(Debug)]
pub struct Cluster {
    // Fields are dropped in this order: who depends on etcd goes before it, the guard removes the data last.
    controller_manager: Option<Process>,
    api_server: Option<Process>,
    etcd: Option<Process>,
    port: ReservedPort,
    assets: Assets,
    api_server_flags: Vec<String>,
    authority: Authority,
    admin_identity: Identity,
    admin: Kubeconfig,
    files: Files,
    guard: Guard,
}

impl Cluster {
    /// Starts one and waits until it is ready. Any number can run at once.
    ///
    /// # Errors
    /// There is nothing to run, a component ends early (with its last words), or it is not ready in two minutes.
    pub async fn start(options: Options) -> Result<Self, ClusterError> {
        let assets = match options.assets {
            Some(assets) => assets,
            None => Assets::find().await?,
        };
        let progress = Progress::start("cluster");
        for missing in assets.missing() {
            progress.note(&missing.to_string());
        }
        let directory = tempfile::Builder::new().prefix("dryad-cluster-").tempdir()?;
        let guard = Guard::new(Some(directory.path()))?;
        let files = Files::new(directory.keep()); // The guard's from here on.

        let authority = Authority::new()?;
        let server = authority.server()?;
        std::fs::write(files.authority(), authority.certificate())?;
        std::fs::write(files.server_certificate(), &server.certificate)?;
        std::fs::write(files.server_key(), &server.key)?;
        let tokens = credentials::service_account_keys()?;
        std::fs::write(files.token_signing_key(), tokens.serialize_pem())?;
        std::fs::write(files.token_public_key(), tokens.public_key_pem())?;

        let port = ReservedPort::any()?;
        let admin_identity = authority.user("admin", Some("system:masters"))?;
        let admin = Kubeconfig::write(
            files.kubeconfig("admin"),
            &url(&port),
            authority.certificate(),
            Proof::Certificate(&admin_identity),
        )?;
        let controllers = authority.user("system:kube-controller-manager", None)?;
        Kubeconfig::write(
            files.kubeconfig("kube-controller-manager"),
            &url(&port),
            authority.certificate(),
            Proof::Certificate(&controllers),
        )?;
        let mut cluster = Self {
            controller_manager: None,
            api_server: None,
            etcd: None,
            port,
            assets,
            api_server_flags: options.api_server_flags,
            authority,
            admin_identity,
            admin,
            files,
            guard,
        };
        cluster.start_components().await?;
        Ok(cluster)
    }

    /// Ends it.
    ///
    /// # Errors
    /// A process could not be signalled. What is left is killed all the same.
    pub async fn stop(mut self) -> Result<(), ClusterError> {
        self.stop_components().await
    }

    /// Takes the API server away; etcd keeps the data. Clients are refused until [`Self::start_api_server`].
    ///
    /// # Errors
    /// The process could not be signalled.
    pub async fn stop_api_server(&mut self) -> Result<(), ClusterError> {
        if let Some(api_server) = self.api_server.take() {
            api_server.stop(GRACE).await?;
        }
        Ok(())
    }

    /// Brings the API server back, on the same port and data, and waits until it is ready. Nothing, if it runs.
    ///
    /// # Errors
    /// It ends early (with its last words), or is not ready in two minutes.
    pub async fn start_api_server(&mut self) -> Result<(), ClusterError> {
        if self.api_server.is_none() {
            let binary = self.assets.api_server();
            let command =
                components::api_server(binary, &self.files, self.port.number(), &self.api_server_flags);
            let started = Process::start(&self.guard, command, self.files.log("kube-apiserver"))?;
            self.api_server = Some(started);
        }
        let api = self.api()?;
        let Some(process) = &mut self.api_server else { return Ok(()) };
        await_ready("kube-apiserver", process, async || api.answers("/readyz").await).await
    }

    /// Freezes the API server: connections stay open, and nothing is answered until [`Self::resume_api_server`].
    ///
    /// # Errors
    /// The process could not be signalled.
    pub fn pause_api_server(&mut self) -> Result<(), ClusterError> {
        Ok(self.api_server.as_mut().map_or(Ok(()), Process::pause)?)
    }

    /// Lets a frozen API server go on.
    ///
    /// # Errors
    /// The process could not be signalled.
    pub fn resume_api_server(&mut self) -> Result<(), ClusterError> {
        Ok(self.api_server.as_mut().map_or(Ok(()), Process::resume)?)
    }

    /// The API server's address, `https://127.0.0.1:port`.
    pub fn url(&self) -> String {
        url(&self.port)
    }

    /// The certificate, PEM, of the authority that signed the API server's.
    pub fn authority(&self) -> &str {
        self.authority.certificate()
    }

    /// The directory of its data and logs (`kube-apiserver.log`, …). It goes when the cluster goes.
    pub fn directory(&self) -> &Path {
        self.files.root()
    }

    /// The access of the administrator, who may do everything.
    pub fn kubeconfig(&self) -> &Kubeconfig {
        &self.admin
    }

    /// The access of `user`, a member of `group` (and, as everybody, of `system:authenticated`), who may do what RBAC
    /// lets them. Asked twice it makes two files for the same user.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn kubeconfig_for(&self, user: &str, group: Option<&str>) -> Result<Kubeconfig, ClusterError> {
        Ok(self.write_kubeconfig(Proof::Certificate(&self.authority.user(user, group)?))?)
    }

    /// The access of a service account, by a token that the API server issues for it, as it does for pods. It holds for
    /// a day.
    ///
    /// # Errors
    /// There is no such service account, the API server does not answer, or the file cannot be written.
    pub async fn kubeconfig_of_service_account(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<Kubeconfig, ClusterError> {
        let token = self.api()?.token(namespace, name).await?;
        Ok(self.write_kubeconfig(Proof::Token(&token))?)
    }

    /// kubectl, set to this cluster and its administrator.
    ///
    /// # Errors
    /// There is none: the error says how to get one.
    pub fn kubectl(&self) -> Result<Command, MissingTool> {
        Ok(self.tool(self.assets.kubectl()?))
    }

    /// helm, set to this cluster and its administrator.
    ///
    /// # Errors
    /// There is none: the error says how to get one.
    pub fn helm(&self) -> Result<Command, MissingTool> {
        Ok(self.tool(self.assets.helm()?))
    }

    /// Creates a namespace of the caller's own, `prefix-…`, and returns its name: what keeps tests that share a
    /// cluster out of each other's way.
    ///
    /// # Errors
    /// The API server refuses the name, or does not answer.
    pub async fn namespace(&self, prefix: &str) -> Result<String, ClusterError> {
        Ok(self.api()?.create_namespace(prefix).await?)
    }

    fn write_kubeconfig(&self, proof: Proof<'_>) -> io::Result<Kubeconfig> {
        let file = tempfile::Builder::new().prefix("user-").tempdir_in(self.files.root())?.keep();
        let path = file.join("kubeconfig");
        Kubeconfig::write(path, &self.url(), self.authority.certificate(), proof)
    }

    fn tool(&self, binary: &Path) -> Command {
        let mut command = Command::new(binary);
        command.env("KUBECONFIG", self.admin.path());
        command
    }

    /// A client of its own for every use: a connection belongs to the runtime that opened it.
    fn api(&self) -> Result<Api, ClusterError> {
        Ok(Api::new(&self.url(), self.authority.certificate(), &self.admin_identity)?)
    }

    async fn start_components(&mut self) -> Result<(), ClusterError> {
        let (progress, began) = (Progress::start("cluster"), Instant::now());
        progress.show("starting etcd");
        self.start_etcd().await?;
        progress.show("starting kube-apiserver");
        self.start_api_server().await?;
        progress.show("starting kube-controller-manager");
        self.start_controller_manager().await?;
        progress.done(&format!("ready after {:.1} s at {}", began.elapsed().as_secs_f32(), self.url()));
        Ok(())
    }

    /// Stops them in the one order that is quick: the API server lingers for a minute when etcd goes first.
    async fn stop_components(&mut self) -> Result<(), ClusterError> {
        drop(self.controller_manager.take());
        self.stop_api_server().await?;
        if let Some(etcd) = self.etcd.take() {
            etcd.stop(GRACE).await?;
        }
        Ok(())
    }

    async fn start_etcd(&mut self) -> Result<(), ClusterError> {
        let socket = self.files.etcd_socket();
        match std::fs::remove_file(&socket) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        let command = components::etcd(self.assets.etcd(), &self.files);
        let etcd = self.etcd.insert(Process::start(&self.guard, command, self.files.log("etcd"))?);
        await_ready("etcd", etcd, async || socket.exists()).await
    }

    async fn start_controller_manager(&mut self) -> Result<(), ClusterError> {
        let Some(binary) = self.assets.controller_manager() else { return Ok(()) };
        let kubeconfig = self.files.kubeconfig("kube-controller-manager");
        let command = components::controller_manager(binary, &self.files, &kubeconfig);
        let process = Process::start(&self.guard, command, self.files.log("kube-controller-manager"))?;
        let api = self.api()?;
        let process = self.controller_manager.insert(process);
        let account = "/api/v1/namespaces/default/serviceaccounts/default";
        await_ready("kube-controller-manager", process, async || api.answers(account).await).await
    }
}

fn url(port: &ReservedPort) -> String {
    format!("https://127.0.0.1:{}", port.number())
}

async fn await_ready(
    component: &'static str,
    process: &mut Process,
    ready: impl AsyncFn() -> bool,
) -> Result<(), ClusterError> {
    let deadline = Instant::now() + START;
    while !ready().await {
        if let Some(status) = process.exited()? {
            return Err(ClusterError::Ended { component, status, last_words: process.last_words() });
        }
        if Instant::now() > deadline {
            return Err(ClusterError::NotReady { component, last_words: process.last_words() });
        }
        sleep(POLL).await;
    }
    Ok(())
}

/// Why there is no cluster, or why it does not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// There is nothing to run.
    #[error(transparent)]
    Assets(#[from] AssetsError),
    /// A component ended before it was ready.
    #[error("{component} ended before it was ready ({status}). The end of its log:\n{last_words}")]
    Ended {
        /// Which.
        component: &'static str,
        /// How.
        status: ExitStatus,
        /// The end of its log.
        last_words: String,
    },
    /// A component runs and does not serve.
    #[error("{component} was not ready after {} s. The end of its log:\n{last_words}", START.as_secs())]
    NotReady {
        /// Which.
        component: &'static str,
        /// The end of its log.
        last_words: String,
    },
    /// A certificate could not be made, mostly for the name that was to stand in it.
    #[error("a certificate for the local cluster could not be made: {0}")]
    Certificate(#[from] rcgen::Error),
    /// The HTTP client could not be set up.
    #[error("no HTTP client for the local cluster: {0}")]
    Client(#[from] reqwest::Error),
    /// A namespace could not be made.
    #[error(transparent)]
    Namespace(#[from] NamespaceError),
    /// A token could not be had.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// A file or process of the cluster.
    #[error("the local cluster's files or processes: {0}")]
    Io(#[from] io::Error),
}
