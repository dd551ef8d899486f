//! A real server on loopback, good and bad.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::Address;

#[derive(Debug, Clone)]
pub(super) enum Behaviour {
    Answer {
        status: u16,
        location: Option<String>,
        body: String,
    },
    /// A good answer, given after others had the chance to come in too.
    Count,
    /// A good status, and a body without end.
    Endless,
    /// Takes the request and is silent.
    Hang,
    HangInBody,
    /// Takes the request and closes the connection.
    Close,
    CloseInBody,
}

#[derive(Debug, Default)]
struct Seen {
    paths: Vec<String>,
    open: usize,
    most_open: usize,
}

pub(super) struct Server {
    address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
    task: JoinHandle<()>,
}

impl Server {
    pub(super) async fn start(behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let shared = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, behaviour.clone(), Arc::clone(&shared)));
            }
        });
        Self { address, seen, task }
    }

    pub(super) fn address(&self, name: &str) -> Address {
        Address { name: name.to_owned(), server: format!("http://{}/", self.address).parse().unwrap() }
    }

    /// What was asked for, in order.
    pub(super) fn paths(&self) -> Vec<String> {
        self.seen.lock().unwrap().paths.clone()
    }

    pub(super) fn most_at_once(&self) -> usize {
        self.seen.lock().unwrap().most_open
    }

    /// Stops listening.
    pub(super) async fn stop(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }
}

async fn serve(mut stream: TcpStream, behaviour: Behaviour, seen: Arc<Mutex<Seen>>) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            // Not HTTP: the beginning of a TLS handshake.
            Ok(0x16) | Err(_) => return,
            Ok(byte) => request.push(byte),
        }
    }
    let request = String::from_utf8(request).unwrap();
    {
        let mut seen = seen.lock().unwrap();
        seen.paths.push(request.split(' ').nth(1).unwrap().to_owned());
        seen.open += 1;
        seen.most_open = seen.most_open.max(seen.open);
    }
    // Whoever asked may hang up at any time: that is no failure of this server.
    let _ = respond(&mut stream, behaviour, &seen).await;
}

async fn respond(stream: &mut TcpStream, behaviour: Behaviour, seen: &Mutex<Seen>) -> std::io::Result<()> {
    const CHUNK: &[u8] = &[b'x'; 4096];
    match behaviour {
        Behaviour::Answer { status, location, body } => {
            let location = location.map(|to| format!("Location: {to}\r\n")).unwrap_or_default();
            let length = body.len();
            let head = format!("HTTP/1.1 {status} x\r\n{location}Content-Length: {length}\r\n\r\n");
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(body.as_bytes()).await
        }
        Behaviour::Count => {
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            seen.lock().unwrap().open -= 1;
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await
        }
        Behaviour::Endless => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
            loop {
                stream.write_all(CHUNK).await?;
            }
        }
        Behaviour::Hang => std::future::pending().await,
        Behaviour::HangInBody => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf").await?;
            std::future::pending().await
        }
        Behaviour::Close => Ok(()),
        Behaviour::CloseInBody => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf").await
        }
    }
}
