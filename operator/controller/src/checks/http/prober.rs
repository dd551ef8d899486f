//! Asking, bounded in every direction: time, size, number at once, and who is asked.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Instant;

use futures::future::join_all;
use reqwest::redirect::Policy;
use reqwest::{Client, Response, header};
use tokio::sync::Semaphore;
use url::Url;

use super::judge::{Answer, Body, inspect};
use super::{Address, BODY_LIMIT, Fault, HttpCheck, Sample};
use crate::quote::Line;

/// Sends the requests of all checks, no more than so many at once.
#[derive(Debug, Clone)]
pub struct Prober {
    client: Client,
    at_once: Arc<Semaphore>,
}

/// The prober could not be made.
#[derive(Debug, thiserror::Error)]
#[error("HTTP checks cannot be made: {0}")]
pub struct ProberError(#[source] reqwest::Error);

impl Prober {
    /// One that sends at most `at_once` requests at a time, through no proxy.
    ///
    /// Installs ring as the process's TLS provider if there is none yet.
    ///
    /// # Errors
    /// [`ProberError`] if TLS cannot be set up, for lack of certificate authorities for instance.
    pub fn new(at_once: usize) -> Result<Self, ProberError> {
        // An error means that there is one already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            // Instances are asked at their private addresses, for which no certificate is ever made.
            .tls_danger_accept_invalid_certs(true)
            // A connection that is kept says nothing about whether new ones are accepted.
            .pool_max_idle_per_host(0)
            .user_agent("dryad")
            .build()
            .map_err(ProberError)?;
        Ok(Self { client, at_once: Arc::new(Semaphore::new(at_once)) })
    }

    /// Asks every address `check.count` times; the samples come in the addresses' order.
    pub async fn ask(&self, check: &HttpCheck, addresses: &[Address]) -> Vec<Sample> {
        join_all(addresses.iter().map(|address| self.ask_one(check, address))).await.concat()
    }

    async fn ask_one(&self, check: &HttpCheck, address: &Address) -> Vec<Sample> {
        let url = check.path.on(&address.server);
        let mut samples = Vec::new();
        for _ in 0..check.count.get() {
            let result = match self.at_once.acquire().await {
                Ok(_permit) => self.request(check, url.clone()).await,
                Err(closed) => Err(Fault::NotAsked(closed.to_string())),
            };
            samples.push(Sample { from: address.name.clone(), result });
        }
        samples
    }

    async fn request(&self, check: &HttpCheck, url: Url) -> Result<(), Fault> {
        let sent = Instant::now();
        let explained = |error| explained(&error, check);
        let mut response = self.client.get(url).timeout(check.timeout).send().await.map_err(explained)?;
        let status = response.status().as_u16();
        let wants_body = check.body_contains.is_some() && check.expect_status.accepts(status);
        let read = if wants_body { read(&mut response).await.map_err(explained)? } else { Vec::new() };
        let latency = sent.elapsed();
        let text = String::from_utf8_lossy(&read[..read.len().min(BODY_LIMIT)]);
        let body = if read.len() > BODY_LIMIT { Body::Beginning(&text) } else { Body::Whole(&text) };
        let location = response.headers().get(header::LOCATION).and_then(|to| to.to_str().ok());
        inspect(check, &Answer { status, location, body, latency })
    }
}

/// The body, and no more of it than shows that it is longer than what is looked at.
async fn read(response: &mut Response) -> Result<Vec<u8>, reqwest::Error> {
    let mut read = Vec::new();
    while read.len() <= BODY_LIMIT
        && let Some(chunk) = response.chunk().await?
    {
        read.extend_from_slice(&chunk[..chunk.len().min(BODY_LIMIT + 1 - read.len())]);
    }
    Ok(read)
}

/// What a failed request says about whom it was sent to.
fn explained(error: &reqwest::Error, check: &HttpCheck) -> Fault {
    if error.is_timeout() {
        return Fault::TimedOut { after: check.timeout };
    }
    if error.is_builder() {
        return Fault::NotAsked(innermost(error));
    }
    let cause = io_cause(error);
    if cause.is_some_and(is_ours) {
        return Fault::NotAsked(innermost(error));
    }
    match cause.map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionRefused) => Fault::Refused,
        _ if error.is_connect() => Fault::Unreachable(innermost(error)),
        _ => Fault::BrokenOff,
    }
}

/// Whether the operator itself ran out of something.
fn is_ours(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let ours = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM, Errno::ADDRNOTAVAIL];
    error.raw_os_error().is_some_and(|code| ours.iter().any(|errno| errno.raw_os_error() == code))
}

fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(error.source(), |error| (*error).source())
}

fn io_cause(error: &reqwest::Error) -> Option<&io::Error> {
    causes(error).filter_map(|cause| cause.downcast_ref()).last()
}

/// The cause behind all others: those before it repeat the URL.
fn innermost(error: &reqwest::Error) -> String {
    Line::new(&causes(error).last().map_or_else(|| error.to_string(), ToString::to_string)).into()
}
