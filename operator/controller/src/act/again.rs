//! Sending a request again that the cloud had no time for.
//!
//! "Too many requests" is an answer: nothing was carried out. Where the cloud leaves us one call a second, the looks of a
//! tick would take them all, and a change that is tried once a tick would never find one. So it is tried again while it
//! may be: what was seen is not older than a tick, and the fence is asked each time.

use std::time::Duration;

use dryad_cloud::CloudError;
use futures::future::BoxFuture;

use super::Stage;

/// How long what was decided on holds.
pub struct Again<'a> {
    /// Until when what was seen is fresh, in time since the process started.
    pub until: Duration,
    /// Asks the fence.
    pub stands: &'a (dyn Fn() -> BoxFuture<'a, bool> + Sync),
}

impl<C> Stage<'_, C> {
    /// Sends a request, and again for as long as the cloud has no time for it and what was decided on holds.
    pub(super) async fn patiently<F>(&self, request: impl Fn() -> F) -> Result<(), CloudError>
    where
        F: Future<Output = Result<(), CloudError>>,
    {
        self.until(self.again.until, request).await
    }

    /// The same for what was decided on an answer that came just now: it holds for a tick, however old the look is. What
    /// comes last in a tick would never find the time otherwise, where the look and what comes before it take it all.
    pub(super) async fn patiently_from_now<F>(&self, request: impl Fn() -> F) -> Result<(), CloudError>
    where
        F: Future<Output = Result<(), CloudError>>,
    {
        self.until(self.clock.mono() + self.tick, request).await
    }

    async fn until<F>(&self, until: Duration, request: impl Fn() -> F) -> Result<(), CloudError>
    where
        F: Future<Output = Result<(), CloudError>>,
    {
        loop {
            match request().await {
                Err(CloudError::Throttled { .. }) if self.holds_after_a_pause(until).await => {}
                answered => return answered,
            }
        }
    }

    async fn holds_after_a_pause(&self, until: Duration) -> bool {
        let pause = pause(self.tick);
        if self.clock.mono() + pause > until {
            return false;
        }
        tokio::time::sleep(pause).await;
        (self.again.stands)().await && self.clock.mono() <= until
    }
}

/// Some tries in a tick, and never many in a second.
fn pause(tick: Duration) -> Duration {
    const TRIES: u32 = 10;
    (tick / TRIES).max(Duration::from_millis(100))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::collections::BTreeMap;

    use dryad_machine::name::{AccountName, Place, Region, Uid};
    use dryad_machine::reading::{Reading, Traffic};
    use futures::FutureExt;

    use super::*;
    use crate::process::clock::Clock;
    use crate::tags::Owner;
    use crate::target::{Target, TrafficTarget};

    const THROTTLED: CloudError = CloudError::Throttled { action: "ModifyRule" };
    const LONG: Duration = Duration::from_secs(3600);

    /// What a request was decided on.
    #[derive(Clone, Copy)]
    enum On {
        TheLook,
        AnAnswer,
    }

    /// What came of a request that is answered so, one answer after the other, and how often it was sent.
    async fn sent(
        answers: &[Result<(), CloudError>],
        until: Duration,
        fence: &[bool],
    ) -> (Result<(), CloudError>, usize) {
        sent_on(On::TheLook, answers, until, fence).await
    }

    async fn sent_on(
        on: On,
        answers: &[Result<(), CloudError>],
        until: Duration,
        fence: &[bool],
    ) -> (Result<(), CloudError>, usize) {
        let place = Place { account: AccountName::new("default"), region: Region::new("us-east-1") };
        let asked = std::sync::atomic::AtomicUsize::new(0);
        let stands = || {
            let asked = asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            std::future::ready(fence.get(asked).copied().unwrap_or(true)).boxed()
        };
        let owner = Owner {
            installation: "dryad".to_owned(),
            namespace: "shop".to_owned(),
            environment: "web".to_owned(),
            uid: Uid::new("environment"),
        };
        let stage = Stage {
            cloud: &(),
            target: &Target { place, traffic: TrafficTarget::Workers },
            reading: &Reading {
                groups: BTreeMap::new(),
                foreign: BTreeMap::new(),
                traffic: Traffic::Workers,
            },
            ledger: &[],
            owner: &owner,
            blueprint: None,
            tick: Duration::from_secs(1),
            uncertainty: Duration::ZERO,
            clock: &Clock::default(),
            again: Again { until, stands: &stands },
        };
        let count = Cell::new(0);
        let request = || {
            count.set(count.get() + 1);
            std::future::ready(answers[count.get() - 1].clone())
        };
        let answer = match on {
            On::TheLook => stage.patiently(request).await,
            On::AnAnswer => stage.patiently_from_now(request).await,
        };
        (answer, count.get())
    }

    #[tokio::test]
    async fn what_the_cloud_had_no_time_for_is_sent_again() {
        assert_eq!(sent(&[Err(THROTTLED), Err(THROTTLED), Ok(())], LONG, &[]).await, (Ok(()), 3));
    }

    #[tokio::test]
    async fn nothing_is_sent_again_on_what_is_old_or_no_longer_stands() {
        assert_eq!(sent(&[Err(THROTTLED)], Duration::ZERO, &[]).await, (Err(THROTTLED), 1));
        let soon = Duration::from_millis(150);
        assert_eq!(sent(&[Err(THROTTLED), Err(THROTTLED)], soon, &[]).await, (Err(THROTTLED), 2));
        let fence = [true, false];
        assert_eq!(sent(&[Err(THROTTLED), Err(THROTTLED)], LONG, &fence).await, (Err(THROTTLED), 2));
    }

    #[tokio::test]
    async fn what_was_decided_on_an_answer_is_sent_again_however_old_the_look_is() {
        let answers = [Err(THROTTLED), Ok(())];
        assert_eq!(sent_on(On::AnAnswer, &answers, Duration::ZERO, &[]).await, (Ok(()), 2));
        let fence = [false];
        assert_eq!(sent_on(On::AnAnswer, &answers, Duration::ZERO, &fence).await, (Err(THROTTLED), 1));
    }

    #[tokio::test]
    async fn what_may_have_landed_or_was_refused_is_not_sent_again() {
        let message = String::new();
        for answer in [
            CloudError::Unanswered { action: "ModifyRule", message: message.clone() },
            CloudError::Busy { action: "ModifyRule", message },
        ] {
            assert_eq!(sent(&[Err(answer.clone())], LONG, &[]).await, (Err(answer), 1));
        }
    }
}
