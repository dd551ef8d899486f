//! What an Environment's declared release has led to so far: the record that the trigger goes by.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::name::Uid;
use crate::release::Sha256;

/// The declaration that was acted on last.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Requested {
    /// The number of the Deployment that is made for it, which is the end of that one's name. It only grows; 0 where
    /// what was declared ran already when it was first declared, and nothing is made.
    #[schemars(range(min = 0))]
    pub number: i64,
    /// The digest of what was declared.
    pub digest: Sha256,
    /// The Deployment, once it is known to exist. Whoever deletes it afterwards means it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<Uid>,
}

impl Requested {
    /// What is declared, taken as what runs: it is deployed when it changes, and not before.
    pub fn already(digest: Sha256) -> Self {
        Self { number: 0, digest, uid: None }
    }

    /// The same, now that its Deployment exists.
    #[must_use]
    pub fn made(&self, uid: Uid) -> Self {
        Self { uid: Some(uid), ..self.clone() }
    }

    /// Whether nothing is left to be made for it.
    pub fn is_settled(&self) -> bool {
        self.number == 0 || self.uid.is_some()
    }

    /// The name of its Deployment.
    pub fn name(&self, environment: &str) -> String {
        name(environment, self.number)
    }
}

/// The name of the Deployment of this number.
pub fn name(environment: &str, number: i64) -> String {
    format!("{environment}-{number}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deployment_is_called_by_its_environment_and_number() {
        let digest = "a".repeat(64).parse().expect("a digest");
        let requested = Requested { number: 3, digest, uid: None };
        assert_eq!((requested.name("web").as_str(), name("web", 4).as_str()), ("web-3", "web-4"));
    }
}
