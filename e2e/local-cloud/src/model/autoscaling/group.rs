//! A group and its members as the model holds them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::activity::Activity;

/// An Auto Scaling group.
#[derive(Debug, Clone)]
pub struct Group {
    /// Its name, unique in the region.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// What its instances are launched from.
    pub template: TemplateSpecification,
    /// The least `desired` may be.
    pub min: u32,
    /// The most `desired` may be.
    pub max: u32,
    /// How many instances it should have.
    pub desired: u32,
    /// In seconds; told, and without effect.
    pub default_cooldown: u32,
    /// Where its instances go.
    pub subnets: Vec<String>,
    /// Whose checks count.
    pub health_check_type: HealthCheckType,
    /// How long after `InService` ELB's checks do not count.
    pub grace: SignedDuration,
    /// The target groups its instances are registered with, in the order attached.
    pub attachments: Vec<Attachment>,
    /// Its instances.
    pub members: BTreeMap<String, Member>,
    /// What it did, the latest first.
    pub activities: VecDeque<Activity>,
    /// What it must not do.
    pub suspended: BTreeSet<Process>,
    /// Its tags, and whether instances get them too.
    pub tags: BTreeMap<String, (String, Propagation)>,
    /// Told, and without effect: scale-in always follows the default policy.
    pub termination_policies: Vec<String>,
    /// Whether new instances are protected from scale-in.
    pub protects_new: bool,
    /// When it was created.
    pub created: Timestamp,
    /// Its deletion, if that has begun.
    pub(crate) deletion: Option<Deletion>,
    /// After a failed launch: not before then again.
    pub(crate) launch_after: Option<Timestamp>,
    /// The member launched for the sake of balance last: one more than desired, while it is pending.
    pub(crate) spare: Option<String>,
    /// When it must be looked at next.
    pub(crate) due: Option<Timestamp>,
}

/// Whether a group's tag is also put on instances it launches from then on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Propagation {
    /// It is.
    AtLaunch,
    /// It stays on the group.
    GroupOnly,
}

/// A deletion under way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deletion {
    /// When the last member was gone.
    pub(crate) empty_since: Option<Timestamp>,
}

/// Which template, and which version of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct TemplateSpecification {
    /// By id,
    pub launch_template_id: Option<String>,
    /// or by name; answers have both.
    pub launch_template_name: Option<String>,
    /// A number, `$Latest` or `$Default`; unset: `$Default`.
    pub version: Option<String>,
}

/// Whose health checks make an instance unhealthy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum HealthCheckType {
    /// EC2's: is the instance running?
    #[default]
    #[serde(rename = "EC2")]
    Ec2,
    /// ELB's as well: is it healthy in its target groups?
    #[serde(rename = "ELB")]
    Elb,
}

/// A target group that a group's instances are registered with.
#[derive(Debug, Clone)]
pub struct Attachment {
    /// The target group's ARN.
    pub target_group: String,
    /// How far attaching or detaching is.
    pub state: AttachmentState,
}

/// How far attaching or detaching is.
///
/// <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_LoadBalancerTargetGroupState.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum AttachmentState {
    /// Instances are being registered. Ours all are at once, and the next settling moves on.
    Adding,
    /// All are registered.
    Added,
    /// At least one has passed ELB's checks: from now on failing them has consequences.
    InService,
    /// Instances are being deregistered, and drain.
    Removing,
}

/// An instance of a group.
#[derive(Debug, Clone)]
pub struct Member {
    /// `i-…`.
    pub instance: String,
    /// Where it is in its life.
    pub(crate) life: Life,
    /// Whether it will be replaced.
    pub health: HealthStatus,
    /// Its zone.
    pub zone: String,
    /// Its subnet.
    pub subnet: String,
    /// Its type.
    pub instance_type: String,
    /// Its AMI.
    pub image: String,
    /// What it was launched from: id, name, and the number of the version really used.
    pub template: (String, String, u64),
    /// Whether scale-in spares it.
    pub protected: bool,
    /// When it was launched.
    pub launched: Timestamp,
    /// The activity under way that concerns it.
    pub(crate) activity: String,
}

/// Where an instance is in its life in the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    Pending {
        until: Timestamp,
    },
    InService {
        since: Timestamp,
    },
    /// Its targets drain until then; after that it shuts down.
    Terminating {
        drained: Timestamp,
    },
}

impl Member {
    /// Its state as it is told.
    pub fn state(&self) -> LifecycleState {
        match self.life {
            Life::Pending { .. } => LifecycleState::Pending,
            Life::InService { .. } => LifecycleState::InService,
            Life::Terminating { .. } => LifecycleState::Terminating,
        }
    }

    /// Whether it counts towards the desired capacity.
    pub(crate) fn counts(&self) -> bool {
        !matches!(self.life, Life::Terminating { .. })
    }
}

/// Where an instance is in its life, as it is told. There are no lifecycle hooks and no warm pools here.
///
/// <https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-lifecycle.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum LifecycleState {
    /// Being launched.
    Pending,
    /// Working.
    InService,
    /// Draining, or shutting down.
    Terminating,
}

/// Whether an instance will be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum HealthStatus {
    /// It will not.
    Healthy,
    /// It will.
    Unhealthy,
}

/// What can be suspended. The others AWS knows have nothing to act on here.
///
/// <https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-suspend-resume-processes.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Process {
    /// Adding new instances to target groups.
    AddToLoadBalancer,
    /// Alarms.
    AlarmNotification,
    /// Balance between zones.
    #[serde(rename = "AZRebalance")]
    AzRebalance,
    /// Noticing what is unhealthy.
    HealthCheck,
    /// Instance refreshes.
    InstanceRefresh,
    /// Launching.
    Launch,
    /// Replacing what is unhealthy.
    ReplaceUnhealthy,
    /// Scheduled changes.
    ScheduledActions,
    /// Terminating.
    Terminate,
}

impl Process {
    /// All of them: what an action without a list means.
    pub(crate) const ALL: [Self; 9] = [
        Self::AddToLoadBalancer,
        Self::AlarmNotification,
        Self::AzRebalance,
        Self::HealthCheck,
        Self::InstanceRefresh,
        Self::Launch,
        Self::ReplaceUnhealthy,
        Self::ScheduledActions,
        Self::Terminate,
    ];
}

impl Group {
    /// Has it looked at when the region is settled next: something about it, its instances or its targets changed.
    pub(crate) fn touch(&mut self) {
        self.due = Some(Timestamp::MIN);
    }

    /// The members that count towards the desired capacity.
    pub(crate) fn counted(&self) -> impl Iterator<Item = &Member> {
        self.members.values().filter(|member| member.counts())
    }

    /// How many members it may have now: as desired, and one more while another zone is being brought into balance.
    pub(crate) fn wanted(&self) -> usize {
        let coming = |spare: &String| {
            self.members.get(spare).is_some_and(|member| matches!(member.life, Life::Pending { .. }))
        };
        let desired = usize::try_from(self.desired).unwrap_or(usize::MAX);
        desired.saturating_add(usize::from(self.spare.as_ref().is_some_and(coming)))
    }

    /// Whether it may do that now.
    pub(crate) fn may(&self, process: Process) -> bool {
        !self.suspended.contains(&process)
    }

    /// The target groups instances should be registered with.
    pub(crate) fn attached(&self) -> impl Iterator<Item = &str> {
        self.attachments
            .iter()
            .filter(|attachment| attachment.state != AttachmentState::Removing)
            .map(|attachment| attachment.target_group.as_str())
    }

    /// Its version of the template as asked for.
    pub(crate) fn template_version(&self) -> &str {
        self.template.version.as_deref().unwrap_or("$Default")
    }
}
