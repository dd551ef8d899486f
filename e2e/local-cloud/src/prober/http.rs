//! One check, over a socket.

use std::pin::pin;

use bytes::Bytes;
use http_body_util::Empty;
use hyper::Request;
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, HOST, USER_AGENT};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Asker;
use super::check::Watched;
use crate::model::elb::Probe;

/// Asks for the path with GET, on a connection of its own, and looks at the status.
#[derive(Debug, Clone, Copy)]
pub struct HttpAsker;

impl Asker for HttpAsker {
    async fn ask(&self, watched: &Watched) -> Probe {
        match timeout(watched.check.timeout, status(watched)).await {
            Err(_) => Probe::Timeout,
            Ok(Err(_)) => Probe::Failed,
            Ok(Ok(status)) if watched.check.matcher.contains(status) => Probe::Good,
            Ok(Ok(status)) => Probe::WrongStatus(status),
        }
    }
}

async fn status(watched: &Watched) -> Result<u16, Box<dyn std::error::Error + Send + Sync>> {
    let address = watched.check_address();
    let request = Request::get(&watched.check.path)
        .header(HOST, address.to_string())
        .header(USER_AGENT, "ELB-HealthChecker/2.0")
        .header(CONNECTION, "close")
        .body(Empty::<Bytes>::new())?;
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let mut answer = pin!(sender.send_request(request));
    tokio::select! {
        answer = &mut answer => Ok(answer?.status().as_u16()),
        // It moves the bytes, and may have moved the last of them just now.
        ended = connection => {
            ended?;
            Ok(answer.await?.status().as_u16())
        }
    }
}
