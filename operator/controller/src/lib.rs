//! The tick: reconcile loops, releases from git, checks, leader election.

pub mod act;
pub mod checks;
pub mod clock;
mod line;
pub mod elector;
pub mod observe;
pub mod queue;
pub mod release;
pub mod tags;
pub mod target;
pub mod template;
