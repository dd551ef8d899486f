//! The whole local cloud: calls at one end, requests of users at the other, processes in between.

mod endings;
mod fixture;
mod health;
mod parent_death;
mod serve;
mod serving;
mod simulated;
mod support;
mod switching;
