//! A web server in this process that the test directs.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use bytes::Bytes;
use http_body_util::channel::{Channel, Sender};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc, watch};

/// `/` its name, `/held` its name once released, `/stream` what the test sends, `/echo` and `/headers` what came.
pub(crate) struct WebServer {
    pub(crate) address: SocketAddr,
    state: Shared,
    held: mpsc::UnboundedReceiver<()>,
    streams: mpsc::UnboundedReceiver<Stream>,
}

/// Where the test sends the body of an answer to `/stream`.
pub(crate) type Stream = Sender<Bytes, std::io::Error>;

#[derive(Clone)]
struct Shared {
    name: &'static str,
    status: watch::Sender<u16>,
    hits: Arc<AtomicUsize>,
    gate: Arc<Semaphore>,
    arrived: mpsc::UnboundedSender<()>,
    streamed: mpsc::UnboundedSender<Stream>,
}

impl WebServer {
    pub(crate) async fn start(name: &'static str) -> Self {
        let (arrived, held) = mpsc::unbounded_channel();
        let (streamed, streams) = mpsc::unbounded_channel();
        let (status, _) = watch::channel(200);
        let hits = Arc::default();
        let state = Shared { name, status, hits, gate: Arc::new(Semaphore::new(0)), arrived, streamed };
        let routes = Router::new()
            .route("/", get(name_of))
            .route("/held", get(held_back))
            .route("/stream", get(stream))
            .route("/echo", post(async |body: Body| body))
            .route("/headers", get(async |headers: HeaderMap| format!("{headers:?}")))
            .with_state(state.clone());
        let socket = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = socket.local_addr().expect("its address");
        tokio::spawn(async move { axum::serve(socket, routes).await });
        Self { address, state, held, streams }
    }

    /// How many requests for `/` have come.
    pub(crate) fn hits(&self) -> usize {
        self.state.hits.load(Ordering::SeqCst)
    }

    /// Answers `/` with this from now on; 0 is no answer at all.
    pub(crate) fn answer(&self, status: u16) {
        self.state.status.send_replace(status);
    }

    /// Waits until a request for `/held` is being held.
    pub(crate) async fn holding(&mut self) {
        super::soon("a request to hold", self.held.recv()).await.expect("a server");
    }

    /// Lets one held request go.
    pub(crate) fn release(&self) {
        self.state.gate.add_permits(1);
    }

    /// Waits until `/stream` is asked for.
    pub(crate) async fn streaming(&mut self) -> Stream {
        super::soon("a request to stream to", self.streams.recv()).await.expect("a server")
    }
}

async fn name_of(State(state): State<Shared>) -> Result<(StatusCode, &'static str), Infallible> {
    state.hits.fetch_add(1, Ordering::SeqCst);
    let status = *state.status.subscribe().wait_for(|status| *status != 0).await.expect("a server");
    Ok((StatusCode::from_u16(status).expect("a status"), state.name))
}

async fn held_back(State(state): State<Shared>) -> &'static str {
    _ = state.arrived.send(());
    state.gate.acquire().await.expect("a gate").forget();
    state.name
}

async fn stream(State(state): State<Shared>) -> Body {
    let (sender, body) = Channel::new(1);
    _ = state.streamed.send(sender);
    Body::new(body)
}
