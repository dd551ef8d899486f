//! The tick: reconcile loops, releases from git, checks, leader election.
//!
//! [`deployment::reconcile`] and [`environment::reconcile`] are the two loops, each a list of steps of which
//! only the ends do IO: objects become what the machine decides by ([`view`]), the cloud is looked at
//! ([`observe`]), and what was decided is recorded ([`record`]) or done ([`act`]) behind a [`fence`]. What a namespace
//! may name at all is the operator's own [`configuration`].
//! [`run`](run::run) is the life of a process around them.

pub mod act;
mod announced;
pub mod blueprint;
pub mod caches;
pub mod census;
pub mod checks;
pub mod clock;
pub mod configuration;
pub mod conflict;
pub mod denials;
pub mod deployment;
pub mod desk;
pub mod elector;
pub mod environment;
pub mod events;
pub mod fence;
pub mod guarded;
pub mod health;
pub mod launch;
mod line;
pub mod loops;
pub mod mandate;
pub mod metrics;
pub mod observe;
pub mod operator;
pub mod owned;
pub mod past;
pub mod patience;
pub mod projection;
pub mod queue;
pub mod record;
pub mod release;
pub mod run;
pub mod survey;
pub mod sweep;
pub mod tags;
pub mod target;
pub mod template;
pub mod view;
