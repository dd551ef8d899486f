//! What this process keeps of each object between two ticks, and forgets when it ends.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dryad_machine::memory::{Horizon, Memory};
use dryad_machine::name::{Turn, Uid};
use dryad_machine::tenure::Tenure;
use dryad_machine::view::{EnvironmentView, Resolution};

use crate::deployment::Settled;
use crate::environment::{Known, Lingering};
use crate::projection::Seen;

/// One object's.
#[derive(Debug)]
pub struct Desk {
    /// What was seen of the cloud.
    pub memory: Memory,
    /// When the target was last looked at, in time since the process started.
    pub looked: Option<Duration>,
    /// The release that `Resolve` found, so that git is asked once.
    pub resolved: Option<Resolution>,
    /// What the cloud said for good of what the Environment declares, so that it is asked once.
    pub(crate) settled: Option<Settled>,
    /// How an Environment's parameter was when it was last looked at.
    pub projected: Option<Seen>,
    /// Until when a write of that parameter that was not answered may still land, in time since the process started.
    pub parameter_uncertain_until: Duration,
    /// Since when a Deployment's Environment is known to be gone, in time since the process started.
    pub gone_since: Option<Duration>,
    /// What an Environment declares, by the generation it was read in.
    pub(crate) declared: Known,
    /// What is about to be adopted into an Environment, and when that was first decided.
    pub adoption: Option<(Duration, Tenure)>,
    /// Since when an Environment's record is known to be older than its groups, in time since the process started.
    pub doubted_since: Option<Duration>,
    /// Which of an Environment's groups were given up and don't go.
    pub(crate) lingering: Option<Lingering>,
    /// When progress was last written, in time since the process started, and at which entry of the history.
    pub reported: Option<(Duration, i64)>,
}

impl Desk {
    /// From when on nothing that was sent for this object can land any more, in time since the process started.
    fn certain_from(&self) -> Duration {
        self.memory.certain_from().max(self.parameter_uncertain_until)
    }
}

/// Everybody's.
#[derive(Debug, Default)]
pub struct Desks {
    desks: Mutex<HashMap<Uid, Arc<tokio::sync::Mutex<Desk>>>>,
    /// What is under way in each Environment, whoever sent it and whether or not its desk is still there.
    horizons: Mutex<HashMap<Uid, Horizon>>,
}

impl Desks {
    /// The desk of an object, new if need be.
    ///
    /// A new one is certain only from `certain_from` on, unless nothing was ever deployed to its Environment:
    /// then nothing can be under way there.
    pub fn of(
        &self,
        uid: &Uid,
        environment: Option<&EnvironmentView>,
        certain_from: Duration,
    ) -> Arc<tokio::sync::Mutex<Desk>> {
        let untouched = environment.is_some_and(|view| view.tenure.turn == Turn::default());
        let certain_from = if untouched { Duration::ZERO } else { certain_from };
        let mut desks = self.desks.lock().unwrap_or_else(PoisonError::into_inner);
        let desk = desks.entry(uid.clone()).or_insert_with(|| {
            Arc::new(tokio::sync::Mutex::new(Desk {
                memory: Memory::new(certain_from),
                looked: None,
                resolved: None,
                settled: None,
                projected: None,
                parameter_uncertain_until: Duration::ZERO,
                gone_since: None,
                declared: None,
                adoption: None,
                doubted_since: None,
                lingering: None,
                reported: None,
            }))
        });
        desk.clone()
    }

    /// Whether no request of any desk can land any more at `now`, in time since the process started. One that is
    /// in use counts as not certain.
    pub fn are_certain(&self, now: Duration) -> bool {
        let desks = self.desks.lock().unwrap_or_else(PoisonError::into_inner);
        desks.values().all(|desk| desk.try_lock().is_ok_and(|desk| desk.certain_from() <= now))
    }

    /// Tells a memory what is under way in its Environment, before a decision.
    pub fn tell(&self, environment: &Uid, memory: &mut Memory) {
        let horizons = self.horizons.lock().unwrap_or_else(PoisonError::into_inner);
        memory.beyond(horizons.get(environment).copied().unwrap_or_default());
    }

    /// Hears from a memory what is under way in its Environment, after a change was sent.
    pub fn hear(&self, environment: &Uid, memory: &Memory) {
        let mut horizons = self.horizons.lock().unwrap_or_else(PoisonError::into_inner);
        let horizon = horizons.entry(environment.clone()).or_default();
        *horizon = horizon.later(memory.horizon());
    }

    /// Clears the desk of an object that rests, so that a thousand Deployments that have ended keep none. Should it be
    /// looked at again, it gets a new one, which knows as much: one with a request that may land later than `certain`,
    /// in time since the process started, stays.
    pub fn clear(&self, uid: &Uid, desk: &Desk, certain: Duration) {
        if desk.certain_from() <= certain {
            self.desks.lock().unwrap_or_else(PoisonError::into_inner).remove(uid);
        }
    }

    /// Clears the desks of objects that exist no more.
    pub fn keep(&self, exists: impl Fn(&Uid) -> bool) {
        self.desks.lock().unwrap_or_else(PoisonError::into_inner).retain(|uid, _| exists(uid));
        self.horizons.lock().unwrap_or_else(PoisonError::into_inner).retain(|uid, _| exists(uid));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nobody_is_certain_while_any_request_may_still_land_or_a_desk_is_in_use() {
        let (desks, second) = (Desks::default(), Duration::from_secs);
        let of = |uid: &str| desks.of(&Uid::new(uid), None, Duration::ZERO);
        let (deployment, environment) = (of("deployment"), of("environment"));
        assert!(desks.are_certain(second(0)));
        deployment.lock().await.memory.unanswered(second(300));
        environment.lock().await.parameter_uncertain_until = second(400);
        let certain = [299, 300, 399, 400].map(|now| desks.are_certain(second(now)));
        assert_eq!(certain, [false, false, false, true], "a parameter's late write counts like any other");
        let in_use = environment.lock().await;
        assert!(!desks.are_certain(second(400)));
        drop(in_use);
    }

    #[tokio::test]
    async fn a_desk_is_cleared_once_nothing_of_it_can_land_any_more() {
        let (desks, second, uid) = (Desks::default(), Duration::from_secs, Uid::new("deployment"));
        let desk = desks.of(&uid, None, Duration::ZERO);
        let mut desk = desk.lock().await;
        desk.memory.unanswered(second(300));
        desk.looked = Some(second(1));
        desks.clear(&uid, &desk, second(299));
        assert!(!desks.are_certain(second(300)), "it is still there, and in use");
        desks.clear(&uid, &desk, second(300));
        assert!(desks.are_certain(second(300)), "nobody has one");
        assert_eq!(desks.of(&uid, None, Duration::ZERO).lock().await.looked, None, "the next one is new");
    }
}
