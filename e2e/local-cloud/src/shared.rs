//! One world behind a lock, with a clock: what the doors and the data plane hold together.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::model::{Settings, World};

/// A world that several parts of a process share.
#[derive(Debug)]
pub struct Shared {
    inner: Mutex<Inner>,
    revision: watch::Sender<u64>,
}

#[derive(Debug)]
struct Inner {
    world: World,
    /// What the world's clock showed at first.
    started: Timestamp,
    /// When that was. Tokio's clock, so that a test that stops it stops the world's too.
    since: Instant,
    /// How far the world's clock has been moved on besides.
    ahead: SignedDuration,
}

impl Inner {
    fn now(&self) -> Timestamp {
        self.started + self.since.elapsed() + self.ahead
    }
}

impl Shared {
    /// A new world, at the time of the machine.
    pub fn new(seed: u64, settings: Settings) -> Arc<Self> {
        Self::starting_at(Timestamp::now(), seed, settings)
    }

    /// A new world at that time. In virtual time (Tokio's clock stopped) the same calls give the same world.
    pub fn starting_at(started: Timestamp, seed: u64, settings: Settings) -> Arc<Self> {
        let world = World::new(seed, settings);
        let inner = Inner { world, started, since: Instant::now(), ahead: SignedDuration::ZERO };
        Arc::new(Self { inner: Mutex::new(inner), revision: watch::Sender::new(0) })
    }

    /// Looks at or changes the world, as of now.
    pub fn with<T>(&self, work: impl FnOnce(&mut World, Timestamp) -> T) -> T {
        let mut inner = self.lock();
        let now = inner.now();
        inner.world.advance(now);
        let result = work(&mut inner.world, now);
        let revision = inner.world.revision();
        drop(inner);
        self.revision.send_if_modified(|seen| {
            let grown = revision > *seen;
            *seen = revision.max(*seen);
            grown
        });
        result
    }

    /// Moves the world's clock on.
    pub fn advance_clock(&self, by: SignedDuration) {
        self.lock().ahead += by;
        self.with(|_, _| ());
    }

    /// Tells when the world may have changed: each new value is a reason to look again.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.revision.subscribe()
    }

    /// Lets time pass in the world while nobody calls. Never ends; run it once for each world.
    pub async fn keep_time(&self) {
        /// How long at most until the next look: a clock moved on, or a call made, may bring something forward.
        const LOOK: Duration = Duration::from_millis(50);
        loop {
            let due = self.with(|world, now| world.next_due().map(|due| due.duration_since(now)));
            let wait = due.and_then(|wait| Duration::try_from(wait).ok()).unwrap_or(LOOK).min(LOOK);
            tokio::time::sleep(wait.max(Duration::from_millis(1))).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // The world is a value: a caller that panicked has left it whole, or its own test fails anyway.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
