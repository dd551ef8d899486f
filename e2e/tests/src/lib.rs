//! End-to-end promises, a module each.
