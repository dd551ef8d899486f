//! Target groups and rules: what they say of the instances, and who gets which share of the requests.

mod health;
mod rule;
mod shape;
mod tags;
#[cfg(test)]
mod tests;
