//! What runs, and what is recorded of it.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::name::{Turn, Uid};
use crate::release::Release;

/// A release with what git knows about its commit.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Shipment {
    /// Exactly what is deployed.
    pub release: Release,
    /// When the commit was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub committed_at: Option<Timestamp>,
    /// The first line of the commit's message, cut to what fits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub subject: Option<String>,
}

/// The deployed state: what runs, who brought it, since when.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Deployed {
    /// What runs.
    #[serde(flatten)]
    pub shipment: Shipment,
    /// The Deployment that brought it.
    #[schemars(length(max = 253))]
    pub deployment: String,
    /// The uid of that Deployment.
    pub uid: Uid,
    /// The turn in which it did.
    pub turn: Turn,
    /// When it was found good.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub since: Timestamp,
}
