//! Official releases, fetched. Nothing is unpacked, let alone run, before the whole archive has the pinned digest.

use std::fs::{self, File};
use std::io::{self, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use flate2::bufread::GzDecoder;
use reqwest::{Client, StatusCode};
use sha2::{Digest as _, Sha256, Sha512};

use super::Tool;
use super::cache::Place;
use super::releases::{Digest, Release};
use crate::progress::Progress;

/// How long a server may be silent. There is no limit on the whole: lines are slow, and progress is shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    pub(super) connect: Duration,
    pub(super) stall: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), stall: Duration::from_secs(15) }
    }
}

/// Where the programs of these releases are kept.
pub(super) fn place(cache: &Path, releases: &[Release]) -> Place {
    let inputs = releases.iter().map(|release| match &release.digest {
        Digest::Sha256(digest) | Digest::Sha512(digest) => digest.as_bytes(),
    });
    Place::new(cache, "fetched", inputs)
}

/// Fetches `releases` and puts their programs into `folder`.
pub(super) async fn into(
    folder: PathBuf,
    releases: &[Release],
    patience: Patience,
) -> Result<(), FetchError> {
    if releases.is_empty() {
        let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
        return Err(FetchError::NoRelease { os, arch });
    }
    crate::use_ring();
    let client = Client::builder()
        .connect_timeout(patience.connect)
        .read_timeout(patience.stall)
        .build()
        .map_err(FetchError::Client)?;
    for release in releases {
        let archive = folder.join("archive");
        download(&client, release, &archive).await?;
        let (folder, release) = (folder.clone(), release.clone());
        let unpacked = tokio::task::spawn_blocking(move || {
            unpack(&archive, &folder, &release)?;
            fs::remove_file(&archive).map_err(FetchError::Disk)
        });
        unpacked.await.map_err(|died| FetchError::Disk(io::Error::other(died)))??;
    }
    Ok(())
}

async fn download(client: &Client, release: &Release, to: &Path) -> Result<(), FetchError> {
    let url = &release.url;
    let broken =
        |source: reqwest::Error| FetchError::Broken { url: url.clone(), source: source.without_url() };
    let progress = Progress::start("control plane");
    progress.show(&format!("fetching {url}"));
    let mut answer = client.get(url).send().await.map_err(broken)?;
    if answer.status() != StatusCode::OK {
        return Err(FetchError::Refused { url: url.clone(), status: answer.status() });
    }
    let total = answer.content_length().map_or(String::new(), |total| format!(" of {}", megabytes(total)));
    let mut file = File::create(to)?;
    let mut hasher = Hasher::like(&release.digest);
    let mut received = 0;
    while let Some(chunk) = answer.chunk().await.map_err(broken)? {
        hasher.update(&chunk);
        file.write_all(&chunk)?;
        received += chunk.len() as u64;
        progress.show(&format!("fetching {url}: {}{total} MB", megabytes(received)));
    }
    let got = hasher.finish();
    if got != release.digest {
        return Err(FetchError::Corrupt { url: url.clone(), expected: release.digest.clone(), got });
    }
    progress.done(&format!("fetched {url}: {} MB", megabytes(received)));
    Ok(())
}

fn megabytes(bytes: u64) -> u64 {
    bytes.div_ceil(1_000_000)
}

enum Hasher {
    Sha256(Sha256),
    Sha512(Sha512),
}

impl Hasher {
    fn like(digest: &Digest) -> Self {
        match digest {
            Digest::Sha256(_) => Self::Sha256(Sha256::new()),
            Digest::Sha512(_) => Self::Sha512(Sha512::new()),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Sha512(hasher) => hasher.update(bytes),
        }
    }

    fn finish(self) -> Digest {
        match self {
            Self::Sha256(hasher) => Digest::Sha256(hex::encode(hasher.finalize())),
            Self::Sha512(hasher) => Digest::Sha512(hex::encode(hasher.finalize())),
        }
    }
}

fn unpack(archive: &Path, folder: &Path, release: &Release) -> Result<(), FetchError> {
    let broken = |source| FetchError::Archive { url: release.url.clone(), source };
    let mut wanted: Vec<(Tool, &Path)> =
        release.files.iter().map(|(tool, inside)| (*tool, Path::new(inside))).collect();
    let mut archive = tar::Archive::new(GzDecoder::new(BufReader::new(File::open(archive)?)));
    for entry in archive.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        let inside = entry.path().map_err(broken)?.into_owned();
        let Some(index) = wanted.iter().position(|(_, path)| *path == inside) else { continue };
        let (tool, _) = wanted.swap_remove(index);
        let mut program = File::create(folder.join(tool.file_name()))?;
        io::copy(&mut entry, &mut program).map_err(broken)?;
        program.set_permissions(fs::Permissions::from_mode(0o755))?;
    }
    match wanted.first() {
        None => Ok(()),
        Some((tool, _)) => Err(FetchError::Lacks { url: release.url.clone(), tool: *tool }),
    }
}

/// Why nothing was fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// There is nothing to fetch for this machine.
    #[error("there are no official releases of kube-apiserver for {os} on {arch}")]
    NoRelease {
        /// The operating system.
        os: &'static str,
        /// The architecture.
        arch: &'static str,
    },
    /// The HTTP client could not be set up.
    #[error("no HTTP client: {}", causes(.0))]
    Client(reqwest::Error),
    /// The server cannot be reached, or the answer broke off.
    #[error("{url}: {}", causes(source))]
    Broken {
        /// Of what.
        url: String,
        /// How.
        source: reqwest::Error,
    },
    /// The server has something else to say.
    #[error("{url}: the server answered {status}")]
    Refused {
        /// To what.
        url: String,
        /// What.
        status: StatusCode,
    },
    /// What came is not what was released. It was thrown away.
    #[error("{url}: the digest is {got:?}, not {expected:?}; it was thrown away")]
    Corrupt {
        /// Of what.
        url: String,
        /// What it should be.
        expected: Digest,
        /// What it is.
        got: Digest,
    },
    /// The archive cannot be unpacked.
    #[error("{url} cannot be unpacked: {source}")]
    Archive {
        /// Which.
        url: String,
        /// Why.
        source: io::Error,
    },
    /// The archive is not what this table of releases takes it for.
    #[error("{url} holds no {}", tool.file_name())]
    Lacks {
        /// Which.
        url: String,
        /// What it lacks.
        tool: Tool,
    },
    /// It could not be kept.
    #[error("it could not be written: {0}")]
    Disk(#[from] io::Error),
}

/// The whole story of an error: reqwest's first sentence says only that there was one.
fn causes(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
