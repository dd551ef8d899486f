//! One process of the operator: its [life](run), its [loops], what every tick shares ([`operator`]), and what is kept
//! between ticks and lost with it ([`desk`], [`past`], [`denials`]).
//!
//! Nothing here decides what becomes of an object.

pub mod clock;
pub mod denials;
pub mod desk;
pub mod health;
pub mod loops;
pub mod mandate;
pub mod metrics;
pub mod operator;
pub mod past;
pub mod patience;
pub mod run;
