//! Whether what an Environment names is there for it: whether another one has it, or another controller keeps it.
//!
//! Not here: what the operator's own [configuration](crate::configuration) lets a namespace name at all.

pub mod conflict;
pub mod owned;
