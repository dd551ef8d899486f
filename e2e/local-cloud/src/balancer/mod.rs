//! The load balancer: a real HTTP/1.1 reverse proxy on loopback, one [`Listener`] per listener.
//!
//! A listener routes by a [`Table`] that is replaced as a whole: each request is routed by the table that stands
//! when its head has arrived, and no change of the table fails a request. What it does is told, in order, as
//! [`Observation`]s: every table with what it means for capacity, every request with how it ended.
//!
//! It behaves as an Application Load Balancer: rules by priority, weights between target groups, round robin
//! within one over its healthy targets, or over all of them if none is healthy; 502, 503 and 504 where a target
//! fails it; and never a second attempt at a request, so that every failure is seen.
//!
//! What this is not: TLS, upgraded connections, stickiness, redirects. Health and registration come with the table.

mod body;
mod forward;
mod headers;
mod interruption;
mod listener;
mod picker;
mod record;
mod table;

pub use listener::{Listener, Timeouts};
pub use record::{Cause, End, GroupView, Observation, Record, RuleView, View};
pub use table::{Action, FixedResponse, Group, Rule, Share, Table, Target, TargetState, UnknownGroup};
