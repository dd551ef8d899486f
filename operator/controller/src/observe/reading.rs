//! From what the cloud answered to what the machine decides by. Pure.

use std::collections::BTreeMap;

use dryad_cloud::group::{Group, Instance, InstanceId, Lifecycle};
use dryad_cloud::traffic::{Rule, TargetGroupArn, TargetHealth};
use dryad_machine::name::GroupName;
use dryad_machine::reading::{Apart, Attached, GroupSeen, Presence, Reading, Slot, SlotSeen, Traffic};

use super::Elsewhere;
use crate::target::TrafficTarget;

/// The targets of each target group.
pub(crate) type Health = BTreeMap<TargetGroupArn, BTreeMap<InstanceId, TargetHealth>>;

/// The answers that make up one look.
#[derive(Clone, Copy)]
pub(crate) struct Pieces<'a> {
    pub(crate) traffic: &'a TrafficTarget,
    pub(crate) groups: &'a BTreeMap<GroupName, Group>,
    pub(crate) rule: Option<&'a Rule>,
    pub(crate) health: &'a Health,
    pub(crate) elsewhere: &'a Elsewhere,
}

/// Puts the answers together. Whose a group is was told before.
pub(crate) fn assemble(pieces: Pieces<'_>) -> Reading {
    let groups = pieces.groups.iter().map(|(name, group)| (name.clone(), seen(group, pieces)));
    Reading { groups: groups.collect(), foreign: BTreeMap::new(), traffic: traffic(pieces) }
}

fn seen(group: &Group, pieces: Pieces<'_>) -> GroupSeen {
    let in_service: Vec<_> = group
        .instances
        .iter()
        .filter(|instance| instance.lifecycle == Lifecycle::InService && instance.healthy)
        .collect();
    let announced = pieces.elsewhere.get(&group.name);
    let elsewhere = announced.map(|announced| announced.traffic.target_groups()).unwrap_or_default();
    let attached: Vec<_> = pieces
        .traffic
        .target_groups()
        .into_iter()
        .chain(elsewhere)
        .filter(|target_group| group.target_groups.contains(target_group))
        .collect();
    let passes = |instance: &&Instance| {
        attached.iter().all(|target_group| {
            let health = pieces.health.get(target_group).and_then(|targets| targets.get(&instance.id));
            matches!(health, Some(TargetHealth::Healthy))
        })
    };
    let drains = |instance: &Instance| {
        pieces
            .health
            .values()
            .any(|targets| matches!(targets.get(&instance.id), Some(TargetHealth::Draining)))
    };
    GroupSeen {
        presence: if group.deleting { Presence::BeingDeleted } else { Presence::Here },
        min: group.capacity.min,
        max: group.capacity.max,
        desired: group.capacity.desired,
        instances: count(group.instances.len()),
        in_service: count(in_service.len()),
        healthy: count(in_service.iter().copied().filter(passes).count()),
        draining: count(group.instances.iter().filter(|instance| drains(instance)).count()),
        attached: attachment(pieces.traffic, |target_group| group.target_groups.contains(target_group)),
        apart: announced.map_or(Apart::NO, |announced| announced.apart(group, pieces.traffic)),
    }
}

/// Which of the target groups a group is attached to that is in these.
pub(super) fn attachment(traffic: &TrafficTarget, is_in: impl Fn(&TargetGroupArn) -> bool) -> Attached {
    match traffic {
        TrafficTarget::Rule { a, b, .. } => match (is_in(a), is_in(b)) {
            (false, false) => Attached::Nowhere,
            (true, false) => Attached::To(Slot::A),
            (false, true) => Attached::To(Slot::B),
            (true, true) => Attached::ToBoth,
        },
        TrafficTarget::TargetGroup(shared) if is_in(shared) => Attached::ToShared,
        TrafficTarget::TargetGroup(_) | TrafficTarget::Workers => Attached::Nowhere,
    }
}

fn traffic(pieces: Pieces<'_>) -> Traffic {
    let (rule, a, b) = match pieces.traffic {
        TrafficTarget::Rule { rule, a, b } => (rule, a, b),
        TrafficTarget::TargetGroup(_) => return Traffic::Shared,
        TrafficTarget::Workers => return Traffic::Workers,
    };
    let weights = match pieces.rule {
        Some(Rule::Forward(weights)) => weights,
        Some(Rule::Other(what)) => {
            return Traffic::Unusable(format!(
                "the rule is not one forward action over target groups but {what}; make it forward to the two \
                 target groups that the Environment names"
            ));
        }
        None => {
            return Traffic::Unusable(format!(
                "the rule {} does not exist; name another one in spec.traffic, and deploy again",
                rule.0
            ));
        }
    };
    if let Some(third) = weights.iter().find(|weight| weight.target_group != *a && weight.target_group != *b)
    {
        return Traffic::Unusable(format!(
            "the rule also forwards to {}, which the Environment does not name; take it out of the rule",
            third.target_group.0
        ));
    }
    let slot = |own: &TargetGroupArn| SlotSeen {
        weight: weights.iter().find(|weight| weight.target_group == *own).map(|weight| weight.weight),
        strangers: strangers(own, pieces),
    };
    Traffic::Weighted { a: slot(a), b: slot(b) }
}

/// How many of a target group's targets belong to no group of the ledger.
fn strangers(target_group: &TargetGroupArn, pieces: Pieces<'_>) -> u32 {
    let Some(targets) = pieces.health.get(target_group) else { return 0 };
    let is_ours = |id: &InstanceId| {
        pieces.groups.values().any(|group| group.instances.iter().any(|instance| instance.id == *id))
    };
    count(targets.keys().filter(|id| !is_ours(id)).count())
}

/// Why an instance of the group is not healthy, in the load balancer's words.
pub(super) fn why_unhealthy(group: &Group, health: &Health) -> Option<String> {
    let reasons = health.values().flatten().filter_map(|(id, health)| match health {
        TargetHealth::Unhealthy(why) if group.instances.iter().any(|instance| instance.id == *id) => {
            Some(format!("{}: {why}", id.0))
        }
        TargetHealth::Unhealthy(_)
        | TargetHealth::Healthy
        | TargetHealth::Initial
        | TargetHealth::Draining => None,
    });
    reasons.min()
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use dryad_cloud::group::Capacity;
    use dryad_cloud::traffic::{RuleArn, Weight};
    use dryad_machine::reading::Reach;

    use super::*;
    use crate::observe::elsewhere::Announced;

    fn arn(name: &str) -> TargetGroupArn {
        TargetGroupArn(name.to_owned())
    }

    fn rule_target() -> TrafficTarget {
        TrafficTarget::Rule { rule: RuleArn("rule".to_owned()), a: arn("a"), b: arn("b") }
    }

    fn group(name: &str, instances: &[(&str, Lifecycle, bool)], target_groups: &[&str]) -> Group {
        let size = count(instances.len());
        Group {
            name: GroupName::new(name),
            deleting: false,
            capacity: Capacity { min: 1, max: 8, desired: size },
            instances: instances
                .iter()
                .map(|(id, lifecycle, healthy)| Instance {
                    id: InstanceId((*id).to_owned()),
                    lifecycle: *lifecycle,
                    healthy: *healthy,
                })
                .collect(),
            target_groups: target_groups.iter().map(|name| arn(name)).collect::<BTreeSet<_>>(),
            template: Some(name.to_owned()),
            tags: BTreeMap::new(),
        }
    }

    fn read(
        traffic: &TrafficTarget,
        groups: &[Group],
        rule: Option<&Rule>,
        health: &[(&str, &[(&str, TargetHealth)])],
    ) -> Reading {
        read_apart(traffic, groups, rule, health, &Elsewhere::new())
    }

    fn read_apart(
        traffic: &TrafficTarget,
        groups: &[Group],
        rule: Option<&Rule>,
        health: &[(&str, &[(&str, TargetHealth)])],
        elsewhere: &Elsewhere,
    ) -> Reading {
        let groups = groups.iter().map(|group| (group.name.clone(), group.clone())).collect();
        let health = health
            .iter()
            .map(|(name, targets)| {
                let targets =
                    targets.iter().map(|(id, health)| (InstanceId((*id).to_owned()), health.clone()));
                (arn(name), targets.collect())
            })
            .collect();
        assemble(Pieces { traffic, groups: &groups, rule, health: &health, elsewhere })
    }

    fn forward(weights: &[(&str, u32)]) -> Rule {
        let weight = |(name, weight): &(&str, u32)| Weight { target_group: arn(name), weight: *weight };
        Rule::Forward(weights.iter().map(weight).collect())
    }

    #[test]
    fn healthy_is_who_is_in_service_healthy_and_passes_every_target_group_it_is_attached_to() {
        use Lifecycle::{Coming, InService, Leaving};
        let instances = [
            ("i-1", InService, true),
            ("i-2", InService, true),
            ("i-3", InService, false),
            ("i-4", Coming, true),
            ("i-5", Leaving, true),
        ];
        let targets = [
            ("i-1", TargetHealth::Healthy),
            ("i-2", TargetHealth::Initial),
            ("i-3", TargetHealth::Healthy),
            ("i-5", TargetHealth::Draining),
        ];
        let rule = forward(&[("a", 100), ("b", 0)]);
        let reading = read(
            &rule_target(),
            &[group("web", &instances, &["a"])],
            Some(&rule),
            &[("a", &targets), ("b", &[])],
        );
        let seen = &reading.groups[&GroupName::new("web")];
        assert_eq!((seen.instances, seen.in_service, seen.healthy, seen.draining), (5, 2, 1, 1));
        assert_eq!(seen.attached, Attached::To(Slot::A));
    }

    #[test]
    fn a_group_that_is_attached_nowhere_is_judged_by_its_own_word() {
        let rule = forward(&[("a", 100)]);
        let instances = [("i-1", Lifecycle::InService, true)];
        let reading = read(&rule_target(), &[group("web", &instances, &[])], Some(&rule), &[]);
        assert_eq!(reading.groups[&GroupName::new("web")].healthy, 1);
    }

    /// How a group stands that was announced with the rule of `a` and `b`, and is looked at by this traffic.
    fn stands(traffic: &TrafficTarget, attached: &[&str], rule: Option<Rule>) -> (Attached, Apart, u32) {
        let instances = [("i-1", Lifecycle::InService, true)];
        let announced = Announced { traffic: rule_target(), rule };
        let elsewhere = [(GroupName::new("web"), announced)].into();
        let healthy: &[(&str, TargetHealth)] = &[("i-1", TargetHealth::Healthy)];
        let health = [("a", healthy), ("b", &[])];
        let here = forward(&[("c", 100), ("a", 0)]);
        let groups = [group("web", &instances, attached)];
        let seen = read_apart(traffic, &groups, Some(&here), &health, &elsewhere).groups;
        let seen = &seen[&GroupName::new("web")];
        (seen.attached, seen.apart, seen.healthy)
    }

    #[test]
    fn a_group_is_judged_where_it_was_announced_as_well() {
        let shared = TrafficTarget::TargetGroup(arn("shared"));
        let usual = || Some(forward(&[("a", 100), ("b", 0)]));
        let apart = |attached, reach| Apart { attached, reach };
        let (a, b) = (Attached::To(Slot::A), Attached::To(Slot::B));
        let nowhere = Attached::Nowhere;
        let redirect = || Some(Rule::Other("a redirect".to_owned()));
        assert_eq!(stands(&shared, &["a"], usual()), (nowhere, apart(a, Reach::Requests), 1));
        assert_eq!(
            stands(&shared, &["b"], usual()),
            (nowhere, apart(b, Reach::Nothing), 0),
            "its weight is 0"
        );
        assert_eq!(stands(&shared, &[], usual()), (nowhere, apart(nowhere, Reach::Nothing), 1));
        assert_eq!(stands(&shared, &["a"], None), (nowhere, apart(a, Reach::Nothing), 1), "the rule is gone");
        assert_eq!(
            stands(&shared, &["a"], redirect()),
            (nowhere, apart(a, Reach::Requests), 1),
            "nobody knows"
        );
    }

    #[test]
    fn what_is_looked_at_anyway_is_not_left_twice() {
        let overlapping = TrafficTarget::Rule { rule: RuleArn("next".to_owned()), a: arn("c"), b: arn("a") };
        let usual = || Some(forward(&[("a", 100), ("b", 0)]));
        let seen = stands(&overlapping, &["a"], usual());
        let apart = Apart { attached: Attached::Nowhere, reach: Reach::Requests };
        assert_eq!(seen, (Attached::To(Slot::B), apart, 1), "the other rule still sends it requests");
        let workers = Elsewhere::from([(
            GroupName::new("web"),
            Announced { traffic: TrafficTarget::Workers, rule: None },
        )]);
        let read = read_apart(&overlapping, &[group("web", &[], &[])], None, &[], &workers);
        assert_eq!(read.groups[&GroupName::new("web")].apart.reach, Reach::Work);
    }

    #[test]
    fn targets_of_nobody_we_know_are_strangers() {
        let rule = forward(&[("a", 100), ("b", 0)]);
        let targets = [("i-9", TargetHealth::Healthy)];
        let reading = read(&rule_target(), &[], Some(&rule), &[("a", &[]), ("b", &targets)]);
        assert_eq!(reading.traffic.slot(Slot::B), Some(SlotSeen { weight: Some(0), strangers: 1 }));
    }

    #[test]
    fn a_target_group_that_the_rule_does_not_name_has_no_weight() {
        let reading = read(&rule_target(), &[], Some(&forward(&[("a", 1)])), &[]);
        assert_eq!(reading.traffic.slot(Slot::B).unwrap().weight, None);
    }

    #[test]
    fn a_rule_of_another_shape_is_unusable_in_words() {
        let three = forward(&[("a", 1), ("b", 0), ("c", 0)]);
        let reading = read(&rule_target(), &[], Some(&three), &[]);
        let Traffic::Unusable(why) = reading.traffic else { panic!("{:?}", reading.traffic) };
        assert!(why.contains("also forwards to c"), "{why}");
        let redirect = Rule::Other("a redirect".to_owned());
        let Traffic::Unusable(why) = read(&rule_target(), &[], Some(&redirect), &[]).traffic else {
            panic!()
        };
        assert!(why.contains("but a redirect"), "{why}");
    }
}
