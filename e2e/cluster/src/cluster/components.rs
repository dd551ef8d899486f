//! The command lines of the components. Pure: what runs how, and where its files are.
//!
//! The API server's port is the only fixed one of a cluster. etcd serves on a socket in the cluster's directory (its
//! peers' port is a formality for a lone member: the kernel chooses it and nobody asks), and the controller manager
//! serves nothing. Data is for tests and lives as long as the cluster: etcd never waits for the disk.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The files of one cluster. All below one directory, which goes when the cluster goes.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    root: PathBuf,
}

impl Files {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn etcd_socket(&self) -> PathBuf {
        self.root.join("etcd.sock")
    }

    pub(crate) fn etcd_data(&self) -> PathBuf {
        self.root.join("etcd")
    }

    pub(crate) fn authority(&self) -> PathBuf {
        self.root.join("ca.crt")
    }

    pub(crate) fn server_certificate(&self) -> PathBuf {
        self.root.join("server.crt")
    }

    pub(crate) fn server_key(&self) -> PathBuf {
        self.root.join("server.key")
    }

    pub(crate) fn token_signing_key(&self) -> PathBuf {
        self.root.join("service-accounts.key")
    }

    pub(crate) fn token_public_key(&self) -> PathBuf {
        self.root.join("service-accounts.pub")
    }

    pub(crate) fn kubeconfig(&self, user: &str) -> PathBuf {
        self.root.join(format!("{user}.kubeconfig"))
    }

    pub(crate) fn log(&self, component: &str) -> PathBuf {
        self.root.join(format!("{component}.log"))
    }
}

/// etcd, serving on [`Files::etcd_socket`].
pub(crate) fn etcd(binary: &Path, files: &Files) -> Command {
    const NOWHERE: &str = "http://127.0.0.1:0";
    let mut command = Command::new(binary);
    command
        .args(["--name=dryad", "--unsafe-no-fsync", "--log-level=warn"])
        .arg(flag("data-dir", &files.etcd_data()))
        .arg(format!("--listen-client-urls=unix://{}", files.etcd_socket().display()))
        .arg(format!("--advertise-client-urls={NOWHERE}"))
        .arg(format!("--listen-peer-urls={NOWHERE}"))
        .arg(format!("--initial-advertise-peer-urls={NOWHERE}"))
        .arg(format!("--initial-cluster=dryad={NOWHERE}"));
    command
}

/// The API server on `port`. `extra` comes last: of a flag given twice the last one holds.
pub(crate) fn api_server(binary: &Path, files: &Files, port: u16, extra: &[String]) -> Command {
    let mut command = Command::new(binary);
    command
        .arg(format!("--etcd-servers=unix://{}", files.etcd_socket().display()))
        .args(["--bind-address=127.0.0.1", "--permit-port-sharing=true"])
        .arg(format!("--secure-port={port}"))
        // Nobody finds this API server by its Service: an endpoint may not be a loopback address.
        .args(["--advertise-address=127.0.0.1", "--endpoint-reconciler-type=none"])
        .arg(flag("cert-dir", &files.root.join("certificates")))
        .arg(flag("tls-cert-file", &files.server_certificate()))
        .arg(flag("tls-private-key-file", &files.server_key()))
        .arg(flag("client-ca-file", &files.authority()))
        .args(["--authorization-mode=RBAC", "--enable-priority-and-fairness=false"])
        .arg("--service-account-issuer=https://kubernetes.default.svc")
        .arg(flag("service-account-key-file", &files.token_public_key()))
        .arg(flag("service-account-signing-key-file", &files.token_signing_key()))
        // A /24 ends at 254 Services.
        .arg("--service-cluster-ip-range=10.0.0.0/16")
        .args(extra);
    command
}

/// The controller manager, with one identity a controller, so that RBAC bounds each as in production.
pub(crate) fn controller_manager(binary: &Path, files: &Files, kubeconfig: &Path) -> Command {
    let mut command = Command::new(binary);
    command
        .arg(flag("kubeconfig", kubeconfig))
        .args(["--leader-elect=false", "--secure-port=0", "--use-service-account-credentials=true"])
        .arg(flag("service-account-private-key-file", &files.token_signing_key()))
        .arg(flag("root-ca-file", &files.authority()))
        // At the default of 20 requests a second it is four seconds before the first controller starts.
        .args(["--kube-api-qps=1000", "--kube-api-burst=1000"])
        // There are no nodes and no cloud for these to look after.
        .arg(
            "--controllers=*,-nodeipam,-service-lb-controller,-node-route-controller,\
             -cloud-node-lifecycle-controller",
        );
    command
}

fn flag(name: &str, value: &Path) -> String {
    format!("--{name}={}", value.display())
}
