//! Where an Environment's groups are looked for between deploys, and how requests are taken to reach them: as the ledger
//! says of what serves, whatever the spec says by now.

use dryad_cloud::Cloud;
use dryad_machine::tenure::{Member, Role};

use super::{Tick, permission};
use crate::green::blueprint;
use crate::target::{Target, TrafficTarget};

/// What is looked at; none where nobody may say.
pub(super) fn target<C: Cloud>(tick: &Tick<'_, C>) -> Option<Target> {
    recorded(&tick.environment.tenure.groups)
        .or_else(|| permission::template(tick).as_ref().map(blueprint::target))
}

/// The coordinates of the newest group that serves, else of the newest that did. All others may be of a deploy that was
/// not permitted: nobody looks at what somebody only wrote down.
fn recorded(ledger: &[Member]) -> Option<Target> {
    let served = ledger.iter().filter(|it| it.role == Role::Serving || it.deployed.is_some());
    let newest = served.max_by_key(|member| (member.role == Role::Serving, member.turn))?;
    let access = newest.access.as_ref()?;
    Some(Target { place: newest.place.clone(), traffic: TrafficTarget::of(access) })
}

#[cfg(test)]
mod tests {
    use dryad_machine::access::Access;
    use dryad_machine::deployed::{Deployed, Shipment};
    use dryad_machine::name::{AccountName, Arn, GroupName, Place, Region, Turn, Uid};
    use dryad_machine::release::Release;
    use jiff::Timestamp;

    use super::*;

    fn member(turn: i64, role: Role, arn: Option<&str>) -> Member {
        Member {
            name: GroupName::new(format!("web-{turn}")),
            place: Place { account: AccountName::new("default"), region: Region::new("us-east-1") },
            access: arn.map(|arn| Access::TargetGroup { arn: Arn::new(arn) }),
            owner: Uid::new("u"),
            environment: None,
            turn: Turn::new(turn),
            role,
            deployed: None,
            held: None,
        }
    }

    fn seen_by(ledger: &[Member]) -> Option<String> {
        let target = recorded(ledger)?;
        target.traffic.target_groups().into_iter().next().map(|target_group| target_group.0.clone())
    }

    #[test]
    fn what_serves_is_looked_at_where_it_was_announced() {
        let (old, new) = (member(1, Role::Serving, Some("old")), member(2, Role::Serving, Some("new")));
        let (green, doomed) = (member(3, Role::Green, Some("green")), member(4, Role::Doomed, Some("gone")));
        assert_eq!(seen_by(&[new.clone(), old.clone(), green.clone()]).as_deref(), Some("new"));
        assert_eq!(seen_by(&[old, doomed.clone()]).as_deref(), Some("old"));
        assert_eq!(seen_by(&[green, doomed]), None, "nobody has permitted what those name");
    }

    #[test]
    fn what_served_is_taken_down_where_it_was_announced() {
        let shipment = Shipment { release: Release::default(), committed_at: None, subject: None };
        let deployed = Deployed {
            shipment,
            deployment: "web-1".to_owned(),
            uid: Uid::new("u"),
            turn: Turn::new(1),
            since: Timestamp::UNIX_EPOCH,
        };
        let served = Member { deployed: Some(deployed), ..member(1, Role::Doomed, Some("old")) };
        assert_eq!(seen_by(&[served, member(2, Role::Doomed, Some("never"))]).as_deref(), Some("old"));
    }

    #[test]
    fn groups_from_before_coordinates_were_recorded_are_looked_for_by_the_spec() {
        assert_eq!(seen_by(&[member(1, Role::Serving, None)]), None);
    }
}
