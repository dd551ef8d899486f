//! Leaving an Environment alone that nobody works on, as long as the survey of its account and region shows nothing that
//! would have to be looked at.
//!
//! What is recorded then stays as it is. It takes a look after all where the record does not say that exactly the
//! groups of the ledger serve, where the cloud has refused something, and by turns.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use dryad_cloud::{Cloud, CloudError};
use dryad_crds::condition::AVAILABLE;
use dryad_machine::environment::{Deploys, EnvironmentCase, Holder};
use dryad_machine::rest::{self, Surveyed};

use super::{Tick, report};
use crate::objects::view;
use crate::observe::{self, Elsewhere, Pieces};
use crate::target::Target;

/// What is recorded holds.
pub(super) struct Rest {
    /// Who serves, in the words of the record.
    pub(super) service: String,
    /// Until when, in time since the process started.
    pub(super) until: Duration,
}

/// Whether the Environment needs no look before a while; `looked` is when this process last did.
///
/// # Errors
/// When the cloud did not answer the survey, or said no. Then nobody asks it one by one.
pub(super) async fn rest<C: Cloud>(
    tick: &Tick<'_, C>,
    target: &Target,
    holder: Holder,
    looked: Option<Duration>,
) -> Result<Option<Rest>, CloudError> {
    let environment = &tick.environment;
    // Who is quiet is here to stay: nobody asks whether it may go.
    let deploys = Deploys::Ended;
    let case = EnvironmentCase { environment, finalizer: view::finalizer(tick.object), holder, deploys };
    if !rest::is_quiet(case) {
        return Ok(None);
    }
    let (uid, members) = (&environment.revision.uid, &environment.tenure.groups);
    let (mut until, mut groups) = (Duration::MAX, BTreeMap::new());
    for place in members.iter().map(|member| &member.place).collect::<BTreeSet<_>>() {
        let survey = tick.operator.surveys.of(tick.operator, place).await?;
        until = until.min(rest::due(survey.place(uid), survey.began, looked, tick.operator.idle));
        let ours = members.iter().filter(|member| member.place == *place);
        let found = ours.filter_map(|member| survey.groups.get(&member.name));
        groups.extend(found.map(|group| (group.name.clone(), group.clone())));
    }
    let names: BTreeSet<_> = members.iter().map(|member| &member.name).collect();
    let service = report::serves(names);
    let as_recorded = recorded(tick) == Some(&service)
        && tick.operator.denials.of(uid).is_none()
        && tick.operator.clock.mono() < until
        && observe::strangers(members, &groups, &tick.operator.owner(tick.object)).is_empty();
    let pieces = Pieces {
        traffic: &target.traffic,
        groups: &groups,
        rule: None,
        health: &BTreeMap::new(),
        elsewhere: &Elsewhere::new(),
    };
    let surveyed = Surveyed(observe::assemble(pieces).groups);
    Ok((as_recorded && rest::is_at_rest(environment, &surveyed)).then_some(Rest { service, until }))
}

/// The record's words on who serves, if it says that somebody does.
fn recorded<'a, C>(tick: &'a Tick<'_, C>) -> Option<&'a String> {
    let conditions = &tick.object.status.as_ref()?.conditions;
    let serving =
        conditions.iter().find(|condition| condition.type_ == AVAILABLE && condition.status == "True")?;
    Some(&serving.message)
}
