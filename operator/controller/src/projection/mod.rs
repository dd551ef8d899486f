//! The deployed state, projected into a parameter for whoever launches instances or builds images elsewhere.
//!
//! It follows what is recorded and gates nothing: what goes wrong here is a condition, and no deploy hears of it. It is
//! level-triggered: what is there is compared with what should be when that changes, and else now and then; only a
//! difference is written, and read back. What to do is [`record::judge`]'s to say.

mod record;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use dryad_cloud::parameter::{Parameter, Replacing};
use dryad_cloud::{Cloud, CloudError};
use dryad_crds::condition::environment::Projection;
use dryad_machine::name::{Place, Turn, Uid};

pub use record::{Foreign, Record, Verdict, judge};

/// For how many idle intervals a parameter that says what it should is left alone, if there are no more of them.
const REST: u32 = 10;
/// The longest that it is, however many there are.
const LONGEST: u32 = 1440;
/// How often one is looked at that does not.
const RETRY: Duration = Duration::from_secs(60);

/// How long a parameter that says what it should is left alone: there is no one question about many of them, so each
/// idle interval one of all is asked after.
pub fn rest(parameters: usize, idle: Duration) -> Duration {
    idle * u32::try_from(parameters).unwrap_or(u32::MAX).clamp(REST, LONGEST)
}

/// How long it is left alone after the first look, so that those which a process meets at the same moment are not asked
/// after at the same moment ever after.
pub fn first_rest(environment: &Uid, rest: Duration) -> Duration {
    const PARTS: u32 = 1000;
    let mut hasher = DefaultHasher::new();
    environment.as_str().hash(&mut hasher);
    let part = u32::try_from(hasher.finish() % u64::from(PARTS)).unwrap_or_default();
    rest * part / PARTS
}

/// A parameter, and what it should say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Where it is.
    pub place: Place,
    /// Its name.
    pub name: String,
    /// What it should say.
    pub record: Record,
    /// The newest turn of its Environment.
    pub known: Turn,
}

/// How it was when it was last looked at.
#[derive(Clone, Debug)]
pub struct Seen {
    wanted: Wanted,
    at: Duration,
    /// How long it is left alone, if it says what it should.
    rest: Duration,
    /// What came of it.
    pub outcome: Projection,
}

impl Seen {
    /// What was seen at `at`, in time since the process started.
    pub fn new(wanted: Wanted, at: Duration, rest: Duration, outcome: Projection) -> Self {
        Self { wanted, at, rest, outcome }
    }

    /// Whether that is as good as looking again. The turn matters only to what is not as it should be.
    pub fn will_do(&self, wanted: &Wanted, now: Duration) -> bool {
        let (same, rest) = match &self.outcome {
            Projection::Written(_) => {
                let known = self.wanted.known;
                (Wanted { known, ..wanted.clone() } == self.wanted, self.rest)
            }
            Projection::Withheld { .. } | Projection::Unknown(_) => (*wanted == self.wanted, RETRY),
        };
        same && now.saturating_sub(self.at) < rest
    }
}

/// What a look at the parameter comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// It is as it will be.
    Settled(Projection),
    /// It is to be written.
    Due(Replacing),
}

/// Looks at the parameter.
pub async fn look<C: Cloud>(cloud: &C, wanted: &Wanted) -> Look {
    match read(cloud, &wanted.place, &wanted.name).await {
        Ok(found) => judged(wanted, found.as_ref()),
        Err(error) => Look::Settled(failed(&error)),
    }
}

/// Writes it, and reads it back.
///
/// # Errors
/// When it was not written, or nobody knows.
pub async fn write<C: Cloud>(
    cloud: &C,
    wanted: &Wanted,
    replacing: Replacing,
) -> Result<Projection, CloudError> {
    let value = wanted.record.written();
    match cloud.put_parameter(&wanted.place, &wanted.name, &value, replacing).await {
        // Somebody made one in between: it is looked at like any other.
        Ok(()) | Err(CloudError::AlreadyExists { .. }) => {}
        Err(error) => return Err(error),
    }
    Ok(match look(cloud, wanted).await {
        Look::Settled(projection) => projection,
        Look::Due(_) => Projection::Unknown(format!(
            "parameter {} was written and does not say so; it is looked at again",
            wanted.name
        )),
    })
}

/// Deletes the parameter if it is this Environment's. What is left alone, or not there, is as good as deleted.
///
/// # Errors
/// When it can't be told, or not done.
pub async fn withdraw<C: Cloud>(
    cloud: &C,
    place: &Place,
    name: &str,
    environment: &Uid,
) -> Result<(), CloudError> {
    match read(cloud, place, name).await? {
        Some(found) if record::is_of(environment, &found) => {}
        Some(_) | None => return Ok(()),
    }
    match cloud.delete_parameter(place, name).await {
        Ok(()) | Err(CloudError::NotFound { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

async fn read<C: Cloud>(cloud: &C, place: &Place, name: &str) -> Result<Option<Parameter>, CloudError> {
    match cloud.parameter(place, name).await {
        Ok(found) => Ok(Some(found)),
        Err(CloudError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn judged(wanted: &Wanted, found: Option<&Parameter>) -> Look {
    let Wanted { name, record, known, .. } = wanted;
    match judge(name, record, *known, found) {
        Verdict::Stands => {
            let turn = record.turn();
            Look::Settled(Projection::Written(format!("parameter {name} records what turn {turn} deployed")))
        }
        Verdict::Put(replacing) => Look::Due(replacing),
        Verdict::Leave(why) => {
            let reason = match why {
                Foreign::NotOurs { .. } => "Foreign",
                Foreign::Newer { .. } => "Newer",
            };
            Look::Settled(Projection::Withheld { reason, message: why.to_string() })
        }
    }
}

/// What an error of the cloud's comes to.
pub fn failed(error: &CloudError) -> Projection {
    let message = error.to_string();
    match error {
        CloudError::Denied { .. } => Projection::Withheld { reason: "Denied", message },
        CloudError::Invalid { .. } => Projection::Withheld { reason: "Refused", message },
        CloudError::Unanswered { .. }
        | CloudError::Unreachable { .. }
        | CloudError::Throttled { .. }
        | CloudError::NotFound { .. }
        | CloudError::AlreadyExists { .. }
        | CloudError::Busy { .. } => Projection::Unknown(message),
    }
}

#[cfg(test)]
mod tests {
    use dryad_machine::deployed::{Deployed, Shipment};
    use dryad_machine::name::{AccountName, Region};
    use dryad_machine::release::Release;

    use super::*;
    use crate::tags::Owner;

    fn wanted(turn: i64, known: i64) -> Wanted {
        let owner = Owner {
            installation: "dryad".to_owned(),
            namespace: "shop".to_owned(),
            environment: "web".to_owned(),
            uid: Uid::new("u"),
        };
        let deployed = Deployed {
            shipment: Shipment { release: Release::default(), committed_at: None, subject: None },
            deployment: format!("web-{turn}"),
            uid: Uid::new("d"),
            turn: Turn::new(turn),
            since: "2026-01-01T00:00:00Z".parse().unwrap(),
        };
        Wanted {
            place: Place { account: AccountName::new("default"), region: Region::new("us-east-1") },
            name: "/deployed".to_owned(),
            record: Record::of(&owner, &deployed),
            known: Turn::new(known),
        }
    }

    #[test]
    fn it_is_looked_at_on_change_and_else_rarely() {
        let written = Projection::Written(String::new());
        let foreign = Projection::Withheld { reason: "Foreign", message: String::new() };
        let unknown = Projection::Unknown(String::new());
        let second = Duration::from_secs;
        let rest = second(600);
        let rows = [
            ("at once again", &written, wanted(7, 7), 1, true),
            ("after a while", &written, wanted(7, 7), 599, true),
            ("after a long while", &written, wanted(7, 7), 600, false),
            ("something else is deployed", &written, wanted(8, 8), 1, false),
            ("a deploy has begun", &written, wanted(7, 8), 1, true),
            ("not ours, looked at just now", &foreign, wanted(7, 7), 59, true),
            ("not ours, looked at a minute ago", &foreign, wanted(7, 7), 60, false),
            ("not ours, and a deploy has begun", &foreign, wanted(7, 8), 1, false),
            ("not seen a minute ago", &unknown, wanted(7, 7), 60, false),
        ];
        for (case, outcome, next, after, will_do) in rows {
            let seen = Seen::new(wanted(7, 7), second(100), rest, outcome.clone());
            assert_eq!(seen.will_do(&next, second(100 + after)), will_do, "{case}");
        }
    }

    #[test]
    fn one_of_all_parameters_is_looked_at_in_an_idle_interval_and_each_within_a_day() {
        let minute = Duration::from_secs(60);
        let rests = [1, 10, 11, 200, 1440, usize::MAX].map(|parameters| rest(parameters, minute) / 60);
        assert_eq!(rests.map(|rest| rest.as_secs()), [10, 10, 11, 200, 1440, 1440]);
    }

    #[test]
    fn those_that_are_met_at_once_are_not_looked_at_at_once_again() {
        let rest = Duration::from_secs(1000);
        let first = |number: usize| first_rest(&Uid::new(number.to_string()), rest);
        let mut hundreds = [0_u32; 10];
        for number in 0..1000 {
            hundreds[usize::try_from(first(number).as_secs() / 100).unwrap()] += 1;
        }
        assert!(hundreds.iter().all(|among| (50..150).contains(among)), "{hundreds:?}");
    }
}
