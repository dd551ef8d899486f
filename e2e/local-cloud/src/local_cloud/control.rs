//! What a test or a demo does to a cloud, and sees of it, besides calling it.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{mpsc, oneshot, watch};

use super::driver::{KillError, Order};
use super::observers::Observers;
use crate::balancer::Observation;
use crate::instances::InstanceId;
use crate::model::view::Inventory;
use crate::model::{Action, CallError, Caller, World};
use crate::shared::Shared;

/// A handle on a running cloud; clones steer the same one.
#[derive(Debug, Clone)]
pub struct Control {
    pub(super) shared: Arc<Shared>,
    pub(super) caller: Caller,
    pub(super) orders: mpsc::UnboundedSender<Order>,
    pub(super) processes: watch::Receiver<BTreeSet<InstanceId>>,
    pub(super) observers: Observers,
}

/// What is left of what deploys have made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Left {
    /// What the model still has.
    pub inventory: Inventory,
    /// The instances that still have processes.
    pub processes: BTreeSet<InstanceId>,
}

impl Left {
    /// Whether nothing is.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

impl Control {
    /// Looks at or changes the world, as of now: faults, settings and their timings, the log and its counts.
    pub fn with<T>(&self, work: impl FnOnce(&mut World, Timestamp) -> T) -> T {
        self.shared.with(work)
    }

    /// Makes a call without the wire, as the root user of the fixture's place. Faults hold for it, it is in the log, and
    /// a delay that a fault gives it is skipped.
    ///
    /// # Errors
    /// What AWS would answer, or that no answer came.
    pub fn call<A: Action>(&self, request: A) -> Result<A::Answer, CallError> {
        self.shared.with(|world, now| world.call(now, &self.caller, request).outcome)
    }

    /// Moves the world's clock on. Health checks and processes go on in real time.
    pub fn advance_clock(&self, by: SignedDuration) {
        self.shared.advance_clock(by);
    }

    /// Waits for something: looks now and after every change, until there is something to see. It has no deadline of
    /// its own.
    pub async fn until<T>(&self, mut look: impl FnMut(&mut World, Timestamp) -> Option<T>) -> T {
        let mut changes = self.shared.changes();
        loop {
            changes.borrow_and_update();
            if let Some(seen) = self.shared.with(&mut look) {
                return seen;
            }
            // The sender is in the world that this holds on to.
            _ = changes.changed().await;
        }
    }

    /// Everything that the load balancers tell from now on: each table with its capacity, each request with its end.
    /// Drop the receiver to stop it; what is not received is kept.
    pub fn observe(&self) -> mpsc::UnboundedReceiver<Observation> {
        self.observers.join()
    }

    /// Kills all processes of an instance at once, as when its machine loses power. Nobody tells the model: health checks
    /// have to find out.
    ///
    /// # Errors
    /// [`KillError`], where it has none.
    pub async fn kill_instance(&self, id: &str) -> Result<(), KillError> {
        let (answer, answered) = oneshot::channel();
        let order = Order::Kill(id.parse()?, answer);
        self.orders.send(order).map_err(|_| KillError::ShutDown)?;
        answered.await.unwrap_or(Err(KillError::ShutDown))
    }

    /// The instances that have processes, as they come and go.
    pub fn processes(&self) -> watch::Receiver<BTreeSet<InstanceId>> {
        self.processes.clone()
    }

    /// What is left of what deploys have made.
    pub fn left(&self) -> Left {
        Left {
            inventory: self.shared.with(|world, _| world.inventory()),
            processes: self.processes.borrow().clone(),
        }
    }
}
