//! The data plane on real processes and sockets: instances, the prober that checks them, the balancer before them.

mod balancer;
mod draining;
mod instances;
mod parent_death;
mod prober;
mod support;
mod switching;
