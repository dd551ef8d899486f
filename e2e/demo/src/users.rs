//! Users of the shop: they come when it opens, and ask all the time through the load balancer.

use std::sync::{Arc, Mutex, PoisonError};

use dryad_stage::load::{Load, Seen};

/// The users, as many as there are just now; clones are the same ones.
#[derive(Clone, Debug, Default)]
pub(crate) struct Users(Arc<Mutex<Option<Load>>>);

impl Users {
    /// They come to `url`.
    pub(crate) fn come(&self, url: &str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Load::on(url));
    }

    /// What they have seen so far.
    pub(crate) fn so_far(&self) -> Seen {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(Load::so_far).unwrap_or_default()
    }

    /// Each waits for the last answer, and they go home.
    pub(crate) async fn go_home(&self) -> Seen {
        let load = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        match load {
            Some(load) => load.end().await,
            None => Seen::default(),
        }
    }
}
