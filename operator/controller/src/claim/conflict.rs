//! Who of several Environments that name the same target group or rule may use it.
//!
//! Two that change one rule would take each other's users away. The one whose groups are reached by it keeps it, else
//! the older one; the others take no turn. That is decided from the caches, across all namespaces, and every replica decides alike.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Mutex, PoisonError};

use dryad_crds::Environment;
use dryad_crds::environment::traffic::Traffic;
use dryad_machine::access::Access;
use dryad_machine::name::Arn;
use dryad_machine::tenure::{Member, Role};
use jiff::Timestamp;
use kube::ResourceExt;

/// An Environment, as far as it matters who may use what. ARNs hold account and region, whatever the operator's
/// configuration calls those.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Claimant<'a> {
    namespace: &'a str,
    name: &'a str,
    /// Decides between two of the same second.
    uid: &'a str,
    created: Timestamp,
    /// What its spec names.
    named: BTreeSet<&'a str>,
    /// What its groups are reached by: an edit of the spec moves nobody before the next deploy.
    used: BTreeSet<&'a str>,
}

impl<'a> Claimant<'a> {
    fn of(environment: &'a Environment) -> Self {
        let metadata = &environment.metadata;
        Self {
            namespace: metadata.namespace.as_deref().unwrap_or_default(),
            name: metadata.name.as_deref().unwrap_or_default(),
            uid: metadata.uid.as_deref().unwrap_or_default(),
            created: metadata.creation_timestamp.as_ref().map_or(Timestamp::UNIX_EPOCH, |time| time.0),
            used: used(environment).collect(),
            named: named(environment).collect(),
        }
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

/// What its spec names.
pub(crate) fn named(environment: &Environment) -> impl Iterator<Item = &str> {
    environment.spec.traffic.iter().flat_map(Traffic::arns)
}

/// What its groups are reached by.
pub(crate) fn used(environment: &Environment) -> impl Iterator<Item = &str> {
    let groups = environment.status.iter().flat_map(|status| &status.tenure.groups);
    groups.filter(|member| member.role != Role::Doomed).flat_map(move |member: &Member| {
        let recorded = member.access.iter().flat_map(Access::arns).map(Arn::as_str);
        recorded.chain(named(environment).filter(|_| member.access.is_none()))
    })
}

/// An Environment, as people call it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Called {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl Called {
    /// What people call this one.
    pub fn of(environment: &Environment) -> Self {
        Self { namespace: environment.namespace().unwrap_or_default(), name: environment.name_any() }
    }
}

/// That an Environment may not use what it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// Who comes first.
    pub to: Called,
    arn: String,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { to: Called { namespace, name }, arn } = self;
        write!(
            f,
            "Environment {namespace}/{name} uses {arn}, too, and comes first; name another target group and rule, or \
             delete one of the two"
        )
    }
}

/// Why `own` may not use what it names; none where it may.
pub fn conflict<'a>(own: &'a Environment, others: impl IntoIterator<Item = &'a Environment>) -> Option<Lost> {
    lost(&Claimant::of(own), others.into_iter().map(Claimant::of))
}

fn lost<'a>(own: &Claimant<'a>, others: impl IntoIterator<Item = Claimant<'a>>) -> Option<Lost> {
    let rivals = others.into_iter().filter(|other| other.uid != own.uid).filter_map(|rival| {
        let disputed = own.disputed(&rival);
        let arn = *disputed.first()?;
        rival.comes_before(own, &disputed).then_some((rival.namespace, rival.name, arn))
    });
    let (namespace, name, arn) = rivals.min()?;
    let to = Called { namespace: namespace.to_owned(), name: name.to_owned() };
    Some(Lost { to, arn: arn.to_owned() })
}

/// Who has lost to whom: they are looked at again as soon as that one changes or goes.
#[derive(Debug, Default)]
pub struct Losers(Mutex<HashMap<Called, BTreeSet<Called>>>);

impl Losers {
    /// An Environment waits for the one that it lost to.
    pub fn wait(&self, environment: &Environment, to: Called) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(to).or_default().insert(Called::of(environment));
    }

    /// Those that have lost to this one. They wait no longer: whoever still has lost will say so again.
    pub fn to(&self, winner: &Called) -> BTreeSet<Called> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(winner).unwrap_or_default()
    }

    /// All that have lost. They wait no longer.
    pub fn all(&self) -> BTreeSet<Called> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.drain().flat_map(|(_, losers)| losers).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn called(name: &str) -> Called {
        Called { namespace: "shop".to_owned(), name: name.to_owned() }
    }

    fn environment(name: &str, target_group: &str) -> Environment {
        let group =
            format!("arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/{target_group}/1");
        let object = json!({
            "apiVersion": "dryad.dev/v1alpha1",
            "kind": "Environment",
            "metadata": { "namespace": "shop", "name": name, "uid": name },
            "spec": {
                "target": { "autoScalingGroup": {
                    "account": "default",
                    "region": "us-east-1",
                    "launchTemplate": { "imageId": "ami-0abc0abc", "instanceType": "m7g.large" },
                    "subnetIds": ["subnet-0a0a0a0a"],
                    "capacity": { "min": 1, "max": 1 },
                } },
                "traffic": { "targetGroup": { "arn": group } },
            },
        });
        serde_json::from_value(object).unwrap()
    }

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
        let lost = all.iter().filter(|own| lost(own, all.clone()).is_some());
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
        let told = lost(&own, [other]).unwrap().to_string();
        assert!(told.contains("Environment shop/first uses a, too"), "{told}");
    }

    #[test]
    fn only_those_that_name_the_same_are_in_each_others_way() {
        let (first, second, other) = (environment("a", "x"), environment("b", "x"), environment("c", "y"));
        let all = [&first, &second, &other];
        let lost = |own| conflict(own, all).map(|lost| lost.to);
        assert_eq!([lost(&first), lost(&second), lost(&other)], [None, Some(called("a")), None]);
    }

    #[test]
    fn who_has_lost_is_woken_once_by_the_one_it_lost_to() {
        let losers = Losers::default();
        let wait = |name: &str, to: &str| losers.wait(&environment(name, "x"), called(to));
        wait("b", "a");
        wait("b", "a");
        wait("c", "a");
        wait("d", "z");
        assert_eq!(losers.to(&called("b")), [].into(), "nobody has lost to it");
        assert_eq!(losers.to(&called("a")), [called("b"), called("c")].into());
        assert_eq!(losers.to(&called("a")), [].into(), "they have been woken");
        assert_eq!((losers.all(), losers.all()), ([called("d")].into(), [].into()));
    }
}
