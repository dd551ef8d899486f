//! Asking the checks, once a tick while a release is evaluated.

use dryad_cloud::Cloud;
use dryad_cloud::group::{Group, InstanceId, Lifecycle};
use dryad_crds::environment::checks::{Check, Http, Question, Scheme};
use dryad_machine::memory::{Memory, Verdict};
use dryad_machine::state::State;
use std::collections::BTreeSet;
use std::time::Duration;
use url::Url;

use super::Tick;
use crate::checks::http::{self, Address, CheckPath, ExpectStatus, HttpCheck, Silence};
use crate::observe::Sight;
use crate::process::denials::Ask;

/// Asks every check and tells the memory what they came to.
pub(super) async fn evaluate<C: Cloud>(tick: &Tick<'_, C>, memory: &mut Memory, sight: Option<&Sight>) {
    if tick.state() != State::EvaluateWait {
        return;
    }
    let (Some(template), Some(sight), Some(plan)) = (tick.template(), sight, &tick.deployment.plan) else {
        return;
    };
    let seen = sight.reading.group(&plan.green);
    let healthy = seen.is_some_and(|seen| seen.healthy >= seen.desired.max(1));
    let verdict = match sight.groups.get(&plan.green) {
        Some(group) if healthy => ask_all(tick, &template.checks, group).await,
        Some(_) => Verdict::NotYet("not all instances are healthy".to_owned()),
        None => Verdict::NotYet("the new group is not to be seen".to_owned()),
    };
    memory.checked(verdict, tick.operator.clock.mono(), tick.tick());
}

/// The worst that any check says.
async fn ask_all<C: Cloud>(tick: &Tick<'_, C>, checks: &[Check], green: &Group) -> Verdict {
    let mut worst = Verdict::Good;
    for check in checks {
        let Question::Http(http) = &check.question;
        let found = match ask(tick, http, green).await {
            Ok(http::Verdict::Good) => Verdict::Good,
            Ok(http::Verdict::Unknown { reason }) | Err(reason) => {
                Verdict::NotYet(format!("check {}: {reason}", check.name))
            }
            Ok(http::Verdict::Bad { reason }) => Verdict::Bad(format!("check {}: {reason}", check.name)),
        };
        if let (Verdict::Good, _) | (Verdict::NotYet(_), Verdict::Bad(_)) = (&worst, &found) {
            worst = found;
        }
    }
    worst
}

/// Asks one check of every instance that is in service.
async fn ask<C: Cloud>(tick: &Tick<'_, C>, http: &Http, green: &Group) -> Result<http::Verdict, String> {
    let in_service = |lifecycle| lifecycle == Lifecycle::InService;
    let ids: BTreeSet<InstanceId> = green
        .instances
        .iter()
        .filter(|instance| in_service(instance.lifecycle))
        .map(|instance| instance.id.clone())
        .collect();
    let place = green_place(tick).ok_or("green is not in the ledger")?;
    let found = tick.operator.cloud.addresses(&place, &ids).await;
    if let Some(environment) = &tick.environment_view {
        let answer = found.as_ref().map(drop);
        tick.operator.denials.answered(&environment.revision.uid, Ask::Addresses, answer);
    }
    let found = found.map_err(|error| error.to_string())?;
    if found.len() < ids.len() {
        return Ok(http::Verdict::Unknown { reason: "an instance has no address yet".to_owned() });
    }
    let check = http_check(http)?;
    let mut addresses = Vec::new();
    for (id, host) in found {
        let scheme = match http.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        let server =
            Url::parse(&format!("{scheme}://{host}:{}", http.port)).map_err(|error| error.to_string())?;
        addresses.push(Address { name: id.0, server });
    }
    Ok(http::judge(&check, &tick.operator.prober.ask(&check, &addresses).await, silence(tick)))
}

/// Before green has users, an application may take its time to start: a group without a load balancer is up as soon as
/// its machines are.
fn silence<C: Cloud>(tick: &Tick<'_, C>) -> Silence {
    match tick.deployment.history.last().and_then(|entry| entry.step) {
        Some(1) => Silence::Waits,
        Some(_) | None => Silence::Fails,
    }
}

fn green_place<C: Cloud>(tick: &Tick<'_, C>) -> Option<dryad_machine::name::Place> {
    let green = &tick.deployment.plan.as_ref()?.green;
    Some(tick.environment_view.as_ref()?.tenure.member(green)?.place.clone())
}

fn http_check(http: &Http) -> Result<HttpCheck, String> {
    let limit = http.latency_limit_milliseconds.map(|limit| Duration::from_millis(u64::from(limit)));
    Ok(HttpCheck {
        path: CheckPath::new(http.path.as_str()).map_err(|error| error.to_string())?,
        expect_status: ExpectStatus::Exactly(http.expect_status),
        body_contains: http.body_contains.clone(),
        latency_limit: limit,
        timeout: http.timeout.into(),
        count: http.count,
        failure_limit: http.failure_limit,
    })
}
