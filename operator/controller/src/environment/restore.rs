//! Whether an Environment's record is older than its groups, and what is taken over then.
//!
//! Asked before anything goes by the record, once in the life of a process: of a count that all Environments share
//! first, and where that holds news, of the cloud and of the API server's quorum for this Environment alone. What
//! comes of it is decided by [`adopt`]; it is stored when two looks a tick apart have come to the same, made when nothing
//! that was sent before could land any more: a late request may give the traffic to another group.

use std::collections::BTreeSet;
use std::time::Duration;

use dryad_cloud::group::{FoundGroup, Group};
use dryad_cloud::{Cloud, CloudError};
use dryad_crds::Environment;
use dryad_crds::condition;
use dryad_crds::deployment::status::Template;
use dryad_crds::environment::traffic::Traffic;
use dryad_machine::access::Access;
use dryad_machine::adopt::{self, Bearing, Candidate, Heir, Verdict};
use dryad_machine::name::{GroupName, Place, Turn};
use dryad_machine::reading::Reach;
use dryad_machine::state::State;
use dryad_machine::tenure::{Member, Role, Tenure};
use dryad_machine::view::Deletion;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{Resource, ResourceExt};
use tracing::{info, warn};

use super::{Tick, already_requested, permission};
use crate::objects::record::{self, Recorded};
use crate::objects::view;
use crate::observe::Announced;
use crate::observe::announced::{self, Announcements};
use crate::process::denials::Ask;
use crate::process::desk::Desk;
use crate::process::operator::TickError;
use crate::tags::{self, Owner};

/// The condition's reason while nobody can tell which group serves.
const AMBIGUOUS: &str = "RestoreAmbiguous";
/// How many ticks pass before an Environment that a person has to help is looked at again.
const PATIENCE: u32 = 6;

/// What came of a look.
pub(super) enum Looked {
    /// The record knows everything there is.
    Current,
    /// The cloud could not be asked.
    Unseen,
    /// It is not known yet; to be looked at again after this time.
    Again(Duration),
}

/// Looks whether there is anything that the record does not know, and takes it over.
pub(super) async fn look<C: Cloud>(tick: &Tick<'_, C>, desk: &mut Desk) -> Result<Looked, TickError> {
    let (operator, pace) = (tick.operator, tick.environment.pace.tick());
    let owner = operator.owner(tick.object);
    let places = places(tick);
    let mut claims = Vec::new();
    for place in &places {
        match operator.census.claims(&*operator.cloud, &operator.caches, place, &owner).await {
            Ok(found) => claims.extend(found),
            Err(error) => return Ok(unseen(tick, &error)),
        }
    }
    operator.denials.answered(&owner.uid, Ask::Past, Ok(()));
    let unlaunched = unlaunched(tick);
    let heir = Heir {
        uid: &owner.uid,
        tenure: &tick.environment.tenure,
        deployments: recorded_turns(tick),
        unlaunched: &unlaunched,
    };
    if !adopt::is_outdated(heir, claims.iter().map(|(name, claim)| (name, claim))) {
        let turn = heir.tenure.turn;
        settle(tick, desk, turn).await;
        return Ok(Looked::Current);
    }
    let Some(template) = permission::template(tick) else { return Ok(Looked::Unseen) };
    let candidates = match candidates(tick, &owner, &places, Traffic::access(template.traffic.as_ref())).await
    {
        Ok(candidates) => candidates,
        Err(error) => return Ok(unseen(tick, &error)),
    };
    let environments = operator.environments_api(&tick.namespace());
    let stored = environments.get_opt(&tick.object.name_any()).await?;
    let Some(stored) = stored.filter(|stored| view::uid(stored) == owner.uid) else {
        return Ok(Looked::Again(pace));
    };
    let tenure = stored.status.as_ref().map(|status| status.tenure.clone()).unwrap_or_default();
    let verdict = adopt::decide(Heir { tenure: &tenure, ..heir }, &candidates, operator.clock.now().wall);
    match verdict {
        Verdict::Current => {
            settle(tick, desk, tenure.turn).await;
            // Where the cache shows an older record, the newer one is on its way to it.
            let shown = tenure.turn == tick.environment.tenure.turn;
            Ok(if shown { Looked::Current } else { Looked::Again(pace) })
        }
        Verdict::Ambiguous(why) => {
            wait_until_all_has_landed(tick, desk);
            desk.adoption = None;
            stall(tick, stored, &why).await?;
            Ok(Looked::Again(pace * PATIENCE))
        }
        Verdict::Adopt(to) => {
            let late = wait_until_all_has_landed(tick, desk);
            if late.is_zero() && seen_twice(desk, &to, operator.clock.mono(), pace) {
                adopt(tick, desk, &stored, &to).await?;
            } else {
                doubt(tick, stored).await?;
            }
            Ok(Looked::Again(late.max(pace)))
        }
    }
}

/// Takes note that a record of this turn is current. What was found while something may still land is asked about again,
/// by a new count, once nothing can.
async fn settle<C: Cloud>(tick: &Tick<'_, C>, desk: &mut Desk, turn: Turn) {
    let (operator, uid) = (tick.operator, &tick.environment.revision.uid);
    let (certain_from, now) = (desk.memory.certain_from(), operator.clock.mono());
    if now < certain_from {
        operator.census.ask_again(uid).await;
    }
    operator.pasts.settle(uid, turn, certain_from, now);
    desk.doubted_since = None;
}

/// Whatever made the groups that the record does not know may have left requests under way: for how long.
fn wait_until_all_has_landed<C: Cloud>(tick: &Tick<'_, C>, desk: &mut Desk) -> Duration {
    let (operator, now) = (tick.operator, tick.operator.clock.mono());
    if desk.doubted_since.is_none() {
        desk.doubted_since = Some(now);
        desk.memory.unanswered(now + operator.uncertainty);
        operator.desks.hear(&tick.environment.revision.uid, &desk.memory);
    }
    desk.memory.certain_from().saturating_sub(now)
}

/// What was never deployed to, as far as anybody knows, may go while the cloud can't be read; should something of it be
/// there after all, an Environment of that name adopts it.
fn unseen<C: Cloud>(tick: &Tick<'_, C>, error: &CloudError) -> Looked {
    warn!(environment = %tick.environment.name, %error, "its groups can't be looked for");
    tick.operator.denials.answered(&tick.environment.revision.uid, Ask::Past, Err(error));
    let untouched = tick.environment.tenure == Tenure::default();
    if untouched && tick.environment.deletion != Deletion::None { Looked::Current } else { Looked::Unseen }
}

/// Everywhere that groups of this Environment may be. Where it may not name what it names, nobody looks.
fn places<C: Cloud>(tick: &Tick<'_, C>) -> BTreeSet<Place> {
    let recorded = tick.environment.tenure.groups.iter().map(|member| member.place.clone());
    let permitted = tick.operator.refusal(&tick.namespace(), &Template::of(&tick.object.spec)).is_none();
    recorded.chain(permitted.then(|| tick.environment.place.clone())).collect()
}

/// The groups whose Deployments have not come to launch them, as far as those have recorded. Of who is gone nobody can
/// tell.
fn unlaunched<C: Cloud>(tick: &Tick<'_, C>) -> BTreeSet<GroupName> {
    let waits = |member: &&Member| {
        let owner = tick.deployments.iter().find(|deployment| view::uid(&***deployment) == member.owner);
        owner.is_some_and(|owner| {
            let history = owner.status.iter().flat_map(|status| &status.history);
            history.into_iter().all(|entry| entry.state != State::RolloutWait)
        })
    };
    let greens = tick.environment.tenure.of_role(Role::Green).filter(waits);
    greens.map(|member| member.name.clone()).collect()
}

/// The highest turn that any Deployment of this Environment has recorded.
fn recorded_turns<C: Cloud>(tick: &Tick<'_, C>) -> Turn {
    let turns = tick.deployments.iter().filter_map(|deployment| deployment.status.as_ref()?.turn);
    turns.max().unwrap_or_default()
}

/// Every group of this installation, namespace and name, and whether it carries traffic: by what it was announced with,
/// as far as anybody knows, whatever the spec says by now.
async fn candidates<C: Cloud>(
    tick: &Tick<'_, C>,
    owner: &Owner,
    places: &BTreeSet<Place>,
    named: Access,
) -> Result<Vec<Candidate>, CloudError> {
    let cloud = &*tick.operator.cloud;
    let ledger = &tick.environment.tenure.groups;
    let announcements = Announcements { named, ledger, deployments: &tick.deployments };
    let mut candidates = Vec::new();
    for place in places {
        for FoundGroup { group, created } in cloud.tagged_groups(place, &tags::of_environment(owner)).await? {
            let Some(claim) = tags::claim(&owner.installation, &group.name, &group.tags) else { continue };
            let access = announcements.of(&group);
            let announced = announced::look(cloud, place, &access, &group).await?;
            candidates.push(Candidate {
                place: place.clone(),
                claim,
                created: Timestamp::from_second(created).unwrap_or(Timestamp::UNIX_EPOCH),
                bearing: bearing(&announced, &group),
                access,
                name: group.name,
            });
        }
    }
    Ok(candidates)
}

/// Workers find their work themselves, so those that are there are at work.
fn bearing(announced: &Announced, group: &Group) -> Bearing {
    match announced.reach(group) {
        _ if group.deleting => Bearing::Leaving,
        Reach::Requests => Bearing::Carries,
        Reach::Work if !group.instances.is_empty() => Bearing::Carries,
        Reach::Work | Reach::Nothing => Bearing::Idle,
    }
}

/// Whether an earlier look, at least a tick ago, came to the same.
fn seen_twice(desk: &mut Desk, to: &Tenure, now: Duration, pace: Duration) -> bool {
    let timeless = Tenure { restored: None, ..to.clone() };
    match &desk.adoption {
        Some((since, before)) if *before == timeless => now.saturating_sub(*since) >= pace,
        Some(_) | None => {
            desk.adoption = Some((now, timeless));
            false
        }
    }
}

/// Stores what is taken over.
async fn adopt<C: Cloud>(
    tick: &Tick<'_, C>,
    desk: &mut Desk,
    stored: &Environment,
    to: &Tenure,
) -> Result<(), TickError> {
    let operator = tick.operator;
    if !operator.may_act() {
        return Ok(());
    }
    desk.adoption = None;
    let requested = match to.restored {
        // Nothing was taken over, so what is declared is still to be brought in.
        None => None,
        Some(_) => already_requested(&operator.client, stored).await?.map(|today| {
            let before = stored.status.as_ref().and_then(|status| status.requested.as_ref());
            adopt::requested(before, today.digest, &tick.environment.revision.uid)
        }),
    };
    let environments = operator.environments_api(&tick.namespace());
    if let Recorded::Stored(_) = record::adopted(&environments, stored, to, requested).await? {
        let names: Vec<_> =
            to.groups.iter().map(|member| format!("{} {:?}", member.name, member.role)).collect();
        let note = format!("its record was older than its groups; turn {}: {}", to.turn, names.join(", "));
        info!(environment = %tick.environment.name, turn = %to.turn, groups = ?names, "adopted");
        operator.events.adopted(&stored.object_ref(&()), &note).await;
    }
    Ok(())
}

/// Says that nobody knows who serves until the record is brought up.
async fn doubt<C: Cloud>(tick: &Tick<'_, C>, stored: Environment) -> Result<(), TickError> {
    let generation = stored.metadata.generation.unwrap_or_default();
    let now = tick.operator.clock.now().wall;
    rewrite(tick, stored, |before| condition::environment::outdated(before, generation, now)).await
}

/// Says what a person has to sort out, and writes nothing else.
async fn stall<C: Cloud>(tick: &Tick<'_, C>, stored: Environment, why: &str) -> Result<(), TickError> {
    warn!(environment = %tick.environment.name, why, "stalled");
    let generation = stored.metadata.generation.unwrap_or_default();
    let now = tick.operator.clock.now().wall;
    let undecided =
        |before: &[Condition]| condition::environment::undecided(before, AMBIGUOUS, why, generation, now);
    rewrite(tick, stored, undecided).await
}

/// Stores these conditions, if they are not what is stored.
async fn rewrite<C: Cloud>(
    tick: &Tick<'_, C>,
    stored: Environment,
    conditions: impl FnOnce(&[Condition]) -> Vec<Condition>,
) -> Result<(), TickError> {
    let mut next = stored.clone();
    let status = next.status.get_or_insert_default();
    status.conditions = conditions(&status.conditions);
    // Else whoever waits by generation would wait for a word on a status that a backup had, or that has none.
    status.observed_generation = stored.metadata.generation.unwrap_or_default();
    if next.status != stored.status {
        record::environment_status(&tick.operator.environments_api(&tick.namespace()), &next).await?;
    }
    Ok(())
}
