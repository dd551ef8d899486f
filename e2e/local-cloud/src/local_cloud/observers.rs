//! Whoever wants to hear what the load balancers do.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;

use crate::balancer::Observation;

/// Everyone who observes, each with a queue of their own.
#[derive(Debug, Clone, Default)]
pub(super) struct Observers(Arc<Mutex<Vec<mpsc::UnboundedSender<Observation>>>>);

impl Observers {
    /// Hears of everything from now on, until the receiver is dropped.
    pub(super) fn join(&self) -> mpsc::UnboundedReceiver<Observation> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(sender);
        receiver
    }

    /// Passes on, in order, everything that the listeners tell, until the last of them is gone.
    pub(super) async fn tell(self, mut told: mpsc::UnboundedReceiver<Observation>) {
        while let Some(observation) = told.recv().await {
            let mut observers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            observers.retain(|observer| observer.send(observation.clone()).is_ok());
        }
    }
}
