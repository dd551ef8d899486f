//! Users: requests through the load balancer, all the time, each on a connection of its own.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

/// How many users there are.
const USERS: usize = 4;
/// What a user does between two requests.
const THINKS: Duration = Duration::from_millis(50);
/// How long a user waits for an answer.
const WAITS: Duration = Duration::from_secs(5);

/// How one request ended.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// When it ended.
    pub(crate) at: Instant,
    /// The release that answered, or why none did.
    pub(crate) release: Result<String, String>,
}

/// All answers so far; clones see the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answers(Arc<Mutex<Vec<Answer>>>);

impl Answers {
    /// Everything so far, in order.
    pub(crate) fn all(&self) -> Vec<Answer> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many there are, and how many of them are failures.
    pub(crate) fn count(&self) -> (usize, usize) {
        let answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (answers.len(), answers.iter().filter(|answer| answer.release.is_err()).count())
    }

    /// The releases that answered.
    pub(crate) fn releases(&self) -> BTreeSet<String> {
        self.all().into_iter().filter_map(|answer| answer.release.ok()).collect()
    }

    fn add(&self, release: Result<String, String>) {
        let answer = Answer { at: Instant::now(), release };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(answer);
    }
}

/// Running users. Dropping it sends them home.
#[derive(Debug)]
pub(crate) struct Load {
    _users: JoinSet<()>,
}

impl Load {
    /// Lets users come to `url`.
    pub(crate) fn start(url: &str, answers: &Answers) -> reqwest::Result<Self> {
        let client = reqwest::Client::builder()
            .no_proxy() // Loopback is nobody else's business.
            .pool_max_idle_per_host(0)
            .timeout(WAITS)
            .build()?;
        let mut users = JoinSet::new();
        for _ in 0..USERS {
            let (client, url, answers) = (client.clone(), format!("{url}/"), answers.clone());
            users.spawn(async move {
                loop {
                    answers.add(ask(&client, &url).await);
                    tokio::time::sleep(THINKS).await;
                }
            });
        }
        Ok(Self { _users: users })
    }
}

async fn ask(client: &reqwest::Client, url: &str) -> Result<String, String> {
    let answer = client.get(url).send().await.map_err(|error| error.to_string())?;
    let status = answer.status();
    let page = answer.text().await.map_err(|error| error.to_string())?;
    if status.is_success() { Ok(page) } else { Err(format!("{status}: {page}")) }
}
