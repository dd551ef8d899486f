//! What the operator answers over HTTP: its metrics and its probes.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use dryad_controller::process::health::{Health, Readiness};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Listens at the address. Everywhere in IPv6 is everywhere in IPv4, too, and on a machine without IPv6 only there.
///
/// # Errors
/// When the address can't be had.
pub(crate) async fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    match TcpListener::bind(address).await {
        Err(failure)
            if address.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED)
                && failure.kind() != io::ErrorKind::AddrInUse =>
        {
            TcpListener::bind((Ipv4Addr::UNSPECIFIED, address.port())).await
        }
        bound => bound,
    }
}

/// Answers on `listener` until the future is dropped.
///
/// # Errors
/// When the listener breaks.
pub(crate) async fn serve(listener: TcpListener, health: Health, registry: Registry) -> io::Result<()> {
    let router = Router::new()
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
        .with_state(health)
        .merge(Router::new().route("/metrics", get(metrics)).with_state(Arc::new(registry)));
    axum::serve(listener, router).await
}

/// Liveness: Kubernetes restarts a process that answers anything but 200 here.
async fn alive(State(health): State<Health>) -> (StatusCode, &'static str) {
    if health.is_alive() {
        (StatusCode::OK, "alive\n")
    } else {
        (StatusCode::INTERNAL_SERVER_ERROR, "the main loop has stopped\n")
    }
}

/// Readiness: a rolling update waits for 200 here before it stops the replica before.
async fn ready(State(health): State<Health>) -> (StatusCode, &'static str) {
    match health.readiness() {
        Readiness::Starting => (StatusCode::SERVICE_UNAVAILABLE, "waiting for the API server\n"),
        Readiness::StandingBy => (StatusCode::OK, "standing by\n"),
        Readiness::Filling => (
            StatusCode::SERVICE_UNAVAILABLE,
            "leading, but not all objects were seen yet; where that lasts, the log says why\n",
        ),
        Readiness::Synced => (StatusCode::OK, "leading\n"),
    }
}

async fn metrics(State(registry): State<Arc<Registry>>) -> Response {
    let mut text = String::new();
    match encode(&mut text, &registry) {
        Ok(()) => ([(CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(failure) => (StatusCode::INTERNAL_SERVER_ERROR, failure.to_string()).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use dryad_controller::process::metrics::Metrics;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    /// What is answered to a GET of this path: status line, headers, body.
    async fn get(health: &Health, path: &str) -> String {
        let mut registry = Registry::default();
        Metrics::new(&mut registry);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let server = tokio::spawn(serve(listener, health.clone(), registry));
        let request = format!("GET {path} HTTP/1.1\r\nHost: dryad\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        server.abort();
        answer
    }

    fn fresh() -> Health {
        Health::new(Duration::from_secs(3600))
    }

    #[tokio::test]
    async fn a_fresh_heart_is_alive_and_a_silent_one_is_not() {
        assert!(get(&fresh(), "/healthz").await.starts_with("HTTP/1.1 200 "));
        assert!(get(&Health::new(Duration::ZERO), "/healthz").await.starts_with("HTTP/1.1 500 "));
    }

    #[tokio::test]
    async fn a_process_is_ready_once_it_stands_by_or_leads_and_has_seen_all() {
        let health = fresh();
        assert!(get(&health, "/readyz").await.starts_with("HTTP/1.1 503 "));
        for (readiness, status) in [
            (Readiness::StandingBy, "HTTP/1.1 200 "),
            (Readiness::Filling, "HTTP/1.1 503 "),
            (Readiness::Synced, "HTTP/1.1 200 "),
        ] {
            health.beat(readiness);
            assert!(get(&health, "/readyz").await.starts_with(status), "{readiness:?}");
        }
    }

    /// Pods of a cluster have addresses of the one family, the other, or both.
    #[tokio::test]
    async fn who_listens_everywhere_is_reached_by_either_family() {
        let listener = listen("[::]:0".parse().unwrap()).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
        if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).await.is_ok() {
            TcpStream::connect((Ipv6Addr::LOCALHOST, port)).await.unwrap();
        }
    }

    #[tokio::test]
    async fn metrics_are_shown_as_open_metrics() {
        let answer = get(&fresh(), "/metrics").await;
        assert!(answer.contains(OPEN_METRICS), "{answer}");
        assert!(answer.contains("\ndryad_leader 0\n"), "{answer}");
        assert!(answer.ends_with("# EOF\n"), "{answer}");
    }
}
