//! A listener: its socket, its table, its connections.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::forward::Shared;
use super::picker::Picker;
use super::record::{Observation, View};
use super::table::Table;

/// How long a target may take.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// To accept a connection.
    pub connect: Duration,
    /// Between two signs of life of a request, in either direction.
    pub idle: Duration,
}

/// As an Application Load Balancer has them.
impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), idle: Duration::from_mins(1) }
    }
}

/// A listening socket that forwards by its table. Dropping it closes the socket and cuts every request.
#[derive(Debug)]
pub struct Listener {
    address: SocketAddr,
    tables: watch::Sender<Arc<Table>>,
    observations: mpsc::UnboundedSender<Observation>,
    close: oneshot::Sender<()>,
    accepting: JoinSet<()>,
}

impl Listener {
    /// Listens on a loopback address; port 0 is any free one.
    ///
    /// # Errors
    ///
    /// What the system says where the address is taken, and `InvalidInput` where it is not loopback.
    pub async fn bind(
        address: SocketAddr,
        table: Table,
        timeouts: Timeouts,
        observations: mpsc::UnboundedSender<Observation>,
    ) -> io::Result<Self> {
        if !address.ip().is_loopback() {
            let message =
                format!("{address} is not a loopback address: the balancer serves this machine only");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        let socket = TcpListener::bind(address).await?;
        let address = socket.local_addr()?;
        tell(&observations, &table);
        let (tables, current) = watch::channel(Arc::new(table));
        let shared = Shared {
            address,
            tables: current,
            picker: Mutex::new(Picker::default()),
            timeouts,
            observations: observations.clone(),
        };
        let (close, closed) = oneshot::channel();
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(socket, Arc::new(shared), closed));
        Ok(Self { address, tables, observations, close, accepting })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Routes the requests that come from now on by this table. Those under way go on, each with its target.
    pub fn update(&mut self, table: Table) {
        // Told first: whoever reads the observations knows a table before the first request that it routed.
        tell(&self.observations, &table);
        self.tables.send_replace(Arc::new(table));
    }

    /// Accepts nothing more, lets what is under way finish for so long, and cuts the rest.
    pub async fn close(mut self, patience: Duration) {
        // Nobody there to be told means that it has ended already.
        _ = self.close.send(());
        _ = timeout(patience, self.accepting.join_next()).await;
    }
}

fn tell(observations: &mpsc::UnboundedSender<Observation>, table: &Table) {
    // Nobody may be listening any more; that is theirs to decide.
    _ = observations.send(Observation::Table(View { at: Timestamp::now(), rules: table.view() }));
}

async fn accept(socket: TcpListener, shared: Arc<Shared>, mut closed: oneshot::Receiver<()>) {
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = socket.accept() => {
                let Ok((stream, client)) = accepted else {
                    // Out of file descriptors: some come back as connections end.
                    sleep(Duration::from_millis(10)).await;
                    continue;
                };
                // It only costs speed where it fails.
                _ = stream.set_nodelay(true);
                let shared = shared.clone();
                let service = service_fn(move |request| {
                    let shared = shared.clone();
                    async move { Ok::<_, Infallible>(shared.answer(client, request).await) }
                });
                let served = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                let served = graceful.watch(served);
                // How a connection ends is the client's affair; how its requests end is on record.
                connections.spawn(async { _ = served.await });
            }
            Some(_) = connections.join_next() => {}
            _ = &mut closed => break,
        }
    }
    drop(socket);
    graceful.shutdown().await;
}
