//! Which Environments name a target group or a rule, so that nobody has to go through all of them.
//!
//! Only a hint where to look: by the digest of a name, and of what was named a while ago as well.

use std::collections::{BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dryad_crds::Environment;

use crate::claim::conflict::{self, Called};

#[derive(Debug, Default)]
pub(super) struct Claims(Mutex<Named>);

type Named = HashMap<u64, Vec<Called>>;

impl Claims {
    /// Takes note of what an Environment names and uses.
    pub(super) fn note(&self, environment: &Environment) {
        enter(&mut self.named(), environment);
    }

    /// Everybody who may be in the way of an Environment, and perhaps itself.
    pub(super) fn rivals(&self, environment: &Environment) -> BTreeSet<Called> {
        let named = self.named();
        let digests = conflict::named(environment).map(digest);
        digests.filter_map(|digest| named.get(&digest)).flatten().cloned().collect()
    }

    /// Begins anew with all that there are; whoever is noted meanwhile waits until that is done.
    pub(super) fn renew(&self, all: impl FnOnce() -> Vec<Arc<Environment>>) {
        let mut named = self.named();
        named.clear();
        for environment in all() {
            enter(&mut named, &environment);
        }
    }

    fn named(&self) -> MutexGuard<'_, Named> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn enter(named: &mut Named, environment: &Environment) {
    let called = Called::of(environment);
    for arn in conflict::named(environment).chain(conflict::used(environment)) {
        let all = named.entry(digest(arn)).or_default();
        if !all.contains(&called) {
            all.push(called.clone());
        }
    }
}

fn digest(arn: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    arn.hash(&mut hasher);
    hasher.finish()
}
