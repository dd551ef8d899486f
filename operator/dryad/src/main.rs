//! The operator binary: flags, wiring, HTTP.

mod flags;
mod http;
mod stop;
mod telemetry;

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;
use dryad_controller::health::Health;
use dryad_controller::metrics::Metrics;
use dryad_controller::run::{Instruments, run};
use kube::Client;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tracing::{error, info};

use crate::flags::Flags;

#[tokio::main]
async fn main() -> ExitCode {
    let flags = Flags::parse();
    telemetry::start(&flags.log);
    match operate(flags).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            error!(error = failure, "the operator ends");
            ExitCode::FAILURE
        }
    }
}

/// Wires the parts together and waits for the last of them.
async fn operate(flags: Flags) -> Result<(), Box<dyn Error>> {
    // Whoever comes to TLS first would choose a provider by itself, and two parts may choose differently.
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        return Err("another TLS provider than ring was installed first".into());
    }
    let http = flags.http;
    let settings = flags.settings()?;
    let stop = stop::on_signals()?;

    let mut registry = Registry::default();
    let metrics = Metrics::new(&mut registry);
    // A round of the election takes less than one lease.
    let health = Health::new(settings.election.durations.lease() * 2);
    let listener = TcpListener::bind(http).await.map_err(|failure| format!("--http {http}: {failure}"))?;
    info!(address = %listener.local_addr()?, "answering /metrics, /healthz and /readyz");
    let server = tokio::spawn(http::serve(listener, health.clone(), registry));

    let client = Client::try_default().await?;
    run(settings, client, Instruments { metrics, health }, stop).await?;
    server.abort();
    Ok(())
}
