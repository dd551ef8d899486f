//! One question about the groups of all quiet Environments of an account and region, shared by all of them.
//!
//! Two hundred idle Environments would otherwise ask two hundred times. Whoever finds the survey too old makes a new one
//! for everybody; whoever comes meanwhile waits for it. What a survey is good for, and what it is not, is
//! [`rest`]'s to say.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dryad_cloud::group::Group;
use dryad_cloud::{Cloud, CloudError};
use dryad_crds::Environment;
use dryad_machine::environment::{Deploys, EnvironmentCase, Holder};
use dryad_machine::name::{GroupName, Place, Uid};
use dryad_machine::rest;
use dryad_machine::view::{Claim, Past};

use crate::objects::view;
use crate::process::operator::Operator;

/// What one question found.
#[derive(Debug)]
pub struct Survey {
    /// The Environments that were quiet when it was made.
    pub quiet: BTreeSet<Uid>,
    /// When the first one was made here, in time since the process started.
    pub began: Duration,
    /// Those of their groups that exist.
    pub groups: BTreeMap<GroupName, Group>,
}

impl Survey {
    /// An Environment's place among those that were quiet; the first, if it was not.
    pub fn place(&self, environment: &Uid) -> rest::Place {
        rest::Place { before: self.quiet.range(..environment).count(), of: self.quiet.len() }
    }
}

/// So many share a survey for as long as any may.
const MANY: u32 = 200;

type Found = Result<Arc<Survey>, CloudError>;

/// The newest survey of each place.
#[derive(Debug, Default)]
pub struct Surveys {
    places: Mutex<HashMap<Place, Arc<tokio::sync::Mutex<Newest>>>>,
}

#[derive(Debug, Default)]
struct Newest {
    began: Option<Duration>,
    taken: Option<Taken>,
}

#[derive(Debug)]
struct Taken {
    at: Duration,
    found: Found,
}

impl Taken {
    /// Whether it will do: the fewer share it, the sooner a new one is made. One that failed is made again soon too, but
    /// not by everybody who waited for it.
    fn will_do(&self, now: Duration, idle: Duration) -> bool {
        let longest = match &self.found {
            Ok(survey) => {
                let quiet = u32::try_from(survey.quiet.len()).unwrap_or(u32::MAX).min(MANY);
                // Environments that are due at the same moment find their last survey a little younger than that.
                (idle * quiet / MANY).min(idle * 5 / 6)
            }
            Err(_) => idle / 6,
        };
        now.saturating_sub(self.at) < longest
    }
}

impl Surveys {
    /// A survey of this place, not older than an idle interval.
    ///
    /// # Errors
    /// When the cloud did not answer, or said no.
    pub async fn of<C: Cloud>(&self, operator: &Operator<C>, place: &Place) -> Found {
        let newest = {
            let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(places.entry(place.clone()).or_default())
        };
        let mut newest = newest.lock().await;
        let at = operator.clock.mono();
        if let Some(taken) = newest.taken.as_ref().filter(|taken| taken.will_do(at, operator.idle)) {
            return taken.found.clone();
        }
        let began = *newest.began.get_or_insert(at);
        let found = survey(operator, place, began).await;
        newest.taken = Some(Taken { at, found: found.clone() });
        found
    }
}

async fn survey<C: Cloud>(operator: &Operator<C>, place: &Place, began: Duration) -> Found {
    let (mut quiet, mut names) = (BTreeSet::new(), BTreeSet::new());
    for environment in operator.caches.environments.state() {
        let Ok(environment) = environment.0.as_deref() else { continue };
        let here = quiet_groups(environment, place);
        if !here.is_empty() {
            quiet.insert(view::uid(environment));
            names.extend(here);
        }
    }
    let groups = operator.cloud.groups(place, &names).await?;
    Ok(Arc::new(Survey { quiet, began, groups }))
}

/// Its groups here, if nobody works on it.
fn quiet_groups(object: &Environment, place: &Place) -> Vec<GroupName> {
    // Nothing is done because of a survey, so what is known of its past, of others and of its deploys makes no
    // difference.
    let environment = view::environment(object, Past::Known, Claim::Undisputed);
    let case = EnvironmentCase {
        environment: &environment,
        finalizer: view::finalizer(object),
        holder: Holder::Minding,
        deploys: Deploys::Ended,
    };
    if !rest::is_quiet(case) {
        return Vec::new();
    }
    let here = environment.tenure.groups.into_iter().filter(|member| member.place == *place);
    here.map(|member| member.name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Duration = Duration::from_secs(60);

    fn survey(quiet: &[&str]) -> Survey {
        let quiet = quiet.iter().copied().map(Uid::new).collect();
        Survey { quiet, began: Duration::ZERO, groups: BTreeMap::new() }
    }

    #[test]
    fn each_environment_has_a_place_of_its_own() {
        let survey = survey(&["c", "a", "b"]);
        let before = ["a", "b", "c"].map(|uid| survey.place(&Uid::new(uid)));
        assert_eq!(before, [0, 1, 2].map(|before| rest::Place { before, of: 3 }));
    }

    fn will_do(found: Found, age: u64) -> bool {
        let at = Duration::from_secs(1000);
        Taken { at, found }.will_do(at + Duration::from_secs(age), IDLE)
    }

    #[test]
    fn the_more_share_a_survey_the_older_it_may_be_and_never_as_old_as_an_interval() {
        let of = |quiet: usize| {
            let names: Vec<_> = (0..quiet).map(|number| number.to_string()).collect();
            Ok(Arc::new(survey(&names.iter().map(String::as_str).collect::<Vec<_>>())))
        };
        for (quiet, seconds) in [(10, 3), (100, 30), (200, 50), (1000, 50)] {
            assert!(will_do(of(quiet), seconds - 1), "{quiet}");
            assert!(!will_do(of(quiet), seconds), "{quiet}");
        }
        assert!(!will_do(of(0), 0));
    }

    #[test]
    fn a_failure_is_shared_by_those_who_waited_for_it() {
        let failed = || Err(CloudError::Throttled { action: "DescribeAutoScalingGroups" });
        assert!(will_do(failed(), 9));
        assert!(!will_do(failed(), 10));
    }
}
