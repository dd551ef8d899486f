//! Auto Scaling groups: looked at in shared batches, created, resized, attached, deleted.

mod activity;
mod change;
mod create;
mod describe;
mod gather;
#[cfg(test)]
mod gather_tests;
mod seen;
mod tagged;
#[cfg(test)]
mod tests;

pub(crate) use gather::Gathering;
