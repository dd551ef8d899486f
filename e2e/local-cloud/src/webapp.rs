//! A small web application to deploy: it serves the directory of a checked-out commit.
//!
//! The files of the directory decide how it behaves, so that a commit can be good or bad:
//!
//! | file         | what it does                                                                |
//! |--------------|-----------------------------------------------------------------------------|
//! | `index.html` | the answer to `/`; without it the application does not start                |
//! | `status`     | optional: the status of the answer to `/`, as in `500`; 200 without it      |
//! | `healthz`    | optional: the status of the answer to `/healthz`; 200 without it            |
//! | `broken`     | optional: the application prints it and does not start                      |
//!
//! All of them are read once, at the start. Every answer says in `x-instance` which instance gave it. SIGTERM
//! ends the application after the requests in flight.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::{env, fs};

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::signal::unix::{SignalKind, signal};

const INSTANCE: HeaderName = HeaderName::from_static("x-instance");

/// Why the application did not start, or ended otherwise than by SIGTERM.
#[derive(Debug, thiserror::Error)]
pub enum WebappError {
    /// The commit says so itself.
    #[error("this commit is broken: {0}")]
    Broken(String),
    /// A file that is needed is missing or unreadable.
    #[error("cannot read {path}: {source}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// `status` or `healthz` holds something else than an HTTP status.
    #[error("{path} holds {text:?}: write one HTTP status, as in 500", path = path.display())]
    NotAStatus {
        /// The file.
        path: PathBuf,
        /// What it holds.
        text: String,
    },
    /// `PRIVATE_IP` and `PORT` are missing from the environment or make no address.
    #[error("set PRIVATE_IP and PORT to the address to listen on, as in 127.0.0.1 and 8080")]
    NoAddress,
    /// The address is taken, or the connection to the system was lost.
    #[error("cannot serve on {address}: {source}")]
    Socket {
        /// Where it should have listened.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}

/// Serves a checked-out commit until SIGTERM, at the address that an instance finds in its environment.
///
/// # Errors
///
/// [`WebappError`], before it has answered anything.
pub async fn run(checkout: &Path) -> Result<(), WebappError> {
    let site = Site::read(checkout)?;
    let (Ok(ip), Ok(port)) = (variable("PRIVATE_IP").parse(), variable("PORT").parse()) else {
        return Err(WebappError::NoAddress);
    };
    let address = SocketAddr::new(ip, port);
    let served = serve(site, address).await;
    served.map_err(|source| WebappError::Socket { address, source })
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_default()
}

async fn serve(site: Site, address: SocketAddr) -> io::Result<()> {
    // Before it listens: whoever has seen an answer may rely on SIGTERM.
    let mut term = signal(SignalKind::terminate())?;
    let listener = tokio::net::TcpListener::bind(address).await?;
    let instance = HeaderValue::from_str(&variable("INSTANCE_ID")).unwrap_or(HeaderValue::from_static(""));
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    let index = (site.status, [(INSTANCE, instance.clone()), (CONTENT_TYPE, html)], site.index);
    let healthz = (site.healthz, [(INSTANCE, instance)]);
    let routes = Router::new()
        .route("/", get(async move || index.into_response()))
        .route("/healthz", get(async move || healthz.into_response()));
    axum::serve(listener, routes).with_graceful_shutdown(async move { _ = term.recv().await }).await
}

/// What a commit says about how to behave.
#[derive(Debug, PartialEq, Eq)]
struct Site {
    index: String,
    status: StatusCode,
    healthz: StatusCode,
}

impl Site {
    fn read(checkout: &Path) -> Result<Self, WebappError> {
        if let Some(message) = optional(&checkout.join("broken"))? {
            return Err(WebappError::Broken(message.trim().to_owned()));
        }
        let path = checkout.join("index.html");
        let index = fs::read_to_string(&path).map_err(|source| WebappError::Unreadable { path, source })?;
        Ok(Self {
            index,
            status: status(checkout.join("status"))?,
            healthz: status(checkout.join("healthz"))?,
        })
    }
}

fn optional(path: &Path) -> Result<Option<String>, WebappError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(WebappError::Unreadable { path: path.to_owned(), source }),
    }
}

fn status(path: PathBuf) -> Result<StatusCode, WebappError> {
    match optional(&path)? {
        None => Ok(StatusCode::OK),
        Some(text) => text.trim().parse().map_err(|_| WebappError::NotAStatus { path, text }),
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn checkout(files: &[(&str, &str)]) -> TempDir {
        let dir = TempDir::new().expect("a directory");
        for (name, text) in files {
            fs::write(dir.path().join(name), text).expect("a file");
        }
        dir
    }

    #[test]
    fn a_commit_is_good_unless_its_files_say_otherwise() {
        let read = |files: &[(&str, &str)]| Site::read(checkout(files).path()).expect("a site");
        let (good, bad) = (StatusCode::OK, StatusCode::INTERNAL_SERVER_ERROR);
        let site = |status, healthz| Site { index: "one".to_owned(), status, healthz };
        assert_eq!(read(&[("index.html", "one")]), site(good, good));
        assert_eq!(read(&[("index.html", "one"), ("status", "500\n")]), site(bad, good));
        assert_eq!(read(&[("index.html", "one"), ("healthz", "500")]), site(good, bad));
    }

    #[test]
    fn a_commit_that_cannot_start_says_why() {
        let table: [(&[(&str, &str)], &str); 3] = [
            (&[], "index.html: No such file"),
            (&[("index.html", "one"), ("broken", "no database\n")], "this commit is broken: no database"),
            (&[("index.html", "one"), ("status", "bad")], "status holds \"bad\": write one HTTP status"),
        ];
        for (files, expected) in table {
            let error = Site::read(checkout(files).path()).expect_err("no site").to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
