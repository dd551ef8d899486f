//! Who may change an Environment, and every group it ever announced: the machine's half of its status.
//!
//! Each function here is one guarded write. It takes the tenure as it was read and returns what to store
//! instead, under the resourceVersion that was read; it never goes by anything else.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::access::Access;
use crate::deployed::Deployed;
use crate::name::{GroupName, Place, Turn, Uid};

/// The most groups that a ledger holds.
pub const MOST_GROUPS: usize = 64;

/// Turn, holder, ledger and deployed state of one Environment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Tenure {
    /// The turn that was given out last.
    #[serde(default)]
    pub turn: Turn,
    /// The Deployment whose turn it is; none between deploys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<Uid>,
    /// The ledger: every group announced and not yet confirmed gone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = MOST_GROUPS))]
    pub groups: Vec<Member>,
    /// What runs; none before the first deploy was found good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployed: Option<Deployed>,
    /// When groups were last taken over from a record that was lost; none if that never happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored: Option<Restored>,
}

/// A taking over. Deployments made before it never run: nobody knows whether they did already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Restored {
    /// The turn from which turns go on.
    pub turn: Turn,
    /// When.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub at: Timestamp,
}

/// One group of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Member {
    /// Its one name.
    pub name: GroupName,
    /// Where it lives, whatever the Environment's spec says by now.
    pub place: Place,
    /// How requests reach it, likewise; none where that was not written down yet when it was announced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access: Option<Access>,
    /// The uid of the Deployment that announced it.
    pub owner: Uid,
    /// The uid of the Environment that it was launched for, where that was another one: then it was adopted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<Uid>,
    /// The turn it was announced in.
    pub turn: Turn,
    /// What it is there for.
    pub role: Role,
    /// What it runs; none before that was found good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployed: Option<Deployed>,
    /// Set before its autoscaler is kept from shrinking it, until its bounds were seen to be restored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Held>,
}

/// What a group is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Role {
    /// Being brought in by the holder.
    Green,
    /// It carries the traffic.
    Serving,
    /// To be deleted; it never becomes anything else.
    Doomed,
}

/// A group that is being held at a size, and what to restore afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Held {
    /// Its share of D, the capacity that users need while this deploy goes on; none once the deploy has ended and
    /// only the bounds are left to be restored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub desired: Option<u32>,
    /// The lower bound it had before.
    #[schemars(range(min = 0))]
    pub original_min: u32,
    /// The upper bound it had before.
    #[schemars(range(min = 0))]
    pub original_max: u32,
}

impl Tenure {
    /// The ledger's line on a group.
    pub fn member(&self, name: &GroupName) -> Option<&Member> {
        self.groups.iter().find(|member| member.name == *name)
    }

    /// The groups of this role.
    pub fn of_role(&self, role: Role) -> impl Iterator<Item = &Member> {
        self.groups.iter().filter(move |member| member.role == role)
    }

    /// D as it was recorded when blue was first reduced, while it is.
    pub fn held_desired(&self) -> Option<u32> {
        self.groups.iter().filter_map(|member| member.held?.desired).reduce(u32::saturating_add)
    }

    /// Gives the next turn to `owner` and announces its group.
    #[must_use]
    pub fn take(&self, environment: &str, owner: &Uid, place: &Place, access: &Access) -> Self {
        let turn = self.turn.next();
        let mut next = self.clone();
        next.turn = turn;
        next.holder = Some(owner.clone());
        next.groups.push(Member {
            name: GroupName::of(environment, turn, owner),
            place: place.clone(),
            access: Some(access.clone()),
            owner: owner.clone(),
            environment: None,
            turn,
            role: Role::Green,
            deployed: None,
            held: None,
        });
        next
    }

    /// Records D and what blue was like, before blue is touched.
    #[must_use]
    pub fn hold(&self, holds: &[(GroupName, Held)]) -> Self {
        let mut next = self.clone();
        for (name, held) in holds {
            if let Some(member) = next.groups.iter_mut().find(|member| member.name == *name) {
                // What was not restored since an earlier deploy is still what there is to restore.
                let originals = member.held.unwrap_or(*held);
                member.held = Some(Held { desired: held.desired, ..originals });
            }
        }
        next
    }

    /// Records that these groups are held no more.
    #[must_use]
    pub fn let_go(&self, restored: &[GroupName]) -> Self {
        let mut next = self.clone();
        for member in next.groups.iter_mut().filter(|member| restored.contains(&member.name)) {
            member.held = None;
        }
        next
    }

    /// Records what runs now, once it was found good.
    #[must_use]
    pub fn project(&self, green: &GroupName, deployed: &Deployed) -> Self {
        let mut next = self.clone();
        if let Some(member) = next.groups.iter_mut().find(|member| member.name == *green) {
            member.deployed = Some(deployed.clone());
        }
        next.deployed = Some(deployed.clone());
        next
    }

    /// Ends the turn: the groups that serve, those that are known to be gone, and all others `Doomed`.
    #[must_use]
    pub fn release(&self, end: &End) -> Self {
        let mut next = self.clone();
        next.holder = None;
        next.groups.retain(|member| !end.gone.contains(&member.name));
        for member in &mut next.groups {
            if member.role == Role::Doomed {
                continue;
            }
            member.role = if end.serving.contains(&member.name) { Role::Serving } else { Role::Doomed };
            member.held = match member.role {
                Role::Serving => member.held.map(|held| Held { desired: None, ..held }),
                Role::Green | Role::Doomed => None,
            };
            if let Some(deployed) = end.deployed.as_ref().filter(|deployed| deployed.uid == member.owner)
                && member.role == Role::Serving
            {
                member.deployed = Some(deployed.clone());
            }
        }
        let serving = next.of_role(Role::Serving).filter_map(|member| member.deployed.as_ref());
        next.deployed = serving.max_by_key(|deployed| deployed.turn).cloned();
        next
    }

    /// Strikes groups that are confirmed gone off the ledger.
    #[must_use]
    pub fn forget(&self, gone: &[GroupName]) -> Self {
        let mut next = self.clone();
        next.groups.retain(|member| !gone.contains(&member.name));
        next
    }

    /// Takes groups that were left behind into the ledger, given up, so that they are deleted.
    #[must_use]
    pub fn sweep(&self, left_behind: &[Member]) -> Self {
        let mut next = self.clone();
        let unknown = left_behind.iter().filter(|member| self.member(&member.name).is_none());
        let room = MOST_GROUPS.saturating_sub(self.groups.len());
        next.groups.extend(unknown.take(room).map(|member| Member { role: Role::Doomed, ..member.clone() }));
        next
    }

    /// Gives up every group, because the Environment is being deleted and they are to go with it.
    #[must_use]
    pub fn doom_all(&self) -> Self {
        let mut next = self.clone();
        for member in &mut next.groups {
            (member.role, member.held) = (Role::Doomed, None);
        }
        next
    }
}

/// How a turn ends.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct End {
    /// The groups that carry the traffic from now on.
    pub serving: Vec<GroupName>,
    /// The groups that are confirmed gone.
    pub gone: Vec<GroupName>,
    /// What green runs, if green is one of those that serve.
    pub deployed: Option<Deployed>,
}
