//! What the cloud said for good of what an Environment declares, before anything is launched from it: kept for as long as
//! the release is being resolved, so that a tick that could not record the answer asks nobody again.
//!
//! It holds for the very part of the Environment that was asked about. What may pass is never kept. Not here: what is
//! asked ([`launch`](crate::green::launch), [`owned`](crate::claim::owned)).

use std::future::Future;

use dryad_crds::deployment::status::{Launch, Template};
use dryad_crds::environment::EnvironmentSpec;

use crate::green::launch::Obstacle;

/// An answer that stands until what it is about is edited.
#[derive(Debug)]
pub(crate) enum Settled {
    /// What a plan will be frozen with: nothing was left open, and nothing stands in the way.
    Clear(Template),
    /// What nothing can be launched from, and why, in words.
    Refused(Template, String),
}

impl Settled {
    /// What a plan will be frozen with.
    pub(super) fn template(&self) -> Option<&Template> {
        match self {
            Self::Clear(template) => Some(template),
            Self::Refused(..) => None,
        }
    }

    fn is_of(&self, environment: &EnvironmentSpec) -> bool {
        let (Self::Clear(template) | Self::Refused(template, _)) = self;
        template.is_of(environment)
    }

    fn answer(&self) -> Result<(), Obstacle> {
        match self {
            Self::Clear(_) => Ok(()),
            Self::Refused(_, why) => Err(Obstacle::Lasting(why.clone())),
        }
    }
}

/// Whether a deploy to this Environment can be launched: by the answer that is kept, else by the one that `asked` brings.
pub(super) async fn settle(
    kept: &mut Option<Settled>,
    environment: &EnvironmentSpec,
    asked: impl Future<Output = Result<Launch, Obstacle>>,
) -> Result<(), Obstacle> {
    if let Some(settled) = kept.as_ref().filter(|settled| settled.is_of(environment)) {
        return settled.answer();
    }
    let declared = Template::of(environment);
    let settled = match asked.await {
        Ok(launch) => Settled::Clear(Template { launch: Some(launch), ..declared }),
        Err(Obstacle::Lasting(why)) => Settled::Refused(declared, why),
        Err(Obstacle::Passing(why)) => return Err(Obstacle::Passing(why)),
    };
    kept.insert(settled).answer()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn environment(instance_type: &str) -> EnvironmentSpec {
        let launch = json!({ "imageId": "ami-0abc", "instanceType": instance_type });
        let group = json!({
            "account": "default", "region": "us-east-1", "launchTemplate": launch, "subnetIds": ["subnet-a"],
            "capacity": { "min": 1, "max": 2 },
        });
        serde_json::from_value(json!({ "target": { "autoScalingGroup": group } })).expect("a spec")
    }

    /// One tick: what it goes by, and whether it asked.
    async fn tick(
        kept: &mut Option<Settled>,
        environment: &EnvironmentSpec,
        answer: Result<Launch, Obstacle>,
    ) -> (Result<(), Obstacle>, bool) {
        let mut asked = false;
        let ask = async {
            asked = true;
            answer
        };
        (settle(kept, environment, ask).await, asked)
    }

    #[tokio::test]
    async fn a_lasting_answer_is_kept_until_the_environment_is_edited_and_a_passing_one_is_not() {
        let launch = || Ok(Launch { image_id: "ami-0abc".parse().unwrap(), version: None });
        let lasting = || Err(Obstacle::Lasting("somebody else's".to_owned()));
        let passing = || Err(Obstacle::Passing("no answer".to_owned()));
        let refused = |obstacle: Result<Launch, Obstacle>| obstacle.map(drop);
        let (small, large) = (environment("t3.micro"), environment("t3.large"));
        let mut kept = None;
        let mut ask = async |environment, answer| tick(&mut kept, environment, answer).await;

        assert_eq!(ask(&small, passing()).await, (refused(passing()), true));
        assert_eq!(ask(&small, lasting()).await, (refused(lasting()), true), "what may pass is asked again");
        assert_eq!(
            ask(&small, launch()).await,
            (refused(lasting()), false),
            "what is refused for good is not"
        );
        assert_eq!(
            ask(&large, passing()).await,
            (refused(passing()), true),
            "that was said of something else"
        );
        assert_eq!(ask(&large, launch()).await, (Ok(()), true));
        assert_eq!(ask(&large, lasting()).await, (Ok(()), false));
        assert_eq!(ask(&small, launch()).await, (Ok(()), true));
    }

    #[test]
    fn a_plan_is_frozen_with_nothing_that_was_refused() {
        let template = Template::of(&environment("t3.micro"));
        assert_eq!(Settled::Clear(template.clone()).template(), Some(&template));
        assert_eq!(Settled::Refused(template, "somebody else's".to_owned()).template(), None);
    }
}
