//! What of a Lease counts in an election, read leniently and written back whole.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::ObjectMeta;

use super::decide::Bid;
use super::durations::Durations;
use super::holder::{Holder, Identity};
use super::leadership::Epoch;

/// What one read of the Lease showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observed {
    /// There is none.
    Absent,
    /// There is one.
    Present(Record),
}

/// A Lease at one version. Two that are equal are the same write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its resource version. Opaque, and after a restore from backup not even unique; `renewed` then is.
    pub version: String,
    /// Whom it names.
    pub holder: Holder,
    /// The number of the leadership it names.
    pub epoch: Epoch,
    /// How long it claims to hold.
    pub claims: Duration,
    /// When its holder says it renewed it. Compared with itself only.
    pub renewed: Option<Timestamp>,
}

impl Record {
    /// How long it holds in the eyes of somebody with these durations: as long as either side thinks, for
    /// durations may be different in the process that wrote it.
    pub fn holds_for(&self, own: Durations) -> Duration {
        own.lease().max(self.claims.min(Durations::LONGEST))
    }
}

impl Observed {
    /// What this Lease says. Fields that make no sense count as not set.
    pub fn of(lease: Option<&Lease>) -> Self {
        let Some(lease) = lease else { return Self::Absent };
        let spec = lease.spec.clone().unwrap_or_default();
        let seconds = spec.lease_duration_seconds.and_then(|seconds| u64::try_from(seconds).ok());
        Self::Present(Record {
            version: lease.metadata.resource_version.clone().unwrap_or_default(),
            holder: Holder::read(spec.holder_identity.as_deref()),
            epoch: Epoch::read(spec.lease_transitions),
            claims: Duration::from_secs(seconds.unwrap_or(0)),
            renewed: spec.renew_time.map(|time| time.0),
        })
    }
}

/// The Lease of this name as the bid wants it: the one that was read with its labels and all else it holds, or a
/// new one. Its resource version makes the write a compare-and-swap.
pub(super) fn written(
    base: Option<&Lease>,
    name: &str,
    bid: Bid,
    identity: &Identity,
    durations: Durations,
    wall: Timestamp,
) -> Lease {
    let mut lease = base.cloned().unwrap_or_else(|| Lease {
        metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() },
        spec: None,
    });
    let spec = lease.spec.get_or_insert_default();
    let (holder, epoch) = match bid {
        Bid::LayDown { epoch } => (Holder::Unclaimed, epoch),
        Bid::Take { epoch, .. } | Bid::Keep { epoch } => (Holder::Process(identity.clone()), epoch),
        Bid::Release { epoch } => (Holder::Nobody, epoch),
    };
    let time = MicroTime(later_than(spec.renew_time.as_ref(), wall));
    let seconds = durations.lease().as_millis().div_ceil(1000);
    if matches!(bid, Bid::Take { .. }) || spec.acquire_time.is_none() {
        spec.acquire_time = Some(time.clone());
    }
    spec.renew_time = Some(time);
    spec.holder_identity = holder.write();
    spec.lease_transitions = Some(epoch.write());
    spec.lease_duration_seconds = Some(i32::try_from(seconds).unwrap_or(i32::MAX));
    lease
}

/// The wall clock, but never what stands there already: the API server does not count a write that changes
/// nothing, and a renewal that nobody sees is none.
fn later_than(present: Option<&MicroTime>, wall: Timestamp) -> Timestamp {
    let micros = |time: Timestamp| time.as_microsecond();
    match present {
        Some(present) if micros(present.0) == micros(wall) => {
            wall.saturating_add(SignedDuration::from_micros(1)).unwrap_or(wall)
        }
        Some(_) | None => wall,
    }
}
