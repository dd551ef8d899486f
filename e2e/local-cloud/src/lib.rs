//! AWS as far as Dryad uses it, on one machine: a pure model behind two doors.
//!
//! [`model::World`] is the cloud: accounts and regions, groups, instances, load balancers, and time as a value
//! handed in. It reads no clock, does no IO, and answers the same to the same calls. [`wire`] is the door for
//! everything that speaks AWS's protocols (the SDKs, the `aws` CLI, boto3), [`in_process`] the one for what speaks
//! Dryad's own trait over clouds. [`instances`], [`prober`] and [`balancer`] are its data plane: processes, health
//! checks, proxies. The model knows nothing of them: [`local_cloud`] puts all of it together, around a world that is
//! [`shared`]. [`faults`] makes the cloud misbehave on demand. [`actions`] is the written list of what it knows: every
//! other action, and every other parameter, is answered 501 and remembered.
//!
//! It is not an emulator of AWS at large, checks no signatures and no IAM policies, and must never be reachable
//! from outside the machine.

pub mod actions;
pub mod balancer;
pub mod faults;
pub mod in_process;
pub mod instances;
pub mod local_cloud;
pub mod model;
pub mod prober;
pub mod shared;
pub mod webapp;
pub mod wire;
