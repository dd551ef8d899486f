//! Adoption: an Environment whose record is older than what the cloud says, as after a restore from a backup.
//!
//! Every group carries its turn. A record that knows of fewer turns than the tags do, one of a launch that is yet to
//! come while its group is there, or a ledger whose groups were launched for an Environment of another uid, was not made
//! by what made the groups. Then the one group that carries users' requests is taken into the ledger, the turn goes on
//! from the highest that is known, and everything the record says of who is in their turn is void. Where more than one
//! group carries requests, or none of several does, nothing is decided: a person has to say which one it is.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::access::Access;
use crate::deployed::{Deployed, Shipment};
use crate::name::{GroupName, Place, Turn, Uid};
use crate::release::{Release, Sha256};
use crate::requested::Requested;
use crate::tenure::{Held, Member, Restored, Role, Tenure};

/// What the tags of a group say of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The namespace of its Environment.
    pub namespace: String,
    /// The name of its Environment.
    pub environment: String,
    /// The uid that its Environment had.
    pub environment_uid: Uid,
    /// The uid of the Deployment that launched it.
    pub owner: Uid,
    /// The turn it was launched in.
    pub turn: Turn,
    /// The name of that Deployment.
    pub deployment: Option<String>,
    /// What it runs.
    pub release: Option<Release>,
}

/// A group of the Environment's installation, namespace and name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its name.
    pub name: GroupName,
    /// Where it is.
    pub place: Place,
    /// What requests reach it by, as far as anybody can tell.
    pub access: Access,
    /// What its tags say.
    pub claim: Claim,
    /// When it was created.
    pub created: Timestamp,
    /// What it does.
    pub bearing: Bearing,
}

/// What a group does, as far as users are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bearing {
    /// It carries their requests.
    Carries,
    /// It carries none.
    Idle,
    /// It is being deleted.
    Leaving,
}

/// The Environment that looks for its past.
#[derive(Clone, Copy, Debug)]
pub struct Heir<'a> {
    /// Its uid.
    pub uid: &'a Uid,
    /// What it has recorded.
    pub tenure: &'a Tenure,
    /// The highest turn that any of its Deployments has recorded.
    pub deployments: Turn,
    /// The groups of its ledger that, by the record of the Deployments that announced them, were not launched yet.
    pub unlaunched: &'a BTreeSet<GroupName>,
}

/// What is to be done about an Environment's past.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The record knows of everything there is.
    Current,
    /// The record is older than the cloud: this is what to store.
    Adopt(Box<Tenure>),
    /// The record is older than the cloud, and which group serves can't be told; why, in words.
    Ambiguous(String),
}

/// Whether these claims of its installation, namespace and name are news to the Environment. Asked of what is known
/// cheaply; [`decide`] asks again of what is known for certain.
pub fn is_outdated<'a>(heir: Heir<'_>, claims: impl IntoIterator<Item = (&'a GroupName, &'a Claim)>) -> bool {
    let recorded = heir.tenure.turn;
    heir.deployments > recorded
        || claims.into_iter().any(|(name, claim)| {
            let member = heir.tenure.member(name);
            let known_as = member.map(|member| member.environment.as_ref().unwrap_or(heir.uid));
            claim.turn > recorded
                || heir.unlaunched.contains(name)
                || known_as.is_some_and(|uid| *uid != claim.environment_uid)
        })
}

/// Decides about an Environment's past, by every group of its installation, namespace and name.
pub fn decide(heir: Heir<'_>, candidates: &[Candidate], now: Timestamp) -> Verdict {
    let claims = candidates.iter().map(|candidate| (&candidate.name, &candidate.claim));
    if !is_outdated(heir, claims) {
        return Verdict::Current;
    }
    let here = || candidates.iter().filter(|candidate| candidate.bearing != Bearing::Leaving);
    let carriers: Vec<_> = here().filter(|candidate| candidate.bearing == Bearing::Carries).collect();
    let names = |of: Vec<&Candidate>| {
        let mut names: Vec<_> = of.iter().map(|candidate| candidate.name.to_string()).collect();
        names.sort();
        names.join(", ")
    };
    match carriers[..] {
        [] if here().next().is_some() => Verdict::Ambiguous(format!(
            "its record is older than its groups, of which none carries traffic ({}); give the traffic to the one that \
             is to serve, or delete them",
            names(here().collect())
        )),
        [] => Verdict::Adopt(Box::new(adopted(heir, candidates, None, now))),
        [carrier] => match heir.tenure.member(&carrier.name) {
            Some(member) if member.role == Role::Doomed => Verdict::Ambiguous(format!(
                "its record is older than its groups and says that {}, which carries the traffic, was given up; give \
                 the traffic to another group, or remove that group from status.groups by hand",
                carrier.name
            )),
            _ => Verdict::Adopt(Box::new(adopted(heir, candidates, Some(carrier), now))),
        },
        _ => Verdict::Ambiguous(format!(
            "its record is older than its groups, of which more than one carries traffic ({}); take the traffic from \
             those that are not to serve, or delete them",
            names(carriers)
        )),
    }
}

/// The tenure of an Environment in which this group serves, and of whose record nothing else is believed.
///
/// What the ledger has is given up but for that group: it was announced here, so it is ours to delete, and the ledger
/// forgets it only once it is gone. Idle groups that the ledger does not have stay out of it. Where no group is left,
/// nothing was taken over but the turn, and whoever waits may run.
fn adopted(heir: Heir<'_>, candidates: &[Candidate], carrier: Option<&Candidate>, now: Timestamp) -> Tenure {
    let tagged = candidates.iter().map(|candidate| candidate.claim.turn).max().unwrap_or_default();
    let turn = heir.tenure.turn.max(heir.deployments).max(tagged);
    let mut next = heir.tenure.clone();
    (next.turn, next.holder, next.deployed) = (turn, None, None);
    let known = carrier.and_then(|carrier| {
        let index = next.groups.iter().position(|member| member.name == carrier.name)?;
        Some(next.groups.remove(index))
    });
    for member in &mut next.groups {
        (member.role, member.held) = (Role::Doomed, None);
        if let Some(candidate) = candidates.iter().find(|candidate| candidate.name == member.name) {
            member.environment = launched_for(heir, &candidate.claim);
            member.access.get_or_insert_with(|| candidate.access.clone());
        }
    }
    let Some(carrier) = carrier else { return next };
    next.restored = Some(Restored { turn, at: now });
    let mut member = match known {
        Some(member) => member,
        None => Member {
            name: carrier.name.clone(),
            place: carrier.place.clone(),
            access: Some(carrier.access.clone()),
            owner: carrier.claim.owner.clone(),
            environment: None,
            turn: carrier.claim.turn,
            role: Role::Serving,
            deployed: None,
            held: None,
        },
    };
    member.role = Role::Serving;
    member.access.get_or_insert_with(|| carrier.access.clone());
    member.environment = launched_for(heir, &carrier.claim);
    // No deploy needs it held any more, but its bounds are still to be restored.
    member.held = member.held.map(|held| Held { desired: None, ..held });
    member.deployed = member.deployed.or_else(|| deployed(carrier));
    next.deployed.clone_from(&member.deployed);
    next.groups.push(member);
    next
}

/// What to record as requested when something was taken over: what is declared today counts as requested, so that only
/// the next change of it is deployed. A number is used for one declaration only, so another declaration takes the next
/// one; that nothing is to be made for it says the Environment's own uid in place of a Deployment's.
pub fn requested(stored: Option<&Requested>, declared: Sha256, environment: &Uid) -> Requested {
    match stored {
        None => Requested::already(declared),
        Some(stored) if stored.digest == declared && stored.is_settled() => stored.clone(),
        Some(stored) if stored.digest == declared => stored.made(environment.clone()),
        Some(stored) => Requested {
            number: stored.number.saturating_add(1),
            digest: declared,
            uid: Some(environment.clone()),
        },
    }
}

fn launched_for(heir: Heir<'_>, claim: &Claim) -> Option<Uid> {
    (claim.environment_uid != *heir.uid).then(|| claim.environment_uid.clone())
}

/// What a group runs, as far as its tags tell. When it was found good they do not know, but not before it was created.
fn deployed(candidate: &Candidate) -> Option<Deployed> {
    let Claim { owner, turn, deployment, release, .. } = &candidate.claim;
    let (deployment, release) = deployment.clone().zip(release.clone())?;
    Some(Deployed {
        shipment: Shipment { release, committed_at: None, subject: None },
        deployment,
        uid: owner.clone(),
        turn: *turn,
        since: candidate.created,
    })
}

#[cfg(test)]
mod tests;
