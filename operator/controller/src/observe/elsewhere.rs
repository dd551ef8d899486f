//! Groups that were announced elsewhere than where a look is about, because the Environment's traffic was edited since:
//! how requests reach them there.
//!
//! Only of groups that exist: what somebody merely wrote down, and nobody permitted, is not looked at. A rule or a target
//! group that is gone brings nobody any requests; its owner is free to delete it, and that must blind nobody.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use dryad_cloud::group::Group;
use dryad_cloud::traffic::{Rule, TargetGroupArn};
use dryad_cloud::{Cloud, CloudError};
use dryad_machine::access::Access;
use dryad_machine::name::{GroupName, Place};
use dryad_machine::reading::{Apart, Reach};
use dryad_machine::tenure::Member;

use super::reading::{Health, attachment};
use crate::target::{Target, TrafficTarget};

/// What was announced for groups that stand apart, by their names.
pub(crate) type Elsewhere = BTreeMap<GroupName, Announced>;

/// How requests may reach a group that stands apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Announced {
    pub(crate) traffic: TrafficTarget,
    /// Its rule; none where there is none, or none any more.
    pub(crate) rule: Option<Rule>,
}

/// Looks at everything that groups which exist were announced with, but for what the look is about anyway. What the
/// target groups say of their targets is added to `health`.
pub(super) async fn look<C: Cloud>(
    cloud: &C,
    target: &Target,
    members: &[Member],
    groups: &BTreeMap<GroupName, Group>,
    health: &mut Health,
) -> Result<Elsewhere, CloudError> {
    let mut seen: BTreeMap<(&Place, &Access), Announced> = BTreeMap::new();
    let mut elsewhere = Elsewhere::new();
    for member in members.iter().filter(|member| groups.contains_key(&member.name)) {
        let Some(access) = &member.access else { continue };
        let traffic = TrafficTarget::of(access);
        if member.place == target.place && traffic == target.traffic {
            continue;
        }
        let place = &member.place;
        let announced = match seen.entry((place, access)) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => unknown.insert(ask(cloud, place, traffic, health).await?),
        };
        elsewhere.insert(member.name.clone(), announced.clone());
    }
    Ok(elsewhere)
}

/// How requests are spread by this traffic, and what its target groups say of their targets; nothing of those that are
/// gone.
pub(super) async fn ask<C: Cloud>(
    cloud: &C,
    place: &Place,
    traffic: TrafficTarget,
    health: &mut Health,
) -> Result<Announced, CloudError> {
    let rule = rule_of(cloud, place, &traffic).await?;
    for target_group in traffic.target_groups() {
        if !health.contains_key(target_group) {
            let targets = present(cloud.target_health(place, target_group).await)?;
            health.extend(targets.map(|targets| (target_group.clone(), targets)));
        }
    }
    Ok(Announced { traffic, rule })
}

/// The rule; none where there is none, or none any more.
pub(crate) async fn rule_of<C: Cloud>(
    cloud: &C,
    place: &Place,
    traffic: &TrafficTarget,
) -> Result<Option<Rule>, CloudError> {
    match traffic {
        TrafficTarget::Rule { rule, .. } => present(cloud.rule(place, rule).await),
        TrafficTarget::TargetGroup(_) | TrafficTarget::Workers => Ok(None),
    }
}

fn present<T>(answer: Result<T, CloudError>) -> Result<Option<T>, CloudError> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(CloudError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

impl Announced {
    /// How the group stands there, where `here` is looked at anyway.
    pub(super) fn apart(&self, group: &Group, here: &TrafficTarget) -> Apart {
        let beyond = |target_group: &TargetGroupArn| {
            group.target_groups.contains(target_group) && !here.target_groups().contains(&target_group)
        };
        Apart { attached: attachment(&self.traffic, beyond), reach: self.reach(group) }
    }

    /// What reaches the group by what it was announced with.
    pub(crate) fn reach(&self, group: &Group) -> Reach {
        let is_reached = match &self.traffic {
            TrafficTarget::Workers => return Reach::Work,
            TrafficTarget::TargetGroup(shared) => group.target_groups.contains(shared),
            TrafficTarget::Rule { a, b, .. } => {
                [a, b].into_iter().any(|it| group.target_groups.contains(it) && self.weighs(it))
            }
        };
        if is_reached { Reach::Requests } else { Reach::Nothing }
    }

    /// Whether the rule sends requests there.
    fn weighs(&self, target_group: &TargetGroupArn) -> bool {
        match &self.rule {
            None => false,
            Some(Rule::Forward(weights)) => {
                weights.iter().any(|it| it.target_group == *target_group && it.weight > 0)
            }
            // A shape that nobody of us gave it: it may send requests anywhere.
            Some(Rule::Other(_)) => true,
        }
    }

    /// Whether it is certain that the rule sends nothing there: it is there, in our shape, and gives it no weight.
    pub(crate) fn spares(&self, target_group: &TargetGroupArn) -> bool {
        self.traffic.target_groups().contains(&target_group)
            && matches!(self.rule, Some(Rule::Forward(_)))
            && !self.weighs(target_group)
    }
}
