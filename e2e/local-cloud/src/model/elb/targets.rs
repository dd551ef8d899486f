//! Targets: registered by Auto Scaling groups, checked, drained.
//!
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html#target-health-states>

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::State;
use super::target_groups::TargetGroup;
use crate::faults::Faults;
use crate::model::caller::Place;
use crate::model::ec2;
use crate::model::settings::{HealthSource, Settings};
use crate::model::world::World;

/// A registered instance.
#[derive(Debug, Clone)]
pub struct Target {
    /// The instance.
    pub instance: String,
    /// When it was registered.
    pub registered: Timestamp,
    pub(crate) phase: Phase,
}

/// Where a target is between registration and the end of draining.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Not judged yet. One good check will do; bad ones are counted.
    Initial { bad: u32 },
    /// Good, with this many bad checks in a row.
    Healthy { bad: u32 },
    /// Bad, with this many good checks in a row, and what was wrong.
    Unhealthy { good: u32, reason: Reason },
    /// Deregistered; requests under way may end until then.
    Draining { until: Timestamp },
}

impl Phase {
    pub(crate) const fn initial() -> Self {
        Self::Initial { bad: 0 }
    }
}

/// Why a target is not healthy, as `DescribeTargetHealth` says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reason {
    pub(crate) code: &'static str,
    pub(crate) description: String,
}

/// What one health check has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// The answer was as it should be.
    Good,
    /// Another status than the matcher wants.
    WrongStatus(u16),
    /// No answer in time.
    Timeout,
    /// No connection, or a broken one.
    Failed,
}

impl Probe {
    fn reason(&self) -> Option<Reason> {
        let (code, description) = match self {
            Self::Good => return None,
            Self::WrongStatus(status) => {
                ("Target.ResponseCodeMismatch", format!("Health checks failed with these codes: [{status}]"))
            }
            Self::Timeout => ("Target.Timeout", "Request timed out".to_owned()),
            Self::Failed => ("Target.FailedHealthChecks", "Health checks failed".to_owned()),
        };
        Some(Reason { code, description })
    }
}

/// The state of a target as it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Health {
    pub(crate) state: &'static str,
    pub(crate) reason: Option<&'static str>,
    pub(crate) description: Option<String>,
}

impl Health {
    fn new(state: &'static str, reason: &'static str, description: &str) -> Self {
        Self { state, reason: Some(reason), description: Some(description.to_owned()) }
    }

    pub(crate) fn not_registered() -> Self {
        Self::new("unused", "Target.NotRegistered", "Target is not registered to the target group")
    }

    /// The health of a registered target.
    pub(crate) fn of(group: &TargetGroup, target: &Target, instances: &ec2::State) -> Self {
        let up = instances.instances.get(&target.instance).is_some_and(|instance| instance.state.is_up());
        match &target.phase {
            Phase::Draining { .. } => Self::new(
                "draining",
                "Target.DeregistrationInProgress",
                "Target deregistration is in progress",
            ),
            _ if !up => Self::new("unused", "Target.InvalidState", "Target is in the terminated state"),
            _ if group.used_since.is_none() => Self::new(
                "unused",
                "Target.NotInUse",
                "Target group is not configured to receive traffic from the load balancer",
            ),
            Phase::Initial { bad: 0 } => {
                Self::new("initial", "Elb.RegistrationInProgress", "Target registration is in progress")
            }
            Phase::Initial { .. } => {
                Self::new("initial", "Elb.InitialHealthChecking", "Initial health checks in progress")
            }
            Phase::Healthy { .. } => Self { state: "healthy", reason: None, description: None },
            Phase::Unhealthy { reason, .. } => Self::new("unhealthy", reason.code, &reason.description),
        }
    }
}

impl TargetGroup {
    /// Since when the target could be checked, if it can.
    fn checked_since(&self, target: &Target) -> Option<Timestamp> {
        self.used_since.map(|used| used.max(target.registered))
    }

    /// Registers an instance; one that is draining is taken back.
    pub(crate) fn register(&mut self, instance: &str, now: Timestamp) {
        let known = self.targets.get(instance);
        if known.is_none_or(|target| matches!(target.phase, Phase::Draining { .. })) {
            let target = Target { instance: instance.to_owned(), registered: now, phase: Phase::initial() };
            self.targets.insert(instance.to_owned(), target);
        }
    }

    /// Deregisters an instance: it drains if the group is in use and the delay is not zero, else it is gone at once.
    /// Says when it will be.
    pub(crate) fn deregister(
        &mut self,
        instance: &str,
        now: Timestamp,
        settings: &Settings,
    ) -> Option<Timestamp> {
        let delay = self.drain(settings);
        let in_use = self.used_since.is_some();
        let target = self.targets.get_mut(instance)?;
        if let Phase::Draining { until } = target.phase {
            return Some(until);
        }
        if !in_use || delay <= SignedDuration::ZERO {
            self.targets.remove(instance);
            return None;
        }
        target.phase = Phase::Draining { until: now + delay };
        Some(now + delay)
    }

    /// What one check makes of a target; none: it stays as it is.
    fn checked(&self, instance: &str, probe: &Probe) -> Option<Phase> {
        let (rise, fall) = (self.health_check.healthy_threshold, self.health_check.unhealthy_threshold);
        let target = self.targets.get(instance).filter(|_| self.used_since.is_some())?;
        let next = match (&target.phase, probe.reason()) {
            (Phase::Draining { .. }, _) => return None,
            (Phase::Initial { .. } | Phase::Healthy { .. }, None) => Phase::Healthy { bad: 0 },
            (Phase::Unhealthy { good, .. }, None) if good + 1 >= rise => Phase::Healthy { bad: 0 },
            (Phase::Unhealthy { good, reason }, None) => {
                Phase::Unhealthy { good: good + 1, reason: reason.clone() }
            }
            (Phase::Initial { bad } | Phase::Healthy { bad }, Some(reason)) if bad + 1 >= fall => {
                Phase::Unhealthy { good: 0, reason }
            }
            (Phase::Initial { bad }, Some(_)) => Phase::Initial { bad: bad + 1 },
            (Phase::Healthy { bad }, Some(_)) => Phase::Healthy { bad: bad + 1 },
            (Phase::Unhealthy { .. }, Some(reason)) => Phase::Unhealthy { good: 0, reason },
        };
        (next != target.phase).then_some(next)
    }
}

impl World {
    /// Reports one health check of a target, made by the data plane; thresholds are counted here. It means something
    /// only where [`HealthSource::Probed`] is set.
    pub fn probe(&mut self, place: &Place, target_group: &str, instance: &str, probe: &Probe) {
        if self.settings().health != HealthSource::Probed {
            return;
        }
        let group_of_instance = |region: &super::super::Region| {
            region.ec2.instances.get(instance).map(|instance| instance.group.clone())
        };
        let group = self.region(place).and_then(group_of_instance);
        let forbidden = self.faults().forbids_health(instance, group.as_deref());
        let probe = if forbidden { &Probe::Failed } else { probe };
        let group = self.region(place).and_then(|region| region.elb.target_groups.get(target_group));
        let Some(next) = group.and_then(|group| group.checked(instance, probe)) else { return };
        self.change(place, |region| {
            let group = region.elb.target_groups.get_mut(target_group);
            if let Some(target) = group.and_then(|group| group.targets.get_mut(instance)) {
                target.phase = next;
            }
        });
    }
}

impl State {
    /// Ends draining and, where health is automatic, judges targets. Says which Auto Scaling groups that concerns.
    pub(crate) fn settle(
        &mut self,
        now: Timestamp,
        instances: &ec2::State,
        settings: &Settings,
        faults: &Faults,
    ) -> BTreeSet<String> {
        let mut changed = BTreeSet::new();
        for group in self.target_groups.values_mut() {
            let drained = |target: &Target| matches!(target.phase, Phase::Draining { until } if until <= now);
            changed.extend(
                group.targets.values().filter(|target| drained(target)).map(|it| it.instance.clone()),
            );
            group.targets.retain(|_, target| !drained(target));
            if settings.health == HealthSource::Automatic && group.used_since.is_some() {
                changed.append(&mut judge(group, now, instances, settings, faults));
            }
        }
        let of = changed.iter().filter_map(|instance| instances.instances.get(instance));
        of.map(|instance| instance.group.clone()).collect()
    }

    /// When time alone changes a target next.
    pub(crate) fn due(&self, settings: &Settings) -> Option<Timestamp> {
        let targets =
            self.target_groups.values().flat_map(|group| group.targets.values().map(move |t| (group, t)));
        targets
            .filter_map(|(group, target)| match target.phase {
                Phase::Draining { until } => Some(until),
                Phase::Initial { .. } if settings.health == HealthSource::Automatic => {
                    group.checked_since(target).map(|since| since + settings.timings.initial)
                }
                Phase::Initial { .. } | Phase::Healthy { .. } | Phase::Unhealthy { .. } => None,
            })
            .min()
    }
}

/// Judges the targets of a group without asking them. Says which instances' health changed.
fn judge(
    group: &mut TargetGroup,
    now: Timestamp,
    instances: &ec2::State,
    settings: &Settings,
    faults: &Faults,
) -> BTreeSet<String> {
    let used_since = group.used_since;
    let mut changed = BTreeSet::new();
    for target in group.targets.values_mut() {
        let instance = instances.instances.get(&target.instance);
        let lost = instance.is_some_and(|instance| instance.lost.is_some());
        let of = instance.map(|instance| instance.group.as_str());
        let bad = lost || faults.forbids_health(&target.instance, of);
        let checkable = used_since.map(|used| used.max(target.registered) + settings.timings.initial);
        let next = match (&target.phase, bad) {
            (Phase::Initial { .. }, _) if checkable.is_none_or(|at| at > now) => continue,
            (Phase::Initial { .. } | Phase::Healthy { .. }, true) => Phase::Unhealthy {
                good: 0,
                reason: Reason {
                    code: "Target.FailedHealthChecks",
                    description: "Health checks failed".to_owned(),
                },
            },
            (Phase::Initial { .. } | Phase::Unhealthy { .. }, false) => Phase::Healthy { bad: 0 },
            (Phase::Healthy { .. }, false)
            | (Phase::Unhealthy { .. }, true)
            | (Phase::Draining { .. }, _) => {
                continue;
            }
        };
        target.phase = next;
        changed.insert(target.instance.clone());
    }
    changed
}
