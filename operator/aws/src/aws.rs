//! The door: the trait, each call sent on to its place.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use aws_sdk_autoscaling::config::SharedHttpClient;
use dryad_cloud::group::{FailedActivity, FoundGroup, Group, InstanceId, NewGroup, NewSize};
use dryad_cloud::parameter::{Parameter, Replacing};
use dryad_cloud::template::{DescribedTemplate, FoundTemplate, NewTemplate};
use dryad_cloud::traffic::{Rule, RuleArn, TargetGroupArn, TargetHealth, Weight};
use dryad_cloud::{Cloud, CloudError};
use dryad_machine::name::{AccountName, Arn, GroupName, Place};
use tokio::sync::Mutex;

use crate::clients;
use crate::observer::Observer;
use crate::settings::{Credentials, Settings};
use crate::site::Site;

/// AWS, or what stands in for it. One is enough for a process: whoever asks through the same one shares connections,
/// credentials and batches.
pub struct Aws {
    settings: Settings,
    http: SharedHttpClient,
    observer: Arc<dyn Observer>,
    sites: Mutex<Sites>,
}

/// What is signed with what, and the sites that are so.
struct Sites {
    accounts: BTreeMap<AccountName, Credentials>,
    open: HashMap<Place, Arc<Site>>,
}

impl Aws {
    /// Nothing is sent, and no credentials are looked for, before the first call.
    pub fn new(settings: Settings, observer: impl Observer) -> Self {
        let http = clients::http(&settings);
        Self::over(http, settings, observer)
    }

    /// Over this transport.
    pub(crate) fn over(http: SharedHttpClient, settings: Settings, observer: impl Observer) -> Self {
        let accounts = settings.accounts.clone();
        let sites = Mutex::new(Sites { accounts, open: HashMap::new() });
        Self { settings, http, observer: Arc::new(observer), sites }
    }

    /// These are the accounts from now on. Calls that are under way go on with what they began with; places whose
    /// account stays as it is keep their connections, credentials and batches.
    pub async fn reconfigure(&self, accounts: BTreeMap<AccountName, Credentials>) {
        let mut sites = self.sites.lock().await;
        let before = std::mem::replace(&mut sites.accounts, accounts);
        let Sites { accounts, open } = &mut *sites;
        open.retain(|place, _| before.get(&place.account) == accounts.get(&place.account));
    }

    async fn at(&self, place: &Place) -> Arc<Site> {
        let mut sites = self.sites.lock().await;
        if let Some(site) = sites.open.get(place) {
            return Arc::clone(site);
        }
        let credentials = sites.accounts.get(&place.account);
        let config = clients::config(&self.settings, credentials, self.http.clone(), place).await;
        let site = Site::new(place.clone(), &config, self.settings.patience, Arc::clone(&self.observer));
        Arc::clone(sites.open.entry(place.clone()).or_insert(Arc::new(site)))
    }
}

impl Cloud for Aws {
    async fn groups(
        &self,
        place: &Place,
        names: &BTreeSet<GroupName>,
    ) -> Result<BTreeMap<GroupName, Group>, CloudError> {
        self.at(place).await.groups(names).await
    }

    async fn tagged_groups(
        &self,
        place: &Place,
        tags: &BTreeMap<String, String>,
    ) -> Result<Vec<FoundGroup>, CloudError> {
        self.at(place).await.tagged_groups(tags).await
    }

    async fn tagged_templates(
        &self,
        place: &Place,
        tags: &BTreeMap<String, String>,
    ) -> Result<Vec<FoundTemplate>, CloudError> {
        self.at(place).await.tagged_templates(tags).await
    }

    async fn template(&self, place: &Place, name: &GroupName) -> Result<Option<FoundTemplate>, CloudError> {
        self.at(place).await.template(name).await
    }

    async fn target_health(
        &self,
        place: &Place,
        target_group: &TargetGroupArn,
    ) -> Result<BTreeMap<InstanceId, TargetHealth>, CloudError> {
        self.at(place).await.target_health(target_group).await
    }

    async fn rule(&self, place: &Place, rule: &RuleArn) -> Result<Rule, CloudError> {
        self.at(place).await.rule(rule).await
    }

    async fn balancer_tags(&self, place: &Place, arn: &Arn) -> Result<BTreeMap<String, String>, CloudError> {
        self.at(place).await.balancer_tags(arn).await
    }

    async fn failed_activity(
        &self,
        place: &Place,
        name: &GroupName,
    ) -> Result<Option<FailedActivity>, CloudError> {
        self.at(place).await.failed_activity(name).await
    }

    async fn addresses(
        &self,
        place: &Place,
        instances: &BTreeSet<InstanceId>,
    ) -> Result<BTreeMap<InstanceId, String>, CloudError> {
        self.at(place).await.addresses(instances).await
    }

    async fn template_version(
        &self,
        place: &Place,
        id: &str,
        version: &str,
    ) -> Result<DescribedTemplate, CloudError> {
        self.at(place).await.template_version(id, version).await
    }

    async fn parameter(&self, place: &Place, name: &str) -> Result<Parameter, CloudError> {
        self.at(place).await.parameter(name).await
    }

    async fn create_template(&self, place: &Place, template: &NewTemplate) -> Result<(), CloudError> {
        self.at(place).await.create_template(template).await
    }

    async fn create_group(&self, place: &Place, group: &NewGroup) -> Result<(), CloudError> {
        self.at(place).await.create_group(group).await
    }

    async fn resize_group(&self, place: &Place, name: &GroupName, size: NewSize) -> Result<(), CloudError> {
        self.at(place).await.resize_group(name, size).await
    }

    async fn attach(
        &self,
        place: &Place,
        name: &GroupName,
        target_group: &TargetGroupArn,
    ) -> Result<(), CloudError> {
        self.at(place).await.attach(name, target_group).await
    }

    async fn detach(
        &self,
        place: &Place,
        name: &GroupName,
        target_group: &TargetGroupArn,
    ) -> Result<(), CloudError> {
        self.at(place).await.detach(name, target_group).await
    }

    async fn set_weights(&self, place: &Place, rule: &RuleArn, weights: &[Weight]) -> Result<(), CloudError> {
        self.at(place).await.set_weights(rule, weights).await
    }

    async fn delete_group(&self, place: &Place, name: &GroupName) -> Result<(), CloudError> {
        self.at(place).await.delete_group(name).await
    }

    async fn put_parameter(
        &self,
        place: &Place,
        name: &str,
        value: &str,
        replacing: Replacing,
    ) -> Result<(), CloudError> {
        self.at(place).await.put_parameter(name, value, replacing).await
    }

    async fn delete_parameter(&self, place: &Place, name: &str) -> Result<(), CloudError> {
        self.at(place).await.delete_parameter(name).await
    }

    async fn delete_template(&self, place: &Place, name: &GroupName) -> Result<(), CloudError> {
        self.at(place).await.delete_template(name).await
    }
}
