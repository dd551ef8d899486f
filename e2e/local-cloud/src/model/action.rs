//! What an action is: a typed request that knows its own name, its answer, and how it changes a region.

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::caller::Caller;
use super::error::ApiError;
use super::region::Region;
use super::service::Service;
use super::settings::Settings;
use super::sts::Credentials;
use crate::faults::Faults;

/// Whether an action can change anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It only looks, and may be answered from the past (see [`crate::faults::Effect::Stale`]).
    Read,
    /// It changes the world.
    Write,
}

/// One action of the API, implemented by its request.
///
/// The request's serde names are AWS's own, and it refuses unknown ones: a parameter the model does not implement
/// must be an error, never be silently dropped.
pub trait Action: DeserializeOwned + Send + 'static {
    /// The service it belongs to.
    const SERVICE: Service;
    /// Its name, as AWS spells it.
    const NAME: &'static str;
    /// Whether it changes anything.
    const KIND: Kind;
    /// What it answers.
    type Answer: Serialize + Send + 'static;

    /// What it is about, in a word (a name, an id, an ARN; empty when nothing in particular): what fault rules match and
    /// the log shows.
    fn resource(&self) -> String;

    /// Carries it out, wholly or not at all.
    ///
    /// # Errors
    /// What AWS refuses the request with.
    fn run(self, region: &mut Region, context: &mut Context<'_>) -> Result<Self::Answer, ApiError>;
}

/// What an action may look at besides the region it changes.
#[derive(Debug)]
pub struct Context<'a> {
    /// The time of the call.
    pub now: Timestamp,
    /// Who calls.
    pub caller: &'a Caller,
    /// Delays and the like.
    pub settings: &'a Settings,
    /// Faults that work inside the cloud, such as launches that fail.
    pub faults: &'a Faults,
    /// Access keys, which belong to no region.
    pub credentials: &'a mut Credentials,
}
