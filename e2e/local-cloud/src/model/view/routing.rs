//! Where requests go: listeners → rules → weighted target groups → targets.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::model::caller::Place;
use crate::model::elb::{Condition, Health, HealthCheck, RuleAction};
use crate::model::region::Region;
use crate::model::settings::Settings;
use crate::model::world::World;

/// Everything a reverse proxy and a prober need, of every place.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Routing {
    /// The listeners.
    pub listeners: Vec<RoutedListener>,
    /// The target groups by ARN, used or not.
    pub target_groups: BTreeMap<String, RoutedTargetGroup>,
}

/// A port that should be listened on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RoutedListener {
    /// Where.
    pub place: Place,
    /// Its ARN.
    pub arn: String,
    /// Its load balancer's ARN.
    pub load_balancer: String,
    /// Its load balancer's name.
    pub load_balancer_name: String,
    /// Its port.
    pub port: u16,
    /// What to do with a request: the first that fits, and the last always does.
    pub routes: Vec<Route>,
}

/// Requests of a kind, and what becomes of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Route {
    /// The rule's ARN.
    pub rule: String,
    /// All must hold; none: every request fits.
    pub conditions: Vec<Condition>,
    /// What becomes of them, as AWS keeps it: a forward always has its `forward_config`, with all weights.
    pub action: RuleAction,
}

/// A target group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RoutedTargetGroup {
    /// Where.
    pub place: Place,
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// Where targets listen.
    pub port: u16,
    /// Whether a rule names it: if none does, targets are not checked.
    pub in_use: bool,
    /// How to check targets.
    pub health_check: HealthCheck,
    /// How long a request may still take once its target is deregistered.
    pub drain: SignedDuration,
    /// Its targets.
    pub targets: Vec<RoutedTarget>,
}

/// A target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RoutedTarget {
    /// The instance.
    pub instance: String,
    /// Its address.
    pub ip: Ipv4Addr,
    /// When it was registered: registered again, it begins anew.
    pub registered: Timestamp,
    /// `initial`, `healthy`, `unhealthy`, `unused`, `draining`. New requests go to `healthy` ones alone (to `unhealthy`
    /// ones when there is no other: an application load balancer fails open); those that run on a `draining` one may end.
    pub state: &'static str,
}

impl World {
    /// Where requests go now.
    pub fn routing(&self) -> Routing {
        let mut routing = Routing::default();
        for region in self.regions() {
            routing.listeners.extend(listeners(region));
            routing
                .target_groups
                .extend(target_groups(region, self.settings()).map(|group| (group.arn.clone(), group)));
        }
        routing
    }

    /// Says where a load balancer can be reached, `127.0.0.1` for instance; `DescribeLoadBalancers` tells it on.
    pub fn place_load_balancer(&mut self, place: &Place, arn: &str, dns_name: &str) {
        self.change(place, |region| {
            if let Some(load_balancer) = region.elb.load_balancers.get_mut(arn) {
                dns_name.clone_into(&mut load_balancer.dns_name);
            }
        });
    }
}

fn listeners(region: &Region) -> impl Iterator<Item = RoutedListener> {
    region.elb.listeners.values().map(|listener| {
        let mut rules: Vec<_> =
            region.elb.rules.values().filter(|rule| rule.listener == listener.arn).collect();
        rules.sort_by_key(|rule| rule.priority);
        let own = rules.into_iter().flat_map(|rule| {
            rule.actions.iter().map(|action| Route {
                rule: rule.arn.clone(),
                conditions: rule.conditions.clone(),
                action: action.clone(),
            })
        });
        let default = listener.actions.iter().map(|action| Route {
            rule: listener.default_rule.clone(),
            conditions: Vec::new(),
            action: action.clone(),
        });
        RoutedListener {
            place: region.place.clone(),
            arn: listener.arn.clone(),
            load_balancer: listener.load_balancer.clone(),
            load_balancer_name: region
                .elb
                .load_balancers
                .get(&listener.load_balancer)
                .map(|load_balancer| load_balancer.name.clone())
                .unwrap_or_default(),
            port: listener.port,
            routes: own.chain(default).collect(),
        }
    })
}

fn target_groups(region: &Region, settings: &Settings) -> impl Iterator<Item = RoutedTargetGroup> {
    region.elb.target_groups.values().map(|group| RoutedTargetGroup {
        place: region.place.clone(),
        arn: group.arn.clone(),
        name: group.name.clone(),
        port: group.port,
        in_use: group.used_since.is_some(),
        health_check: group.health_check.clone(),
        drain: group.drain(settings),
        targets: group
            .targets
            .values()
            .filter_map(|target| {
                let instance = region.ec2.instances.get(&target.instance)?;
                Some(RoutedTarget {
                    instance: target.instance.clone(),
                    registered: target.registered,
                    ip: instance.private_ip,
                    state: Health::of(group, target, &region.ec2).state,
                })
            })
            .collect(),
    })
}
