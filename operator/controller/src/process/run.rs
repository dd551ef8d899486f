//! The operator as a whole: what it is told, and its life from the first question to the last answer.

use std::future::pending;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use dryad_cloud::Cloud;
use kube::Client;
use thiserror::Error;
use tokio::sync::oneshot;
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::checks::http::{Prober, ProberError};
use crate::configuration::Current;
use crate::elector::{Candidate, Election, Ending, Identity, Leadership, Loss, Outcome, Seat, Standing};
use crate::objects::events::Events;
use crate::observe::census::Census;
use crate::observe::survey::Surveys;
use crate::process::clock::Clock;
use crate::process::denials::Denials;
use crate::process::desk::Desks;
use crate::process::health::{Health, Readiness};
use crate::process::loops::{Loops, Scope};
use crate::process::mandate::Mandate;
use crate::process::metrics::Metrics;
use crate::process::operator::Operator;
use crate::process::past::Pasts;
use crate::release::git::{Git, GitOptions, Protocols};
use crate::sweep::Leftovers;

/// How many requests of all checks together may be under way.
const CHECKS_AT_ONCE: usize = 64;
/// How much of git's histories is kept on disk.
const GIT_CACHE_BYTES: u64 = 2 << 30;
/// How long git may take for one answer.
const GIT_TIMEOUT: Duration = Duration::from_secs(120);

/// What the operator is told by its flags.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The name that marks everything of this installation in the cloud.
    pub installation: String,
    /// The pod that this process runs in.
    pub pod: String,
    /// The Lease to stand for.
    pub election: Election,
    /// Whose objects are reconciled.
    pub scope: Scope,
    /// Z: for how long an unanswered request may still land.
    pub uncertainty: Duration,
    /// How often the sweeper looks for what was left behind.
    pub sweep: Duration,
    /// How long an Environment to which nothing happens is left alone.
    pub idle: Duration,
    /// The directory that holds what was fetched of git repositories.
    pub git_cache: PathBuf,
    /// The certificate authorities that https repositories are held against, as a PEM file; none leaves it to git.
    pub git_certificates: Option<PathBuf>,
    /// What git may speak to repositories.
    pub protocols: Protocols,
}

/// Where a process shows how it is.
#[derive(Clone, Debug)]
pub struct Instruments {
    /// What it counts.
    pub metrics: Metrics,
    /// What its probes are answered with.
    pub health: Health,
}

/// What the operator acts on, and by.
#[derive(Clone)]
pub struct World<C> {
    /// The API server.
    pub client: Client,
    /// The cloud.
    pub cloud: Arc<C>,
    /// The two clocks; the client's answers must pass it.
    pub clock: Clock,
    /// What each namespace may name.
    pub configuration: Current,
}

/// Why the operator ended though nobody told it to.
#[derive(Debug, Error)]
pub enum RunError {
    /// Somebody else leads. The process must exit.
    #[error("this process led and must not act any more: {0}")]
    Lost(#[from] Loss),
    /// TLS for checks can't be set up.
    #[error(transparent)]
    Prober(#[from] ProberError),
    /// A defect.
    #[error("the election broke off: {0}")]
    Broken(#[from] JoinError),
}

/// Runs the operator until `stop`: stands for election, and once it leads, runs the loops.
///
/// # Errors
/// When it has to end before.
pub async fn run<C: Cloud>(
    settings: Settings,
    world: World<C>,
    instruments: Instruments,
    stop: CancellationToken,
) -> Result<(), RunError> {
    let prober = Prober::new(CHECKS_AT_ONCE)?;
    let identity = Identity::of_process(&settings.pod);
    let (candidate, seat) = Candidate::new(world.client.clone(), settings.election.clone(), identity);
    let (leave, leaving) = oneshot::channel();
    let election = tokio::spawn(candidate.run(async move { leaving.await.unwrap_or(Ending::Abandon) }));
    let (over, mut watched) = (CancellationToken::new(), seat.clone());
    let rounds = async {
        while let Some(standing) = watched.next_round().await {
            show(&instruments, standing);
        }
        over.cancel();
    };
    let life = async {
        let ending = tokio::select! {
            ending = serve(&settings, world, &instruments, prober, seat, stop) => ending,
            () = over.cancelled() => Ending::Abandon,
        };
        info!(?ending, "leaving");
        // An election that is over already does not need to be told.
        let _ = leave.send(ending);
    };
    futures::join!(life, rounds);
    match election.await? {
        Outcome::Released | Outcome::Left => Ok(()),
        Outcome::Lost(loss) => Err(loss.into()),
    }
}
/// Waits for the leadership, then runs the loops until `stop`. Says how the lease is to be left.
async fn serve<C: Cloud>(
    settings: &Settings,
    world: World<C>,
    instruments: &Instruments,
    prober: Prober,
    mut seat: Seat,
    stop: CancellationToken,
) -> Ending {
    let Some(leadership) = stop.run_until_cancelled(leadership(&mut seat)).await.flatten() else {
        return Ending::Release;
    };
    let World { client, cloud, clock, configuration } = world;
    let lease = settings.election.durations.lease();
    let (loops, caches, wake) = Loops::new(&client, settings.scope.clone(), lease);
    let operator = Arc::new(Operator {
        mandate: Mandate::new(seat, leadership.takeover, clock.mono(), settings.uncertainty),
        events: Events::new(client.clone(), &settings.pod, instruments.metrics.clone()),
        metrics: instruments.metrics.clone(),
        git: Git::new(GitOptions {
            program: PathBuf::from("git"),
            cache: settings.git_cache.clone(),
            cache_bytes: GIT_CACHE_BYTES,
            timeout: GIT_TIMEOUT,
            protocols: settings.protocols,
            certificates: settings.git_certificates.clone(),
        }),
        installation: settings.installation.clone(),
        uncertainty: settings.uncertainty,
        idle: settings.idle,
        surveys: Surveys::default(),
        desks: Desks::default(),
        denials: Denials::default(),
        pasts: Pasts::default(),
        census: Census::default(),
        leftovers: Leftovers::new(wake),
        stopping: stop.clone(),
        client,
        cloud,
        clock,
        prober,
        caches,
        configuration,
    });
    let filling = async {
        operator.caches.filled().await;
        instruments.health.sees_all();
        pending::<()>().await;
    };
    tokio::select! { () = loops.run(operator.clone(), settings.sweep, stop) => {}, () = filling => {} }
    // A successor trusts a lease that was released: it must not be, while a request of ours may still land.
    if operator.desks.are_certain(operator.clock.mono()) { Ending::Release } else { Ending::Abandon }
}

/// Waits until this process leads; `None` once it never will.
async fn leadership(seat: &mut Seat) -> Option<Leadership> {
    loop {
        if let Some(leadership) = seat.leadership() {
            return Some(leadership);
        }
        seat.next_round().await?;
    }
}

fn show(instruments: &Instruments, standing: Standing) {
    instruments.metrics.standing(standing);
    instruments.health.beat(match standing {
        Standing::Asking => Readiness::Starting,
        Standing::Standby | Standing::Over => Readiness::StandingBy,
        Standing::Leading(_) => Readiness::Filling,
    });
}
