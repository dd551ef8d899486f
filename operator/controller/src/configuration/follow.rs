//! The file as it changes: read again every few seconds, by what it says and not by its date.
//!
//! A mounted `ConfigMap` changes by a link that is swapped, which events about files tell of in as many ways as
//! there are kernels; a megabyte read every few seconds is nothing. A file that can't be used changes nothing but
//! a metric and one line of the log.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::sync::watch;
use tracing::{info, warn};

use super::file::{Configuration, ConfigurationError};
use crate::process::metrics::Metrics;

/// How long between two looks at the file.
const EVERY: Duration = Duration::from_secs(2);

/// The configuration in force, wherever it is needed. Cheap to clone; all clones are one.
#[derive(Clone, Debug)]
pub struct Current(watch::Receiver<Arc<Configuration>>);

impl Current {
    /// One that never changes.
    pub fn fixed(configuration: Configuration) -> Self {
        Self(watch::Sender::new(Arc::new(configuration)).subscribe())
    }

    /// The configuration as it is now.
    pub fn now(&self) -> Arc<Configuration> {
        self.0.borrow().clone()
    }

    /// Waits for the next one; `None` once there will be none.
    pub async fn next(&mut self) -> Option<Arc<Configuration>> {
        self.0.changed().await.ok()?;
        Some(self.0.borrow_and_update().clone())
    }
}

/// Why a file is not in force.
#[derive(Debug, Error)]
pub enum LoadError {
    /// It can't be read.
    #[error("{path}: {cause}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why not.
        cause: std::io::Error,
    },
    /// It can't be used.
    #[error("{path}: {cause}")]
    Unusable {
        /// The file.
        path: String,
        /// Why not.
        cause: ConfigurationError,
    },
}

/// Follows one file.
#[derive(Debug)]
pub struct Follower {
    path: PathBuf,
    /// What the file said when it was looked at last; none: it could not be read.
    seen: Option<String>,
    published: watch::Sender<Arc<Configuration>>,
}

impl Follower {
    /// Reads the file for the first time. There is no configuration yet that could stay in force, so that it has to
    /// be one that can be used.
    ///
    /// # Errors
    /// Why it can't.
    pub async fn open(path: &Path) -> Result<(Self, Current), LoadError> {
        let text = read(path).await?;
        let published = watch::Sender::new(Arc::new(parse(path, &text)?));
        let current = Current(published.subscribe());
        Ok((Self { path: path.to_owned(), seen: Some(text), published }, current))
    }

    /// Looks at the file again and again. `before` is told of each new configuration before anybody else sees it.
    pub async fn run<F: Future<Output = ()>>(
        mut self,
        metrics: Metrics,
        before: impl Fn(Arc<Configuration>) -> F,
    ) {
        loop {
            tokio::time::sleep(EVERY).await;
            let Some(outcome) = self.look().await else { continue };
            match outcome {
                Ok(configuration) => {
                    before(configuration.clone()).await;
                    self.published.send_replace(configuration);
                    metrics.configuration_taken_up();
                    info!(path = %self.path.display(), "the configuration has changed");
                }
                Err(error) => {
                    warn!(%error, "the configuration can't be used; the one before stays in force");
                    metrics.configuration_refused();
                }
            }
        }
    }

    /// What the file says, if that is not what it said before.
    async fn look(&mut self) -> Option<Result<Arc<Configuration>, LoadError>> {
        let read = read(&self.path).await;
        let text = read.as_ref().ok();
        if text == self.seen.as_ref() {
            return None;
        }
        self.seen = text.cloned();
        Some(read.and_then(|text| parse(&self.path, &text)).map(Arc::new))
    }
}

async fn read(path: &Path) -> Result<String, LoadError> {
    let text = tokio::fs::read_to_string(path).await;
    text.map_err(|cause| LoadError::Unreadable { path: path.display().to_string(), cause })
}

fn parse(path: &Path, text: &str) -> Result<Configuration, LoadError> {
    Configuration::parse(text)
        .map_err(|cause| LoadError::Unusable { path: path.display().to_string(), cause })
}
