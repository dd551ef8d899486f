//! Bringing a group back into balance, when a zone has come back that could launch nothing: one more instance is launched
//! where there are fewest, and once it is in service one goes where there are most.
//!
//! <https://docs.aws.amazon.com/autoscaling/ec2/userguide/auto-scaling-benefits.html#AutoScalingBehavior.InstanceUsage>

use jiff::Timestamp;

use super::group::{Group, HealthStatus, LifecycleState, Process};
use super::launching;
use crate::faults::Faults;
use crate::model::region::Region;
use crate::model::settings::Settings;

/// Launches one instance more than desired where that brings balance. Says whether it did.
pub(super) fn begin(
    region: &mut Region,
    name: &str,
    now: Timestamp,
    settings: &Settings,
    faults: &Faults,
) -> bool {
    let Some(group) = region.autoscaling.groups.get(name) else { return false };
    let all = [Process::AzRebalance, Process::Launch, Process::Terminate];
    if group.deletion.is_some() || !all.into_iter().all(|process| group.may(process)) || !is_settled(group) {
        return false;
    }
    let Some((from, to)) = imbalance(region, group, faults) else { return false };
    launching::launch_for_balance(region, name, &from, &to, now, settings)
}

/// Whether it has what it wants, and nothing is on its way.
fn is_settled(group: &Group) -> bool {
    let fine = group
        .members
        .values()
        .all(|member| member.state() == LifecycleState::InService && member.health == HealthStatus::Healthy);
    fine && u32::try_from(group.members.len()) == Ok(group.desired)
}

/// The zone with the most of its instances, and the subnet where there are at least two fewer.
fn imbalance(region: &Region, group: &Group, faults: &Faults) -> Option<(String, String)> {
    let in_zone = |zone: &str| group.counted().filter(|member| member.zone == zone).count();
    let subnets = || group.subnets.iter().filter_map(|id| region.ec2.subnets.get(id));
    let open = subnets().filter(|subnet| !faults.forbids_launches_in(&subnet.availability_zone));
    let least = open.min_by_key(|subnet| in_zone(&subnet.availability_zone))?;
    let most = subnets().max_by_key(|subnet| in_zone(&subnet.availability_zone))?;
    let uneven = in_zone(&most.availability_zone) >= in_zone(&least.availability_zone) + 2;
    uneven.then(|| (most.availability_zone.clone(), least.subnet_id.clone()))
}
