//! The health checks of target groups, as real HTTP requests.
//!
//! [`Prober::watch`] is given all the targets that are to be checked; what changes about them is told as
//! [`Change`]s. The verdict is pure ([`verdict`]: thresholds and reason codes), the schedule is pure and kept in
//! tokio's time, which tests can stop ([`round`]), and only [`http`] touches a socket.
//!
//! What this is not: who is to be checked (a group that no rule uses is not) and the states without a check
//! (`initial`, `draining`, `unused`) are the model's.

mod check;
mod http;
mod round;
mod verdict;

use std::future::Future;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

pub use check::{BadMatcher, Check, CheckPort, Matcher, Registration, Watched};
pub use http::HttpProbe;
pub use verdict::{Health, Outcome, Reason};

use round::Round;

/// A target's health has changed, or the reason why it is unhealthy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Whose.
    pub registration: Registration,
    /// What it is now; never [`Health::Initial`].
    pub health: Health,
}

/// How one check is made: [`HttpProbe`], or something in its place where there are no sockets.
pub trait Probe: Clone + Send + Sync + 'static {
    /// Checks once, and ends within the check's timeout.
    fn probe(&self, watched: &Watched) -> impl Future<Output = Outcome> + Send;
}

/// Checks the targets it is told to watch until it is dropped.
#[derive(Debug)]
pub struct Prober {
    sets: mpsc::UnboundedSender<Vec<Watched>>,
}

impl Prober {
    /// Starts with nothing to watch. Must be called within a tokio runtime.
    pub fn start(probe: impl Probe, changes: mpsc::UnboundedSender<Change>) -> Self {
        let (sets, wanted) = mpsc::unbounded_channel();
        tokio::spawn(run(probe, wanted, changes));
        Self { sets }
    }

    /// Watches these targets and no others. One that was watched already keeps its health and its count, even
    /// if its check has changed; a new one is checked at once.
    pub fn watch(&self, targets: Vec<Watched>) {
        // It fails only when the runtime is shutting down.
        _ = self.sets.send(targets);
    }
}

async fn run(
    probe: impl Probe,
    mut sets: mpsc::UnboundedReceiver<Vec<Watched>>,
    changes: mpsc::UnboundedSender<Change>,
) {
    let mut round = Round::default();
    let mut probes = JoinSet::new();
    loop {
        let due = round.due();
        tokio::select! {
            set = sets.recv() => match set {
                Some(set) => round.adopt(set, Instant::now()),
                None => return,
            },
            Some(Ok((registration, outcome))) = probes.join_next() => {
                if let Some(health) = round.conclude(&registration, outcome) {
                    _ = changes.send(Change { registration, health });
                }
            }
            () = async { sleep_until(due.unwrap_or_else(Instant::now)).await }, if due.is_some() => {
                for watched in round.begin(Instant::now()) {
                    let probe = probe.clone();
                    probes.spawn(async move {
                        let outcome = probe.probe(&watched).await;
                        (watched.registration, outcome)
                    });
                }
            }
        }
    }
}
