//! The questions asked in evaluate-wait.

pub mod http;
