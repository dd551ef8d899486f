//! The tick: reconcile loops, releases from git, checks, leader election.
//!
//! [`deployment::reconcile`] and [`environment::reconcile`] are the two loops, each a list of steps of which
//! only the ends do IO: [`objects`] become what the machine decides by, the cloud is looked at ([`observe`]), and what
//! was decided is recorded ([`objects::record`]) or done ([`act`]) behind a [fence](objects::fence). A third, slow one
//! looks for what no ledger knows ([`sweep`]). What a namespace may name at all is the operator's own
//! [`configuration`], and who of several may have it is [`claim`]'s to say.
//!
//! What a deploy needs on its way has a room each: its [`release`], what [`green`] is made of, the [`checks`]. What is
//! deployed is told to others by [`projection`]. Around it all is the [`process`], of which one of several is elected
//! ([`elector`]).

pub mod act;
pub mod checks;
pub mod claim;
pub mod configuration;
pub mod deployment;
pub mod elector;
pub mod environment;
pub mod green;
pub mod objects;
pub mod observe;
pub mod process;
pub mod projection;
mod quote;
pub mod release;
pub mod sweep;
pub mod tags;
pub mod target;
