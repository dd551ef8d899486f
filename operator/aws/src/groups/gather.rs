//! Many who ask after groups at about the same time share one question.
//!
//! The first who asks opens a gathering; whoever asks before it is over joins it, and then one question is sent for
//! the names of all. Nothing answered is kept, so nobody is given an answer older than their question. The
//! gathering belongs to no caller: one that stops listening takes nothing from the others.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dryad_cloud::CloudError;
use dryad_cloud::group::Group;
use dryad_machine::name::GroupName;
use futures::StreamExt;
use futures::stream;
use tokio::sync::oneshot;

use super::describe::{ACTION, MOST_NAMES};
use crate::site::Site;

/// How many requests of one gathering are under way at once.
const AT_ONCE: usize = 4;

type Found = Result<BTreeMap<GroupName, Group>, CloudError>;

/// Those whose question is yet to be sent.
#[derive(Default)]
pub(crate) struct Gathering(Mutex<Vec<Caller>>);

struct Caller {
    names: BTreeSet<GroupName>,
    answer: oneshot::Sender<Found>,
}

/// What was asked in one request, and what came back.
struct Batch {
    names: BTreeSet<GroupName>,
    found: Found,
}

impl Gathering {
    /// Joins those who wait; `true` for the first, who has to see to it that the question is sent.
    fn join(&self, caller: Caller) -> bool {
        let mut waiting = self.waiting();
        waiting.push(caller);
        waiting.len() == 1
    }

    /// Everybody who waits: whoever comes from here on is the first of the next gathering.
    fn close(&self) -> Vec<Caller> {
        std::mem::take(&mut self.waiting())
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Caller>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Site {
    /// The groups of these names that exist.
    pub(crate) async fn groups(self: &Arc<Self>, names: &BTreeSet<GroupName>) -> Found {
        let (answer, answered) = oneshot::channel();
        if self.gathering.join(Caller { names: names.clone(), answer }) {
            tokio::spawn(Arc::clone(self).answer_all());
        }
        answered.await.unwrap_or_else(|_| {
            Err(CloudError::Unreachable {
                action: ACTION.name(),
                message: "the process is stopping".to_owned(),
            })
        })
    }

    async fn answer_all(self: Arc<Self>) {
        tokio::time::sleep(self.patience.gathering).await;
        // While the budget is spent more may join: the slower AWS is, the more share a question.
        self.until_clear(self.read_deadline(), ACTION).await;
        let callers = self.gathering.close();
        let names: BTreeSet<_> = callers.iter().flat_map(|caller| &caller.names).cloned().collect();
        let names: Vec<_> = names.into_iter().collect();
        // Without names there is no question: an empty one would be after every group of the account.
        let questions: Vec<BTreeSet<_>> =
            names.chunks(MOST_NAMES).map(|names| names.iter().cloned().collect()).collect();
        let batches: Vec<_> = stream::iter(questions)
            .map(|names| async { Batch { found: self.describe(&names).await, names } })
            .buffered(AT_ONCE)
            .collect()
            .await;
        for Caller { names, answer } in callers {
            // Fails only for a caller that has stopped listening.
            let _ = answer.send(share(&names, &batches));
        }
    }
}

/// What the batches say about these names; an error, if one that holds some of them failed.
fn share(names: &BTreeSet<GroupName>, batches: &[Batch]) -> Found {
    let mut share = BTreeMap::new();
    for batch in batches.iter().filter(|batch| !batch.names.is_disjoint(names)) {
        let found = batch.found.as_ref().map_err(CloudError::clone)?;
        let wanted = found.iter().filter(|(name, _)| names.contains(*name));
        share.extend(wanted.map(|(name, group)| (name.clone(), group.clone())));
    }
    Ok(share)
}
