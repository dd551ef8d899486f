//! A restore from a backup, at any moment: the record is older than the cloud, and what the controller makes of that.
//!
//! Whoever is there when it happens begins anew, as the runbook has it, and goes by the record only once it has looked
//! back. That one process knows of the past is kept with the Environment here, so this is for scopes with one operator.

use std::collections::HashSet;
use std::sync::Arc;

use dryad_machine::adopt::{self, Bearing, Candidate, Claim, Heir, Verdict};
use dryad_machine::history::History;
use dryad_machine::name::Turn;
use dryad_machine::reading::Presence;
use dryad_machine::state::State as Phase;
use dryad_machine::sweep::{self, Find, Judgement, Keeper, Ledger, Use};
use dryad_machine::tenure::{Member, Role, Tenure};
use dryad_machine::view::{EndRequest, Finalizer, Past};
use jiff::{SignedDuration, Timestamp};

use crate::actions::{Ask, any_in, asked};
use crate::api::{Api, recorded};
use crate::ending;
use crate::memory::Certainty;
use crate::rules::{Broken, Rule};
use crate::scope::Scope;
use crate::seam::Seam;
use crate::state::{Operator, State};
use crate::world::{ENVIRONMENT, Id, uid};

/// Whether the record can be older than the cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Record {
    /// It never was restored.
    Own,
    /// It was restored.
    Restored,
    /// It was restored, and somebody has looked back since. Groups that it does not know may still be there.
    Settled,
}

/// The number in the Environment's uid.
const OWN: u8 = 9;

/// Every moment of a deploy that goes well, and of one that is rolled back at last, each with every earlier record
/// restored, and with a record without status.
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
            let backups = records.iter().cloned().chain([without_status(state.api.clone())]);
            all.extend(backups.map(|record| restored(scope.seam, state, record)));
        }
    }
    all.retain(|state| known.insert(state.clone()));
    all
}

/// A backup that has no status.
fn without_status(mut record: Api) -> Api {
    record.edit_environment(|it| it.tenure = Tenure::default());
    for place in 0..record.deployments.len() {
        record.edit(place, |it| (it.history, it.turn, it.plan) = (History::default(), None, None));
    }
    record
}

fn restored(seam: Seam, state: &State, mut record: Api) -> State {
    if seam != Seam::GoesByOldRecords {
        record.edit_environment(|it| it.past = Past::Unknown);
    }
    let operators = vec![Operator::new(record.clone(), Certainty::Uncertain); state.operators.len()];
    State { api: record, operators, record: Record::Restored, ..state.clone() }
}

/// Whether somebody has yet to look back.
pub(crate) fn is_due(api: &Api) -> bool {
    api.environment.as_ref().is_some_and(|environment| {
        environment.view.past == Past::Unknown && environment.finalizer == Finalizer::Present
    })
}

/// Looks whether there is anything that the record does not know, and takes over what two looks have agreed on.
pub(crate) fn look_back(state: &mut State) {
    match verdict(state) {
        None => {}
        Some(Verdict::Current) => {
            state.api.edit_environment(|it| it.past = Past::Known);
            (state.record, state.adoption) = (Record::Settled, None);
        }
        Some(Verdict::Ambiguous(_)) => state.adoption = None,
        Some(Verdict::Adopt(to)) if state.adoption.as_deref() == Some(&*to) => {
            if let Err(broken) = adopting(state, &to) {
                state.broken = Some(broken);
                return;
            }
            state.api.edit_environment(|it| it.tenure = *to);
            state.adoption = None;
            for operator in &mut state.operators {
                operator.share(Certainty::Uncertain);
            }
        }
        Some(Verdict::Adopt(to)) => state.adoption = Some(Arc::new(*to)),
    }
}

/// Whether nobody can tell which group serves, so that a person has to.
pub(crate) fn is_stalled(state: &State) -> bool {
    is_due(&state.api) && matches!(verdict(state), Some(Verdict::Ambiguous(_)))
}

fn verdict(state: &State) -> Option<Verdict> {
    let tenure = state.api.tenure()?;
    let turns = state.api.deployments.iter().flatten().filter_map(|deployment| deployment.turn);
    let greens = tenure.of_role(Role::Green).map(|member| Id::of(&member.name));
    let waits = |id: &Id| state.api.owner(*id).is_some_and(|owner| !owner.history.has(Phase::RolloutWait));
    let unlaunched = greens.filter(waits).map(Id::name).collect();
    let deployments = turns.max().unwrap_or_default();
    let heir = Heir { uid: &uid(OWN), tenure, deployments, unlaunched: &unlaunched };
    let candidates: Vec<_> = state.world.groups.keys().map(|id| candidate(state, *id)).collect();
    Some(adopt::decide(heir, &candidates, recorded()))
}

fn candidate(state: &State, id: Id) -> Candidate {
    let environment = state.api.environment.as_ref().expect("it looks back");
    let group = &state.world.groups[&id];
    Candidate {
        name: id.name(),
        place: environment.view.place.clone(),
        access: environment.view.access.clone(),
        claim: claim(id),
        created: Timestamp::UNIX_EPOCH,
        bearing: match state.world.carries(id, &|_| group.desired > 0) {
            _ if group.presence == Presence::BeingDeleted => Bearing::Leaving,
            true => Bearing::Carries,
            false => Bearing::Idle,
        },
    }
}

fn claim(id: Id) -> Claim {
    Claim {
        namespace: "shop".to_owned(),
        environment: ENVIRONMENT.to_owned(),
        environment_uid: uid(OWN),
        owner: uid(id.owner),
        turn: Turn::new(i64::from(id.turn)),
        deployment: None,
        release: None,
    }
}

/// S6: what is adopted carries the traffic, nothing that is there is forgotten, and turns never go back.
fn adopting(state: &State, to: &Tenure) -> Result<(), Broken> {
    let from = state.api.tenure().cloned().unwrap_or_default();
    let exists = |member: &&Member| state.world.groups.contains_key(&Id::of(&member.name));
    let kept = from.groups.iter().filter(exists).all(|member| to.member(&member.name).is_some());
    let highest = state.world.groups.keys().map(|id| i64::from(id.turn)).max().unwrap_or(0);
    match kept && to.turn >= from.turn && to.turn.number() >= highest && to.holder.is_none() {
        true => Ok(()),
        false => Err(Broken { rule: Rule::S6, how: "an adoption loses something" }),
    }
}

/// The groups that no ledger knows.
pub(crate) fn left_behind(state: &State) -> impl Iterator<Item = Id> {
    let settled = state.record == Record::Settled && state.api.environment.is_some();
    let all = state.world.groups.keys().copied();
    all.filter(move |id| settled && state.api.member(*id).is_none())
}

/// Takes what nobody can miss into the ledger, given up, once nothing is under way any more.
pub(crate) fn sweep(state: &mut State) {
    let Some(environment) = state.api.environment.clone() else { return };
    let (own, tenure) = (uid(OWN), &environment.view.tenure);
    let mut lines = Vec::new();
    for id in left_behind(state).collect::<Vec<_>>() {
        let (group, claim) = (&state.world.groups[&id], claim(id));
        let carries = state.world.carries(id, &|_| group.desired > 0);
        let use_ = match group.presence {
            Presence::BeingDeleted => Use::Leaving,
            Presence::Here if carries => Use::Traffic,
            Presence::Here => Use::None,
        };
        let created = Timestamp::UNIX_EPOCH;
        let find = Find { claim: Some(&claim), ledger: Ledger::Lacks, created, use_ };
        let keeper = Keeper { uid: &own, tenure, past: environment.view.past };
        if sweep::judge(find, Some(keeper), SignedDuration::ZERO, recorded()) == Judgement::Delete {
            if carries {
                state.broken = Some(Broken { rule: Rule::S7, how: "what serves is swept" });
                return;
            }
            let access = Some(environment.view.access.clone());
            lines.push(sweep::doomed(&id.name(), &environment.view.place, access, &claim, &own));
        }
    }
    if !lines.is_empty() {
        let to = tenure.sweep(&lines);
        state.api.edit_environment(|it| it.tenure = to);
    }
}
