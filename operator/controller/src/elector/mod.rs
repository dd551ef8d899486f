//! Leader election over one `coordination.k8s.io/v1` Lease.
//!
//! Exactly one replica acts. [`Candidate::run`] stands for election until its owner ends it or it loses; those
//! who act hold a [`Seat`] and ask it for the [`Leadership`] before each mutation. Losing is final: the process
//! stops acting at once and exits, and what starts in its place is another holder.
//!
//! [`Elector`] decides, purely; `candidate` speaks to the API server. This is a fence in time, for everything
//! that this process does itself. It can't call back a request that is already on its way to a cloud: how a
//! leadership began ([`Takeover`]) tells the successor whether to expect such requests. Nor does it see that a whole
//! machine was suspended, which stops the monotonic clock too: there the Environment's turn is the fence.

mod candidate;
mod decide;
mod durations;
mod holder;
mod leadership;
mod record;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use candidate::{Candidate, Election, Ending, Outcome};
pub use decide::{Bid, Elector};
pub use durations::{Durations, DurationsError};
pub use holder::{Holder, Identity};
pub use leadership::{Epoch, Leadership, Loss, Seat, Standing, Takeover};
pub use record::{Observed, Record};
