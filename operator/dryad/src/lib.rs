//! The operator's process: flags, wiring, HTTP.
//!
//! A library with one function, so that whatever starts operators for a living (the end-to-end tests, the demo)
//! can be one itself, built with it and never out of date.

mod cloud;
mod flags;
mod http;
mod stop;
mod telemetry;

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use dryad_aws::Aws;
use dryad_controller::configuration::{Configuration, Current, Follower};
use dryad_controller::process::clock::Clock;
use dryad_controller::process::health::Health;
use dryad_controller::process::metrics::Metrics;
use dryad_controller::process::patience::Patience;
use dryad_controller::process::run::{Instruments, World, run};
use kube::Config;
use kube::client::ClientBuilder;
use prometheus_client::registry::Registry;
use tokio::runtime::Builder;
use tracing::{error, info, warn};

use crate::flags::Flags;

/// How many threads run ticks, however large the machine is: they wait for others most of the time, and each holds
/// memory of its own.
const MOST_THREADS: usize = 4;

/// Runs the operator as the command line says, until a signal asks it to stop.
pub fn main() -> ExitCode {
    let flags = Flags::parse();
    telemetry::start(&flags.log);
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
    let runtime = match Builder::new_multi_thread().worker_threads(threads).enable_all().build() {
        Ok(runtime) => runtime,
        Err(failure) => {
            error!(error = %failure, "no thread can be started");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(operate(flags)) {
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
    let (http, endpoint, timeout) = (flags.http, flags.aws_endpoint.clone(), flags.cloud_timeout);
    let path = flags.config.clone();
    let settings = flags.settings()?;
    let followed = match &path {
        Some(path) => Some(Follower::open(path).await?),
        None => None,
    };
    let stop = stop::on_signals()?;

    let mut registry = Registry::default();
    let metrics = Metrics::new(&mut registry);
    // A round of the election takes less than one lease.
    let health = Health::new(settings.election.durations.lease() * 2);
    let listener = http::listen(http).await.map_err(|failure| format!("--http {http}: {failure}"))?;
    info!(address = %listener.local_addr()?, "answering /metrics, /healthz and /readyz");
    let server = tokio::spawn(http::serve(listener, health.clone(), registry));

    let clock = Clock::default();
    let config = Config::infer().await?;
    // Who gets no answer for so long does not lead for much longer either.
    let patience = Patience::new(settings.election.durations.renew());
    let client = ClientBuilder::try_from(config)?.with_layer(&clock).with_layer(&patience).build();
    let installation = settings.installation.clone();
    let current = followed.as_ref().map(|(_, current)| current.now());
    let accounts = cloud::accounts(current.as_deref(), &installation);
    let aws = cloud::settings(accounts, endpoint, timeout);
    let cloud = Arc::new(Aws::new(aws, cloud::Counting(metrics.clone())));
    let configuration = if let Some((follower, current)) = followed {
        tokio::spawn(follow(follower, metrics.clone(), cloud.clone(), installation));
        current
    } else {
        warn!("started without --config: nothing is permitted, so that nothing can be deployed");
        Current::fixed(Configuration::default())
    };
    let world = World { client, cloud, clock, configuration };
    run(settings, world, Instruments { metrics, health }, stop).await?;
    server.abort();
    Ok(())
}

/// Takes up what changes in the configuration: an account can be reached before anybody is permitted to name it.
async fn follow(follower: Follower, metrics: Metrics, cloud: Arc<Aws>, installation: String) {
    let before = |configuration: Arc<Configuration>| {
        let accounts = cloud::accounts(Some(&configuration), &installation);
        let cloud = cloud.clone();
        async move { cloud.reconfigure(accounts).await }
    };
    follower.run(metrics, before).await;
}
