//! Taking instances out: deregister, drain, shut down.

use jiff::Timestamp;

use super::activity::{Activity, ActivityStatus};
use super::group::{Group, HealthStatus, Life, Process};
use super::launching;
use crate::model::region::Region;
use crate::model::settings::Settings;

/// Whether an instance's targets are drained before it shuts down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Draining {
    /// They are.
    Awaited,
    /// They are not: whatever runs on it is cut off.
    Skipped,
}

/// Replaces members that are unhealthy. Says whether it took any.
pub(super) fn replace_unhealthy(
    region: &mut Region,
    name: &str,
    now: Timestamp,
    settings: &Settings,
) -> bool {
    let Some(group) = region.autoscaling.groups.get(name) else { return false };
    if !group.may(Process::ReplaceUnhealthy) || !group.may(Process::Terminate) || group.deletion.is_some() {
        return false;
    }
    let bad = group.counted().filter(|member| member.health == HealthStatus::Unhealthy);
    let bad: Vec<String> = bad.map(|member| member.instance.clone()).collect();
    for instance in &bad {
        let cause = "an instance was taken out of service in response to a health check failure.";
        terminate(region, name, instance, cause, Draining::Awaited, now, settings);
    }
    !bad.is_empty()
}

/// Takes members until no more than the desired capacity are left, protected ones excepted. Says whether it took any.
pub(super) fn scale_in(region: &mut Region, name: &str, now: Timestamp, settings: &Settings) -> bool {
    let mut changed = false;
    loop {
        let Some(group) = region.autoscaling.groups.get(name).filter(|group| group.may(Process::Terminate))
        else {
            return changed;
        };
        let (have, want) = (group.counted().count(), group.wanted());
        let Some(instance) = launching::first_to_go(group).filter(|_| have > want) else { return changed };
        let cause = format!(
            "an instance was taken out of service in response to a difference between desired and actual capacity, \
             shrinking the capacity from {have} to {want}."
        );
        terminate(region, name, &instance, &cause, Draining::Awaited, now, settings);
        changed = true;
    }
}

/// Begins to terminate a member. Says which activity does.
pub(super) fn terminate(
    region: &mut Region,
    name: &str,
    instance: &str,
    cause: &str,
    draining: Draining,
    now: Timestamp,
    settings: &Settings,
) -> Option<Activity> {
    let drained = region
        .elb
        .target_groups
        .values_mut()
        .filter_map(|target_group| target_group.deregister(instance, now, settings))
        .max();
    let Region { ids, autoscaling, .. } = region;
    let group: &mut Group = autoscaling.groups.get_mut(name)?;
    let member = group.members.get_mut(instance)?;
    let drained = drained.filter(|_| draining == Draining::Awaited).unwrap_or(now);
    let launch = std::mem::replace(&mut member.activity, ids.uuid());
    member.life = Life::Terminating { drained };
    let id = member.activity.clone();
    // A launch that did not get as far as `InService` is over too.
    if group.activities.iter().any(|activity| activity.id == launch && activity.ended.is_none()) {
        group.progress(&launch, ActivityStatus::Failed, now);
    }
    let activity = Activity {
        id,
        group: group.name.clone(),
        group_arn: group.arn.clone(),
        description: format!("Terminating EC2 instance: {instance}"),
        cause: format!("At {now:.0} {cause}"),
        started: now,
        ended: None,
        status: if drained > now {
            ActivityStatus::WaitingForELBConnectionDraining
        } else {
            ActivityStatus::InProgress
        },
        message: None,
    };
    group.note(activity.clone());
    Some(activity)
}
