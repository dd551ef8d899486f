//! Launching what is missing.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use base64::Engine as _;
use jiff::Timestamp;

use super::activity::{Activity, ActivityStatus};
use super::group::{Group, HealthStatus, Life, Member, Process, Propagation};
use crate::faults::Faults;
use crate::model::ec2::{self, Instance, InstanceState, Subnet, TemplateData, TemplateKey};
use crate::model::error::ApiError;
use crate::model::ids::Ids;
use crate::model::region::Region;
use crate::model::settings::Settings;

/// What a launch uses: template id and name, version number, data.
pub(super) struct Blueprint {
    id: String,
    name: String,
    version: u64,
    data: TemplateData,
}

/// The version of the template that would be launched now.
///
/// # Errors
/// The sentence EC2 says why nothing can be launched from it.
pub(super) fn blueprint(
    ec2: &ec2::State,
    key: &TemplateKey,
    version: &str,
    visible: Visible<'_>,
) -> Result<Blueprint, String> {
    let message = |error: ApiError| error.message;
    let template = ec2.template(key, visible.now, visible.settings).map_err(message)?;
    let version = template
        .version(version)
        .ok_or_else(|| format!("The specified launch template version, {version}, does not exist."))?;
    let data = version.data.clone();
    let Some(image) = data.image_id.clone() else {
        return Err("The request must contain the parameter ImageId".to_owned());
    };
    if !ec2.images.contains_key(&image) {
        return Err(format!("The image id '[{image}]' does not exist"));
    }
    let Some(instance_type) = &data.instance_type else {
        return Err("The request must contain the parameter InstanceType".to_owned());
    };
    let shaped = instance_type.split_once('.').is_some_and(|(family, size)| {
        !size.is_empty() && family.len() > 1 && family.bytes().any(|byte| byte.is_ascii_digit())
    });
    if !shaped {
        return Err(format!("Invalid value '{instance_type}' for InstanceType."));
    }
    if let Some(unknown) = data.security_group_ids.iter().find(|id| !ec2.security_groups.contains_key(*id)) {
        return Err(format!("The security group '{unknown}' does not exist"));
    }
    match data.user_data.as_deref().map(|text| base64::engine::general_purpose::STANDARD.decode(text)) {
        Some(Err(_)) => return Err("Invalid BASE64 encoding of user data.".to_owned()),
        Some(Ok(bytes)) if bytes.len() > 16_384 => {
            return Err("User data is limited to 16384 bytes".to_owned());
        }
        Some(Ok(_)) | None => {}
    }
    Ok(Blueprint { id: template.id.clone(), name: template.name.clone(), version: version.number, data })
}

/// As of when a template must be visible.
#[derive(Debug, Clone, Copy)]
pub(super) struct Visible<'a> {
    pub(super) now: Timestamp,
    pub(super) settings: &'a Settings,
}

/// Launches until the desired capacity is reached, or a launch fails; where one zone refuses, in the next one. Says
/// whether it launched or failed to.
///
/// <https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-availability-zone-balanced.html>, balanced best
/// effort, which is the default.
pub(super) fn scale_out(
    region: &mut Region,
    name: &str,
    now: Timestamp,
    settings: &Settings,
    faults: &Faults,
) -> bool {
    let Region { ids, autoscaling, ec2, .. } = region;
    let Some(group) = autoscaling.groups.get_mut(name) else { return false };
    let have = group.counted().count();
    let want = usize::try_from(group.desired).unwrap_or(usize::MAX);
    let waits = group.launch_after.is_some_and(|at| at > now);
    if have >= want || group.deletion.is_some() || waits || !group.may(Process::Launch) {
        return false;
    }
    group.launch_after = None;
    let key = TemplateKey::Id(group.template.launch_template_id.clone().unwrap_or_default());
    let blueprint = match blueprint(ec2, &key, group.template_version(), Visible { now, settings }) {
        Ok(blueprint) => blueprint,
        Err(message) => {
            fail(group, ids, &message, now, settings);
            return true;
        }
    };
    let fault = faults.of_launches(name);
    let allowed = fault.map_or(want, |fault| fault.allow.min(want));
    let mut refusing = BTreeSet::new();
    let mut launched = have;
    while launched < allowed {
        let Some(subnet) = emptiest_subnet(group, ec2, &refusing) else { break };
        let zone = &subnet.availability_zone;
        if faults.forbids_launches_in(zone) {
            fail(group, ids, &no_capacity(&blueprint.data, zone), now, settings);
            refusing.insert(zone.clone());
            continue;
        }
        let cause = cause(now, launched, want);
        launch(group, ids, ec2, &blueprint, subnet, cause, now, settings);
        launched += 1;
    }
    if let Some(fault) = fault.filter(|_| allowed < want) {
        fail(group, ids, &fault.message, now, settings);
    }
    if launched == want {
        group.launch_after = None;
    }
    true
}

/// Launches one instance beyond the desired capacity in this subnet, because there are more in that zone. Says whether
/// it could.
pub(super) fn launch_for_balance(
    region: &mut Region,
    name: &str,
    fullest: &str,
    subnet: &str,
    now: Timestamp,
    settings: &Settings,
) -> bool {
    let Region { ids, autoscaling, ec2, .. } = region;
    let Some(group) = autoscaling.groups.get_mut(name) else { return false };
    let key = TemplateKey::Id(group.template.launch_template_id.clone().unwrap_or_default());
    let blueprint = blueprint(ec2, &key, group.template_version(), Visible { now, settings });
    let (Ok(blueprint), Some(subnet)) = (blueprint, ec2.subnets.get(subnet).cloned()) else { return false };
    let cause = format!(
        "At {now:.0} instances were launched to balance instances in zones {fullest} with other zones resulting in more \
         than desired number of instances in the group."
    );
    let id = launch(group, ids, ec2, &blueprint, subnet, cause, now, settings);
    group.spare = Some(id);
    true
}

/// What EC2 says where a zone has no capacity.
///
/// <https://docs.aws.amazon.com/autoscaling/ec2/userguide/ts-as-instancelaunchfailure.html>
fn no_capacity(data: &TemplateData, zone: &str) -> String {
    let kind = data.instance_type.as_deref().unwrap_or_default();
    format!(
        "We currently do not have sufficient {kind} capacity in the Availability Zone you requested ({zone}). Our system \
         will be working on provisioning additional capacity."
    )
}

fn cause(now: Timestamp, from: usize, to: usize) -> String {
    format!(
        "At {now:.0} an instance was started in response to a difference between desired and actual capacity, increasing \
         the capacity from {from} to {to}."
    )
}

fn fail(group: &mut Group, ids: &mut Ids, message: &str, now: Timestamp, settings: &Settings) {
    let sentence = format!("{} Launching EC2 instance failed.", message.trim_end());
    let (have, want) = (group.counted().count(), usize::try_from(group.desired).unwrap_or(usize::MAX));
    group.note(Activity {
        id: ids.uuid(),
        group: group.name.clone(),
        group_arn: group.arn.clone(),
        description: format!("Launching a new EC2 instance.  Status Reason: {sentence}"),
        cause: cause(now, have, want),
        started: now,
        ended: Some(now),
        status: ActivityStatus::Failed,
        message: Some(sentence),
    });
    group.launch_after = Some(now + settings.timings.launch_retry);
}

/// The subnet of the group with the fewest of its instances, in a zone that does not refuse; the first named of several.
fn emptiest_subnet(group: &Group, ec2: &ec2::State, refusing: &BTreeSet<String>) -> Option<Subnet> {
    let in_subnet = |id: &str| group.counted().filter(|member| member.subnet == id).count();
    let known = group.subnets.iter().filter_map(|id| ec2.subnets.get(id));
    let known = known.filter(|subnet| !refusing.contains(&subnet.availability_zone));
    known.min_by_key(|subnet| in_subnet(&subnet.subnet_id)).cloned()
}

#[expect(clippy::too_many_arguments, reason = "the parts of a region, borrowed apart")]
fn launch(
    group: &mut Group,
    ids: &mut Ids,
    ec2: &mut ec2::State,
    blueprint: &Blueprint,
    subnet: Subnet,
    cause: String,
    now: Timestamp,
    settings: &Settings,
) -> String {
    let id = ids.ec2("i");
    let activity = ids.uuid();
    let mut tags: BTreeMap<String, String> = blueprint.data.instance_tags();
    let propagated = group.tags.iter().filter(|(_, (_, propagation))| *propagation == Propagation::AtLaunch);
    tags.extend(propagated.map(|(key, (value, _))| (key.clone(), value.clone())));
    tags.insert("aws:autoscaling:groupName".to_owned(), group.name.clone());
    tags.insert("aws:ec2launchtemplate:id".to_owned(), blueprint.id.clone());
    tags.insert("aws:ec2launchtemplate:version".to_owned(), blueprint.version.to_string());
    group.members.insert(
        id.clone(),
        Member {
            instance: id.clone(),
            life: Life::Pending { until: now + settings.timings.pending },
            health: HealthStatus::Healthy,
            zone: subnet.availability_zone.clone(),
            subnet: subnet.subnet_id.clone(),
            instance_type: blueprint.data.instance_type.clone().unwrap_or_default(),
            image: blueprint.data.image_id.clone().unwrap_or_default(),
            template: (blueprint.id.clone(), blueprint.name.clone(), blueprint.version),
            protected: group.protects_new,
            launched: now,
            activity: activity.clone(),
        },
    );
    group.note(Activity {
        id: activity,
        group: group.name.clone(),
        group_arn: group.arn.clone(),
        description: format!("Launching a new EC2 instance: {id}"),
        cause,
        started: now,
        ended: None,
        status: ActivityStatus::PreInService,
        message: None,
    });
    let private_ip = ec2.next_address;
    ec2.next_address = Ipv4Addr::from_bits(private_ip.to_bits().wrapping_add(1));
    ec2.instances.insert(
        id.clone(),
        Instance {
            id: id.clone(),
            state: InstanceState::Pending,
            launched: now,
            ended: None,
            lost: None,
            terminated: None,
            data: blueprint.data.clone(),
            template: (blueprint.id.clone(), blueprint.version),
            subnet,
            private_ip,
            tags,
            group: group.name.clone(),
        },
    );
    id
}

/// The order in which scale-in takes members: from the fullest zone first, there the oldest template version, then the
/// oldest instance.
///
/// <https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-termination-policies.html>
pub(super) fn first_to_go(group: &Group) -> Option<String> {
    let in_zone = |zone: &str| group.counted().filter(|member| member.zone == zone).count();
    group
        .counted()
        .filter(|member| !member.protected)
        .min_by_key(|member| {
            (Reverse(in_zone(&member.zone)), member.template.2, member.launched, member.instance.clone())
        })
        .map(|member| member.instance.clone())
}
