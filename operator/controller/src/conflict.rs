//! Who of several Environments that name the same target group or rule may use it. Pure.
//!
//! Two that change one rule would take each other's users away. The one whose groups are reached by it keeps it, else
//! the older one; the others take no turn. That is decided from the caches, across all namespaces, and every replica decides alike.

use std::collections::BTreeSet;

use dryad_crds::Environment;
use dryad_crds::environment::traffic::Traffic;
use dryad_machine::access::Access;
use dryad_machine::name::{Arn, Uid};
use dryad_machine::tenure::Role;
use jiff::Timestamp;
use kube::ResourceExt;

use crate::view;

/// An Environment, as far as it matters who may use what. ARNs hold account and region, whatever the operator's
/// configuration calls those.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimant {
    /// Namespace and name, for people.
    pub called: String,
    /// Its uid, which decides between two of the same second.
    pub uid: Uid,
    /// When it was made.
    pub created: Timestamp,
    /// What its spec names.
    pub named: BTreeSet<Arn>,
    /// What its groups are reached by: an edit of the spec moves nobody before the next deploy.
    pub used: BTreeSet<Arn>,
}

impl Claimant {
    /// What an Environment claims.
    pub fn of(environment: &Environment) -> Self {
        let groups = environment.status.iter().flat_map(|status| &status.tenure.groups);
        let declared = Traffic::access(environment.spec.traffic.as_ref());
        let created = environment.metadata.creation_timestamp.as_ref().map(|time| time.0);
        let arns = |access: &Access| access.arns().into_iter().cloned().collect::<Vec<_>>();
        Self {
            called: format!("{}/{}", environment.namespace().unwrap_or_default(), environment.name_any()),
            uid: view::uid(environment),
            created: created.unwrap_or(Timestamp::UNIX_EPOCH),
            used: groups
                .filter(|member| member.role != Role::Doomed)
                .flat_map(|member| arns(member.access.as_ref().unwrap_or(&declared)))
                .collect(),
            named: arns(&declared).into_iter().collect(),
        }
    }

    /// What it wants and the other one has or wants.
    fn disputed(&self, other: &Self) -> BTreeSet<Arn> {
        self.named
            .iter()
            .filter(|arn| other.named.contains(*arn) || other.used.contains(*arn))
            .cloned()
            .collect()
    }

    fn comes_before(&self, other: &Self, disputed: &BTreeSet<Arn>) -> bool {
        let rank = |it: &Self| (it.used.is_disjoint(disputed), it.created, it.uid.clone());
        rank(self) < rank(other)
    }
}

/// Why `own` may not use what it names, in words; none where it may.
pub fn conflict(own: &Claimant, others: &[Claimant]) -> Option<String> {
    let rivals = others.iter().filter(|other| other.uid != own.uid).filter_map(|rival| {
        let disputed = own.disputed(rival);
        let arn = disputed.first()?.clone();
        rival.comes_before(own, &disputed).then_some((&rival.called, arn))
    });
    let (rival, arn) = rivals.min()?;
    Some(format!(
        "Environment {rival} uses {arn}, too, and comes first; name another target group and rule, or delete one of \
         the two"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claimant(uid: &str, second: i64, named: &[&str], used: &[&str]) -> Claimant {
        let set = |arns: &[&str]| arns.iter().copied().map(Arn::new).collect();
        Claimant {
            called: format!("shop/{uid}"),
            uid: Uid::new(uid),
            created: Timestamp::from_second(second).unwrap(),
            named: set(named),
            used: set(used),
        }
    }

    fn refused(all: &[&Claimant]) -> Vec<String> {
        let all: Vec<_> = all.iter().map(|it| (*it).clone()).collect();
        let lost = all.iter().filter(|own| conflict(own, &all).is_some());
        lost.map(|own| own.uid.to_string()).collect()
    }

    #[test]
    fn of_those_that_name_the_same_one_may_use_it() {
        let older = claimant("older", 1, &["rule", "a"], &[]);
        let younger = claimant("younger", 2, &["a", "b"], &[]);
        let serving = claimant("serving", 3, &["a"], &["a"]);
        let twin = claimant("twin", 1, &["a"], &[]);
        assert_eq!(refused(&[&older, &younger]), ["younger"]);
        assert_eq!(refused(&[&older, &twin]), ["twin"]);
        assert_eq!(refused(&[&older, &younger, &serving]), ["older", "younger"]);
    }

    #[test]
    fn who_was_edited_onto_what_serves_others_does_not_take_it_from_them() {
        let edited = claimant("edited", 1, &["b"], &["a"]);
        let serving = claimant("serving", 2, &["b"], &["b"]);
        let newcomer = claimant("newcomer", 3, &["a"], &[]);
        assert_eq!(refused(&[&edited, &serving, &newcomer]), ["edited", "newcomer"]);
    }

    #[test]
    fn who_names_nothing_of_anybody_elses_is_refused_nothing() {
        let own = claimant("own", 2, &["a"], &[]);
        let workers = claimant("workers", 1, &[], &[]);
        let other = claimant("other", 1, &["b"], &["b"]);
        assert_eq!(refused(&[&own, &workers, &other]), Vec::<String>::new());
    }

    #[test]
    fn the_winner_and_what_both_name_are_told_by_name() {
        let (own, other) = (claimant("own", 2, &["a"], &[]), claimant("first", 1, &["a"], &[]));
        let told = conflict(&own, &[other]).unwrap();
        assert!(told.contains("Environment shop/first uses a, too"), "{told}");
    }
}
