//! Rules about calls: which they are, how often, and what happens to them.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::model::glob::Glob;
use crate::model::log::Called;
use crate::model::{ApiError, Code, Kind, Service};

/// What happens to some calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Only calls of this service; unset: of any.
    #[serde(default)]
    pub service: Option<Service>,
    /// Only these actions.
    #[serde(default)]
    pub action: Glob,
    /// Only calls about these resources (see [`Action::resource`](crate::model::Action::resource)).
    #[serde(default)]
    pub resource: Glob,
    /// How many fitting calls pass untouched first.
    #[serde(default)]
    pub skip: u32,
    /// How many calls it happens to; unset: to all, until the rule is removed.
    #[serde(default)]
    pub times: Option<u32>,
    /// What happens.
    pub effect: Effect,
}

/// What happens to a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind", deny_unknown_fields)]
pub enum Effect {
    /// Refused as one too many, with the service's own code.
    Throttle,
    /// Refused like that beyond so many calls a time, as an account's bucket of tokens does.
    Ration {
        /// A token for one call comes in each such time.
        every: SignedDuration,
        /// How many tokens are kept, and are there at first.
        burst: u32,
        /// Until when tokens are spent.
        #[serde(default)]
        spent: Option<Timestamp>,
    },
    /// Failed by the cloud's own fault, with the service's own code, and not carried out.
    Fail,
    /// Refused as not allowed, with the service's own code.
    Deny,
    /// Refused with this code.
    Refuse {
        /// The code, as AWS spells it.
        code: Code,
        /// The sentence.
        message: String,
    },
    /// Carried out at once, answered later.
    Delay {
        /// How much later.
        by: SignedDuration,
    },
    /// Carried out at once, never answered.
    LoseAnswer,
    /// Not answered, and carried out later, long after the caller may have given up or died.
    ArriveLate {
        /// How much later.
        after: SignedDuration,
    },
    /// Answered from the past. Only reads are; what is newer is not in the answer.
    Stale {
        /// How old the answer is.
        by: SignedDuration,
    },
}

impl Rule {
    /// Whether this call is one of those the rule happens to; if so it is counted.
    pub(super) fn takes(&mut self, called: &Called, kind: Kind) -> bool {
        let fits = self.service.is_none_or(|only| only == called.service)
            && self.action.matches(called.action)
            && self.resource.matches(&called.resource)
            && (kind == Kind::Read || !matches!(self.effect, Effect::Stale { .. }));
        if !fits || self.times == Some(0) {
            return false;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        if let Some(times) = &mut self.times {
            *times -= 1;
        }
        true
    }
}

/// What becomes of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Carried out and answered.
    Pass,
    /// Answered so, and not carried out.
    Refused(ApiError),
    /// Carried out, not answered.
    Unanswered,
    /// Not answered, carried out that much later.
    Late(SignedDuration),
    /// Answered from that far back.
    Stale(SignedDuration),
}

impl Effect {
    /// Whether this call is let pass because there is a token for it, which is spent then.
    pub(super) fn spends_a_token(&mut self, now: Timestamp) -> bool {
        let Self::Ration { every, burst, spent } = self else { return false };
        let from = spent.unwrap_or(now).max(now);
        let kept = *every * i32::try_from(*burst).unwrap_or(i32::MAX);
        let passes = from + *every <= now + kept;
        if passes {
            *spent = Some(from + *every);
        }
        passes
    }

    /// What it makes of this call; a delay changes nothing but the time of the answer.
    pub(super) fn fate(&self, service: Service, action: &str, principal: &str) -> Fate {
        let refused = |code, message: &str| Fate::Refused(ApiError::new(code, message));
        match self {
            Self::Throttle | Self::Ration { .. } => refused(service.throttled(), "Rate exceeded"),
            Self::Fail => refused(service.failed(), "An internal error has occurred."),
            Self::Deny => {
                let what = format!("{}:{action}", service.name());
                let message = format!("User: {principal} is not authorized to perform: {what}");
                refused(service.denied(), &message)
            }
            Self::Refuse { code, message } => refused(*code, message),
            Self::Delay { .. } => Fate::Pass,
            Self::LoseAnswer => Fate::Unanswered,
            Self::ArriveLate { after } => Fate::Late(*after),
            Self::Stale { by } => Fate::Stale(*by),
        }
    }
}
