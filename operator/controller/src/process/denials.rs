//! What the cloud does not let the operator do, Environment by Environment: for the condition `Ready`, which names every
//! such request until it is allowed.
//!
//! Only a look aside: what was denied is tried again all the same, by ticks that know nothing of this.

use std::collections::HashMap;
use std::mem::Discriminant;
use std::sync::{Mutex, PoisonError};

use dryad_cloud::CloudError;
use dryad_machine::effect::Effect;
use dryad_machine::name::Uid;

/// What was asked: what answers the same question the next time says whether it is allowed by then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ask {
    /// How the target is.
    Target,
    /// Which groups there are that the record may not know of.
    Past,
    /// What the launch template holds that green's is derived from.
    Template,
    /// Whose rule and target groups are.
    Owner,
    /// Which image a parameter names.
    Image,
    /// Where instances are.
    Addresses,
    /// A change.
    Change(Discriminant<Effect>),
}

/// Everybody's.
#[derive(Debug, Default)]
pub struct Denials {
    standing: Mutex<HashMap<Uid, HashMap<Ask, String>>>,
}

impl Denials {
    /// Takes in how a question for this Environment was answered.
    pub fn answered(&self, environment: &Uid, ask: Ask, answer: Result<(), &CloudError>) {
        let mut standing = self.standing.lock().unwrap_or_else(PoisonError::into_inner);
        match answer {
            Err(denied @ CloudError::Denied { .. }) => {
                standing.entry(environment.clone()).or_default().insert(ask, in_words(denied));
            }
            // Whether it is allowed is not known.
            Err(
                CloudError::Unanswered { .. } | CloudError::Unreachable { .. } | CloudError::Throttled { .. },
            ) => {}
            // Each of these is said to those only who may ask.
            Ok(())
            | Err(
                CloudError::NotFound { .. }
                | CloudError::AlreadyExists { .. }
                | CloudError::Busy { .. }
                | CloudError::Invalid { .. },
            ) => {
                if let Some(asked) = standing.get_mut(environment) {
                    asked.remove(&ask);
                }
            }
        }
    }

    /// What is denied to the operator in this Environment, in words.
    pub fn of(&self, environment: &Uid) -> Option<String> {
        let standing = self.standing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> = standing.get(environment)?.values().cloned().collect();
        all.sort_unstable();
        all.dedup();
        (!all.is_empty()).then(|| all.join("; "))
    }

    /// Forgets those of Environments that exist no more.
    pub fn keep(&self, exists: impl Fn(&Uid) -> bool) {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner).retain(|uid, _| exists(uid));
    }
}

/// What the cloud said, without what EC2 appends to a denial, which nobody can read, and which is another one each time.
pub(crate) fn in_words(error: &CloudError) -> String {
    const CIPHER: &str = "Encoded authorization failure message";
    let said = error.to_string();
    said.split_once(CIPHER).map_or(said.as_str(), |(words, _)| words.trim_end()).to_owned()
}

#[cfg(test)]
mod tests {
    use std::mem::discriminant;

    use dryad_machine::name::GroupName;

    use super::*;

    fn denied(action: &'static str, message: &str) -> CloudError {
        CloudError::Denied { action, message: message.to_owned() }
    }

    fn delete(name: &str) -> Ask {
        Ask::Change(discriminant(&Effect::Delete(GroupName::new(name))))
    }

    #[test]
    fn a_denial_stands_until_the_same_question_is_answered() {
        let (denials, web) = (Denials::default(), Uid::new("web"));
        assert_eq!(denials.of(&web), None);
        denials.answered(&web, Ask::Target, Err(&denied("DescribeRules", "no")));
        denials.answered(&web, delete("a"), Err(&denied("DeleteAutoScalingGroup", "no")));
        let both = denials.of(&web).unwrap();
        assert!(both.starts_with("DeleteAutoScalingGroup is denied to the operator; allow it in"), "{both}");
        assert!(both.contains("; DescribeRules is denied"), "{both}");

        let unknown = CloudError::Throttled { action: "DescribeRules" };
        denials.answered(&web, Ask::Target, Err(&unknown));
        denials.answered(&web, Ask::Addresses, Ok(()));
        assert_eq!(denials.of(&web).unwrap(), both, "none of these says that it is allowed");

        denials.answered(&web, Ask::Target, Ok(()));
        let busy = CloudError::Busy { action: "DeleteAutoScalingGroup", message: String::new() };
        denials.answered(&web, delete("b"), Err(&busy));
        assert_eq!(denials.of(&web), None);
    }

    #[test]
    fn one_environments_denials_are_not_anothers() {
        let (denials, web, shop) = (Denials::default(), Uid::new("web"), Uid::new("shop"));
        denials.answered(&web, Ask::Target, Err(&denied("DescribeRules", "no")));
        denials.answered(&shop, Ask::Target, Ok(()));
        assert_eq!((denials.of(&web).is_some(), denials.of(&shop)), (true, None));
        denials.keep(|uid| *uid == shop);
        assert_eq!(denials.of(&web), None);
    }

    #[test]
    fn what_changes_with_every_answer_is_not_said() {
        let (denials, web) = (Denials::default(), Uid::new("web"));
        let mut said = Vec::new();
        for cipher in ["abc", "xyz"] {
            let message = format!("not authorized. Encoded authorization failure message: {cipher}");
            denials.answered(&web, Ask::Target, Err(&denied("CreateLaunchTemplate", &message)));
            said.push(denials.of(&web).unwrap());
        }
        assert_eq!(said[0], said[1]);
        assert!(said[0].ends_with("not authorized."), "{}", said[0]);
    }
}
