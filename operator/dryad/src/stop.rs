//! The two signals that ask the operator to stop.

use std::io;
use std::process;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// What a shell shows of a process that was interrupted.
const INTERRUPTED: i32 = 130;

/// A token that SIGTERM or SIGINT cancels. A second one ends the process on the spot, its lease unreleased.
///
/// # Errors
/// When the system has no signals to give.
pub(crate) fn on_signals() -> io::Result<CancellationToken> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let stop = CancellationToken::new();
    let token = stop.clone();
    tokio::spawn(async move {
        let mut next = async || tokio::select! { _ = terminate.recv() => (), _ = interrupt.recv() => () };
        next().await;
        info!("asked to stop");
        token.cancel();
        next().await;
        warn!("asked to stop again");
        process::exit(INTERRUPTED);
    });
    Ok(stop)
}
