//! The operator binary: flags, wiring, HTTP.

fn main() {}
