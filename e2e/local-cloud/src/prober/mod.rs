//! The health checks of target groups, as real HTTP requests.
//!
//! [`Prober::watch`] is given all the targets that are to be checked; how each check went is told as [`Checked`]. The
//! schedule is pure and kept in tokio's time, which tests can stop ([`round`]), and only [`http`] touches a socket.
//!
//! What this is not: who is to be checked (a group that no rule uses is not), and what comes of checks (thresholds,
//! states, reasons), are the model's.

mod check;
mod http;
mod round;

use std::future::Future;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

pub use check::{BadMatcher, Check, CheckPort, Matcher, Registration, Watched};
pub use http::HttpAsker;

use round::Round;

use crate::model::elb::Probe;

/// A target was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Which.
    pub registration: Registration,
    /// What was found.
    pub found: Probe,
}

/// How one check is made: [`HttpAsker`], or something in its place where there are no sockets.
pub trait Asker: Clone + Send + Sync + 'static {
    /// Checks once, and ends within the check's timeout.
    fn ask(&self, watched: &Watched) -> impl Future<Output = Probe> + Send;
}

/// Checks the targets it is told to watch until it is dropped.
#[derive(Debug)]
pub struct Prober {
    sets: mpsc::UnboundedSender<Vec<Watched>>,
}

impl Prober {
    /// Starts with nothing to watch. Must be called within a tokio runtime.
    pub fn start(asker: impl Asker, told: mpsc::UnboundedSender<Checked>) -> Self {
        let (sets, wanted) = mpsc::unbounded_channel();
        tokio::spawn(run(asker, wanted, told));
        Self { sets }
    }

    /// Watches these targets and no others. One that was watched already keeps its rhythm, even if its check has
    /// changed; a new one is checked at once.
    pub fn watch(&self, targets: Vec<Watched>) {
        // It fails only when the runtime is shutting down.
        _ = self.sets.send(targets);
    }
}

async fn run(
    asker: impl Asker,
    mut sets: mpsc::UnboundedReceiver<Vec<Watched>>,
    told: mpsc::UnboundedSender<Checked>,
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
            Some(Ok(checked)) = probes.join_next() => {
                let Checked { registration, .. } = &checked;
                if round.conclude(registration) {
                    // Nobody may be listening any more; that is theirs to decide.
                    _ = told.send(checked);
                }
            }
            () = async { sleep_until(due.unwrap_or_else(Instant::now)).await }, if due.is_some() => {
                for watched in round.begin(Instant::now()) {
                    let asker = asker.clone();
                    probes.spawn(async move {
                        let found = asker.ask(&watched).await;
                        Checked { registration: watched.registration, found }
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
        answers: Arc<Mutex<VecDeque<(u64, Probe)>>>,
        asked: Arc<Mutex<Vec<u64>>>,
    }

    impl Asker for Scripted {
        async fn ask(&self, watched: &Watched) -> Probe {
            self.asked.lock().expect("a list").push(self.start.elapsed().as_secs());
            let next = self.answers.lock().expect("a script").pop_front();
            let (seconds, found) = next.unwrap_or((0, Probe::Good));
            tokio::time::sleep(Duration::from_secs(seconds).min(watched.check.timeout)).await;
            found
        }
    }

    fn scripted(answers: &[(u64, Probe)]) -> Scripted {
        let answers = Arc::new(Mutex::new(answers.iter().cloned().collect()));
        Scripted { start: Instant::now(), answers, asked: Arc::default() }
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
                matcher: "200".parse().expect("a matcher"),
            },
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_check_begins_every_interval_however_long_the_answers_take_and_never_two_at_once() {
        let script = [(3, Probe::Good), (9, Probe::Timeout), (25, Probe::Failed), (0, Probe::Good)];
        let asker = scripted(&script);
        let (told, mut checks) = mpsc::unbounded_channel();
        let prober = Prober::start(asker.clone(), told);
        prober.watch(vec![watched(1)]);
        let mut seen = Vec::new();
        for _ in 0..4 {
            let checked = checks.recv().await.expect("a prober");
            seen.push((asker.start.elapsed().as_secs(), checked.found));
        }
        let expected = [(3, Probe::Good), (19, Probe::Timeout), (45, Probe::Failed), (45, Probe::Good)];
        assert_eq!(seen, expected);
        assert_eq!(*asker.asked.lock().expect("a list"), [0, 10, 20, 45]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_target_registered_again_begins_anew_and_late_answers_about_the_old_one_say_nothing() {
        let asker = scripted(&[(5, Probe::Good), (7, Probe::Failed)]);
        let (told, mut checks) = mpsc::unbounded_channel();
        let prober = Prober::start(asker.clone(), told);
        prober.watch(vec![watched(1)]);
        tokio::time::sleep(Duration::from_secs(1)).await;
        prober.watch(vec![watched(2)]);
        let checked = checks.recv().await.expect("a prober");
        assert_eq!((checked.registration.number, checked.found), (2, Probe::Failed));
        assert_eq!(asker.start.elapsed().as_secs(), 8);
    }
}
