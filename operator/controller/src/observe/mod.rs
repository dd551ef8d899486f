//! Observing: one complete look at the target, or none at all.
//!
//! A look that fails in any part is no look: what could not be read is unknown, never unhealthy. Looks that Environments
//! share say less, and nothing is taken away because of them: a [`survey`] of what is quiet, a [`census`] of what may
//! have been forgotten.

pub(crate) mod announced;
pub mod census;
mod elsewhere;
mod reading;
pub mod survey;

use std::collections::{BTreeMap, BTreeSet};

use dryad_cloud::group::Group;
use dryad_cloud::{Cloud, CloudError};
use dryad_machine::name::{GroupName, Place};
use dryad_machine::reading::Reading;
use dryad_machine::tenure::{Member, Role};
use thiserror::Error;
use tracing::warn;

use crate::process::denials::in_words;
use crate::tags::{self, Owner};
use crate::target::Target;

pub(crate) use elsewhere::{Announced, Elsewhere, rule_of};
pub(crate) use reading::{Pieces, assemble};

/// Why a look shows nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Blind {
    /// The cloud did not answer, or said no.
    #[error("the cloud can't be read: {0}")]
    Cloud(#[from] CloudError),
    /// The group that serves has lost its tags, or another one has its name.
    #[error(
        "group {name} in {place} exists but does not carry this Environment's tags ({missing}); \
         it is left alone, so give it its tags back, or delete it"
    )]
    Foreign {
        /// Its name.
        name: GroupName,
        /// Where it is.
        place: Place,
        /// Which tags are absent or different.
        missing: String,
    },
}

/// One complete look.
#[derive(Clone, Debug)]
pub struct Sight {
    /// What the machine decides by.
    pub reading: Reading,
    /// The groups themselves, for the checks.
    pub groups: BTreeMap<GroupName, Group>,
    /// Why instances of `watched` are missing, in the cloud's own words.
    pub note: Option<String>,
}

/// What is made of a group that serves and has lost its tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strays {
    /// Nothing is seen at all: what serves users is not done without because somebody has changed its tags.
    Blind,
    /// It counts, for users have it, and is told as [foreign](Reading::foreign), for nobody may change it.
    Count,
}

/// Looks at every group of the ledger and at how requests reach them. `watched` is the group whose troubles
/// are to be explained.
///
/// # Errors
/// When any part of it could not be read, or a group that serves turns out not to be ours.
pub async fn look<C: Cloud>(
    cloud: &C,
    target: &Target,
    members: &[Member],
    owner: &Owner,
    strays: Strays,
    watched: Option<&GroupName>,
) -> Result<Sight, Blind> {
    let Found { mut groups, foreign } = read_groups(cloud, members, owner, strays).await?;
    let mut health = BTreeMap::new();
    let here = elsewhere::ask(cloud, &target.place, target.traffic.clone(), &mut health).await?;
    let elsewhere = elsewhere::look(cloud, target, members, &groups, &mut health).await?;
    // What is gone is no place to be attached to, though a group may still bear its name.
    let asked: BTreeSet<_> =
        [&here].into_iter().chain(elsewhere.values()).flat_map(|it| it.traffic.target_groups()).collect();
    for group in groups.values_mut() {
        group.target_groups.retain(|it| health.contains_key(it) || !asked.contains(it));
    }
    let pieces = Pieces {
        traffic: &target.traffic,
        groups: &groups,
        rule: here.rule.as_ref(),
        health: &health,
        elsewhere: &elsewhere,
    };
    let reading = Reading { foreign, ..assemble(pieces) };
    let note = match watched.and_then(|name| Some((name, groups.get(name)?, reading.group(name)?))) {
        Some((name, group, seen)) if seen.healthy < seen.desired => {
            let place = members.iter().find(|member| member.name == *name).map(|member| &member.place);
            match cloud.failed_activity(place.unwrap_or(&target.place), name).await {
                Ok(Some(activity)) => Some(activity.message),
                Ok(None) => reading::why_unhealthy(group, &health),
                // Why instances are missing is for people: nobody is blind who can't learn it.
                Err(error) => Some(in_words(&error)),
            }
        }
        Some(_) | None => None,
    };
    Ok(Sight { reading, groups, note })
}

/// What the cloud answered to a look, whatever was made of it.
///
/// # Errors
/// What it said instead of what was asked for.
pub fn answer(seen: &Result<Sight, Blind>) -> Result<(), &CloudError> {
    match seen {
        Ok(_) | Err(Blind::Foreign { .. }) => Ok(()),
        Err(Blind::Cloud(error)) => Err(error),
    }
}

/// What goes by a name of the ledger.
struct Found {
    /// Ours.
    groups: BTreeMap<GroupName, Group>,
    /// What has such a name and is not ours, as far as can be told, and which tags it lacks.
    foreign: BTreeMap<GroupName, String>,
}

/// The groups of the ledger that exist, each where the ledger says it is.
async fn read_groups<C: Cloud>(
    cloud: &C,
    members: &[Member],
    owner: &Owner,
    strays: Strays,
) -> Result<Found, Blind> {
    let mut by_place: BTreeMap<&Place, BTreeSet<GroupName>> = BTreeMap::new();
    for member in members {
        by_place.entry(&member.place).or_default().insert(member.name.clone());
    }
    let mut groups = BTreeMap::new();
    for (place, names) in by_place {
        groups.extend(cloud.groups(place, &names).await?);
    }
    let mut foreign = BTreeMap::new();
    for (member, lacking) in strangers(members, &groups, owner) {
        match (member.role, strays) {
            (Role::Serving, Strays::Blind) => {
                return Err(Blind::Foreign { name: member.name, place: member.place, missing: lacking });
            }
            (Role::Serving, Strays::Count) => {}
            (Role::Green | Role::Doomed, _) => {
                let (name, place) = (&member.name, &member.place);
                warn!(%name, %place, lacking, "a group that is not ours has the name of one of ours, and is left alone");
                groups.remove(&member.name);
            }
        }
        foreign.insert(member.name, lacking);
    }
    Ok(Found { groups, foreign })
}

/// The lines of the ledger whose names belong to groups that are not ours, and which tags those lack.
pub(crate) fn strangers(
    members: &[Member],
    groups: &BTreeMap<GroupName, Group>,
    owner: &Owner,
) -> Vec<(Member, String)> {
    let lacking = |member: &Member| {
        let missing = tags::mismatch(&groups.get(&member.name)?.tags, &tags::identity(owner, member));
        (!missing.is_empty()).then(|| (member.clone(), missing.join(", ")))
    };
    members.iter().filter_map(lacking).collect()
}
