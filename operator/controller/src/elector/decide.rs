//! The elector: what a process makes of what it sees of the Lease. Pure: instants are handed in.
//!
//! Why no two lead at once, whatever is delayed, lost or stopped, as long as clocks differ in speed by less than
//! `renew` and `lease` do: every change of the Lease is a compare-and-swap, so they stand in one order. A holder acts until
//! `renew` after it *asked* for its last renewal. Another takes over only by replacing a version that it has
//! itself seen unchanged for `lease`, which is more: whatever renewal came before that version was asked for
//! before it was seen. Wall clocks play no part. A Lease that is missing has no version, so nothing follows from
//! its absence: a placeholder is laid down, which then has to expire like any other.

use tokio::time::Instant;

use super::durations::Durations;
use super::holder::{Holder, Identity};
use super::leadership::{Epoch, Leadership, Loss, Standing, Takeover};
use super::record::{Observed, Record};

/// One process's part in the election.
#[derive(Clone, Debug)]
pub struct Elector {
    identity: Identity,
    durations: Durations,
    role: Role,
    sighting: Option<Sighting>,
    newest: Epoch,
}

#[derive(Clone, Debug)]
enum Role {
    /// Not holding the lease as far as it knows. An attempt to take it may have succeeded unheard.
    Following {
        attempted: Option<Takeover>,
    },
    Leading(Leadership),
    Lost(Loss),
    Released,
}

#[derive(Clone, Debug)]
struct Sighting {
    observed: Observed,
    since: Instant,
}

/// A change to the Lease, to be made only if it still is what was observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bid {
    /// Lay down an unclaimed one where there is none.
    LayDown {
        /// The number that the next leadership follows on.
        epoch: Epoch,
    },
    /// Become its holder.
    Take {
        /// The number of the new leadership.
        epoch: Epoch,
        /// How it begins.
        takeover: Takeover,
    },
    /// Stay its holder; where it was deleted, put it back.
    Keep {
        /// The number of the leadership.
        epoch: Epoch,
    },
    /// Let go of it.
    Release {
        /// The number of the leadership that ends.
        epoch: Epoch,
    },
}

impl Elector {
    /// A process that has seen nothing yet.
    pub fn new(identity: Identity, durations: Durations) -> Self {
        let role = Role::Following { attempted: None };
        Self { identity, durations, role, sighting: None, newest: Epoch::default() }
    }

    /// Takes in what a read (or the last write) showed, and says what to write, if anything.
    pub fn decide(&mut self, observed: &Observed, now: Instant) -> Option<Bid> {
        self.check(now);
        let since = self.see(observed, now);
        let own = Holder::Process(self.identity.clone());
        match &mut self.role {
            Role::Following { attempted } => {
                let bid = match observed {
                    Observed::Absent => Bid::LayDown { epoch: self.newest },
                    Observed::Present(record) => {
                        let Record { holder, epoch, .. } = record;
                        let expired = now >= since + record.holds_for(self.durations);
                        let (epoch, takeover) = match holder {
                            holder if *holder == own => (*epoch, attempted.unwrap_or(Takeover::Unclean)),
                            Holder::Nobody => (epoch.next(), Takeover::Clean),
                            Holder::Unclaimed if expired && *epoch == Epoch::default() => {
                                (epoch.next(), Takeover::First)
                            }
                            Holder::Unclaimed | Holder::Process(_) if expired => {
                                (epoch.next(), Takeover::Unclean)
                            }
                            Holder::Unclaimed | Holder::Process(_) => return None,
                        };
                        *attempted = Some(takeover);
                        Bid::Take { epoch, takeover }
                    }
                };
                Some(bid)
            }
            Role::Leading(Leadership { epoch, .. }) => match observed {
                Observed::Present(record) if record.holder != own => {
                    self.role = Role::Lost(Loss::Taken { by: record.holder.clone() });
                    None
                }
                Observed::Absent | Observed::Present(_) => Some(Bid::Keep { epoch: *epoch }),
            },
            Role::Lost(_) | Role::Released => None,
        }
    }

    /// Takes in that a bid, asked for at `asked`, was answered with success.
    pub fn wrote(&mut self, bid: Bid, result: &Observed, asked: Instant, now: Instant) {
        self.see(result, now);
        let valid_until = asked + self.durations.renew();
        match (&mut self.role, bid) {
            (role @ Role::Following { .. }, Bid::Take { epoch, takeover }) => {
                *role = Role::Leading(Leadership { epoch, takeover, valid_until });
            }
            (Role::Leading(leadership), Bid::Keep { .. }) => leadership.valid_until = valid_until,
            (
                Role::Following { .. } | Role::Leading(_) | Role::Lost(_) | Role::Released,
                Bid::LayDown { .. } | Bid::Take { .. } | Bid::Keep { .. } | Bid::Release { .. },
            ) => {}
        }
    }

    /// Notices that time has passed: a leadership that was not renewed in time is lost, and stays so.
    pub fn check(&mut self, now: Instant) {
        if let Role::Leading(leadership) = &self.role
            && !leadership.is_valid(now)
        {
            self.role = Role::Lost(Loss::NotRenewed);
        }
    }

    /// Ends a leadership of one's own will, if this shows that the lease is still ours. Whoever calls has stopped
    /// acting before.
    pub fn release(&mut self, observed: &Observed) -> Option<Bid> {
        let Role::Leading(Leadership { epoch, .. }) = self.role else { return None };
        match observed {
            Observed::Present(record) if record.holder == Holder::Process(self.identity.clone()) => {
                self.role = Role::Released;
                Some(Bid::Release { epoch })
            }
            Observed::Present(_) | Observed::Absent => None,
        }
    }

    /// How this process stands.
    pub fn standing(&self) -> Standing {
        match (&self.role, &self.sighting) {
            (Role::Following { .. }, None) => Standing::Asking,
            (Role::Following { .. }, Some(_)) => Standing::Standby,
            (Role::Leading(leadership), _) => Standing::Leading(*leadership),
            (Role::Lost(_) | Role::Released, _) => Standing::Over,
        }
    }

    /// Why it lost its leadership, if it did.
    pub fn loss(&self) -> Option<&Loss> {
        match &self.role {
            Role::Lost(loss) => Some(loss),
            Role::Following { .. } | Role::Leading(_) | Role::Released => None,
        }
    }

    /// Since when exactly this has been seen, this time included.
    fn see(&mut self, observed: &Observed, now: Instant) -> Instant {
        if let Observed::Present(record) = observed {
            self.newest = self.newest.max(record.epoch);
        }
        match &self.sighting {
            Some(sighting) if sighting.observed == *observed => sighting.since,
            Some(_) | None => {
                self.sighting = Some(Sighting { observed: observed.clone(), since: now });
                now
            }
        }
    }
}
