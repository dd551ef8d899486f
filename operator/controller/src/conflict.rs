//! Who of several Environments that name the same target group or rule may use it. Pure.
//!
//! Two that change one rule would take each other's users away. The one whose groups are reached by it keeps it, else
//! the older one; the others take no turn. That is decided from the caches, across all namespaces, and every replica decides alike.

use std::collections::BTreeSet;

use dryad_crds::Environment;
use dryad_crds::environment::traffic::Traffic;
use dryad_machine::name::Arn;
use dryad_machine::tenure::{Member, Role};
use jiff::Timestamp;

/// An Environment, as far as it matters who may use what. ARNs hold account and region, whatever the operator's
/// configuration calls those. Borrowed, since every tick of one Environment asks about all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimant<'a> {
    /// Its namespace.
    pub namespace: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Its uid, which decides between two of the same second.
    pub uid: &'a str,
    /// When it was made.
    pub created: Timestamp,
    /// What its spec names.
    pub named: BTreeSet<&'a str>,
    /// What its groups are reached by: an edit of the spec moves nobody before the next deploy.
    pub used: BTreeSet<&'a str>,
}

impl<'a> Claimant<'a> {
    /// What an Environment claims.
    pub fn of(environment: &'a Environment) -> Self {
        let metadata = &environment.metadata;
        let declared: Vec<_> = environment.spec.traffic.iter().flat_map(Traffic::arns).collect();
        let reached = |member: &'a Member| match &member.access {
            Some(access) => access.arns().into_iter().map(Arn::as_str).collect(),
            None => declared.clone(),
        };
        let groups = environment.status.iter().flat_map(|status| &status.tenure.groups);
        Self {
            namespace: metadata.namespace.as_deref().unwrap_or_default(),
            name: metadata.name.as_deref().unwrap_or_default(),
            uid: metadata.uid.as_deref().unwrap_or_default(),
            created: metadata.creation_timestamp.as_ref().map_or(Timestamp::UNIX_EPOCH, |time| time.0),
            used: groups.filter(|member| member.role != Role::Doomed).flat_map(reached).collect(),
            named: declared.iter().copied().collect(),
        }
    }

    /// What people call it.
    fn called(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }

    /// What it wants and the other one has or wants.
    fn disputed(&self, other: &Self) -> BTreeSet<&'a str> {
        let theirs = |arn: &&str| other.named.contains(arn) || other.used.contains(arn);
        self.named.iter().copied().filter(theirs).collect()
    }

    fn comes_before(&self, other: &Self, disputed: &BTreeSet<&str>) -> bool {
        let rank = |it: &Self| (it.used.is_disjoint(disputed), it.created, it.uid);
        rank(self) < rank(other)
    }
}

/// Why `own` may not use what it names, in words; none where it may.
pub fn conflict<'a>(own: &Claimant<'a>, others: impl IntoIterator<Item = Claimant<'a>>) -> Option<String> {
    let rivals = others.into_iter().filter(|other| other.uid != own.uid).filter_map(|rival| {
        let disputed = own.disputed(&rival);
        let arn = *disputed.first()?;
        rival.comes_before(own, &disputed).then(|| (rival.called(), arn))
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

    fn claimant<'a>(uid: &'a str, second: i64, named: &[&'a str], used: &[&'a str]) -> Claimant<'a> {
        Claimant {
            namespace: "shop",
            name: uid,
            uid,
            created: Timestamp::from_second(second).unwrap(),
            named: named.iter().copied().collect(),
            used: used.iter().copied().collect(),
        }
    }

    fn refused(all: &[&Claimant<'_>]) -> Vec<String> {
        let all: Vec<_> = all.iter().map(|it| (*it).clone()).collect();
        let lost = all.iter().filter(|own| conflict(own, all.clone()).is_some());
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
        let told = conflict(&own, [other]).unwrap();
        assert!(told.contains("Environment shop/first uses a, too"), "{told}");
    }
}
