//! End-to-end promises, a module each.

#[cfg(test)]
mod api;
