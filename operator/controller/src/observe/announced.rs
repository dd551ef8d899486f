//! What a group was announced with, as far as anybody still knows it.
//!
//! The ledger says it of every group that it has. Of a group that no ledger knows, because the record is lost or the group
//! was left behind, the Deployment that brought it may say it, else what the Environment names or any of its groups was
//! announced with, if the group is attached to that, else what it is attached to. Only what was permitted once counts:
//! what stands in the spec, where that is permitted, what is frozen in a Deployment, and what has served.

use std::collections::BTreeSet;
use std::sync::Arc;

use dryad_cloud::group::Group;
use dryad_cloud::{Cloud, CloudError};
use dryad_crds::Deployment;
use dryad_crds::environment::traffic::Traffic;
use dryad_machine::access::Access;
use dryad_machine::name::{Arn, GroupName, Place};
use dryad_machine::tenure::{Member, Role};

use crate::observe::{Announced, rule_of};
use crate::target::TrafficTarget;

/// Everything that tells how requests reach an Environment's groups.
#[derive(Clone, Debug)]
pub(crate) struct Announcements<'a> {
    /// What it names.
    pub(crate) named: Access,
    /// Its ledger.
    pub(crate) ledger: &'a [Member],
    /// Its Deployments.
    pub(crate) deployments: &'a [Arc<Deployment>],
}

impl Announcements<'_> {
    /// What this group was announced with, by its name.
    pub(crate) fn recorded(&self, name: &GroupName) -> Option<Access> {
        let member = self.ledger.iter().find(|member| member.name == *name);
        member.and_then(|member| member.access.clone()).or_else(|| {
            self.deployments.iter().find_map(|deployment| {
                let status = deployment.status.as_ref()?;
                status.plan.as_ref().filter(|plan| plan.green == *name)?;
                Some(Traffic::access(status.template.as_ref()?.traffic.as_ref()))
            })
        })
    }

    /// What this group was announced with, as far as that can be told.
    pub(crate) fn of(&self, group: &Group) -> Access {
        let is_in = |arn: &Arn| group.target_groups.iter().any(|it| it.0 == arn.as_str());
        let attached = |access: &Access| access.arns().any(is_in);
        let likely = || [self.named.clone()].into_iter().chain(self.all()).find(attached);
        self.recorded(&group.name).or_else(likely).unwrap_or_else(|| {
            let mut only = group.target_groups.iter();
            match (only.next(), only.next()) {
                (Some(target_group), None) => Access::TargetGroup { arn: Arn::new(target_group.0.as_str()) },
                _ => self.named.clone(),
            }
        })
    }

    /// Everything that groups of this Environment may be reached by.
    pub(crate) fn all(&self) -> BTreeSet<Access> {
        let served = |member: &&Member| member.role == Role::Serving || member.deployed.is_some();
        let announced = self.ledger.iter().filter(served).filter_map(|member| member.access.clone());
        let frozen = self.deployments.iter().filter_map(|deployment| {
            let template = deployment.status.as_ref()?.template.as_ref()?;
            Some(Traffic::access(template.traffic.as_ref()))
        });
        [self.named.clone()].into_iter().chain(announced).chain(frozen).collect()
    }
}

/// How requests are spread over this access now. Its rule is read only if the group is attached to what it forwards to.
pub(crate) async fn look<C: Cloud>(
    cloud: &C,
    place: &Place,
    access: &Access,
    group: &Group,
) -> Result<Announced, CloudError> {
    let traffic = TrafficTarget::of(access);
    let attached = traffic.target_groups().into_iter().any(|it| group.target_groups.contains(it));
    let rule = if attached { rule_of(cloud, place, &traffic).await? } else { None };
    Ok(Announced { traffic, rule })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use dryad_cloud::group::Capacity;
    use dryad_cloud::traffic::TargetGroupArn;
    use dryad_machine::name::{AccountName, Region, Turn, Uid};

    use super::*;

    fn rule(name: &str, target_groups: [&str; 2]) -> Access {
        Access::LoadBalancerRule { rule_arn: Arn::new(name), target_group_arns: target_groups.map(Arn::new) }
    }

    fn shared(arn: &str) -> Access {
        Access::TargetGroup { arn: Arn::new(arn) }
    }

    fn member(name: &str, role: Role, access: Access) -> Member {
        Member {
            name: GroupName::new(name),
            place: Place { account: AccountName::new("default"), region: Region::new("us-east-1") },
            access: Some(access),
            owner: Uid::new("u"),
            environment: None,
            turn: Turn::new(1),
            role,
            deployed: None,
            held: None,
        }
    }

    fn group(name: &str, attached: &[&str]) -> Group {
        Group {
            name: GroupName::new(name),
            deleting: false,
            capacity: Capacity { min: 0, max: 4, desired: 2 },
            instances: Vec::new(),
            target_groups: attached.iter().map(|name| TargetGroupArn((*name).to_owned())).collect(),
            template: None,
            tags: BTreeMap::new(),
        }
    }

    #[test]
    fn the_ledger_knows_best_and_then_what_a_group_is_attached_to() {
        let ledger = [
            member("known", Role::Doomed, shared("its-own")),
            member("serving", Role::Serving, rule("old", ["a", "b"])),
        ];
        let named = rule("new", ["c", "d"]);
        let announcements = Announcements { named: named.clone(), ledger: &ledger, deployments: &[] };
        let of = |name, attached: &[&str]| announcements.of(&group(name, attached));
        assert_eq!(of("known", &["a"]), shared("its-own"), "whatever it is attached to by now");
        assert_eq!(of("unknown", &["d"]), named);
        assert_eq!(of("unknown", &["b"]), rule("old", ["a", "b"]), "where another one serves");
        assert_eq!(of("unknown", &["its-own"]), shared("its-own"), "but nobody has served there");
        assert_eq!(of("unknown", &["elsewhere"]), shared("elsewhere"));
        assert_eq!(of("unknown", &["elsewhere", "and-there"]), named, "nobody can tell");
        assert_eq!(of("unknown", &[]), named);
    }
}
