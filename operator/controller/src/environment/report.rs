//! What an Environment's conditions say, brought up to what is recorded and seen.

use std::sync::Arc;

use dryad_cloud::Cloud;
use dryad_crds::condition::declared::Declared;
use dryad_crds::condition::environment::{
    Facts, Freshness, InTurn, Leftovers, Newest, Parameter, Permission, Service, conditions,
};
use dryad_crds::{Deployment, DeploymentStatus, EnvironmentStatus};
use dryad_machine::name::{GroupName, Uid};
use dryad_machine::reading::{AtWork, Reading};
use dryad_machine::state::State;
use dryad_machine::tenure::Role;
use dryad_machine::view::{Claim, Past};

use super::requested::Requested;
use super::trigger::Pulled;
use super::{Seen as Sight, Tick, permission};
use crate::green::blueprint;
use crate::objects::{record, view};
use crate::process::desk::Desk;
use crate::process::operator::TickError;

/// Writes the conditions if they are not what they should be.
pub(super) async fn report<C: Cloud>(
    tick: &Tick<'_, C>,
    sight: &Sight,
    pulled: &Pulled,
    desk: &Desk,
) -> Result<(), TickError> {
    let deployments = &tick.deployments;
    let newest = deployments
        .iter()
        .filter_map(|deployment| {
            let status = deployment.status.as_ref()?;
            let ended = status.state.is_some_and(State::is_terminal);
            ended.then_some((status.turn?, deployment.metadata.name.as_deref()?, status))
        })
        .max_by_key(|(turn, ..)| *turn);
    let newest = newest.and_then(|(_, name, status)| Some((name, DeploymentStatus::history(status).ok()?)));
    let flaw = blueprint::flaw(&tick.object.spec.target);
    let tenure = &tick.environment.tenure;
    let refusal = permission::refusal(tick);
    let seen_serving = match sight {
        Sight::Reading { reading, .. } => Some(serving(tick, reading)),
        Sight::AsRecorded(_) | Sight::Nothing | Sight::Stray(_) => None,
    };
    let service = match (sight, &seen_serving) {
        (Sight::AsRecorded(rest), _) => Service::Served(&rest.service),
        (Sight::Stray(words), _) => Service::Unknown(words),
        (_, Some((healthy, sentence))) if *healthy > 0 => Service::Served(sentence),
        (_, Some((_, sentence))) => Service::Unserved(sentence),
        (_, None) if tenure.groups.is_empty() && tick.environment.past == Past::Known => {
            Service::Unserved("there is no group yet")
        }
        (_, None) => Service::Unknown("the cloud was not seen"),
    };
    let requested = Requested::of(tick, pulled).await?;
    let denied = tick.operator.denials.of(&tick.environment.revision.uid);
    let left = tick.operator.leftovers.of(&tick.environment.revision.uid);
    let (now, patience) = (tick.operator.clock.mono(), tick.environment.pace.rollout_timeout());
    let lingering = desk.lingering.as_ref().and_then(|it| it.told(now, patience));
    let told: Vec<_> = left.as_deref().into_iter().chain(lingering).filter(|it| !it.is_empty()).collect();
    let told = told.join("; ");
    let facts = Facts {
        generation: tick.object.metadata.generation.unwrap_or_default(),
        tenure,
        past: tick.environment.past,
        turn: InTurn::of(tenure, |holder| {
            of_uid(deployments, holder).and_then(|deployment| deployment.status.as_ref()?.state)
        }),
        template: freshness(tick),
        declared: requested
            .as_ref()
            .zip(tick.object.spec.release.as_ref())
            .map(|(requested, release)| Declared { release, request: requested.facts() }),
        newest: newest.as_ref().map(|(name, history)| Newest { name, history }),
        flaw: flaw.as_deref(),
        service,
        denied: denied.as_deref(),
        conflict: match &tick.environment.claim {
            Claim::Lost(why) => Some(why),
            Claim::Undisputed => None,
        },
        parameter: match (&desk.projected, &tick.object.spec.deployed_parameter) {
            (Some(seen), _) => Parameter::Seen(&seen.outcome),
            (None, Some(_)) if tenure.deployed.is_some() && refusal.is_none() => Parameter::Unseen,
            (None, _) => Parameter::None,
        },
        permission: refusal.as_deref().map_or(Permission::Granted, Permission::Refused),
        leftovers: match (told.as_str(), &left) {
            ("", None) => Leftovers::Unknown,
            ("", Some(_)) => Leftovers::None,
            (words, _) => Leftovers::Some(words),
        },
    };
    write(tick, facts).await
}

/// Whether it is known that exactly what is declared runs.
pub(super) fn runs_as_declared<C: Cloud>(tick: &Tick<'_, C>) -> bool {
    let deployed = tick.environment.tenure.deployed.as_ref();
    let release = tick.object.spec.release.as_ref().zip(deployed);
    release.is_some_and(|(release, deployed)| release.is_exactly(&deployed.shipment.release))
        && freshness(tick) == Freshness::Current
}

fn of_uid<'a>(deployments: &'a [Arc<Deployment>], uid: &Uid) -> Option<&'a Arc<Deployment>> {
    deployments.iter().find(|deployment| view::uid(&***deployment) == *uid)
}

/// How many instances serve, and that in a sentence that does not change with every one of them.
fn serving<C: Cloud>(tick: &Tick<'_, C>, reading: &Reading) -> (u32, String) {
    let tenure = &tick.environment.tenure;
    let at_work = |name: &_| match tenure.member(name).map(|member| member.role) {
        Some(Role::Serving) => AtWork::Yes,
        Some(Role::Green | Role::Doomed) | None => AtWork::No,
    };
    let carriers: Vec<_> =
        reading.groups.keys().filter(|name| reading.carries(name, at_work(name))).collect();
    let healthy = carriers.iter().map(|name| reading.healthy(name)).sum();
    let sentence = match (carriers.as_slice(), healthy) {
        ([], _) => "no group carries traffic".to_owned(),
        (names, 0) => format!("{} carries traffic without one healthy instance", list(names.iter().copied())),
        (names, _) => serves(names.iter().copied()),
    };
    (healthy, sentence)
}

/// That these serve; in the order of their names.
pub(super) fn serves<'a>(names: impl IntoIterator<Item = &'a GroupName>) -> String {
    format!("{} serves", list(names))
}

fn list<'a>(names: impl IntoIterator<Item = &'a GroupName>) -> String {
    names.into_iter().map(GroupName::as_str).collect::<Vec<_>>().join(", ")
}

fn freshness<C: Cloud>(tick: &Tick<'_, C>) -> Freshness {
    let deployed = tick.environment.tenure.deployed.as_ref();
    let brought = deployed.and_then(|deployed| of_uid(&tick.deployments, &deployed.uid));
    let template = brought.and_then(|brought| brought.status.as_ref()?.template.as_ref());
    match template {
        Some(template) if template.makes_what(&tick.object.spec) => Freshness::Current,
        Some(_) => Freshness::Outdated,
        None => Freshness::Unknown,
    }
}

async fn write<C: Cloud>(tick: &Tick<'_, C>, facts: Facts<'_>) -> Result<(), TickError> {
    let stored = tick.object.status.as_ref();
    let before = stored.map_or([].as_slice(), |status| status.conditions.as_slice());
    let conditions = conditions(facts, before, tick.operator.clock.now().wall);
    let is_stored = |status: &EnvironmentStatus| {
        status.conditions == conditions && status.observed_generation == facts.generation
    };
    if stored.is_some_and(is_stored) {
        return Ok(());
    }
    let mut next = tick.object.clone();
    let status = next.status.get_or_insert_default();
    (status.conditions, status.observed_generation) = (conditions, facts.generation);
    record::environment_status(&tick.operator.environments_api(&tick.namespace()), &next).await?;
    Ok(())
}
