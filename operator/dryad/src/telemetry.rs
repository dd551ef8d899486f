//! Logs: one line an event, on standard error.

use std::io::{IsTerminal, stderr};

use clap::ValueEnum;

use crate::flags::Log;

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For machines: an object with `timestamp`, `level`, `message`, `target` and the event's own fields.
    Json,
}

/// Sends everything that passes the filter to standard error, from here on.
pub(crate) fn start(log: &Log) {
    let builder = tracing_subscriber::fmt()
        .with_writer(stderr)
        // Colours are for eyes: whoever collects logs gets text.
        .with_ansi(stderr().is_terminal())
        .with_env_filter(log.filter.0.clone());
    match log.format {
        Format::Text => builder.init(),
        Format::Json => builder.json().flatten_event(true).init(),
    }
}
