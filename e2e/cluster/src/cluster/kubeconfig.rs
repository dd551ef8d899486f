//! The file that tells a client where the cluster is and who the client is.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::credentials::Proof;

/// One user's access to a cluster, as a file that every Kubernetes client reads. It needs no other file, and ends
/// with its cluster.
#[derive(Debug, Clone)]
pub struct Kubeconfig {
    path: PathBuf,
    yaml: String,
}

impl Kubeconfig {
    /// Where it is: what `KUBECONFIG` is to be set to.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its text.
    pub fn yaml(&self) -> &str {
        &self.yaml
    }

    /// Writes the one by which whoever has this proof reaches `server`, readable by this machine's user alone.
    pub(crate) fn write(path: PathBuf, server: &str, authority: &str, proof: Proof<'_>) -> io::Result<Self> {
        let yaml = render(server, authority, proof);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        file.write_all(yaml.as_bytes())?;
        Ok(Self { path, yaml })
    }
}

fn render(server: &str, authority: &str, proof: Proof<'_>) -> String {
    let authority = STANDARD.encode(authority);
    let user = match proof {
        Proof::Certificate(identity) => {
            let [certificate, key] = [&identity.certificate, &identity.key].map(|pem| STANDARD.encode(pem));
            format!("client-certificate-data: {certificate}\n    client-key-data: {key}")
        }
        Proof::Token(token) => format!("token: {token}"),
    };
    format!(
        "apiVersion: v1
kind: Config
clusters:
- name: dryad
  cluster:
    server: {server}
    certificate-authority-data: {authority}
users:
- name: dryad
  user:
    {user}
contexts:
- name: dryad
  context:
    cluster: dryad
    user: dryad
current-context: dryad
"
    )
}
