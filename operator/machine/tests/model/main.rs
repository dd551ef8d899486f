//! The model check: the real `decide`, of Deployments and of their Environment, in every order of events.
//!
//! A state is everything there is: the cloud ([`world`]), the API server ([`api`]), processes with caches and
//! [`memory`], requests under way ([`state`]). A step ([`actions`]) is one tick of one loop ([`tick`]), or anything
//! that happens without us. [`rules`] are S1 to S7, [`ending`] is L1 to L3, [`scopes`] are what is checked and how
//! far, [`seeded`] shows that a missing guard is noticed.
//!
//! `cargo test -p dryad-machine --test model -- --nocapture` prints how many states each scope has.
//! `DRYAD_MODEL=ci` and `DRYAD_MODEL=nightly` go further.

mod actions;
mod api;
mod ending;
mod memory;
mod properties;
mod restore;
mod rules;
mod scope;
mod scopes;
mod seam;
mod seeded;
mod state;
mod stories;
mod tick;
mod world;
