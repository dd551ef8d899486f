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

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use super::*;

    /// Answers as it was told to, after so many seconds each, and notes in which second it was asked.
    #[derive(Clone)]
    struct Scripted {
        start: Instant,
        outcomes: Arc<Mutex<VecDeque<(u64, Outcome)>>>,
        asked: Arc<Mutex<Vec<u64>>>,
    }

    impl Probe for Scripted {
        async fn probe(&self, watched: &Watched) -> Outcome {
            self.asked.lock().expect("a list").push(self.start.elapsed().as_secs());
            let next = self.outcomes.lock().expect("a script").pop_front();
            let (seconds, outcome) = next.unwrap_or((0, Outcome::Passed));
            tokio::time::sleep(Duration::from_secs(seconds).min(watched.check.timeout)).await;
            outcome
        }
    }

    fn scripted(outcomes: &[(u64, Outcome)]) -> Scripted {
        let outcomes = Arc::new(Mutex::new(outcomes.iter().copied().collect()));
        Scripted { start: Instant::now(), outcomes, asked: Arc::default() }
    }

    fn watched(number: u64) -> Watched {
        Watched {
            registration: Registration { group: "g".to_owned(), target: "t".to_owned(), number },
            address: ([127, 0, 0, 1], 1).into(),
            check: Check {
                path: "/".to_owned(),
                port: CheckPort::Traffic,
                interval: Duration::from_secs(10),
                timeout: Duration::from_secs(30),
                healthy_threshold: 2,
                unhealthy_threshold: 2,
                matcher: "200".parse().expect("a matcher"),
            },
        }
    }

    const FAILED: Outcome = Outcome::Failed(Reason::Timeout);

    #[tokio::test(start_paused = true)]
    async fn a_check_begins_every_interval_however_long_the_answers_take_and_never_two_at_once() {
        let probe = scripted(&[(3, Outcome::Passed), (9, FAILED), (25, FAILED), (0, Outcome::Passed)]);
        let (told, mut changes) = mpsc::unbounded_channel();
        let prober = Prober::start(probe.clone(), told);
        prober.watch(vec![watched(1)]);
        let mut seen = Vec::new();
        for _ in 0..3 {
            let change = changes.recv().await.expect("a prober");
            seen.push((probe.start.elapsed().as_secs(), change.health));
        }
        let unhealthy = Health::Unhealthy(Reason::Timeout);
        assert_eq!(seen, [(3, Health::Healthy), (45, unhealthy), (55, Health::Healthy)]);
        assert_eq!(*probe.asked.lock().expect("a list"), [0, 10, 20, 45, 55]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_target_registered_again_begins_anew_and_late_answers_about_the_old_one_say_nothing() {
        let probe = scripted(&[(5, Outcome::Passed), (7, FAILED), (0, Outcome::Passed)]);
        let (told, mut changes) = mpsc::unbounded_channel();
        let prober = Prober::start(probe.clone(), told);
        prober.watch(vec![watched(1)]);
        tokio::time::sleep(Duration::from_secs(1)).await;
        prober.watch(vec![watched(2)]);
        let change = changes.recv().await.expect("a prober");
        assert_eq!((change.registration.number, change.health), (2, Health::Healthy));
        assert_eq!(probe.start.elapsed().as_secs(), 11);
    }
}
