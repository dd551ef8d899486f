//! Noticing that a member is not healthy any more.
//!
//! <https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-health-checks.html>

use jiff::Timestamp;

use super::group::{AttachmentState, Group, HealthCheckType, HealthStatus, Life, Member, Process};
use crate::model::ec2;
use crate::model::elb::{Health, Target, TargetGroup};
use crate::model::region::Region;
use crate::model::settings::Settings;

/// Whether a target has passed ELB's checks.
pub(super) fn passes(group: &TargetGroup, target: &Target, instances: &ec2::State) -> bool {
    Health::of(group, target, instances).state == "healthy"
}

/// Marks members whose instance has ended or lost its power, or which ELB finds unhealthy. Says whether it marked any.
pub(super) fn notice(region: &mut Region, name: &str, now: Timestamp, settings: &Settings) -> bool {
    let Some(group) = region.autoscaling.groups.get(name).filter(|group| group.may(Process::HealthCheck))
    else {
        return false;
    };
    let bad: Vec<String> = group
        .members
        .values()
        .filter(|member| member.health == HealthStatus::Healthy && member.counts())
        .filter(|member| {
            let ended = when_noticed(region, member, settings).is_some_and(|at| at <= now);
            ended
                || (fails_elb(region, group, member) && grace_ends(group, member).is_none_or(|at| at <= now))
        })
        .map(|member| member.instance.clone())
        .collect();
    if let Some(group) = region.autoscaling.groups.get_mut(name) {
        for instance in &bad {
            if let Some(member) = group.members.get_mut(instance) {
                member.health = HealthStatus::Unhealthy;
            }
        }
    }
    !bad.is_empty()
}

/// When time alone makes a member in service unhealthy.
pub(super) fn due(region: &Region, group: &Group, member: &Member, settings: &Settings) -> Option<Timestamp> {
    if member.health == HealthStatus::Unhealthy {
        return None;
    }
    let elb = fails_elb(region, group, member).then(|| grace_ends(group, member)).flatten();
    [when_noticed(region, member, settings), elb].into_iter().flatten().min()
}

/// When the group notices that the instance has ended or lost its power, if it has.
fn when_noticed(region: &Region, member: &Member, settings: &Settings) -> Option<Timestamp> {
    let ended = match region.ec2.instances.get(&member.instance) {
        Some(instance) => instance.ended.or(instance.lost)?,
        None => member.launched,
    };
    Some(ended + settings.timings.health_check)
}

/// Until when ELB's checks do not count: from `InService` on, so never before that.
fn grace_ends(group: &Group, member: &Member) -> Option<Timestamp> {
    match member.life {
        Life::InService { since } => Some(since + group.grace),
        Life::Pending { .. } | Life::Terminating { .. } => None,
    }
}

/// Whether ELB finds it unhealthy in a target group where at least one instance of the group has passed before: a group
/// that is wholly bad from the start is not torn down again and again.
fn fails_elb(region: &Region, group: &Group, member: &Member) -> bool {
    if group.health_check_type != HealthCheckType::Elb || !matches!(member.life, Life::InService { .. }) {
        return false;
    }
    group.attachments.iter().filter(|attachment| attachment.state == AttachmentState::InService).any(
        |attachment| {
            let target_group = region.elb.target_groups.get(&attachment.target_group);
            let target =
                target_group.and_then(|it| it.targets.get(&member.instance).map(|target| (it, target)));
            target.is_some_and(|(it, target)| Health::of(it, target, &region.ec2).state == "unhealthy")
        },
    )
}
