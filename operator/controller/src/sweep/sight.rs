//! What carries the installation's tag in one place, and whether requests reach it.

use dryad_cloud::group::Group;
use dryad_cloud::traffic::{Rule, TargetGroupArn};
use dryad_cloud::{Cloud, CloudError};
use dryad_crds::Environment;
use dryad_crds::deployment::status::Template;
use dryad_machine::adopt::Claim;
use dryad_machine::name::{GroupName, Place};
use dryad_machine::sweep::{Ledger, Use};
use jiff::Timestamp;
use kube::ResourceExt;

use crate::blueprint;
use crate::tags;
use crate::target::{Target, TrafficTarget};

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
        keeper: Option<&Environment>,
        ledger: Ledger,
    ) -> Result<Use, CloudError> {
        let (Some(group), Some(keeper)) = (&self.group, keeper) else { return Ok(Use::None) };
        if group.deleting {
            return Ok(Use::Leaving);
        }
        let Target { place, traffic } = blueprint::target(&Template::of(&keeper.spec));
        let rule = match &traffic {
            TrafficTarget::Rule { rule, .. }
                if !group.target_groups.is_empty() && ledger == Ledger::Lacks =>
            {
                Some(cloud.rule(&place, rule).await?)
            }
            TrafficTarget::Rule { .. } | TrafficTarget::TargetGroup(_) | TrafficTarget::Workers => None,
        };
        Ok(reached(group, &traffic, rule.as_ref()))
    }
}

/// Whether requests reach the group, or may: only a target group that the Environment's own rule gives no weight is
/// known to have none, and workers find theirs themselves.
fn reached(group: &Group, traffic: &TrafficTarget, rule: Option<&Rule>) -> Use {
    let weightless = |target_group: &TargetGroupArn| match (traffic, rule) {
        (TrafficTarget::Rule { a, b, .. }, Some(Rule::Forward(weights))) => {
            (target_group == a || target_group == b)
                && weights.iter().all(|it| it.target_group != *target_group || it.weight == 0)
        }
        _ => false,
    };
    let works =
        *traffic == TrafficTarget::Workers && (group.capacity.desired > 0 || !group.instances.is_empty());
    if works || !group.target_groups.iter().all(weightless) { Use::Traffic } else { Use::None }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use dryad_cloud::group::Capacity;
    use dryad_cloud::traffic::{RuleArn, Weight};

    use super::*;

    /// Traffic, what the group is attached to, its size, the rule, and what it is good for.
    type Row<'a> = (&'a TrafficTarget, &'a [&'a str], u32, Option<Rule>, Use);

    fn arn(name: &str) -> TargetGroupArn {
        TargetGroupArn(name.to_owned())
    }

    fn group(desired: u32, attached: &[&str]) -> Group {
        Group {
            name: GroupName::new("web-1-d"),
            deleting: false,
            capacity: Capacity { min: 0, max: 4, desired },
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
        let two = TrafficTarget::Rule { rule: RuleArn("r".to_owned()), a: arn("a"), b: arn("b") };
        let (shared, workers) = (TrafficTarget::TargetGroup(arn("s")), TrafficTarget::Workers);
        let usual = forward(&[("a", 100), ("b", 0)]);
        let rows: [Row<'_>; 12] = [
            (&two, &[], 2, None, Use::None),
            (&two, &["b"], 2, usual.clone(), Use::None),
            (&two, &["a"], 2, usual.clone(), Use::Traffic),
            (&two, &["a", "b"], 2, usual.clone(), Use::Traffic),
            (&two, &["b"], 2, forward(&[("a", 1)]), Use::None),
            (&two, &["b", "elsewhere"], 2, usual, Use::Traffic),
            (&two, &["b"], 2, Some(Rule::Other("a redirect".to_owned())), Use::Traffic),
            (&two, &["b"], 2, None, Use::Traffic),
            (&shared, &[], 2, None, Use::None),
            (&shared, &["s"], 2, None, Use::Traffic),
            (&workers, &[], 2, None, Use::Traffic),
            (&workers, &[], 0, None, Use::None),
        ];
        for (traffic, attached, desired, rule, expected) in rows {
            let used = reached(&group(desired, attached), traffic, rule.as_ref());
            assert_eq!(used, expected, "{traffic:?} {attached:?} {rule:?}");
        }
    }
}
