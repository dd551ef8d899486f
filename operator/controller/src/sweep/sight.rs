//! What carries the installation's tag in one place, and whether requests reach it.

use dryad_cloud::group::Group;
use dryad_cloud::traffic::TargetGroupArn;
use dryad_cloud::{Cloud, CloudError};
use dryad_crds::Environment;
use dryad_machine::access::Access;
use dryad_machine::adopt::Claim;
use dryad_machine::name::{GroupName, Place};
use dryad_machine::reading::Reach;
use dryad_machine::sweep::{Ledger, Use};
use jiff::Timestamp;
use kube::ResourceExt;

use crate::observe::Announced;
use crate::observe::announced::{self, Announcements};
use crate::tags;
use crate::target::TrafficTarget;

/// A group, or a launch template that has none.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) name: GroupName,
    pub(super) place: Place,
    pub(super) claim: Option<Claim>,
    pub(super) created: Timestamp,
    /// None of a launch template.
    group: Option<Group>,
}

/// Everything of the installation in this place: its groups, and the launch templates that none of them bears the name
/// of.
pub(super) async fn list<C: Cloud>(
    cloud: &C,
    place: &Place,
    installation: &str,
) -> Result<Vec<Found>, CloudError> {
    let tags = tags::of_installation(installation);
    let templates = cloud.tagged_templates(place, &tags).await?;
    let groups = cloud.tagged_groups(place, &tags).await?;
    let at = |created| Timestamp::from_second(created).unwrap_or(Timestamp::MAX);
    let mut found: Vec<_> = groups
        .into_iter()
        .map(|found| Found {
            claim: tags::claim(installation, &found.group.name, &found.group.tags),
            name: found.group.name.clone(),
            place: place.clone(),
            created: at(found.created),
            group: Some(found.group),
        })
        .collect();
    let alone = templates.into_iter().filter(|it| !found.iter().any(|group| group.name == it.name));
    let alone: Vec<_> = alone
        .map(|template| Found {
            claim: tags::claim(installation, &template.name, &template.tags),
            name: template.name,
            place: place.clone(),
            created: at(template.created),
            group: None,
        })
        .collect();
    found.extend(alone);
    Ok(found)
}

impl Found {
    /// Whether it says that it is this Environment's.
    pub(super) fn is_of(&self, environment: &Environment) -> bool {
        self.claim.as_ref().is_some_and(|claim| {
            environment.namespace().as_deref() == Some(claim.namespace.as_str())
                && environment.metadata.name.as_deref() == Some(claim.environment.as_str())
        })
    }

    /// Who could miss it. The load balancer is asked only about what is attached, and no ledger has.
    pub(super) async fn use_<C: Cloud>(
        &self,
        cloud: &C,
        announcements: Option<&Announcements<'_>>,
        ledger: Ledger,
    ) -> Result<Use, CloudError> {
        let (Some(group), Some(announcements)) = (&self.group, announcements) else { return Ok(Use::None) };
        if group.deleting {
            return Ok(Use::Leaving);
        }
        if ledger == Ledger::Has {
            return Ok(Use::Traffic);
        }
        let mut all = Vec::new();
        for access in announcements.all() {
            all.push(announced::look(cloud, &self.place, &access, group).await?);
        }
        let works = match announcements.recorded(&group.name) {
            Some(access) => access == Access::Workers {},
            None => all.iter().any(|it| it.traffic == TrafficTarget::Workers),
        };
        Ok(if works && has_instances(group) { Use::Traffic } else { reached(group, &all) })
    }

    /// How requests reach it, as far as that can be told; none of a launch template.
    pub(super) fn access(&self, announcements: &Announcements<'_>) -> Option<Access> {
        self.group.as_ref().map(|group| announcements.of(group))
    }
}

fn has_instances(group: &Group) -> bool {
    group.capacity.desired > 0 || !group.instances.is_empty()
}

/// Whether requests reach the group, or may: only a target group that a rule of the Environment's gives no weight, and
/// none of them any, is known to have none.
fn reached(group: &Group, all: &[Announced]) -> Use {
    let is_spared = |target_group: &TargetGroupArn| all.iter().any(|it| it.spares(target_group));
    let none_reaches = all.iter().all(|it| it.reach(group) != Reach::Requests);
    if none_reaches && group.target_groups.iter().all(is_spared) { Use::None } else { Use::Traffic }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use dryad_cloud::group::Capacity;
    use dryad_cloud::traffic::{Rule, RuleArn, Weight};

    use super::*;

    fn arn(name: &str) -> TargetGroupArn {
        TargetGroupArn(name.to_owned())
    }

    fn group(attached: &[&str]) -> Group {
        Group {
            name: GroupName::new("web-1-d"),
            deleting: false,
            capacity: Capacity { min: 0, max: 4, desired: 2 },
            instances: Vec::new(),
            target_groups: attached.iter().map(|name| arn(name)).collect(),
            template: None,
            tags: BTreeMap::new(),
        }
    }

    #[test]
    fn only_what_certainly_gets_no_request_is_of_no_use() {
        let forward = |weights: &[(&str, u32)]| {
            let weight = |(name, weight): &(&str, u32)| Weight { target_group: arn(name), weight: *weight };
            Some(Rule::Forward(weights.iter().map(weight).collect()))
        };
        let two = |name: &str, rule| Announced {
            traffic: TrafficTarget::Rule { rule: RuleArn(name.to_owned()), a: arn("a"), b: arn("b") },
            rule,
        };
        let shared = Announced { traffic: TrafficTarget::TargetGroup(arn("s")), rule: None };
        let usual = || two("r", forward(&[("a", 100), ("b", 0)]));
        let other = two("r", Some(Rule::Other("a redirect".to_owned())));
        let turned = two("earlier", forward(&[("a", 0), ("b", 1)]));
        let rows: [(&[&str], &[Announced], Use); 11] = [
            (&[], &[usual()], Use::None),
            (&["b"], &[usual()], Use::None),
            (&["a"], &[usual()], Use::Traffic),
            (&["a", "b"], &[usual()], Use::Traffic),
            (&["b"], &[two("r", forward(&[("a", 1)]))], Use::None),
            (&["b", "elsewhere"], &[usual()], Use::Traffic),
            (&["b"], &[other], Use::Traffic),
            (&["b"], &[two("r", None)], Use::Traffic),
            (&["s"], std::slice::from_ref(&shared), Use::Traffic),
            (&["b"], &[shared.clone(), usual()], Use::None),
            (&["b"], &[turned, usual()], Use::Traffic),
        ];
        for (attached, all, expected) in rows {
            assert_eq!(reached(&group(attached), all), expected, "{attached:?} {all:?}");
        }
    }
}
