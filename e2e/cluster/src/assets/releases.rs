//! The official releases, pinned.
//!
//! Where the digests are from: Kubernetes publishes SHA-512 sums of its archives in its own changelog
//! (`CHANGELOG/CHANGELOG-1.36.md`; the tag after a release is the first to list it). They were read from the Go module
//! `k8s.io/kubernetes` v1.36.4, which Go verifies against its checksum database. It publishes no pinned sums of single
//! binaries, so it is the whole server archive that is fetched. The SHA-256 sums of etcd are those of its release's
//! `SHA256SUMS`, as Kubespray records them; those of helm are in its release notes.
//!
//! No project releases servers for other systems than Linux: for those there is Go.

use super::Tool;

/// A digest to hold a download against, lower-case hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Digest {
    /// SHA-256.
    Sha256(String),
    /// SHA-512.
    Sha512(String),
}

/// A `.tar.gz` and what of it is wanted.
#[derive(Debug, Clone)]
pub(super) struct Release {
    /// Where it is.
    pub(super) url: String,
    /// What it hashes to. Nothing is unpacked before that is certain.
    pub(super) digest: Digest,
    /// The wanted files, by their path inside.
    pub(super) files: Vec<(Tool, String)>,
}

const KUBERNETES: &str = "v1.36.3";
const ETCD: &str = "v3.6.8";
const HELM: &str = "v4.3.0";

/// The releases that make up a control plane for an operating system and an architecture, as Rust names them; none
/// where there are none.
pub(super) fn pinned(os: &str, arch: &str) -> Vec<Release> {
    let (arch, kubernetes, etcd, helm) = match (os, arch) {
        ("linux", "x86_64") => (
            "amd64",
            "b0fc15554233d9dcf7284bca259bc238aa89003dc2d821f7074f385f3825dead\
             854ae175482ccb5632a0930ffc1d3c0eff1cda2ada972fba9a5d46033a8b1e52",
            "cf9cfe91a4856cb90eed9c99e6aee4b708db2c7888b88a6f116281f04b0ea693",
            "86584a54def73570558f66f5111cc53dfed56689637ae32c1201205d494f54fb",
        ),
        ("linux", "aarch64") => (
            "arm64",
            "65c78d6893d683fc5e7f232f8638243886c8b1b7dbe055746ae7d38fdf801645\
             6b1710ce4fc1133127880a65aed9492f737995694462baad13495a7f3d9ef0c5",
            "438f56a700d17ce761510a3e63e6fa5c1d587b2dd4d7a22c179c09a649366760",
            "31c5794dd55c66a51e6b7d2e2ac7a114ae8b1de41ff1d9ba51748ac973b06a08",
        ),
        _ => return Vec::new(),
    };
    let inside = |tool: Tool| (tool, format!("kubernetes/server/bin/{}", tool.file_name()));
    vec![
        Release {
            url: format!("https://dl.k8s.io/{KUBERNETES}/kubernetes-server-linux-{arch}.tar.gz"),
            digest: Digest::Sha512(kubernetes.into()),
            files: [Tool::ApiServer, Tool::ControllerManager, Tool::Kubectl].map(inside).into(),
        },
        Release {
            url: format!(
                "https://github.com/etcd-io/etcd/releases/download/{ETCD}/etcd-{ETCD}-linux-{arch}.tar.gz"
            ),
            digest: Digest::Sha256(etcd.into()),
            files: vec![(Tool::Etcd, format!("etcd-{ETCD}-linux-{arch}/etcd"))],
        },
        Release {
            url: format!("https://get.helm.sh/helm-{HELM}-linux-{arch}.tar.gz"),
            digest: Digest::Sha256(helm.into()),
            files: vec![(Tool::Helm, format!("linux-{arch}/helm"))],
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assets::built;

    #[test]
    fn a_release_has_the_versions_of_the_module() {
        assert_eq!(KUBERNETES, built::version_of("k8s.io/kubernetes"));
        assert_eq!(ETCD, built::version_of("go.etcd.io/etcd/server/v3"));
    }

    #[test]
    fn the_released_helm_is_of_the_minor_version_of_the_module() {
        let minor = |version: &str| version.rsplit_once('.').map(|(minor, _)| minor.to_owned());
        assert_eq!(minor(HELM), minor(built::version_of("helm.sh/helm/v4")));
    }

    #[test]
    fn every_tool_is_released() {
        for arch in ["x86_64", "aarch64"] {
            let mut tools: Vec<_> = pinned("linux", arch)
                .into_iter()
                .flat_map(|release| release.files)
                .map(|(tool, _)| tool)
                .collect();
            tools.sort();
            assert_eq!(tools, Tool::ALL);
        }
    }

    #[test]
    fn digests_are_whole() {
        for arch in ["x86_64", "aarch64"] {
            for release in pinned("linux", arch) {
                let (digest, length) = match &release.digest {
                    Digest::Sha256(digest) => (digest, 64),
                    Digest::Sha512(digest) => (digest, 128),
                };
                assert_eq!(digest.len(), length, "{}", release.url);
                assert!(digest.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')));
            }
        }
    }
}
