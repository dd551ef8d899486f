//! The tick: reconcile loops, releases from git, checks, leader election.

pub mod act;
pub mod checks;
pub mod clock;
pub mod elector;
pub mod events;
pub mod health;
mod line;
pub mod metrics;
pub mod observe;
pub mod queue;
pub mod release;
pub mod run;
pub mod tags;
pub mod target;
pub mod template;
