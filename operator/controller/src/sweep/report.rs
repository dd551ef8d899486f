//! What the last round left alone, for the Environments' own loops to report, and what it could not see.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use dryad_crds::Environment;
use dryad_machine::name::{Place, Uid};
use kube::runtime::reflector::ObjectRef;

use crate::objects::caches::Wake;
use crate::objects::view;

/// What a round could not look at. Whom that concerns is told nothing new: what was left behind may still be there.
#[derive(Debug, Default)]
pub(super) struct Unseen {
    /// Where nothing could be listed.
    pub(super) places: BTreeSet<Place>,
    /// Of whom something was found that could not be judged.
    pub(super) environments: BTreeSet<Uid>,
}

impl Unseen {
    /// Whether it may hold something of an Environment whose groups may be in these places.
    pub(super) fn concerns(&self, environment: &Uid, places: &[Place]) -> bool {
        self.environments.contains(environment) || places.iter().any(|place| self.places.contains(place))
    }
}

/// By Environment: in words, empty if there is nothing.
#[derive(Debug)]
pub struct Leftovers {
    words: Mutex<HashMap<Uid, String>>,
    wake: Wake<Environment>,
}

impl Leftovers {
    /// Nothing known yet. Whoever is told something new is sent to `wake`.
    pub(crate) fn new(wake: Wake<Environment>) -> Self {
        Self { words: Mutex::default(), wake }
    }

    /// Takes note of what a round has found; `true` if that is news.
    pub(crate) fn found(&self, environment: &Environment, words: &str) -> bool {
        let mut all = self.words.lock().unwrap_or_else(PoisonError::into_inner);
        let news = all.insert(view::uid(environment), words.to_owned()).as_deref() != Some(words);
        if news {
            let (name, namespace) =
                (environment.metadata.name.clone(), environment.metadata.namespace.clone());
            let object = ObjectRef::new(&name.unwrap_or_default()).within(&namespace.unwrap_or_default());
            // Fails only when the loops have ended.
            let _ = self.wake.unbounded_send(object);
        }
        news
    }

    /// What the last round found of an Environment; none before the first one.
    pub(crate) fn of(&self, environment: &Uid) -> Option<String> {
        self.words.lock().unwrap_or_else(PoisonError::into_inner).get(environment).cloned()
    }

    /// Forgets Environments that exist no more.
    pub(crate) fn keep(&self, exists: impl Fn(&Uid) -> bool) {
        self.words.lock().unwrap_or_else(PoisonError::into_inner).retain(|uid, _| exists(uid));
    }
}
