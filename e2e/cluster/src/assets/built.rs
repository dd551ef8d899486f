//! A control plane built by Go, from the module in `go/` that this crate carries. One binary is all of the programs;
//! a link for each has the name it is called by.
//!
//! Go prints nothing while it builds for minutes, so its packages are counted: those it has to compile before,
//! those it has compiled (`-v`) during.

use std::env::consts::{ARCH, OS};
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::cache::Place;
use super::{Tool, found};
use crate::cluster::Guard;
use crate::progress::Progress;

const GO_MOD: &str = include_str!("../../go/go.mod");
/// The module's files.
const MODULE: [(&str, &str); 5] = [
    ("go.mod", GO_MOD),
    ("go.sum", include_str!("../../go/go.sum")),
    ("main.go", include_str!("../../go/main.go")),
    ("components.go", include_str!("../../go/components.go")),
    ("clients.go", include_str!("../../go/clients.go")),
];
const BINARY: &str = "kubernetes";

/// Where the programs of this module are kept.
pub(super) fn place(cache: &Path) -> Place {
    let flags = link_flags();
    // A home folder may be several machines'.
    let machine = [OS, ARCH].map(str::as_bytes);
    let files = MODULE.into_iter().flat_map(|(name, text)| [name.as_bytes(), text.as_bytes()]);
    Place::new(cache, "built", files.chain([flags.as_bytes()]).chain(machine))
}

/// Builds the module into `folder`, by the Go on `path`.
pub(super) async fn into(folder: PathBuf, path: &OsStr) -> Result<(), BuildError> {
    let go = found::executable_on(path, "go").ok_or(BuildError::NoGo)?;
    let path = path.to_owned();
    let built = tokio::task::spawn_blocking(move || build(&Go { binary: go, path }, &folder));
    built.await.map_err(io::Error::other)?
}

/// The version of `module` that the module requires.
pub(super) fn version_of(module: &str) -> &'static str {
    // A replacement line has the name first too, but an arrow second.
    let required = |line: &'static str| {
        let (name, version) = line.trim().split_once(' ')?;
        (name == module && version.starts_with('v')).then_some(version)
    };
    GO_MOD.lines().find_map(required).unwrap_or_default()
}

/// The versions that the programs report. kubectl cannot read a server's version without them.
fn link_flags() -> String {
    let kubernetes = version_of("k8s.io/kubernetes");
    let mut numbers = kubernetes.trim_start_matches('v').split('.');
    let (major, minor) = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
    let helm = version_of("helm.sh/helm/v4");
    let package = "k8s.io/component-base/version";
    format!(
        "-s -w -X {package}.gitVersion={kubernetes} -X {package}.gitMajor={major} -X {package}.gitMinor={minor} \
         -X helm.sh/helm/v4/internal/version.version={helm}"
    )
}

fn build(go: &Go, folder: &Path) -> Result<(), BuildError> {
    let progress = Progress::start("control plane");
    progress.note(&format!(
        "building Kubernetes {} by Go, once: this takes minutes",
        version_of("k8s.io/kubernetes")
    ));
    let module = folder.join("module");
    fs::create_dir(&module)?;
    for (name, text) in MODULE {
        fs::write(module.join(name), text)?;
    }

    let to_compile = folder.join("to-compile");
    let list =
        ["list", "-deps", "-trimpath", "-f", "{{if .Stale}}{{.ImportPath}}{{end}}", "."].map(OsString::from);
    go.run(&module, &list, File::create(&to_compile)?.into(), |line| progress.show(line))?;
    let total = fs::read_to_string(&to_compile)?.lines().count();
    fs::remove_file(to_compile)?;

    let mut finished = 0;
    let binary = folder.join(BINARY);
    let mut arguments =
        ["build", "-v", "-trimpath", "-buildvcs=false", "-ldflags"].map(OsString::from).to_vec();
    arguments.extend([link_flags().into(), "-o".into(), binary.into(), ".".into()]);
    go.run(&module, &arguments, Stdio::null(), |_| {
        finished += 1;
        progress.show(&format!("{finished} of {total} packages compiled"));
    })?;

    for tool in Tool::ALL {
        symlink(BINARY, folder.join(tool.file_name()))?;
    }
    fs::remove_dir_all(module)?;
    progress.done("built");
    Ok(())
}

struct Go {
    binary: PathBuf,
    path: OsString,
}

impl Go {
    /// Runs it in `module`, hands every line it prints on standard error to `on_line`, and ends it with this process.
    fn run(
        &self,
        module: &Path,
        arguments: &[OsString],
        output: Stdio,
        mut on_line: impl FnMut(&str),
    ) -> Result<(), BuildError> {
        const LAST_WORDS: usize = 20;
        let guard = Guard::new(None)?;
        let mut command = Command::new(&self.binary);
        command
            .args(arguments)
            .current_dir(module)
            .env("PATH", &self.path)
            .env("CGO_ENABLED", "0")
            // The user's own settings are for the user's own modules.
            .env("GOFLAGS", "-mod=readonly")
            .env("GOWORK", "off")
            .env_remove("GOOS")
            .env_remove("GOARCH")
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(Stdio::piped());
        let mut child = guard.spawn(&mut command)?;
        let mut last_words = Vec::new();
        if let Some(stderr) = child.stderr.take() {
            for line in BufReader::new(stderr).lines() {
                let line = line?;
                on_line(&line);
                last_words.push(line);
                if last_words.len() > LAST_WORDS {
                    last_words.remove(0);
                }
            }
        }
        if child.wait()?.success() { Ok(()) } else { Err(BuildError::Failed(last_words.join("\n"))) }
    }
}

/// Why nothing was built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// There is no Go.
    #[error("there is no `go` on PATH")]
    NoGo,
    /// Go failed, mostly for want of a network or of space.
    #[error("go failed. The end of what it printed:\n{0}")]
    Failed(String),
    /// Go could not be run, or its files not be written.
    #[error("go could not be run: {0}")]
    Io(#[from] io::Error),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_those_that_the_module_requires() {
        for module in ["k8s.io/kubernetes", "helm.sh/helm/v4", "go.etcd.io/etcd/server/v3"] {
            assert!(version_of(module).starts_with('v'), "{module}");
        }
        assert_eq!(version_of("k8s.io/nothing"), "");
    }

    #[test]
    fn every_file_of_the_module_is_carried() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("go");
        let mut files: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort_unstable();
        let mut carried = MODULE.map(|(name, _)| name.to_owned());
        carried.sort_unstable();
        assert_eq!(files, carried);
    }
}
