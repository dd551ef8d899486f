//! The stage itself.

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use dryad_cluster::{Cluster, ClusterError, NamespaceError};
use dryad_crds::generate;
use dryad_local_cloud::local_cloud::{InstanceKind, LocalCloud, Options, StartError, WebFixture};
use dryad_local_cloud::model::{CallError, Timings};
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{DeleteParams, ObjectMeta, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::runtime::wait::{await_condition, conditions::is_crd_established};
use kube::{Api, Client, Config, ResourceExt};
use serde_json::{Value, json};
use tempfile::TempDir;
use thiserror::Error;

use crate::line::Line;
use crate::operator::{LEASE_NAME, Operator, Wiring};
use crate::parts;
use crate::repository::{GitError, Repository};
use crate::rights;

/// Why there is no stage.
#[derive(Debug, Error)]
pub enum StageError {
    /// No cluster.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// No namespace.
    #[error(transparent)]
    Namespace(#[from] NamespaceError),
    /// No cloud.
    #[error(transparent)]
    Cloud(#[from] StartError),
    /// The cloud refused what users have before Dryad comes.
    #[error("the local cloud: {0:?}")]
    Fixture(CallError),
    /// No repository.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The API server could not be asked.
    #[error("the API server: {0}")]
    Api(#[from] kube::Error),
    /// The cluster's kubeconfig could not be read.
    #[error(transparent)]
    Kubeconfig(#[from] KubeconfigError),
    /// A file or a process.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The operators' rights could not be had.
    #[error("the rights of config/install.yaml: {0}")]
    Rights(String),
    /// The API server did not take up the CRDs.
    #[error("the CRDs were not established within 30 seconds")]
    Crds,
}

/// A namespace, a cloud with a load balancer, a repository, and operators, which have the rights of the chart and no
/// others.
pub struct Stage {
    /// A client that may do everything.
    pub client: Client,
    /// The namespace.
    pub namespace: String,
    /// The cloud.
    pub cloud: LocalCloud,
    /// What was in the cloud before Dryad came.
    pub web: WebFixture,
    /// What is deployed from.
    pub repository: Repository,
    wiring: Wiring,
    directory: TempDir,
}

/// What a stage's instances are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instances {
    /// Processes.
    Real,
    /// Entries in the cloud's books, healthy by themselves. For hundreds of Environments.
    Simulated,
}

impl Stage {
    /// Sets one up on `cluster`, with instances that are processes. `executable` plays the [parts].
    ///
    /// # Errors
    /// When any part of it can't be had; the message says which.
    pub async fn set(cluster: &Cluster, name: &str, executable: &Path) -> Result<Self, StageError> {
        Self::set_with(Instances::Real, cluster, name, executable).await
    }

    /// The same with instances of this kind.
    ///
    /// # Errors
    /// When any part of it can't be had; the message says which.
    pub async fn set_with(
        instances: Instances,
        cluster: &Cluster,
        name: &str,
        executable: &Path,
    ) -> Result<Self, StageError> {
        let directory = tempfile::Builder::new().prefix("dryad-").tempdir()?;
        let repository = Repository::create(&directory.path().join("web"))?;
        let kubeconfig = Kubeconfig::from_yaml(cluster.kubeconfig().yaml())?;
        let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
        let client = Client::try_from(config)?;
        install_crds(&client).await?;
        let namespace = cluster.namespace(name).await?;
        rights::grant(&client, &namespace).await?;
        let operators = cluster.kubeconfig_of_service_account(&namespace, rights::ACCOUNT).await?;
        let real = InstanceKind::Real {
            run_dir: directory.path().join("instances"),
            directories: dryad_local_cloud::instances::Directories::Remove,
            environment: environment(directory.path(), executable, &repository)?,
        };
        let instances = match instances {
            Instances::Real => real,
            Instances::Simulated => InstanceKind::Simulated,
        };
        let options = Options { timings: timings(), instances, ..Options::simulated() };
        let leases: Api<Lease> = Api::namespaced(client.clone(), &namespace);
        leases.create(&PostParams::default(), &released_lease()).await?;
        let cloud = LocalCloud::start(options).await?;
        let web = cloud.web_fixture().await.map_err(StageError::Fixture)?;
        let wiring = Wiring {
            executable: executable.to_owned(),
            kubeconfig: operators.path().to_owned(),
            namespace: namespace.clone(),
            endpoint: cloud.endpoint(),
            config: directory.path().join("dryad.yaml"),
            directory: directory.path().to_owned(),
        };
        let stage = Self { client, namespace, cloud, web, repository, wiring, directory };
        stage.configure(&stage.configuration())?;
        Ok(stage)
    }

    /// Starts an operator.
    ///
    /// # Errors
    /// When the process can't be started.
    pub fn operator(&self, replica: &str) -> io::Result<Operator> {
        self.operator_told(replica, &[])
    }

    /// Starts an operator with more flags, such as another `--uncertainty` than the 3 s that it has here.
    ///
    /// # Errors
    /// When the process can't be started.
    pub fn operator_told(&self, replica: &str, flags: &[&str]) -> io::Result<Operator> {
        Operator::start(&self.wiring, replica, flags)
    }

    /// Takes the Lease away, as on the first day: nobody knows then whether there was a leader before.
    ///
    /// # Panics
    /// When the API server refuses it.
    pub async fn forget_leaders(&self) {
        self.api::<Lease>().delete(LEASE_NAME, &DeleteParams::default()).await.expect("it is accepted");
    }

    /// Starts an operator that reaches the API server by this line.
    ///
    /// # Errors
    /// When the process can't be started.
    pub fn operator_on(&self, line: &Line, replica: &str) -> io::Result<Operator> {
        let wiring = Wiring { kubeconfig: line.kubeconfig().to_owned(), ..self.wiring.clone() };
        Operator::start(&wiring, replica, &[])
    }

    /// A new line to the API server.
    ///
    /// # Errors
    /// When it can't be laid.
    pub async fn line(&self, name: &str) -> Result<Line, StageError> {
        let file = self.directory().join(format!("line-{name}.kubeconfig"));
        let kubeconfig = Kubeconfig::read_from(&self.wiring.kubeconfig)?;
        let mut config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
        // What is refused is to be seen as refused.
        config.default_retry = false;
        Ok(Line::open(Client::try_from(config)?, &file).await?)
    }

    /// A configuration that lets this namespace name what was in the cloud before Dryad came, and any launch template
    /// and parameter.
    pub fn configuration(&self) -> Value {
        let web = &self.web;
        let [a, b] = &web.target_groups;
        json!({ "accounts": { "default": {
            "regions": [web.place.region],
            "namespaces": { &self.namespace: {
                "instanceProfiles": [web.instance_profile],
                "subnets": web.subnets,
                "securityGroups": [web.security_group],
                "launchTemplates": ["lt-*"],
                "ssmPrefixes": ["/"],
                "targetGroups": [a, b, web.shared.target_group],
                "rules": [web.rule],
            } },
        } } })
    }

    /// Gives the operators this configuration, which those that run take up within seconds.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn configure(&self, configuration: &Value) -> io::Result<()> {
        // Whole at once, as Kubernetes changes what is mounted. JSON is YAML.
        let next = self.wiring.config.with_extension("next");
        fs::write(&next, configuration.to_string())?;
        fs::rename(next, &self.wiring.config)
    }

    /// The API of one kind in this stage's namespace.
    pub fn api<K>(&self) -> Api<K>
    where
        K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope>,
        K::DynamicType: Default,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Where logs and instances are.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }
}

/// A lease that its last holder has let go of: the first operator need not wait to see that there was none before it.
fn released_lease() -> Lease {
    let metadata = ObjectMeta { name: Some(LEASE_NAME.to_owned()), ..ObjectMeta::default() };
    Lease { metadata, spec: Some(LeaseSpec::default()) }
}

/// Fast enough for a test, slow enough that every state is there to be seen.
fn timings() -> Timings {
    Timings::default()
}

/// What instances find in their environment: git, a shell, the web application, and where the code is.
fn environment(
    directory: &Path,
    executable: &Path,
    repository: &Repository,
) -> io::Result<BTreeMap<String, String>> {
    let bin = directory.join("bin");
    fs::create_dir(&bin)?;
    let webapp: PathBuf = bin.join("webapp");
    let script = format!(
        "#!/bin/sh\nexport {}={}\nexec '{}' \"$@\"\n",
        parts::PART,
        parts::WEBAPP,
        executable.display()
    );
    fs::write(&webapp, script)?;
    fs::set_permissions(&webapp, Permissions::from_mode(0o755))?;
    let path = std::env::var("PATH").unwrap_or_default();
    Ok([
        ("PATH".to_owned(), format!("{}:{path}", bin.display())),
        ("REPOSITORY".to_owned(), repository.url()),
        ("GIT_CONFIG_GLOBAL".to_owned(), "/dev/null".to_owned()),
    ]
    .into())
}

/// Installs the CRDs, and waits until the API server has taken them up.
///
/// # Errors
/// When it refuses them, or takes too long.
pub async fn install_crds(client: &Client) -> Result<(), StageError> {
    const PATIENCE: Duration = Duration::from_secs(30);
    let crds: Api<CustomResourceDefinition> = Api::all(client.clone());
    for crd in generate::crds() {
        let name = crd.name_any();
        crds.patch(&name, &PatchParams::apply("dryad-stage").force(), &Patch::Apply(&crd)).await?;
        let established = await_condition(crds.clone(), &name, is_crd_established());
        match tokio::time::timeout(PATIENCE, established).await {
            Ok(Ok(_)) => {}
            Ok(Err(_)) | Err(_) => return Err(StageError::Crds),
        }
    }
    Ok(())
}

/// What a failed test leaves behind is what explains it.
impl Drop for Stage {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.directory.disable_cleanup(true);
        }
    }
}
