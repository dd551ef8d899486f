//! What cargo demo runs.

fn main() {}
