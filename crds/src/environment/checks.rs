//! Checks: the questions that are asked before a release is found good.

use std::num::NonZeroU32;

use dryad_machine::word;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::duration::Span;
use crate::schema::one_of;

/// One question, asked once a tick while a release is evaluated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Check {
    /// What the history calls it.
    pub name: CheckName,
    /// What is asked: exactly one kind.
    #[serde(flatten)]
    pub question: Question,
}

/// What a check asks: exactly one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline, transform = one_of)]
pub enum Question {
    /// HTTP requests to each instance of the new group, at its private address. Redirects are not followed.
    Http(Http),
}

/// An HTTP request, and what its answer must be like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Http {
    /// With or without TLS. Certificates are not checked: an instance has none for its address.
    #[serde(default)]
    pub scheme: Scheme,
    /// The port that the instances listen on.
    #[serde(default = "default_port")]
    #[schemars(range(min = 1, max = 65_535))]
    pub port: u16,
    /// The path, perhaps with a query.
    pub path: HttpPath,
    /// The status of a good answer.
    #[serde(default = "default_status")]
    #[schemars(range(min = 100, max = 599))]
    pub expect_status: u16,
    /// A text that is in the first 64 KiB of a good answer's body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub body_contains: Option<String>,
    /// How long to wait for an answer.
    #[serde(default = "default_timeout")]
    pub timeout: HttpTimeout,
    /// How long a good answer may take, in milliseconds; left out, as long as `timeout`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 60_000))]
    pub latency_limit_milliseconds: Option<u32>,
    /// How many requests each instance gets in a tick, one after the other.
    #[serde(default = "default_count")]
    #[schemars(range(min = 1, max = 20))]
    pub count: NonZeroU32,
    /// How many requests of a tick, over all instances, may bring no good answer.
    #[serde(default)]
    #[schemars(range(min = 0, max = 1000))]
    pub failure_limit: u32,
}

/// How long to wait for an answer: 1s to 1m.
pub type HttpTimeout = Span<1, 60>;

/// With or without TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Scheme {
    /// Without.
    #[default]
    Http,
    /// With.
    Https,
}

fn default_port() -> u16 {
    80
}

fn default_status() -> u16 {
    200
}

fn default_timeout() -> HttpTimeout {
    HttpTimeout::of_seconds(5)
}

fn default_count() -> NonZeroU32 {
    NonZeroU32::MIN
}

word! {
    /// A check's name.
    CheckName, "a check's name", max 63,
    pattern "^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$",
    rule "name a check with letters in lower case, digits and -"
}

word! {
    /// The path of a request, perhaps with a query.
    HttpPath, "a path", max 512,
    pattern "^/[A-Za-z0-9/._~!$&()*+,;=:@%?-]*$",
    rule "write a path that begins with / as it stands in a request: spaces and the like as %20, no fragment"
}
