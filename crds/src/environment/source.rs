//! Where releases come from.

use dryad_machine::release::{Branch, RepositoryUrl};
use dryad_machine::word;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A git repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Source {
    /// The repository.
    pub repository: RepositoryUrl,
    /// The branch to deploy from where nothing was deployed yet and a Deployment names none.
    pub branch: Branch,
    /// The Secret with `username` and `password` for the repository, in this namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_name: Option<SecretName>,
}

word! {
    /// A Secret's name.
    SecretName, "a Secret's name", max 253,
    pattern "^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$",
    rule "write the name of a Secret in this namespace: letters in lower case, digits, - and ."
}
