//! What time does to groups: launches finish, drained instances go, unhealthy ones are replaced, numbers are made right,
//! deleted groups disappear.

use jiff::Timestamp;

use super::group::{AttachmentState, Group, Life, Process};
use super::{ActivityStatus, balancing, health, launching, retiring};
use crate::faults::Faults;
use crate::model::ec2::InstanceState;
use crate::model::region::Region;
use crate::model::settings::Settings;

/// Does everything to groups that is due at `now`. Says whether anything changed.
pub(crate) fn settle(region: &mut Region, now: Timestamp, settings: &Settings, faults: &Faults) -> bool {
    let due = region.autoscaling.groups.values().filter(|group| group.due.is_some_and(|due| due <= now));
    let names: Vec<String> = due.map(|group| group.name.clone()).collect();
    let mut any = false;
    for name in &names {
        let changed = [
            finish_launches(region, name, now),
            finish_terminations(region, name, now),
            move_attachments(region, name),
            health::notice(region, name, now, settings),
            retiring::replace_unhealthy(region, name, now, settings),
            retiring::scale_in(region, name, now, settings),
            launching::scale_out(region, name, now, settings, faults),
            balancing::begin(region, name, now, settings, faults),
            finish_deletion(region, name, now, settings),
        ];
        let changed = changed.contains(&true);
        let next =
            region.autoscaling.groups.get(name).and_then(|group| due_after(region, group, now, settings));
        if let Some(group) = region.autoscaling.groups.get_mut(name) {
            group.due = next;
            if changed {
                group.touch();
            }
        }
        any |= changed;
    }
    any
}

/// When time alone changes a group next, after `now`: what is in the past waits for something else than time.
fn due_after(region: &Region, group: &Group, now: Timestamp, settings: &Settings) -> Option<Timestamp> {
    let members = group.members.values().filter_map(|member| match member.life {
        Life::Pending { until } => Some(until),
        Life::Terminating { drained } => Some(drained),
        Life::InService { .. } => health::due(region, group, member, settings),
    });
    let deleted = group.deletion.and_then(|deletion| deletion.empty_since);
    members
        .chain(group.launch_after)
        .chain(deleted.map(|at| at + settings.timings.delete))
        .filter(|due| *due > now)
        .min()
}

fn finish_launches(region: &mut Region, name: &str, now: Timestamp) -> bool {
    let Some(group) = region.autoscaling.groups.get_mut(name) else { return false };
    let ready: Vec<(String, String, Timestamp)> = group
        .members
        .values_mut()
        .filter_map(|member| match member.life {
            Life::Pending { until } if until <= now => {
                member.life = Life::InService { since: until };
                Some((member.instance.clone(), member.activity.clone(), until))
            }
            _ => None,
        })
        .collect();
    let registers = group.may(Process::AddToLoadBalancer);
    for (instance, activity, at) in &ready {
        group.progress(activity, ActivityStatus::Successful, *at);
        if let Some(instance) = region.ec2.instances.get_mut(instance)
            && instance.state == InstanceState::Pending
        {
            instance.state = InstanceState::Running;
        }
        for arn in group.attached().filter(|_| registers) {
            if let Some(target_group) = region.elb.target_groups.get_mut(arn) {
                target_group.register(instance, *at);
            }
        }
    }
    !ready.is_empty()
}

fn finish_terminations(region: &mut Region, name: &str, now: Timestamp) -> bool {
    let Some(group) = region.autoscaling.groups.get_mut(name) else { return false };
    let mut changed = false;
    let mut gone = Vec::new();
    for member in group.members.values() {
        let Life::Terminating { drained } = member.life else { continue };
        match region.ec2.instances.get_mut(&member.instance) {
            Some(instance) if instance.state.is_up() => {
                if drained <= now {
                    instance.state = InstanceState::ShuttingDown;
                    instance.ended = Some(drained);
                    changed = true;
                }
            }
            Some(instance) if instance.state == InstanceState::ShuttingDown => {}
            instance => {
                let at = instance.and_then(|instance| instance.terminated).unwrap_or(now);
                gone.push((member.instance.clone(), member.activity.clone(), at));
            }
        }
    }
    for (instance, activity, at) in &gone {
        group.members.remove(instance);
        group.progress(activity, ActivityStatus::Successful, *at);
        for target_group in region.elb.target_groups.values_mut() {
            target_group.targets.remove(instance);
        }
    }
    changed || !gone.is_empty()
}

fn move_attachments(region: &mut Region, name: &str) -> bool {
    let Some(group) = region.autoscaling.groups.get_mut(name) else { return false };
    let before = group.attachments.len();
    let (members, elb, ec2) = (&group.members, &region.elb, &region.ec2);
    let mut changed = false;
    group.attachments.retain_mut(|attachment| {
        let target_group = elb.target_groups.get(&attachment.target_group);
        let mut targets = target_group
            .into_iter()
            .flat_map(|it| it.targets.values().map(move |target| (it, target)))
            .filter(|(_, target)| members.contains_key(&target.instance));
        let next = match attachment.state {
            AttachmentState::Adding => AttachmentState::Added,
            AttachmentState::Added if targets.any(|(it, target)| health::passes(it, target, ec2)) => {
                AttachmentState::InService
            }
            AttachmentState::Removing if targets.next().is_none() => return false,
            state => state,
        };
        changed |= next != attachment.state;
        attachment.state = next;
        true
    });
    changed || group.attachments.len() != before
}

fn finish_deletion(region: &mut Region, name: &str, now: Timestamp, settings: &Settings) -> bool {
    let Some(group) = region.autoscaling.groups.get_mut(name) else { return false };
    let empty = group.members.is_empty();
    let Some(deletion) = group.deletion.as_mut().filter(|_| empty) else { return false };
    let Some(since) = deletion.empty_since else {
        deletion.empty_since = Some(now);
        return true;
    };
    if since + settings.timings.delete > now {
        return false;
    }
    if let Some(group) = region.autoscaling.groups.remove(name) {
        for activity in group.activities.into_iter().rev() {
            region.autoscaling.past_activities.push_front(activity);
        }
        // Enough for any test, and bounded.
        region.autoscaling.past_activities.truncate(10_000);
    }
    true
}
