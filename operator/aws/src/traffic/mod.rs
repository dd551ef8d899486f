//! Target groups and rules: what they say of the instances, and who gets which share of the requests.

mod health;
mod rule;
mod shape;
#[cfg(test)]
mod tests;
