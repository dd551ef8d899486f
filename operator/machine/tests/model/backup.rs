//! What is restored from a backup, and in which moment: every earlier record, under the uids it had or under others.
//!
//! What the runbook allows is here. Dryad is down while a backup is restored, so whoever leads afterwards began afterwards
//! and knows nothing. Where its predecessor was only stopped, it may wake up, but not later than Z: a write of it goes by
//! the version it has seen, and before a change of the cloud it asks who leads. What that one sent last may still land, but
//! not on a record that was set back within its turn. What the runbook forbids is not here: that, and a Dryad that goes on through the
//! restore with caches and memory of a future that did not come to pass.

use std::collections::HashSet;
use std::sync::Arc;

use dryad_machine::decide::Action;
use dryad_machine::effect::Effect;
use dryad_machine::history::History;
use dryad_machine::state::State as Phase;
use dryad_machine::tenure::Tenure;
use dryad_machine::view::{EndRequest, Mark};
use jiff::SignedDuration;

use crate::actions::{Ask, any_in, asked, sync};
use crate::api::{Api, Subject, number, recorded};
use crate::ending;
use crate::memory::{Certainty, Wall};
use crate::restore::{Hindsight, Record};
use crate::rules::{Request, Sender};
use crate::scope::Scope;
use crate::seam::Seam;
use crate::state::{Era, Operator, State};
use crate::think::{self, Findings, Sight};
use crate::world::uid;

/// Under which uids objects are restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Uids {
    /// Those they had, as an etcd snapshot does.
    Kept,
    /// Others: they are made anew.
    Changed,
}

/// The number in the uid that a restored Environment has.
const ANEW: u8 = 8;

/// Every moment of a deploy that goes well, and of one that is rolled back at last, each with every earlier record
/// restored, and with records without status.
pub(crate) fn at_any_moment(scope: &Scope, first: &State) -> Vec<State> {
    let good = ending::happy_path(scope, first);
    let last = good.iter().rposition(|state| any_in(state, Phase::EvaluateWait)).expect("it is evaluated");
    let mut turned = good[last].clone();
    asked(&mut turned, Ask::End(0, EndRequest::Abort));
    let (before, back) = (&good[..=last], ending::happy_path(scope, &turned));
    let bad: Vec<_> = before.iter().chain(&back).cloned().collect();
    let (mut all, mut known) = (Vec::new(), HashSet::new());
    for path in [&good, &bad] {
        let mut records: Vec<Api> = Vec::new();
        for state in path {
            if records.last() != Some(&state.api) {
                records.push(state.api.clone());
            }
            let stripped = stripped(scope.uids, &state.api);
            let allowed = |record: &&Api| scope.zombies == 0 || !is_rewound(record, state);
            for record in records.iter().filter(allowed).cloned().chain(stripped) {
                let record = match scope.uids {
                    Uids::Kept => record,
                    Uids::Changed => made_anew(record),
                };
                let late =
                    under_way(scope, state).into_iter().map(|late| restored(scope, state, &record, late));
                all.extend(late);
            }
        }
    }
    all.retain(|state| known.insert(state.clone()));
    all
}

/// Whether the record is an older one of the turn that it is in the moment of the restore. Nobody can see that of it, so
/// what was sent since has to have landed before it is gone by: the runbook has everybody wait.
fn is_rewound(record: &Api, state: &State) -> bool {
    let turn = |api: &Api| api.tenure().map(|tenure| tenure.turn);
    turn(record) == turn(&state.api) && *record != state.api
}

/// Backups that lack what is known only from status.
fn stripped(uids: Uids, api: &Api) -> Vec<Api> {
    let mut records = vec![without_status(api.clone())];
    if uids == Uids::Changed {
        records.push(without_tenure(api.clone()));
    }
    records
}

/// A backup that has no status.
fn without_status(record: Api) -> Api {
    let mut record = without_tenure(record);
    for place in 0..record.deployments.len() {
        record.edit(place, |it| (it.history, it.turn, it.plan) = (History::default(), None, None));
    }
    record
}

/// A backup that has no status of the Environment.
fn without_tenure(mut record: Api) -> Api {
    record.edit_environment(|it| it.tenure = Tenure::default());
    record
}

/// The same objects under other uids. A mark stays what it was, so it is another one's now.
fn made_anew(mut record: Api) -> Api {
    record.edit_environment(|it| it.revision.uid = uid(ANEW));
    for place in 0..record.deployments.len() {
        record.edit(place, |it| {
            if it.mark == Mark::Own {
                it.mark = Mark::Other(it.uid.clone());
            }
            it.uid = uid(number(place) + 4);
            // They come one by one, some of them after what serves was adopted.
            it.created = recorded() + SignedDuration::from_secs(1);
        });
    }
    record
}

/// What may still land of what was sent in this moment; nothing, where nothing may be under way.
fn under_way(scope: &Scope, state: &State) -> Vec<Option<Effect>> {
    if scope.zombies == 0 {
        return vec![None];
    }
    let mut state = state.clone();
    for subject in Subject::ALL {
        sync(&mut state, 0, subject);
    }
    let findings = Findings { wall: Wall::Early, sight: Sight::Clear, said: None };
    let sent = |subject| match think::think(Seam::Whole, &state, 0, subject, findings)?.decision.action {
        Action::Act(effects) => Some(effects),
        Action::Wait | Action::Write(_) => None,
    };
    Subject::ALL.into_iter().filter_map(sent).flatten().map(Some).collect()
}

fn restored(scope: &Scope, state: &State, record: &Api, late: Option<Effect>) -> State {
    let hindsight =
        if scope.seam == Seam::GoesByOldRecords { Hindsight::OF_ITS_OWN } else { Hindsight::None };
    let leader = Operator { hindsight, ..Operator::new(record.clone(), Certainty::Uncertain) };
    let stopped = Operator { era: Era::Before, ..state.operators[0].clone() };
    let mut operators = vec![stopped; state.operators.len()];
    operators[0] = leader;
    let late = late.map(|effect| Request { sender: Sender::Before, effect, accountable: false });
    State {
        api: record.clone(),
        operators,
        in_flight: late.into_iter().collect(),
        record: Record::Restored,
        world: Arc::clone(&state.world),
        ..state.clone()
    }
}
