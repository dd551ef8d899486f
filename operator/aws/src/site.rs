//! One account in one region, and how a call is made there: within the budget, bounded in time, sorted, counted.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_autoscaling::error::{ProvideErrorMetadata, SdkError};
use dryad_cloud::CloudError;
use dryad_machine::name::Place;
use tokio::time::{Instant, sleep, timeout_at};

use crate::budget::{Budgets, Spent};
use crate::call::Call;
use crate::clients::Clients;
use crate::errors;
use crate::groups::Gathering;
use crate::observer::Observer;
use crate::settings::Patience;

/// How long before a read that was not answered is sent again, each time.
const PAUSES: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(1)];

/// One account in one region.
pub(crate) struct Site {
    place: Place,
    reads: Clients,
    mutations: Clients,
    pub(crate) patience: Patience,
    observer: Arc<dyn Observer>,
    budgets: Budgets,
    pub(crate) gathering: Gathering,
}

impl Site {
    pub(crate) fn new(
        place: Place,
        config: &SdkConfig,
        patience: Patience,
        observer: Arc<dyn Observer>,
    ) -> Self {
        Self {
            place,
            reads: Clients::for_reads(config, patience),
            mutations: Clients::for_mutations(config),
            patience,
            observer,
            budgets: Budgets::default(),
            gathering: Gathering::default(),
        }
    }

    /// When a read that begins now must have its answer.
    pub(crate) fn read_deadline(&self) -> Instant {
        Instant::now() + self.patience.read
    }

    /// When a mutation that begins now must have its answer.
    pub(crate) fn mutation_deadline(&self) -> Instant {
        Instant::now() + self.patience.mutation
    }

    /// Waits until a read of this kind would be sent at once, or until the deadline.
    pub(crate) async fn until_clear(&self, deadline: Instant, action: Call) {
        self.budgets.of(action.family()).until_clear(deadline).await;
    }

    /// Asks; what is not answered is asked again, and what AWS has no time for waits for its turn again, until the
    /// deadline. Each attempt is paid for.
    pub(crate) async fn read<T, E, F>(
        &self,
        deadline: Instant,
        action: Call,
        request: impl Fn(&Clients) -> F,
    ) -> Result<T, CloudError>
    where
        F: Future<Output = Result<T, SdkError<E>>>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let throttled = || CloudError::Throttled { action: action.name() };
        let mut pauses = PAUSES.iter();
        let mut said = None;
        loop {
            let turn = self.budgets.of(action.family()).in_turn(deadline).await;
            turn.map_err(|Spent| said.clone().unwrap_or_else(throttled))?;
            match self.call(deadline, action, request(&self.reads)).await {
                Err(error @ CloudError::Throttled { .. }) => said = Some(error),
                Err(error @ (CloudError::Unanswered { .. } | CloudError::Unreachable { .. })) => {
                    // Where it was throttled before, it was not silent: the time ran out between two of its answers.
                    let error = said.take().unwrap_or(error);
                    match pauses.next().filter(|pause| Instant::now() + **pause < deadline) {
                        Some(pause) => sleep(*pause).await,
                        None => return Err(error),
                    }
                    said = Some(error);
                }
                answered => return answered,
            }
        }
    }

    /// Sends a mutation, once.
    pub(crate) async fn mutate<T, E, F>(
        &self,
        deadline: Instant,
        action: Call,
        request: impl FnOnce(&Clients) -> F,
    ) -> Result<(), CloudError>
    where
        F: Future<Output = Result<T, SdkError<E>>>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let at_once = self.budgets.of(action.family()).at_once();
        at_once.map_err(|Spent| CloudError::Throttled { action: action.name() })?;
        self.call(deadline, action, request(&self.mutations)).await.map(drop)
    }

    async fn call<T, E>(
        &self,
        deadline: Instant,
        action: Call,
        sent: impl Future<Output = Result<T, SdkError<E>>>,
    ) -> Result<T, CloudError>
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let (budget, action) = (self.budgets.of(action.family()), action.name());
        let began = Instant::now();
        // The SDK's futures are some ten kilobytes each, and would make every future around them as large.
        let outcome = match timeout_at(deadline, Box::pin(sent)).await {
            Ok(answer) => answer.map_err(|error| errors::sort(action, &error)),
            Err(_) => Err(silence(action, began.elapsed())),
        };
        match &outcome {
            Err(CloudError::Throttled { .. }) => budget.throttled(),
            Err(CloudError::Unanswered { .. } | CloudError::Unreachable { .. }) => {}
            Ok(_) | Err(_) => budget.taken(),
        }
        self.observer.called(&self.place, action, outcome.as_ref().map(drop));
        outcome
    }
}

fn silence(action: &'static str, waited: Duration) -> CloudError {
    CloudError::Unanswered { action, message: format!("no answer within {} s", waited.as_secs_f32().round()) }
}
