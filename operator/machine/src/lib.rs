//! The rollout machine: states, table, plans, decisions; pure.

pub mod name;
