//! What has become of the Deployment that was made for a declared release, for the conditions.

use dryad_cloud::Cloud;
use dryad_crds::DeploymentStatus;
use dryad_crds::condition::declared::{Made, Request};
use dryad_machine::history::History;
use dryad_machine::name::{Turn, Uid};
use kube::ResourceExt;

use super::Tick;
use super::trigger::Pulled;
use crate::objects::view;
use crate::process::operator::TickError;

/// What has become of it.
pub(super) enum Requested {
    /// Nothing had to be made.
    Found,
    /// It is being made, or is but was not seen yet.
    Underway(String),
    /// It can't be made or can't be gone by, and why.
    Refused(String),
    /// It is there.
    Made { name: String, uid: Uid, turn: Option<Turn>, history: History },
    /// It was there.
    Gone { name: String, uid: Uid },
}

impl Requested {
    /// Looks for it in the cache first, and asks the quorum before it believes that it is gone. None where no release
    /// is declared, or none was requested because the Environment is on its way out.
    pub(super) async fn of<C: Cloud>(tick: &Tick<'_, C>, pulled: &Pulled) -> Result<Option<Self>, TickError> {
        let requested = tick.object.status.as_ref().and_then(|status| status.requested.as_ref());
        let Some(requested) = requested.filter(|_| tick.object.spec.release.is_some()) else {
            return Ok(None);
        };
        if let Pulled::Refused(why) = pulled {
            return Ok(Some(Self::Refused(why.clone())));
        }
        let name = requested.name(&tick.environment.name);
        if requested.number == 0 {
            return Ok(Some(Self::Found));
        }
        let Some(uid) = &requested.uid else { return Ok(Some(Self::Underway(name))) };
        if let Some(made) = tick.deployments.iter().find(|deployment| view::uid(&***deployment) == *uid) {
            let status = made.status.as_ref();
            let history = match status.map_or(Ok(History::default()), DeploymentStatus::history) {
                Ok(history) => history,
                Err(illegal) => return Ok(Some(Self::Refused(format!("Deployment {name}: {illegal}")))),
            };
            let (uid, turn) = (uid.clone(), status.and_then(|status| status.turn));
            return Ok(Some(Self::Made { name, uid, turn, history }));
        }
        let api = tick.operator.deployments_api(&tick.namespace());
        let there = api.get_metadata_opt(&name).await?.and_then(|found| found.uid());
        Ok(Some(match there.as_deref() == Some(uid.as_str()) {
            true => Self::Underway(name),
            false => Self::Gone { name, uid: uid.clone() },
        }))
    }

    /// The same, for a fold.
    pub(super) fn facts(&self) -> Request<'_> {
        match self {
            Self::Found => Request::Found,
            Self::Underway(name) => Request::Underway(name),
            Self::Refused(why) => Request::Refused(why),
            Self::Made { name, uid, turn, history } => {
                Request::Made(Made { name, uid, turn: *turn, history })
            }
            Self::Gone { name, uid } => Request::Gone { name, uid },
        }
    }
}
