//! The rollout machine: states, table, plans, decisions. Pure: no async, no clock, no IO, no randomness.
//!
//! [`decide::decide`] is the whole of it: from what the caches show of a Deployment and its Environment
//! ([`view`]), what this process has seen of the cloud ([`memory`]) and what time it is, it says what one tick
//! does. [`table`] says what follows what, [`capacity`] what may never be taken away, [`tenure`] who may
//! change what. [`rest`] says what is left alone, [`trigger`] says when a declared release becomes a Deployment.

pub mod access;
pub mod adopt;
pub mod capacity;
mod case;
pub mod decide;
pub mod deployed;
pub mod diagram;
pub mod effect;
pub mod environment;
pub mod event;
pub mod history;
pub mod memory;
pub mod name;
pub mod plan;
pub mod reading;
pub mod release;
pub mod requested;
pub mod rest;
pub mod state;
pub mod strategy;
pub mod sweep;
pub mod table;
pub mod tenure;
pub mod trigger;
mod upkeep;
pub mod view;
pub mod word;
