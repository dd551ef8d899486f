//! The pure model: what AWS would hold, and how it changes by calls and by the passing of time.
//!
//! Folders are services; a file is an action or one idea of that service. Nothing here is async, reads a clock or
//! draws a random number: ids come from a seed, `now` is an argument.

pub mod action;
pub mod autoscaling;
pub mod caller;
pub mod ec2;
pub mod elb;
pub mod error;
pub mod glob;
mod history;
mod ids;
pub mod log;
mod paging;
mod region;
pub mod service;
pub mod settings;
pub mod ssm;
pub mod sts;
pub mod tags;
pub mod view;
mod world;

pub use action::{Action, Context, Kind};
pub use caller::{Account, Caller, Place};
pub use error::{ApiError, CallError, Code};
pub use region::Region;
pub use service::Service;
pub use settings::{HealthSource, Settings, Timings};
pub use world::{Reply, World};
