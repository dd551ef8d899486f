//! AWS's wire protocols over HTTP, for the SDKs, the `aws` CLI and boto3: point their endpoint here.
//!
//! Service, region and access key come from the credential scope of the request's signature; the signature itself is
//! **not** verified. Twelve digits as the access key are that account; `AssumeRole` issues other keys. Besides,
//! `/_control/…` steers the world ([`control`]).

mod answer;
mod connection;
pub mod control;
pub(crate) mod parameters;
mod request;
mod scope;
mod xml;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::routing::post;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::shared::Shared;

/// The door as an axum router.
pub fn router(shared: Arc<Shared>) -> Router {
    Router::new().route("/", post(request::handle)).nest("/_control", control::router()).with_state(shared)
}

/// An open door. Dropping it closes it.
#[derive(Debug)]
pub struct Door {
    address: SocketAddr,
    _tasks: JoinSet<()>,
}

impl Door {
    /// Opens the door on that port of the loopback interface, 0 for a free one, and lets the world's time pass.
    ///
    /// # Errors
    /// When the port is taken.
    pub async fn open(shared: Arc<Shared>, port: u16) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let mut tasks = JoinSet::new();
        let service = router(Arc::clone(&shared));
        tasks.spawn(async move {
            // It only ends when the task is aborted.
            let _ = axum::serve(listener, service).await;
        });
        tasks.spawn(async move { shared.keep_time().await });
        Ok(Self { address, _tasks: tasks })
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What to give an SDK as the endpoint of every service.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }
}
