//! The names of Deployments by the Environment that they are to, so that nobody has to go through all of them.
//!
//! Only a hint where to look: a name stays here for a while after its Deployment is gone.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// An Environment, whether or not it exists.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Home {
    pub(super) namespace: String,
    pub(super) environment: String,
}

#[derive(Debug, Default)]
pub(super) struct Siblings(Mutex<HashMap<Home, BTreeSet<String>>>);

impl Siblings {
    pub(super) fn note(&self, home: &Home, name: &str) {
        let mut names = self.names();
        match names.get_mut(home) {
            Some(known) if known.contains(name) => {}
            Some(known) => drop(known.insert(name.to_owned())),
            None => drop(names.insert(home.clone(), [name.to_owned()].into())),
        }
    }

    pub(super) fn of(&self, home: &Home) -> Vec<String> {
        self.names().get(home).map_or_else(Vec::new, |names| names.iter().cloned().collect())
    }

    pub(super) fn homes(&self) -> Vec<Home> {
        self.names().keys().cloned().collect()
    }

    pub(super) fn keep(&self, exists: impl Fn(&Home, &str) -> bool) {
        self.names().retain(|home, names| {
            names.retain(|name| exists(home, name));
            !names.is_empty()
        });
    }

    fn names(&self) -> MutexGuard<'_, HashMap<Home, BTreeSet<String>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
