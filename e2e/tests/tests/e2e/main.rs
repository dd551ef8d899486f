//! End-to-end promises, all in one program: what waits in one of them leaves the processor to the others, and they share
//! a cluster.

mod api;
mod chart;
mod demo;
mod deploys;
