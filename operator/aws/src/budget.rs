//! How fast one account in one region is asked: a budget for each family of calls that AWS counts together.
//!
//! Each is a bucket of tokens. Its rate is halved when AWS throttles a call, and grows back a little with each call
//! that AWS takes. A read waits its turn, in the order of asking, for as long as it has time; a mutation never
//! waits, because what it was decided on would grow old meanwhile, but has a token kept back for it that no read
//! may take. Whoever gets none is told so as AWS would, and nothing was sent.
//!
//! Not here: other accounts and regions, which have budgets of their own, so that a throttled one delays only itself.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// Calls that AWS counts together. What each call belongs to is said where it is [listed](crate::call::Call).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// All of Auto Scaling.
    AutoScaling,
    /// What EC2 is asked.
    Ec2Reads,
    /// What is changed there.
    Ec2Changes,
    /// What the load balancers are asked.
    BalancerReads,
    /// What is changed there.
    BalancerChanges,
    /// What Parameter Store is asked.
    ParameterReads,
    /// What is changed there.
    ParameterChanges,
}

/// Calls a second, and how many at once after a pause.
#[derive(Clone, Copy, Debug)]
struct Allowance {
    rate: f64,
    burst: f64,
}

/// The share of its highest rate that a budget gets back with each call that AWS takes.
const REGAINED: f64 = 0.05;
/// The slowest a budget gets, in calls a second. Where one look takes longer than a tick nothing can be decided on it.
const SLOWEST: f64 = 1.0;
/// What reads leave for mutations.
const KEPT_FOR_MUTATIONS: f64 = 1.0;

/// The budgets of one account in one region, one for each family.
pub(crate) struct Budgets {
    autoscaling: Budget,
    ec2_reads: Budget,
    ec2_changes: Budget,
    balancer_reads: Budget,
    balancer_changes: Budget,
    parameter_reads: Budget,
    parameter_changes: Budget,
}

impl Default for Budgets {
    /// Below what AWS documents or is known to allow, since others call in the same account.
    fn default() -> Self {
        let budget = |rate, burst| Budget::new(Allowance { rate, burst });
        Self {
            autoscaling: budget(10.0, 40.0),
            ec2_reads: budget(10.0, 50.0),
            ec2_changes: budget(2.0, 20.0),
            balancer_reads: budget(8.0, 40.0),
            balancer_changes: budget(2.0, 10.0),
            parameter_reads: budget(10.0, 20.0),
            parameter_changes: budget(1.0, 10.0),
        }
    }
}

impl Budgets {
    /// The budget that calls of this family are paid from.
    pub(crate) fn of(&self, family: Family) -> &Budget {
        match family {
            Family::AutoScaling => &self.autoscaling,
            Family::Ec2Reads => &self.ec2_reads,
            Family::Ec2Changes => &self.ec2_changes,
            Family::BalancerReads => &self.balancer_reads,
            Family::BalancerChanges => &self.balancer_changes,
            Family::ParameterReads => &self.parameter_reads,
            Family::ParameterChanges => &self.parameter_changes,
        }
    }
}

/// The budget of one family.
pub(crate) struct Budget {
    highest: Allowance,
    bucket: Mutex<Bucket>,
    /// The reads that wait, in their order: the first one holds it.
    line: tokio::sync::Mutex<()>,
}

struct Bucket {
    tokens: f64,
    rate: f64,
    filled: Instant,
    cut: Option<Instant>,
}

/// There is no token, and none will come in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spent;

impl Budget {
    fn new(highest: Allowance) -> Self {
        let bucket = Bucket { tokens: highest.burst, rate: highest.rate, filled: Instant::now(), cut: None };
        Self { highest, bucket: Mutex::new(bucket), line: tokio::sync::Mutex::default() }
    }

    /// A token for a call that cannot wait.
    pub(crate) fn at_once(&self) -> Result<(), Spent> {
        self.take(0.0).map_err(|_| Spent)
    }

    /// Waits until a read would find a token, or until the deadline, and takes none. Where it has to wait at all, then as
    /// long as at the slowest, for the rate grows before AWS has more time for us.
    pub(crate) async fn until_clear(&self, deadline: Instant) {
        while let Err(wait) = self.lacks(1.0 + KEPT_FOR_MUTATIONS) {
            let wait = wait.max(Duration::from_secs_f64(1.0 / SLOWEST));
            if Instant::now() + wait > deadline {
                return;
            }
            sleep(wait).await;
        }
    }

    /// A token for a read, once it is its turn.
    pub(crate) async fn in_turn(&self, deadline: Instant) -> Result<(), Spent> {
        let Ok(_first) = tokio::time::timeout_at(deadline, self.line.lock()).await else { return Err(Spent) };
        while let Err(wait) = self.take(KEPT_FOR_MUTATIONS) {
            if Instant::now() + wait > deadline {
                return Err(Spent);
            }
            sleep(wait).await;
        }
        Ok(())
    }

    /// AWS took a call.
    pub(crate) fn taken(&self) {
        let mut bucket = self.filled();
        bucket.rate = (bucket.rate + self.highest.rate * REGAINED).min(self.highest.rate);
    }

    /// AWS throttled a call. Those that were under way together with one that was throttled are one sign, not many.
    pub(crate) fn throttled(&self) {
        const ONE_SIGN: Duration = Duration::from_secs(1);
        let now = Instant::now();
        let mut bucket = self.filled();
        if bucket.cut.is_some_and(|cut| now.duration_since(cut) < ONE_SIGN) {
            return;
        }
        bucket.cut = Some(now);
        bucket.rate = (bucket.rate / 2.0).max(SLOWEST);
        bucket.tokens = bucket.tokens.min(KEPT_FOR_MUTATIONS);
    }

    /// Takes a token if `left` stay; else says for how long to wait.
    fn take(&self, left: f64) -> Result<(), Duration> {
        let mut bucket = self.filled();
        bucket.lacks(1.0 + left)?;
        bucket.tokens -= 1.0;
        Ok(())
    }

    /// For how long to wait for so many tokens.
    fn lacks(&self, tokens: f64) -> Result<(), Duration> {
        self.filled().lacks(tokens)
    }

    /// The bucket, with what has run into it at its rate until now.
    fn filled(&self) -> MutexGuard<'_, Bucket> {
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        bucket.fill(self.highest.burst);
        bucket
    }
}

impl Bucket {
    fn fill(&mut self, most: f64) {
        let now = Instant::now();
        let since = now.duration_since(self.filled).as_secs_f64();
        self.tokens = (self.tokens + since * self.rate).min(most);
        self.filled = now;
    }

    fn lacks(&self, tokens: f64) -> Result<(), Duration> {
        let missing = tokens - self.tokens;
        if missing <= 0.0 {
            return Ok(());
        }
        // A hair longer, or rounding could ask for a wait of nothing.
        Err(Duration::from_secs_f64(missing / self.rate) + Duration::from_millis(1))
    }
}

#[cfg(test)]
mod tests;
