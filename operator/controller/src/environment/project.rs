//! The deployed state in a parameter, where the Environment names one.

use std::time::Duration;

use dryad_cloud::{Cloud, CloudError};
use dryad_crds::condition::environment::Projection;
use dryad_machine::tenure::Tenure;
use dryad_machine::view::{Deletion, EnvironmentView};
use tracing::{info, warn};

use super::{Tick, permission};
use crate::process::desk::Desk;
use crate::process::operator::TickError;
use crate::projection::{self, Look, Record, Seen, Wanted};

/// Brings the parameter up to what is recorded as deployed, if it is time to look.
pub(super) async fn project<C: Cloud>(tick: &Tick<'_, C>, desk: &mut Desk) -> Result<(), TickError> {
    // The condition `Ready` says so.
    let withheld = permission::refusal(tick).is_some();
    let Some(wanted) = wanted(tick).filter(|_| !withheld) else {
        desk.projected = None;
        return Ok(());
    };
    let now = tick.operator.clock.mono();
    if desk.projected.as_ref().is_some_and(|seen| seen.will_do(&wanted, now)) {
        return Ok(());
    }
    let cloud = &*tick.operator.cloud;
    let outcome = match projection::look(cloud, &wanted).await {
        Look::Settled(outcome) => outcome,
        // What is deployed may have changed since the cache was filled: then the next tick writes that.
        Look::Due(_) if !tick.may_still_act().await? => return Ok(()),
        Look::Due(replacing) => match projection::write(cloud, &wanted, replacing).await {
            Ok(outcome) => {
                info!(environment = %tick.environment.name, parameter = wanted.name, ?outcome, "projected");
                outcome
            }
            Err(error) => {
                unanswered(tick, desk, &error);
                projection::failed(&error)
            }
        },
    };
    if !matches!(outcome, Projection::Written(_)) {
        warn!(environment = %tick.environment.name, parameter = wanted.name, ?outcome, "not projected");
    }
    let rest = rest(tick, desk);
    desk.projected = Some(Seen::new(wanted, now, rest, outcome));
    Ok(())
}

/// How long a parameter that says what it should is left alone.
fn rest<C: Cloud>(tick: &Tick<'_, C>, desk: &Desk) -> Duration {
    let all = tick.operator.caches.environments.state();
    let readable = all.iter().filter_map(|guard| guard.0.as_ref().ok());
    let parameters = readable.filter(|it| it.spec.deployed_parameter.is_some()).count();
    let rest = projection::rest(parameters, tick.operator.idle);
    match &desk.projected {
        None => projection::first_rest(&tick.environment.revision.uid, rest),
        Some(_) => rest,
    }
}

/// Whether nothing is left of the parameter that has to go with its Environment. A failure holds up nothing but the
/// Environment's own end, and `deletionPolicy: Retain` or another `deployedParameter` releases it.
pub(super) async fn is_withdrawn<C: Cloud>(tick: &Tick<'_, C>, desk: &mut Desk) -> Result<bool, TickError> {
    let (Deletion::Delete, Some(name)) =
        (tick.environment.deletion, tick.object.spec.deployed_parameter.as_ref())
    else {
        return Ok(true);
    };
    // Of what was never deployed to there is no record, and nobody need be able to look for it.
    if tick.environment.tenure == Tenure::default() {
        return Ok(true);
    }
    // What was sent and not answered could still land, behind the deletion's back.
    if tick.operator.clock.mono() < desk.parameter_uncertain_until || !tick.may_still_act().await? {
        return Ok(false);
    }
    let EnvironmentView { place, revision, .. } = &tick.environment;
    match projection::withdraw(&*tick.operator.cloud, place, name.as_ref(), &revision.uid).await {
        Ok(()) => Ok(true),
        Err(error) => {
            warn!(environment = %tick.environment.name, parameter = %name, %error, "the parameter is still there");
            if let Some(wanted) = wanted(tick) {
                let (now, rest) = (tick.operator.clock.mono(), rest(tick, desk));
                desk.projected = Some(Seen::new(wanted, now, rest, projection::failed(&error)));
            }
            Ok(false)
        }
    }
}

fn unanswered<C: Cloud>(tick: &Tick<'_, C>, desk: &mut Desk, error: &CloudError) {
    if error.leaves_the_world_uncertain() {
        let until: Duration = tick.operator.clock.mono() + tick.operator.uncertainty;
        desk.parameter_uncertain_until = until;
    }
}

fn wanted<C: Cloud>(tick: &Tick<'_, C>) -> Option<Wanted> {
    let name = tick.object.spec.deployed_parameter.as_ref()?;
    let tenure = &tick.environment.tenure;
    Some(Wanted {
        place: tick.environment.place.clone(),
        name: name.to_string(),
        record: Record::of(&tick.operator.owner(tick.object), tenure.deployed.as_ref()?),
        known: tenure.turn,
    })
}
