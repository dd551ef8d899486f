//! The operator as a whole: what it is told, and its life from the first question to the last answer.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use kube::Client;
use thiserror::Error;
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;

use crate::elector::{Candidate, Election, Ending, Identity, Loss, Outcome, Standing};
use crate::health::{Health, Readiness};
use crate::metrics::Metrics;
use crate::release::git::Protocols;

/// What the operator is told by its flags.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The name that marks everything of this installation in the cloud.
    pub installation: String,
    /// The pod that this process runs in.
    pub pod: String,
    /// The Lease to stand for.
    pub election: Election,
    /// The namespaces whose objects are reconciled.
    pub namespaces: Namespaces,
    /// How long to wait between two ticks where an Environment doesn't say.
    pub tick: Duration,
    /// Z: for how long an unanswered request may still land.
    pub uncertainty: Duration,
    /// The directory that holds what was fetched of git repositories.
    pub git_cache: PathBuf,
    /// What git may speak to repositories.
    pub protocols: Protocols,
    /// What stands in for AWS, where something does.
    pub aws_endpoint: Option<String>,
    /// The file that says which accounts there are and who may use them. Without it nobody may use any.
    pub accounts: Option<PathBuf>,
}

/// Which namespaces are watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Namespaces {
    /// Every one there is.
    All,
    /// These.
    Only(BTreeSet<String>),
}

/// Where a process shows how it is.
#[derive(Clone, Debug)]
pub struct Instruments {
    /// What it counts.
    pub metrics: Metrics,
    /// What its probes are answered with.
    pub health: Health,
}

/// Why the operator ended though nobody told it to.
#[derive(Debug, Error)]
pub enum RunError {
    /// Somebody else leads. The process must exit.
    #[error("this process led and must not act any more: {0}")]
    Lost(#[from] Loss),
    /// A defect.
    #[error("the election broke off: {0}")]
    Broken(#[from] JoinError),
}

/// Runs the operator until `stop`.
///
/// # Errors
/// When it has to end before.
pub async fn run(
    settings: Settings,
    client: Client,
    instruments: Instruments,
    stop: CancellationToken,
) -> Result<(), RunError> {
    let identity = Identity::of_process(&settings.pod);
    let (candidate, mut seat) = Candidate::new(client, settings.election, identity);
    let election = tokio::spawn(candidate.run(async move {
        stop.cancelled().await;
        Ending::Release
    }));
    while let Some(standing) = seat.next_round().await {
        instruments.metrics.standing(standing);
        instruments.health.beat(match standing {
            Standing::Asking => Readiness::Starting,
            Standing::Standby | Standing::Over => Readiness::StandingBy,
            Standing::Leading(_) => Readiness::Synced,
        });
    }
    match election.await? {
        Outcome::Released | Outcome::Left => Ok(()),
        Outcome::Lost(loss) => Err(loss.into()),
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::registry::Registry;
    use serde_json::json;
    use tokio::task::JoinHandle;
    use tokio::time::sleep;

    use super::*;
    use crate::elector::Durations;
    use crate::elector::testing::{Api, Fault};

    struct Operator {
        health: Health,
        stop: CancellationToken,
        task: JoinHandle<Result<(), RunError>>,
    }

    fn start(api: &Api) -> Operator {
        let settings = Settings {
            installation: "test".to_owned(),
            pod: "dryad-0".to_owned(),
            election: Election {
                namespace: "dryad".to_owned(),
                name: "dryad".to_owned(),
                durations: Durations::default(),
            },
            namespaces: Namespaces::All,
            tick: Duration::from_secs(10),
            uncertainty: Duration::from_secs(300),
            git_cache: PathBuf::from("/nonexistent"),
            protocols: Protocols::Remote,
            aws_endpoint: None,
            accounts: None,
        };
        let metrics = Metrics::new(&mut Registry::default());
        let health = Health::new(Duration::from_secs(30));
        let instruments = Instruments { metrics, health: health.clone() };
        let stop = CancellationToken::new();
        Operator {
            health,
            stop: stop.clone(),
            task: tokio::spawn(run(settings, api.client(), instruments, stop)),
        }
    }

    fn unheld() -> Api {
        let api = Api::new();
        api.edit(|lease| lease["spec"] = json!({}));
        api
    }

    #[tokio::test(start_paused = true)]
    async fn an_operator_that_is_told_to_stop_lets_go_of_the_lease() {
        let api = unheld();
        let operator = start(&api);
        sleep(Duration::from_secs(60)).await;
        assert_eq!((operator.health.readiness(), operator.health.is_alive()), (Readiness::Synced, true));
        operator.stop.cancel();
        operator.task.await.unwrap().unwrap();
        assert_eq!(api.lease().unwrap()["spec"].get("holderIdentity"), None);
    }

    #[tokio::test(start_paused = true)]
    async fn an_operator_that_loses_the_lease_ends_with_an_error() {
        let api = unheld();
        let operator = start(&api);
        sleep(Duration::from_secs(1)).await;
        api.fail(Fault::Silence);
        assert!(matches!(operator.task.await.unwrap(), Err(RunError::Lost(Loss::NotRenewed))));
    }

    #[tokio::test(start_paused = true)]
    async fn an_operator_without_an_api_server_lives_and_is_of_no_use_yet() {
        let api = unheld();
        api.fail(Fault::Silence);
        let operator = start(&api);
        sleep(Duration::from_secs(600)).await;
        assert_eq!((operator.health.readiness(), operator.health.is_alive()), (Readiness::Starting, true));
    }
}
