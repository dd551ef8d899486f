//! The elector at the API server: one round after another, however that answers.

use std::future::Future;
use std::pin::pin;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use kube::api::PostParams;
use kube::{Api, Client};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout_at};
use tracing::{debug, error, info, warn};

use super::decide::{Bid, Elector};
use super::durations::Durations;
use super::holder::Identity;
use super::leadership::{Loss, Seat, Standing};
use super::record::{Observed, written};

/// Which Lease to stand for, and how.
#[derive(Clone, Debug)]
pub struct Election {
    /// The namespace of the Lease.
    pub namespace: String,
    /// Its name: one a set of replicas.
    pub name: String,
    /// How long a lease holds.
    pub durations: Durations,
}

/// How a candidate is to leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Let go of the lease: a successor takes over at once and trusts that nothing is on its way any more.
    Release,
    /// Leave it to run out: something may still be on its way.
    Abandon,
}

/// How an election ended for this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It let go of the lease.
    Released,
    /// It did not lead, or left the lease to run out.
    Left,
    /// It led, and lost the lease. The process must exit.
    Lost(Loss),
}

/// A process that stands for election.
pub struct Candidate {
    leases: Api<Lease>,
    election: Election,
    identity: Identity,
    elector: Elector,
    /// The Lease as our last successful write left it, while we lead: it needs no reading.
    kept: Option<Lease>,
    standing: watch::Sender<Standing>,
}

impl Candidate {
    /// A candidate, and the seat that shows how it stands.
    pub fn new(client: Client, election: Election, identity: Identity) -> (Self, Seat) {
        let elector = Elector::new(identity.clone(), election.durations);
        let (standing, watched) = watch::channel(elector.standing());
        let leases = Api::namespaced(client, &election.namespace);
        (Self { leases, election, identity, elector, kept: None, standing }, Seat::new(watched))
    }

    /// Stands for election, leads, stays the leader, until `end` says how to leave or the leadership is lost.
    /// The seat shows that it is over before this returns, and before the lease is released.
    pub async fn run(mut self, end: impl Future<Output = Ending>) -> Outcome {
        let mut end = pin!(end);
        loop {
            if let Some(loss) = self.lost() {
                return Outcome::Lost(loss);
            }
            self.round().await;
            if let Some(loss) = self.lost() {
                return Outcome::Lost(loss);
            }
            let next = self.until_expiry(Instant::now() + self.election.durations.retry());
            tokio::select! {
                biased;
                ending = &mut end => return self.leave(ending).await,
                () = sleep_until(next) => {}
            }
        }
    }

    /// One round, bounded in time and by the validity of the leadership; then everybody is shown the standing.
    async fn round(&mut self) {
        let before = self.elector.standing();
        let deadline = self.until_expiry(Instant::now() + self.election.durations.patience());
        match timeout_at(deadline, self.look_and_bid()).await {
            Ok(Ok(())) => {}
            Ok(Err(kube::Error::Api(answer))) if answer.code == 409 => {
                debug!(lease = self.election.name, "somebody else changed the lease first");
            }
            Ok(Err(failure)) => {
                warn!(lease = self.election.name, error = %failure, "the lease could not be read or written");
            }
            Err(_) => warn!(lease = self.election.name, "the API server did not answer about the lease"),
        }
        if let (Standing::Asking | Standing::Standby, Standing::Leading(leadership)) =
            (before, self.elector.standing())
        {
            let (epoch, takeover) = (leadership.epoch, leadership.takeover);
            info!(lease = self.election.name, identity = %self.identity, %epoch, ?takeover, "now the leader");
        }
        self.standing.send_replace(self.elector.standing());
    }

    async fn look_and_bid(&mut self) -> Result<(), kube::Error> {
        let lease = self.read().await?;
        let Some(bid) = self.elector.decide(&Observed::of(lease.as_ref()), Instant::now()) else {
            return Ok(());
        };
        let asked = Instant::now();
        let lease = self.write(lease.as_ref(), bid).await?;
        self.elector.wrote(bid, &Observed::of(Some(&lease)), asked, Instant::now());
        if let Standing::Leading(_) = self.elector.standing() {
            self.kept = Some(lease);
        }
        Ok(())
    }

    async fn read(&mut self) -> Result<Option<Lease>, kube::Error> {
        match self.kept.take() {
            Some(lease) => Ok(Some(lease)),
            None => self.leases.get_opt(&self.election.name).await,
        }
    }

    async fn write(&self, base: Option<&Lease>, bid: Bid) -> Result<Lease, kube::Error> {
        let Election { name, durations, .. } = &self.election;
        let lease = written(base, name, bid, &self.identity, *durations, Timestamp::now());
        match base {
            Some(_) => self.leases.replace(name, &PostParams::default(), &lease).await,
            None => self.leases.create(&PostParams::default(), &lease).await,
        }
    }

    async fn leave(mut self, ending: Ending) -> Outcome {
        if let Some(loss) = self.lost() {
            return Outcome::Lost(loss);
        }
        self.standing.send_replace(Standing::Over);
        if ending == Ending::Abandon {
            return Outcome::Left;
        }
        let deadline = Instant::now() + self.election.durations.patience();
        match timeout_at(deadline, self.release()).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(failure)) => {
                warn!(lease = self.election.name, error = %failure, "the lease was not released and runs out");
                Outcome::Left
            }
            Err(_) => {
                warn!(lease = self.election.name, "the lease was not released in time and runs out");
                Outcome::Left
            }
        }
    }

    async fn release(&mut self) -> Result<Outcome, kube::Error> {
        let lease = self.read().await?;
        let Some(bid) = self.elector.release(&Observed::of(lease.as_ref())) else { return Ok(Outcome::Left) };
        self.write(lease.as_ref(), bid).await?;
        Ok(Outcome::Released)
    }

    /// Why the leadership is lost, if it is by now; then everybody is shown so.
    fn lost(&mut self) -> Option<Loss> {
        self.elector.check(Instant::now());
        let loss = self.elector.loss().cloned()?;
        self.standing.send_replace(Standing::Over);
        error!(%loss, lease = self.election.name, "no longer the leader");
        Some(loss)
    }

    /// The instant, or the end of our leadership if that is sooner.
    fn until_expiry(&self, instant: Instant) -> Instant {
        match self.elector.standing() {
            Standing::Leading(leadership) => instant.min(leadership.valid_until),
            Standing::Asking | Standing::Standby | Standing::Over => instant,
        }
    }
}
