//! The door for code that speaks `dryad_cloud::Cloud`: the trait straight on the model, without HTTP or an SDK.
//!
//! Errors, delays and lost answers mean the same here as behind the wire door with the adapter to AWS; one suite of
//! cases is asked of both. Reads are not batched, and neither side retries anything.

mod groups;
mod instances;
mod parameters;
mod templates;
mod traffic;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use dryad_cloud::group::{FailedActivity, FoundGroup, Group, InstanceId, NewGroup, NewSize};
use dryad_cloud::parameter::{Parameter, Replacing};
use dryad_cloud::template::{DescribedTemplate, FoundTemplate, NewTemplate};
use dryad_cloud::traffic::{Rule, RuleArn, TargetGroupArn, TargetHealth, Weight};
use dryad_cloud::{Cloud, CloudError};
use dryad_machine::name::{AccountName, Arn, GroupName, Place};

use crate::model::ssm::{DeleteParameter, GetParameter};
use crate::model::{self, Account, Action, CallError, Caller, Kind, Reply};
use crate::shared::Shared;

/// How long a caller waits for the answer to a mutation, and to a read.
const MUTATION: Duration = Duration::from_secs(20);
const READ: Duration = Duration::from_secs(9);

/// The door.
#[derive(Debug, Clone)]
pub struct InProcess {
    shared: Arc<Shared>,
    accounts: BTreeMap<AccountName, Account>,
}

impl InProcess {
    /// Opens onto that world, in which callers act as the root users of these accounts.
    pub fn new(shared: Arc<Shared>, accounts: BTreeMap<AccountName, Account>) -> Self {
        Self { shared, accounts }
    }

    /// Makes a call, and waits for its answer as long as a caller would.
    async fn call<A: Action>(&self, place: &Place, request: A) -> Result<A::Answer, CloudError> {
        let action = A::NAME;
        let Some(account) = self.accounts.get(&place.account) else {
            let message = format!("there is no account {:?}", place.account.as_str());
            return Err(CloudError::Unreachable { action, message });
        };
        let region = place.region.as_str().to_owned();
        let caller = Caller::root(model::Place { account: account.clone(), region });
        let Reply { delay, outcome } = self.shared.with(|world, now| world.call(now, &caller, request));
        let patience = match A::KIND {
            Kind::Read => READ,
            Kind::Write => MUTATION,
        };
        let delay = match &outcome {
            Err(CallError::Unanswered) => patience,
            // A negative delay is none.
            Ok(_) | Err(CallError::Api(_)) => Duration::try_from(delay).unwrap_or_default(),
        };
        tokio::time::sleep(delay.min(patience)).await;
        let unanswered = || {
            let message = format!("no answer within {} s", patience.as_secs());
            CloudError::Unanswered { action, message }
        };
        if delay >= patience {
            return Err(unanswered());
        }
        outcome.map_err(|error| match error {
            CallError::Unanswered => unanswered(),
            CallError::Api(error) => {
                let code = error.code;
                CloudError::answered(action, code.status(), Some(code.as_str()), Some(&error.message))
            }
        })
    }
}

impl Cloud for InProcess {
    async fn groups(
        &self,
        place: &Place,
        names: &BTreeSet<GroupName>,
    ) -> Result<BTreeMap<GroupName, Group>, CloudError> {
        self.describe_groups(place, names).await
    }

    async fn tagged_groups(
        &self,
        place: &Place,
        tags: &BTreeMap<String, String>,
    ) -> Result<Vec<FoundGroup>, CloudError> {
        self.find_groups(place, tags).await
    }

    async fn tagged_templates(
        &self,
        place: &Place,
        tags: &BTreeMap<String, String>,
    ) -> Result<Vec<FoundTemplate>, CloudError> {
        self.find_templates(place, tags).await
    }

    async fn template(&self, place: &Place, name: &GroupName) -> Result<Option<FoundTemplate>, CloudError> {
        self.named_template(place, name).await
    }

    async fn target_health(
        &self,
        place: &Place,
        target_group: &TargetGroupArn,
    ) -> Result<BTreeMap<InstanceId, TargetHealth>, CloudError> {
        self.describe_health(place, target_group).await
    }

    async fn rule(&self, place: &Place, rule: &RuleArn) -> Result<Rule, CloudError> {
        self.describe_rule(place, rule).await
    }

    async fn balancer_tags(&self, place: &Place, arn: &Arn) -> Result<BTreeMap<String, String>, CloudError> {
        self.describe_balancer_tags(place, arn).await
    }

    async fn failed_activity(
        &self,
        place: &Place,
        name: &GroupName,
    ) -> Result<Option<FailedActivity>, CloudError> {
        self.newest_activity(place, name).await
    }

    async fn addresses(
        &self,
        place: &Place,
        instances: &BTreeSet<InstanceId>,
    ) -> Result<BTreeMap<InstanceId, String>, CloudError> {
        self.describe_addresses(place, instances).await
    }

    async fn template_version(
        &self,
        place: &Place,
        id: &str,
        version: &str,
    ) -> Result<DescribedTemplate, CloudError> {
        let answer = self.call(place, templates::version(id, version)).await?;
        templates::described(answer)
    }

    async fn parameter(&self, place: &Place, name: &str) -> Result<Parameter, CloudError> {
        let request = GetParameter { name: name.to_owned(), with_decryption: None };
        self.call(place, request).await.map(|answer| parameters::described(answer.parameter))
    }

    async fn create_template(&self, place: &Place, template: &NewTemplate) -> Result<(), CloudError> {
        self.call(place, templates::create(template)).await.map(drop)
    }

    async fn create_group(&self, place: &Place, group: &NewGroup) -> Result<(), CloudError> {
        self.call(place, groups::create(group)).await.map(drop)
    }

    async fn resize_group(&self, place: &Place, name: &GroupName, size: NewSize) -> Result<(), CloudError> {
        self.call(place, groups::resize(name, size)).await.map(drop)
    }

    async fn attach(
        &self,
        place: &Place,
        name: &GroupName,
        target_group: &TargetGroupArn,
    ) -> Result<(), CloudError> {
        self.call(place, groups::attach(name, target_group)).await.map(drop)
    }

    async fn detach(
        &self,
        place: &Place,
        name: &GroupName,
        target_group: &TargetGroupArn,
    ) -> Result<(), CloudError> {
        self.call(place, groups::detach(name, target_group)).await.map(drop)
    }

    async fn set_weights(&self, place: &Place, rule: &RuleArn, weights: &[Weight]) -> Result<(), CloudError> {
        self.modify_rule(place, rule, weights).await
    }

    async fn delete_group(&self, place: &Place, name: &GroupName) -> Result<(), CloudError> {
        self.call(place, groups::delete(name)).await.map(drop)
    }

    async fn put_parameter(
        &self,
        place: &Place,
        name: &str,
        value: &str,
        replacing: Replacing,
    ) -> Result<(), CloudError> {
        self.call(place, parameters::put(name, value, replacing)).await.map(drop)
    }

    async fn delete_parameter(&self, place: &Place, name: &str) -> Result<(), CloudError> {
        self.call(place, DeleteParameter { name: name.to_owned() }).await.map(drop)
    }

    async fn delete_template(&self, place: &Place, name: &GroupName) -> Result<(), CloudError> {
        self.call(place, templates::delete(name)).await.map(drop)
    }
}
