//! Auto Scaling groups: looked at in shared batches, created, resized, attached, deleted.

mod activity;
mod change;
mod create;
mod describe;
mod gather;
mod seen;

pub(crate) use gather::Gathering;
