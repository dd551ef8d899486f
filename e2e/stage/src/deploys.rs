//! Making Environments and Deployments, and waiting for what becomes of them.

use std::future::ready;
use std::pin::pin;
use std::time::Duration;

use dryad_crds::condition::PROJECTED;
use dryad_crds::{Deployment, Environment};
use dryad_machine::history::{Entry, History};
use dryad_machine::state::State;
use dryad_machine::tenure::Role;
use futures::StreamExt;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::ResourceExt;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::runtime::wait::await_condition;
use kube::runtime::{WatchStreamExt, watcher};
use serde_json::{Value, json};

use crate::Stage;

/// How long anything in a test may take before it counts as stuck.
const PATIENCE: Duration = Duration::from_secs(90);

impl Stage {
    /// An Environment with two target groups, as JSON to change before it is created. Impatient: seconds where
    /// production has minutes.
    pub fn environment(&self, name: &str) -> Value {
        json!({
            "apiVersion": "dryad.dev/v1alpha1",
            "kind": "Environment",
            "metadata": { "name": name, "namespace": self.namespace },
            "spec": {
                "target": { "autoScalingGroup": {
                    "region": self.web.place.region,
                    "launchTemplate": {
                        "imageId": self.web.image,
                        "instanceType": "t3.micro",
                        "instanceProfile": self.web.instance_profile,
                        "securityGroupIds": [self.web.security_group],
                        "userData": USER_DATA,
                    },
                    "subnetIds": self.web.subnets,
                    "capacity": { "min": 2, "max": 4 },
                    "healthCheckGracePeriod": "5m",
                } },
                "traffic": { "loadBalancerRule": {
                    "ruleArn": self.web.rule,
                    "targetGroupArns": self.web.target_groups,
                } },
                "source": { "repository": self.repository.url(), "branch": "main" },
                "rollout": { "timeout": "30s", "tick": "1s" },
                "evaluate": {
                    "duration": "2s",
                    "timeout": "20s",
                    "checks": [{ "name": "front", "http": { "path": "/", "port": 8080 } }],
                },
                "retain": { "previous": "2s" },
            },
        })
    }

    /// Creates an Environment.
    ///
    /// # Panics
    /// When the API server refuses it.
    pub async fn create_environment(&self, object: &Value) -> Environment {
        let typed: Environment = serde_json::from_value(object.clone()).expect("an Environment");
        self.api().create(&PostParams::default(), &typed).await.expect("it is accepted")
    }

    /// Keeps a user's name and password in a Secret, whether there is one of that name or not.
    ///
    /// # Panics
    /// When the API server refuses it.
    pub async fn basic_auth(&self, name: &str, username: &str, password: &str) {
        let secret = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": { "name": name },
            "stringData": { "username": username, "password": password },
        });
        let secret: Secret = serde_json::from_value(secret).expect("a Secret");
        let apply = PatchParams::apply("shop");
        self.api::<Secret>().patch(name, &apply, &Patch::Apply(&secret)).await.expect("it is accepted");
    }

    /// Creates a Deployment with this spec.
    ///
    /// # Panics
    /// When the API server refuses it.
    pub async fn deploy(&self, name: &str, spec: Value) -> Deployment {
        let object = json!({
            "apiVersion": "dryad.dev/v1alpha1",
            "kind": "Deployment",
            "metadata": { "name": name, "namespace": self.namespace },
            "spec": spec,
        });
        let typed: Deployment = serde_json::from_value(object).expect("a Deployment");
        self.api().create(&PostParams::default(), &typed).await.expect("it is accepted")
    }

    /// Asks something of a Deployment: its `spec.request`.
    ///
    /// # Panics
    /// When the API server refuses it.
    pub async fn request(&self, name: &str, request: Value) {
        let patch = Patch::Merge(json!({ "spec": { "request": request } }));
        self.api::<Deployment>().patch(name, &PatchParams::default(), &patch).await.expect("it is accepted");
    }

    /// Deletes an object of either kind; it goes when its finalizer does.
    ///
    /// # Panics
    /// When the API server refuses it.
    pub async fn delete<K>(&self, name: &str)
    where
        K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope> + serde::de::DeserializeOwned,
        K: Clone + std::fmt::Debug,
        K::DynamicType: Default,
    {
        self.api::<K>().delete(name, &DeleteParams::default()).await.expect("it is accepted");
    }

    /// Waits until a Deployment is in this state.
    ///
    /// # Panics
    /// When it has ended in another, or does not get there in time.
    pub async fn until_state(&self, name: &str, state: State) -> Deployment {
        self.until_state_within(name, state, PATIENCE).await
    }

    /// The same where it may take so long.
    ///
    /// # Panics
    /// When it has ended in another, or does not get there in time.
    pub async fn until_state_within(&self, name: &str, state: State, patience: Duration) -> Deployment {
        let there = |object: Option<&Deployment>| {
            object.is_some_and(|object| {
                let now = state_of(object);
                now == state || now.is_terminal()
            })
        };
        let object = self.until_within(name, there, patience).await.expect("it exists");
        assert_eq!(state_of(&object), state, "{}", table(&object));
        object
    }

    /// Waits until a Deployment has ended, and says how.
    ///
    /// # Panics
    /// When it does not in time.
    pub async fn until_ended(&self, name: &str) -> Deployment {
        let ended = |object: Option<&Deployment>| object.is_some_and(|object| state_of(object).is_terminal());
        self.until(name, ended).await.expect("it exists")
    }

    /// Waits until nothing is left to be done about a Deployment that has ended.
    ///
    /// # Panics
    /// When it is not so in time.
    pub async fn until_at_rest(&self, name: &str) {
        let rests = |object: Option<&Deployment>| object.is_some_and(|object| object.finalizers().is_empty());
        self.until(name, rests).await;
    }

    /// Waits until nobody holds an Environment's turn, and nothing of those who did is left in its ledger.
    ///
    /// # Panics
    /// When it is not so in time.
    pub async fn until_free(&self, name: &str) -> Environment {
        let free = |object: Option<&Environment>| {
            let status = object.and_then(|object| object.status.as_ref());
            status.is_some_and(|status| {
                let tenure = &status.tenure;
                tenure.holder.is_none() && tenure.groups.iter().all(|group| group.role == Role::Serving)
            })
        };
        self.until(name, free).await.expect("it exists")
    }

    /// Waits until an Environment's parameter records what is deployed.
    ///
    /// # Panics
    /// When it does not in time.
    pub async fn until_projected(&self, name: &str) {
        let projected = |object: Option<&Environment>| {
            let status = object.and_then(|object| object.status.as_ref());
            let holds = |it: &Condition| it.type_ == PROJECTED && it.status == "True";
            status.is_some_and(|status| status.conditions.iter().any(holds))
        };
        self.until(name, projected).await;
    }

    /// Waits until an object is as `wanted`.
    ///
    /// # Panics
    /// When it is not in time.
    pub async fn until<K>(&self, name: &str, wanted: impl Fn(Option<&K>) -> bool + Send) -> Option<K>
    where
        K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope> + serde::de::DeserializeOwned,
        K: Clone + std::fmt::Debug + Send + Sync + 'static,
        K::DynamicType: Default,
    {
        self.until_within(name, wanted, PATIENCE).await
    }

    async fn until_within<K>(
        &self,
        name: &str,
        wanted: impl Fn(Option<&K>) -> bool + Send,
        patience: Duration,
    ) -> Option<K>
    where
        K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope> + serde::de::DeserializeOwned,
        K: Clone + std::fmt::Debug + Send + Sync + 'static,
        K::DynamicType: Default,
    {
        let condition = await_condition(self.api::<K>(), name, wanted);
        let Ok(found) = tokio::time::timeout(patience, condition).await else {
            let present = self.api::<K>().get_opt(name).await;
            panic!("{name} is not as wanted after {patience:?}: {present:#?}\n{}", self.logs());
        };
        found.expect("the API server answers")
    }
}

impl Stage {
    /// Waits until an Event says this, among other words.
    ///
    /// # Panics
    /// When none does in time.
    pub async fn until_event(&self, words: &str) -> Event {
        let says = |event: &Event| event.note.as_ref().is_some_and(|note| note.contains(words));
        let events = watcher(self.api::<Event>(), watcher::Config::default()).applied_objects();
        let mut saying = pin!(events.filter_map(|event| ready(event.ok().filter(says))));
        match tokio::time::timeout(PATIENCE, saying.next()).await {
            Ok(Some(event)) => event,
            Ok(None) | Err(_) => panic!("no Event says {words:?} after {PATIENCE:?}\n{}", self.logs()),
        }
    }

    /// The last lines of every operator's log, and where the whole of them are.
    fn logs(&self) -> String {
        const LINES: usize = 60;
        let files = std::fs::read_dir(self.directory()).into_iter().flatten().flatten();
        let logs = files.filter(|file| file.path().extension().is_some_and(|extension| extension == "log"));
        let tails = logs.map(|file| {
            let text = std::fs::read_to_string(file.path()).unwrap_or_default();
            let lines: Vec<_> = text.lines().collect();
            let tail = &lines[lines.len().saturating_sub(LINES)..];
            format!("{}\n{}", file.path().display(), tail.join("\n"))
        });
        tails.collect::<Vec<_>>().join("\n\n")
    }
}

/// What every instance runs: the commit of the release, checked out, served.
pub const USER_DATA: &str = "#!/bin/sh\nset -e\ngit clone --quiet --no-checkout \"$REPOSITORY\" app\ngit -C app \
                             checkout --quiet {{ release.commit }}\nexec webapp app\n";

/// The state a Deployment is in.
pub fn state_of(object: &Deployment) -> State {
    object.status.as_ref().and_then(|status| status.state).unwrap_or(State::Pending)
}

/// Its history, in order.
///
/// # Panics
/// When it is not whole.
pub fn history_of(object: &Deployment) -> Vec<Entry> {
    let entries = object.status.as_ref().map(|status| status.history.clone()).unwrap_or_default();
    History::new(entries).expect("a whole history").entries().to_vec()
}

/// Its history as lines of `state step reason`, for comparison.
pub fn path_of(object: &Deployment) -> Vec<String> {
    let line = |entry: &Entry| match entry.step {
        Some(step) => format!("{} {step} {}", entry.state, entry.reason),
        None => format!("{} {}", entry.state, entry.reason),
    };
    history_of(object).iter().map(line).collect()
}

/// Its history as a table for people.
pub fn table(object: &Deployment) -> String {
    let first = history_of(object).first().map(|entry| entry.at);
    let row = |entry: Entry| {
        let after = first.map_or(0, |first| entry.at.duration_since(first).as_secs());
        let step = entry.step.map(|step| step.to_string()).unwrap_or_default();
        format!("{after:>4}s  {:<13}{step:<3}{:<18}{}", entry.state, entry.reason, entry.message)
    };
    let rows: Vec<_> = history_of(object).into_iter().map(row).collect();
    format!("{}\n{}", object.name_any(), rows.join("\n"))
}
