//! A client that keeps its connection and hides nothing: one request is one attempt.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

pub(crate) struct Client(SendRequest<Full<Bytes>>);

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self::try_connect(address).await.expect("a connection")
    }

    /// Waits for a server that is only just starting.
    pub(crate) async fn connect_when_up(address: SocketAddr) -> Self {
        let up = async {
            loop {
                match Self::try_connect(address).await {
                    Ok(client) => return client,
                    Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
                }
            }
        };
        super::soon("a server", up).await
    }

    async fn try_connect(address: SocketAddr) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.expect("a handshake");
        tokio::spawn(connection);
        Ok(Self(sender))
    }

    pub(crate) async fn send(&mut self, request: Request<Full<Bytes>>) -> hyper::Result<Response<Incoming>> {
        self.0.ready().await?;
        self.0.send_request(request).await
    }

    pub(crate) async fn get(&mut self, path: &str) -> (StatusCode, String) {
        let response = self.begin(path).await;
        let status = response.status();
        let body = response.into_body().collect().await.expect("a whole body").to_bytes();
        (status, String::from_utf8(body.to_vec()).expect("a text"))
    }

    /// Asks, and returns at the head of the answer.
    pub(crate) async fn begin(&mut self, path: &str) -> Response<Incoming> {
        let request = Request::get(path).header("host", "example.com").body(Full::default());
        self.send(request.expect("a request")).await.expect("an answer")
    }
}
