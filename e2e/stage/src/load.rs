//! Load: users who ask all the time and remember every answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::Client;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How many users ask at once.
const USERS: usize = 4;
/// How long each rests between two questions.
const REST: Duration = Duration::from_millis(40);
/// How long a user waits for an answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// An answer that was not given for so long is no longer being given.
const SILENCE: Duration = Duration::from_secs(1);
/// How long an answer may be another one than was waited for before that counts as stuck.
const STUCK: Duration = Duration::from_secs(90);

/// Users at work. Dropping it sends them home, and what they saw is lost.
#[derive(Debug)]
pub struct Load {
    home: CancellationToken,
    users: JoinSet<()>,
    seen: Arc<watch::Sender<Seen>>,
}

/// What all users saw, in the order in which they saw it.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// How many questions were asked.
    pub requests: u64,
    /// What went wrong, each in words.
    pub failures: Vec<String>,
    /// Which answer was given from when to when: a new span begins with every answer that is not being given.
    pub spans: Vec<Span>,
}

/// A time during which one answer was given.
#[derive(Clone, Debug)]
pub struct Span {
    /// The answer's first line.
    pub answer: String,
    /// When it was first given.
    pub from: Instant,
    /// When it was last given.
    pub to: Instant,
    /// How often.
    pub requests: u64,
}

impl Load {
    /// Sends users to `url`.
    pub fn on(url: &str) -> Self {
        let client = Client::builder().no_proxy().timeout(PATIENCE).build().unwrap_or_default();
        let (home, seen) = (CancellationToken::new(), Arc::new(watch::Sender::new(Seen::default())));
        let mut users = JoinSet::new();
        for _ in 0..USERS {
            let (client, url, home, seen) = (client.clone(), url.to_owned(), home.clone(), seen.clone());
            users.spawn(async move {
                while !home.is_cancelled() {
                    let answer = ask(&client, &url).await;
                    seen.send_modify(|seen| seen.note(answer));
                    tokio::time::sleep(REST).await;
                }
            });
        }
        Self { home, users, seen }
    }

    /// What they have seen so far.
    pub fn so_far(&self) -> Seen {
        self.seen.borrow().clone()
    }

    /// Waits until this is the answer that was given last.
    ///
    /// # Panics
    /// When it is not in time.
    pub async fn until_answered(&self, wanted: &str) {
        let mut seen = self.seen.subscribe();
        let answered = seen.wait_for(|seen| seen.latest() == Some(wanted));
        let in_time = tokio::time::timeout(STUCK, answered).await.is_ok();
        assert!(in_time, "nobody answers {wanted} after {STUCK:?}, but {:?}", self.so_far().latest());
    }

    /// Lets every user wait for the last answer, and sends them home.
    pub async fn end(mut self) -> Seen {
        self.home.cancel();
        while self.users.join_next().await.is_some() {}
        self.so_far()
    }
}

async fn ask(client: &Client, url: &str) -> Result<String, String> {
    let answer = client.get(url).send().await.map_err(|error| format!("{error:?}"))?;
    let status = answer.status();
    let text = answer.text().await.map_err(|error| format!("{error:?}"))?;
    let first = text.lines().next().unwrap_or_default().to_owned();
    if status.is_success() { Ok(first) } else { Err(format!("{status}: {first}")) }
}

impl Seen {
    fn note(&mut self, answer: Result<String, String>) {
        self.requests += 1;
        let now = Instant::now();
        match answer {
            Err(failure) => self.failures.push(failure),
            Ok(answer) => match self.spans.iter_mut().find(|span| span.is(&answer, now)) {
                Some(span) => {
                    span.to = now;
                    span.requests += 1;
                }
                None => self.spans.push(Span { answer, from: now, to: now, requests: 1 }),
            },
        }
    }

    /// The answers that were given, each once, in the order in which they first were.
    pub fn answers(&self) -> Vec<&str> {
        let mut answers = Vec::new();
        for span in &self.spans {
            if !answers.contains(&span.answer.as_str()) {
                answers.push(span.answer.as_str());
            }
        }
        answers
    }

    /// The answer that was given last, if any was.
    pub fn latest(&self) -> Option<&str> {
        self.spans.iter().max_by_key(|span| span.to).map(|span| span.answer.as_str())
    }
}

impl Span {
    /// Whether this is the answer, and it is being given.
    fn is(&self, answer: &str, now: Instant) -> bool {
        self.answer == answer && now.duration_since(self.to) < SILENCE
    }
}
