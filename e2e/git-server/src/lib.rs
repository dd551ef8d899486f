//! A git server on loopback, for tests: git's own `http-backend` behind real TLS, and the ways in which servers
//! disappoint.
//!
//! It panics where anything is not as a test needs it. It is no server for anybody else: one request, one process.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Response, StatusCode, header};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::server::TlsStream;

/// How the server treats whoever asks.
#[derive(Clone)]
pub enum Manners {
    /// Answers everybody.
    Open,
    /// Answers who sends this `Authorization`, and looks at the machine's processes when it does.
    Guarded {
        /// The header's value. Whoever sends another one is refused, and told what was sent.
        authorization: &'static str,
        /// What no process may have among its arguments.
        canary: &'static str,
    },
    /// Sends everybody elsewhere.
    Redirect(String),
    /// Says this, in text.
    Says(StatusCode, String),
    /// Never answers.
    Hangs,
}

/// A running server. It answers for as long as the runtime that it was started on.
pub struct Server {
    address: SocketAddr,
    dir: TempDir,
    seen: Arc<Mutex<Seen>>,
}

/// What the server noticed.
#[derive(Default)]
pub struct Seen {
    /// How many requests came.
    pub requests: usize,
    /// Every `Authorization` that was sent.
    pub authorizations: Vec<String>,
    /// How many processes had the canary among their arguments while an authorised request was under way.
    pub canary_in_arguments: usize,
    /// The same of their environments.
    pub canary_in_environments: usize,
}

struct Shared {
    root: PathBuf,
    manners: Manners,
    seen: Arc<Mutex<Seen>>,
}

impl Server {
    /// Serves the repositories under `root` on a port of the kernel's choice.
    ///
    /// # Panics
    /// When there is no port or no certificate to be had.
    pub async fn start(root: &Path, manners: Manners) -> Self {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("ca.pem"), cert.pem()).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
        let tls = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .unwrap();
        let tcp = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = tcp.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let shared = Arc::new(Shared { root: root.to_owned(), manners, seen: Arc::clone(&seen) });
        let app = axum::Router::new().fallback(answer).with_state(shared);
        let listener = Tls { tcp, acceptor: TlsAcceptor::from(Arc::new(tls)) };
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { address, dir, seen }
    }

    /// The URL of the repository in the directory `name`.
    pub fn url(&self, name: &str) -> String {
        format!("https://localhost:{}/{name}", self.address.port())
    }

    /// The file with the one certificate authority that vouches for it, its own.
    pub fn certificate(&self) -> PathBuf {
        self.dir.path().join("ca.pem")
    }

    /// What it has noticed so far.
    ///
    /// # Panics
    /// When whoever looked before panicked.
    pub fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap()
    }
}

struct Tls {
    tcp: TcpListener,
    acceptor: TlsAcceptor,
}

impl axum::serve::Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, from) = self.tcp.accept().await.unwrap();
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, from);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.tcp.local_addr()
    }
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response<Body> {
    let authorization =
        request.headers().get(header::AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned());
    {
        let mut seen = shared.seen.lock().unwrap();
        seen.requests += 1;
        seen.authorizations.extend(authorization.clone());
    }
    match &shared.manners {
        Manners::Open => backend(&shared.root, request).await,
        Manners::Guarded { authorization: wanted, canary } => {
            if authorization.as_deref() != Some(wanted) {
                let refusal = Response::builder()
                    .status(StatusCode::UNAUTHORIZED)
                    .header(header::WWW_AUTHENTICATE, "Basic realm=\"git\"")
                    .header(header::CONTENT_TYPE, "text/plain");
                return refusal.body(Body::from(format!("you sent {authorization:?}\n"))).unwrap();
            }
            {
                let mut seen = shared.seen.lock().unwrap();
                seen.canary_in_arguments += processes_with(canary, "cmdline");
                seen.canary_in_environments += processes_with(canary, "environ");
            }
            backend(&shared.root, request).await
        }
        Manners::Redirect(to) => Response::builder()
            .status(StatusCode::FOUND)
            .header(header::LOCATION, format!("{to}{}", request.uri().path()))
            .body(Body::empty())
            .unwrap(),
        Manners::Says(status, text) => Response::builder()
            .status(status)
            .header(header::CONTENT_TYPE, "text/plain")
            .body(Body::from(text.clone()))
            .unwrap(),
        Manners::Hangs => std::future::pending().await,
    }
}

/// How many processes have `text` in this file of theirs, such as `cmdline` or `environ`.
///
/// # Panics
/// Where there is no `/proc`.
pub fn processes_with(text: &str, file: &str) -> usize {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let held = processes.filter_map(|process| std::fs::read(process.path().join(file)).ok());
    held.filter(|bytes| bytes.windows(text.len()).any(|window| window == text.as_bytes())).count()
}

/// Runs git's CGI program on a request.
async fn backend(root: &Path, request: Request) -> Response<Body> {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let mut child = tokio::process::Command::new("git")
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("PATH_INFO", head.uri.path())
        .env("QUERY_STRING", head.uri.query().unwrap_or_default())
        .env("REQUEST_METHOD", head.method.as_str())
        .env("CONTENT_LENGTH", body.len().to_string())
        .env("CONTENT_TYPE", text(&head.headers, "content-type"))
        .env("HTTP_CONTENT_ENCODING", text(&head.headers, "content-encoding"))
        .env("GIT_PROTOCOL", text(&head.headers, "git-protocol"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&body).await.unwrap();
    let output = child.wait_with_output().await.unwrap().stdout;
    let split = output.windows(4).position(|window| window == b"\r\n\r\n").expect("a CGI answer has a head");
    let mut response = Response::builder();
    for line in std::str::from_utf8(&output[..split]).unwrap().lines() {
        let (name, value) = line.split_once(": ").unwrap();
        response = match name {
            "Status" => response.status(value.split(' ').next().unwrap()),
            _ => response.header(name, value),
        };
    }
    response.body(Body::from(Bytes::copy_from_slice(&output[split + 4..]))).unwrap()
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
}
