//! A transport without a network.
