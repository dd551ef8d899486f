//! The model check: the real `decide`, of Deployments and of their Environment, in every order of events.
//!
//! A state is everything there is: the cloud ([`world`]), the API server ([`api`]), processes with caches and
//! [`memory`], requests under way ([`state`]). A step ([`actions`]) is one tick of one loop ([`think`], then [`tick`]),
//! or anything that happens without us. S1 to S7 are in [`rules`] (requests), [`served`] (users) and [`writes`], L1 to
//! L3 in [`ending`]; [`catalogue`] says what is checked, [`scopes`] how far, and [`seeded`] shows that a missing guard
//! is noticed. [`stories`] are single deploys.
//!
//! `cargo test -p dryad-machine --test model -- --nocapture` prints how many states each scope has.
//! `DRYAD_MODEL=ci` and `DRYAD_MODEL=nightly` go further.

mod actions;
mod api;
mod backup;
mod catalogue;
mod ending;
mod memory;
mod properties;
mod restore;
mod rules;
mod scope;
mod scopes;
mod seam;
mod seeded;
mod served;
mod state;
mod stories;
mod story;
mod think;
mod tick;
mod world;
mod writes;
