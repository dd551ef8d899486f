//! A restore from a [backup](crate::backup): the record is older than the cloud, and what the controller makes of that.
//!
//! Whoever leads goes by the record only once it has looked back, and takes over what serves only once nothing can land
//! any more.

use std::sync::Arc;

use dryad_machine::adopt::{self, Bearing, Candidate, Claim, Heir, Verdict};
use dryad_machine::name::{Turn, Uid};
use dryad_machine::reading::Presence;
use dryad_machine::state::State as Phase;
use dryad_machine::sweep::{self, Find, Judgement, Keeper, Ledger, Use, Why};
use dryad_machine::tenure::{Member, Role, Tenure};
use dryad_machine::view::{Finalizer, Mark, Past};
use jiff::{SignedDuration, Timestamp};

use crate::api::{DEPLOYMENTS, OWN, Subject, recorded};
use crate::memory::Certainty;
use crate::rules::{Broken, Rule};
use crate::seam::Seam;
use crate::state::State;
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

/// What a process knows of the record's past: whether it was found to be whole, and up to which turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Hindsight {
    /// It has yet to look back.
    None,
    /// It was found to be whole while something could still land, and is asked about again once nothing can.
    Passing(Turn),
    /// It was found to be whole.
    Lasting(Turn),
}

impl Hindsight {
    /// Nobody has to look back on a record that never was restored.
    pub(crate) const OF_ITS_OWN: Self = Self::Lasting(Turn::new(0));

    /// Whether a record that shows this turn may be gone by.
    pub(crate) fn of(self, turn: Turn) -> Past {
        match self {
            Self::Passing(known) | Self::Lasting(known) if turn >= known => Past::Known,
            Self::None | Self::Passing(_) | Self::Lasting(_) => Past::Unknown,
        }
    }

    /// What it is worth when nothing can land any more.
    pub(crate) fn once_certain(self) -> Self {
        match self {
            Self::None | Self::Passing(_) => Self::None,
            Self::Lasting(turn) => Self::Lasting(turn),
        }
    }
}

/// Whether the leader has yet to look back.
pub(crate) fn is_due(state: &State) -> bool {
    let finalizer = state.api.environment.as_ref().map(|environment| environment.finalizer);
    finalizer == Some(Finalizer::Present) && state.operators[state.leader].past() == Past::Unknown
}

/// Looks whether there is anything that the record does not know, and takes over what two looks have agreed on once
/// nothing can land any more.
pub(crate) fn look_back(seam: Seam, state: &mut State) {
    let (leader, turn) = (state.leader, state.api.tenure().map(|tenure| tenure.turn).unwrap_or_default());
    let certain = state.operators[leader].memory(Subject::Environment).certainty != Certainty::Uncertain;
    match verdict(state) {
        None => {}
        Some(Verdict::Current) => {
            let lasting = certain || seam == Seam::AsksOnce;
            let operator = &mut state.operators[leader];
            operator.hindsight = if lasting { Hindsight::Lasting(turn) } else { Hindsight::Passing(turn) };
            (state.record, state.adoption) = (Record::Settled, None);
        }
        Some(Verdict::Ambiguous(_)) => state.adoption = None,
        Some(Verdict::Adopt(_)) if !certain && seam != Seam::AdoptsEarly => state.adoption = None,
        Some(Verdict::Adopt(to)) if state.adoption.as_deref() == Some(&*to) => {
            if let Err(broken) = adopting(state, &to) {
                state.broken = Some(broken);
                return;
            }
            state.api.edit_environment(|it| it.tenure = *to);
            state.adoption = None;
        }
        Some(Verdict::Adopt(mut to)) => {
            if seam == Seam::ForgetsOldUids {
                to.groups.iter_mut().for_each(|member| member.environment = None);
            }
            state.adoption = Some(Arc::new(*to));
        }
    }
}

/// Whether nobody can tell which group serves, so that a person has to.
pub(crate) fn is_stalled(state: &State) -> bool {
    is_due(state) && matches!(verdict(state), Some(Verdict::Ambiguous(_)))
}

fn verdict(state: &State) -> Option<Verdict> {
    let tenure = state.api.tenure()?;
    let turns = state.api.deployments.iter().flatten().filter_map(|deployment| deployment.turn);
    let greens = tenure.of_role(Role::Green).map(|member| Id::of(&member.name));
    let waits = |id: &Id| state.api.owner(*id).is_some_and(|owner| !owner.history.has(Phase::RolloutWait));
    let unlaunched = greens.filter(waits).map(Id::name).collect();
    let deployments = turns.max().unwrap_or_default();
    let heir = Heir { uid: state.api.uid()?, tenure, deployments, unlaunched: &unlaunched };
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
        claim: claim(state, id),
        created: Timestamp::UNIX_EPOCH,
        bearing: match is_used(state, id) {
            _ if group.presence == Presence::BeingDeleted => Bearing::Leaving,
            true => Bearing::Carries,
            false => Bearing::Idle,
        },
    }
}

fn claim(state: &State, id: Id) -> Claim {
    Claim {
        namespace: "shop".to_owned(),
        environment: ENVIRONMENT.to_owned(),
        environment_uid: launched_for(state, id),
        owner: uid(id.owner),
        turn: Turn::new(i64::from(id.turn)),
        deployment: None,
        release: None,
    }
}

/// The uid that the Environment had when this group was launched. Whoever ran before a restore launched for the first.
fn launched_for(state: &State, id: Id) -> Uid {
    let before = usize::from(id.owner) < DEPLOYMENTS;
    state.api.uid().filter(|_| !before).cloned().unwrap_or(uid(OWN))
}

/// S6: whether what the ledger says of a group's origin is what its tags say. Otherwise nobody would know it for ours.
pub(crate) fn has_the_tags_on_record(state: &State, id: Id) -> bool {
    let member = state.api.member(id).filter(|_| state.world.groups.contains_key(&id));
    let on_record = member.and_then(|member| member.environment.as_ref().or(state.api.uid()));
    on_record.is_none_or(|uid| *uid == launched_for(state, id))
}

/// L4: whether whoever takes this turn has run before the restore already.
pub(crate) fn ran_before(state: &State, to: &Tenure) -> bool {
    let taker = state.api.deployments.iter().flatten().find(|it| Some(&it.uid) == to.holder.as_ref());
    state.record != Record::Own
        && taker.is_some_and(|taker| {
            let launched = |id: &Id| uid(id.owner) == taker.uid;
            matches!(taker.mark, Mark::Other(_)) || state.world.groups.keys().any(launched)
        })
}

/// Whether a record that never was restored is known to be current.
pub(crate) fn knows_its_own(state: &State) -> bool {
    state.record != Record::Own || matches!(verdict(state), None | Some(Verdict::Current))
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

/// What the sweeper makes of a group that no ledger knows.
fn judged(state: &State, id: Id) -> Option<Judgement> {
    let (environment, group, claim) =
        (&state.api.environment.as_ref()?.view, &state.world.groups[&id], claim(state, id));
    let use_ = match group.presence {
        Presence::BeingDeleted => Use::Leaving,
        Presence::Here if is_used(state, id) => Use::Traffic,
        Presence::Here => Use::None,
    };
    let find = Find { claim: Some(&claim), ledger: Ledger::Lacks, created: Timestamp::UNIX_EPOCH, use_ };
    let past = state.operators[state.leader].past();
    let keeper = Keeper { uid: &environment.revision.uid, tenure: &environment.tenure, past };
    Some(sweep::judge(find, Some(keeper), SignedDuration::ZERO, recorded()))
}

/// Whether requests reach it; of workers, that some are there.
fn is_used(state: &State, id: Id) -> bool {
    state.world.carries(id, &|_| state.world.groups[&id].desired > 0)
}

/// Whether it is left to a person, who is told: nobody can know whose it is, or of which time.
pub(crate) fn is_reported(state: &State, id: Id) -> bool {
    let left = left_behind(state).any(|it| it == id) && !is_used(state, id);
    let why = left.then(|| judged(state, id)).flatten();
    matches!(why, Some(Judgement::Report(Why::OtherEnvironment)))
}

/// Takes what nobody can miss into the ledger, given up, once nothing is under way any more.
pub(crate) fn sweep(state: &mut State) {
    let Some(environment) = state.api.environment.clone() else { return };
    let (view, mut lines) = (&environment.view, Vec::new());
    for id in left_behind(state).collect::<Vec<_>>() {
        if judged(state, id) == Some(Judgement::Delete) {
            if is_used(state, id) {
                state.broken = Some(Broken { rule: Rule::S7, how: "what serves is swept" });
                return;
            }
            let (access, claim) = (Some(view.access.clone()), claim(state, id));
            lines.push(sweep::doomed(&id.name(), &view.place, access, &claim, &view.revision.uid));
        }
    }
    if !lines.is_empty() {
        let to = view.tenure.sweep(&lines);
        state.api.edit_environment(|it| it.tenure = to);
    }
}
