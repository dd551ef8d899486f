//! Acting: the effects of a decision, turned into requests to the cloud.
//!
//! Each effect is one request (creation and final deletion are more: the launch template has to go first and
//! last, and is asked whose it is before it is used or deleted). What became of it is told to the memory, because a
//! request without an answer makes the world uncertain, and an answered one makes everything seen before worthless. A
//! request that the cloud had no time for was not carried out: it is sent [again] in the same tick, for as long as what
//! it was decided on is fresh and stands.

mod again;

use std::time::Duration;

use dryad_cloud::group::{NewGroup, NewSize};
use dryad_cloud::template::NewTemplate;
use dryad_cloud::traffic::Weight;
use dryad_cloud::{Cloud, CloudError};
use dryad_machine::effect::{Effect, Size};
use dryad_machine::memory::Memory;
use dryad_machine::name::{GroupName, Place};
use dryad_machine::reading::{Reading, Slot};
use dryad_machine::tenure::Member;

pub use again::Again;

use crate::process::clock::Clock;
use crate::process::denials::in_words;
use crate::tags::{self, Owner};
use crate::target::{Target, TrafficTarget};

/// What an effect may need to know beyond itself.
pub struct Stage<'a, C> {
    /// The cloud to ask.
    pub cloud: &'a C,
    /// How requests reach the groups.
    pub target: &'a Target,
    /// What was seen in this tick.
    pub reading: &'a Reading,
    /// Where each group lives.
    pub ledger: &'a [Member],
    /// On whose behalf they exist.
    pub owner: &'a Owner,
    /// What green is made of, where something is to be launched.
    pub blueprint: Option<&'a Blueprint>,
    /// The deploy's tick.
    pub tick: Duration,
    /// Z: for how long an unanswered request may still land.
    pub uncertainty: Duration,
    /// The two clocks.
    pub clock: &'a Clock,
    /// How long what was decided on holds.
    pub again: Again<'a>,
}

/// What green is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blueprint {
    /// Its launch template.
    pub template: NewTemplate,
    /// The group; its size is the effect's.
    pub group: NewGroup,
}

/// For how many ticks descriptions may not show what was done: AWS promises no time, and thirty seconds are long for it.
const STALEST: u32 = 3;

/// Sends one effect and tells the memory what became of it.
///
/// # Errors
/// What the cloud said instead of yes. Whoever calls stops there and looks again: an effect that is still due
/// will be derived again.
pub async fn act<C: Cloud>(
    stage: &Stage<'_, C>,
    effect: &Effect,
    memory: &mut Memory,
) -> Result<(), CloudError> {
    if matches!(effect, Effect::Launch { .. }) {
        memory.creating(stage.clock.mono() + stage.uncertainty);
    }
    let sent = send(stage, effect).await;
    let now = stage.clock.mono();
    let may_have_landed = sent.as_ref().err().is_none_or(CloudError::leaves_the_world_uncertain);
    if effect.reroutes() && may_have_landed {
        memory.rerouted(now + stage.tick * STALEST);
    }
    match &sent {
        Ok(Sent::Answered) => memory.mutated(),
        Ok(Sent::ConfirmedAbsent(name)) => memory.deletion_answered(name, now),
        Ok(Sent::Taken(why)) => memory.refused(why.clone()),
        Err(error) if error.leaves_the_world_uncertain() => memory.unanswered(now + stage.uncertainty),
        Err(error @ CloudError::Invalid { .. }) => memory.refused(error.to_string()),
        // Nothing was changed, so nothing seen before is worth less.
        Err(_) => {}
    }
    memory.hindered(sent.as_ref().err().map(in_words));
    sent.map(|_| ())
}

enum Sent {
    Answered,
    /// The deletion of a group that does not exist was answered.
    ConfirmedAbsent(GroupName),
    /// Nothing was launched, because somebody else has the name; in words.
    Taken(String),
}

async fn send<C: Cloud>(stage: &Stage<'_, C>, effect: &Effect) -> Result<Sent, CloudError> {
    let cloud = stage.cloud;
    match effect {
        Effect::Launch { group, desired } => return launch(stage, group, *desired).await,
        Effect::Resize { group, size } => {
            let (place, size) = (place(stage, group), new_size(*size));
            stage.patiently(|| cloud.resize_group(&place, group, size)).await?;
        }
        Effect::Empty(group) => {
            let max = stage.reading.group(group).map_or(0, |seen| seen.max);
            let nothing = NewSize { min: 0, max, desired: Some(0) };
            let place = place(stage, group);
            stage.patiently(|| cloud.resize_group(&place, group, nothing)).await?;
        }
        Effect::Attach { group, slot } => {
            if let Some(target_group) = stage.target.traffic.target_group(*slot) {
                let place = place(stage, group);
                stage.patiently(|| cloud.attach(&place, group, target_group)).await?;
            }
        }
        Effect::Detach { group, slot } => {
            if let Some(target_group) = stage.target.traffic.target_group(*slot) {
                let place = place(stage, group);
                stage.patiently(|| cloud.detach(&place, group, target_group)).await?;
            }
        }
        Effect::Leave { group, slot } => {
            let announced =
                member(stage, group).and_then(|member| Some(TrafficTarget::of(member.access.as_ref()?)));
            if let Some(target_group) = announced.as_ref().and_then(|it| it.target_group(*slot)) {
                let place = place(stage, group);
                stage.patiently(|| cloud.detach(&place, group, target_group)).await?;
            }
        }
        Effect::Enlist(slot) => set_weights(stage, weights_with(stage.reading, *slot)).await?,
        Effect::Shift(slot) => set_weights(stage, all_on(*slot)).await?,
        Effect::Delete(group) => return delete(stage, group).await,
        Effect::Disown(group) => return delete_template(stage, group).await,
    }
    Ok(Sent::Answered)
}

/// Template first, then group. A group that exists already under our name is what the next look says.
async fn launch<C: Cloud>(stage: &Stage<'_, C>, name: &GroupName, desired: u32) -> Result<Sent, CloudError> {
    let Some(blueprint) = stage.blueprint else { return Ok(Sent::Answered) };
    let place = place(stage, name);
    match stage.patiently(|| stage.cloud.create_template(&place, &blueprint.template)).await {
        Ok(()) => {}
        Err(error @ CloudError::AlreadyExists { .. }) => match whose(stage, name).await? {
            Whose::Ours => {}
            Whose::Others { lacking } => {
                return Ok(Sent::Taken(format!(
                    "there is a launch template {name} in {place} that does not carry this Deployment's tags \
                     ({lacking}), so it is somebody else's and left alone; deploy again, and the new one gets another name"
                )));
            }
            // What was made just now may not be shown yet.
            Whose::Nobodys => return Err(error),
        },
        Err(error) => return Err(error),
    }
    let mut group = blueprint.group.clone();
    group.capacity.desired = desired.max(group.capacity.min);
    group.capacity.max = group.capacity.max.max(desired);
    match stage.patiently(|| stage.cloud.create_group(&place, &group)).await {
        Ok(()) | Err(CloudError::AlreadyExists { .. }) => Ok(Sent::Answered),
        Err(error) => Err(error),
    }
}

/// A group that is there is deleted; of one that is not, the deletion is confirmed and its template deleted.
async fn delete<C: Cloud>(stage: &Stage<'_, C>, name: &GroupName) -> Result<Sent, CloudError> {
    let place = place(stage, name);
    match stage.patiently(|| stage.cloud.delete_group(&place, name)).await {
        Ok(()) => Ok(Sent::Answered),
        Err(CloudError::NotFound { .. }) => delete_template(stage, name).await,
        Err(error) => Err(error),
    }
}

/// Deletes what was made for a group that is not there, if it is ours. Both were just told, so no look has to be fresh.
async fn delete_template<C: Cloud>(stage: &Stage<'_, C>, name: &GroupName) -> Result<Sent, CloudError> {
    if let Whose::Ours = whose(stage, name).await? {
        let place = place(stage, name);
        match stage.patiently_from_now(|| stage.cloud.delete_template(&place, name)).await {
            Ok(()) | Err(CloudError::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Sent::ConfirmedAbsent(name.clone()))
}

/// Who made the launch template of a name of ours.
enum Whose {
    Ours,
    Others {
        /// The tags of ours that it lacks.
        lacking: String,
    },
    Nobodys,
}

async fn whose<C: Cloud>(stage: &Stage<'_, C>, name: &GroupName) -> Result<Whose, CloudError> {
    let Some(found) = stage.cloud.template(&place(stage, name), name).await? else {
        return Ok(Whose::Nobodys);
    };
    let identity = member(stage, name).map(|member| tags::identity(stage.owner, member));
    let missing = tags::mismatch(&found.tags, &identity.unwrap_or_else(|| tags::of_environment(stage.owner)));
    Ok(if missing.is_empty() { Whose::Ours } else { Whose::Others { lacking: missing.join(", ") } })
}

async fn set_weights<C: Cloud>(stage: &Stage<'_, C>, [in_a, in_b]: [u32; 2]) -> Result<(), CloudError> {
    let TrafficTarget::Rule { rule, a, b } = &stage.target.traffic else { return Ok(()) };
    let weights =
        [Weight { target_group: a.clone(), weight: in_a }, Weight { target_group: b.clone(), weight: in_b }];
    stage.patiently(|| stage.cloud.set_weights(&stage.target.place, rule, &weights)).await
}

const ALL: u32 = 100;

/// Weights of A and B that give everything to one of them.
fn all_on(slot: Slot) -> [u32; 2] {
    match slot {
        Slot::A => [ALL, 0],
        Slot::B => [0, ALL],
    }
}

/// The weights of A and B as they are, with `newcomer` at 0.
fn weights_with(reading: &Reading, newcomer: Slot) -> [u32; 2] {
    [Slot::A, Slot::B].map(|slot| match reading.traffic.slot(slot).and_then(|seen| seen.weight) {
        Some(weight) if slot != newcomer => weight,
        _ => 0,
    })
}

/// The group's line of the ledger.
fn member<'a, C>(stage: &Stage<'a, C>, group: &GroupName) -> Option<&'a Member> {
    stage.ledger.iter().find(|member| member.name == *group)
}

fn place<C>(stage: &Stage<'_, C>, group: &GroupName) -> Place {
    member(stage, group).map_or(&stage.target.place, |member| &member.place).clone()
}

fn new_size(size: Size) -> NewSize {
    NewSize { min: size.min, max: size.max, desired: size.desired }
}
