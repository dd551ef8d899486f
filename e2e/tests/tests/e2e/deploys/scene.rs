//! A stage on which release one serves, and on which a deploy of release two stands still wherever a test wants it.
//!
//! Nothing here waits for a length of time: a state is held by what it waits for (a request, a Secret, a call that
//! the cloud refuses), and it goes on when that is let go.

use std::collections::BTreeMap;
use std::time::Duration;

use dryad_crds::{Deployment, Environment};
use dryad_local_cloud::faults::{Effect, Faults, LaunchFault, Rule};
use dryad_local_cloud::model::log::{Entry, Outcome};
use dryad_local_cloud::model::{Code, World};
use dryad_machine::state::State;
use dryad_machine::tenure::Role;
use dryad_stage::Stage;
use dryad_stage::deploys::{path_of, state_of, table};
use k8s_openapi::api::core::v1::Secret;
use kube::api::DeleteParams;
use serde_json::{Value, json};

use crate::deploys::stage;

/// How long the cloud may take for anything before it counts as stuck.
const PATIENCE: Duration = Duration::from_secs(90);
/// The Secret without which nobody asks the repository.
const SECRET: &str = "repository";
/// The name of the Environment.
pub(crate) const WEB: &str = "web";

/// Where a deploy can be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// `Pending`, paused.
    Pending,
    /// `Resolve`, without the Secret for the repository.
    Resolving,
    /// `RolloutWait` 1, in a cloud without capacity.
    Launching,
    /// `EvaluateWait` 1, which takes longer than any test.
    ProvenApart,
    /// `RolloutWait` 2, in a cloud that changes no rule.
    Shifting,
    /// `EvaluateWait` 2, like the first.
    ProvenInService,
    /// `RetainWait`, which takes longer than any test, too; where blue is to be [retired](Scene::retiring), in a cloud
    /// that can't be seen.
    Retaining,
    /// `RetireWait`, in a cloud that detaches nothing.
    Retiring,
}

impl Place {
    /// In the order in which a deploy comes by.
    pub(crate) const ALL: [Self; 8] = [
        Self::Pending,
        Self::Resolving,
        Self::Launching,
        Self::ProvenApart,
        Self::Shifting,
        Self::ProvenInService,
        Self::Retaining,
        Self::Retiring,
    ];

    fn stands(self) -> (State, Option<i64>) {
        match self {
            Self::Pending => (State::Pending, None),
            Self::Resolving => (State::Resolve, None),
            Self::Launching => (State::RolloutWait, Some(1)),
            Self::ProvenApart => (State::EvaluateWait, Some(1)),
            Self::Shifting => (State::RolloutWait, Some(2)),
            Self::ProvenInService => (State::EvaluateWait, Some(2)),
            Self::Retaining => (State::RetainWait, None),
            Self::Retiring => (State::RetireWait, None),
        }
    }
}

/// Brings release one into service, by the Deployment `web-1` to an Environment like this, and waits until nobody has
/// the turn any more.
pub(crate) async fn release_one(stage: &Stage, environment: &Value) {
    stage.repository.commit("Say one", &[("index.html", Some("one"))]).unwrap();
    stage.create_environment(environment).await;
    stage.deploy("web-1", json!({ "environment": WEB, "request": { "skipEvaluation": true } })).await;
    stage.until_state("web-1", State::Done).await;
    stage.until_free(WEB).await;
}

/// The path of a deploy that was held at every place, and let go by skipping its evaluations.
pub(crate) const UNDISTURBED: [&str; 10] = [
    "Pending Created",
    "Resolve TurnTaken",
    "Prepare ReleaseResolved",
    "RolloutWait 1 PrepareOk",
    "EvaluateWait 1 RolloutOk",
    "RolloutWait 2 EvaluationSkipped",
    "EvaluateWait 2 RolloutOk",
    "RetainWait EvaluationSkipped",
    "RetireWait RetainElapsed",
    "Done RetireOk",
];

/// The scene. The operators are the test's own, to kill and to start.
pub(crate) struct Scene {
    /// What it is set on.
    pub(crate) stage: Stage,
    keeps: Keeps,
}

/// For how long a deploy keeps blue.
#[derive(Clone, Copy)]
enum Keeps {
    /// For longer than any test takes.
    ForGood,
    /// Until it is let go of: time alone retires nothing while nobody sees the cloud.
    UntilLetGo,
}

impl Scene {
    /// Sets it, with an Environment that `change` has had a say in, and blue brought into service by an operator that
    /// has left again.
    pub(crate) async fn set(name: &str, change: impl FnOnce(&mut Value)) -> Self {
        Self::set_on(stage(name).await, change).await
    }

    /// The same on a stage that is there already.
    pub(crate) async fn set_on(stage: Stage, change: impl FnOnce(&mut Value)) -> Self {
        Self::keeping(Keeps::ForGood, stage, change).await
    }

    /// The same, where deploys can be taken past the time for which blue is kept.
    pub(crate) async fn retiring(name: &str, change: impl FnOnce(&mut Value)) -> Self {
        Self::keeping(Keeps::UntilLetGo, stage(name).await, change).await
    }

    async fn keeping(keeps: Keeps, stage: Stage, change: impl FnOnce(&mut Value)) -> Self {
        let scene = Self { stage, keeps };
        scene.admit_to_repository().await;
        let mut environment = scene.stage.environment(WEB);
        let spec = &mut environment["spec"];
        spec["source"]["secretName"] = json!(SECRET);
        spec["rollout"]["timeout"] = json!("10m");
        spec["evaluate"]["duration"] = json!("10m");
        spec["evaluate"]["timeout"] = json!("20m");
        spec["retain"]["previous"] = match keeps {
            Keeps::ForGood => json!("10m"),
            Keeps::UntilLetGo => json!("5s"),
        };
        change(&mut environment);
        let operator = scene.stage.operator("first").unwrap();
        release_one(&scene.stage, &environment).await;
        scene.serves("web-1").await;
        operator.stop().unwrap();
        scene.stage.repository.commit("Say two", &[("index.html", Some("two"))]).unwrap();
        scene
    }

    /// Starts a deploy of the newest commit that stops at every place until it is let go.
    pub(crate) async fn deploy_held(&self, name: &str) {
        self.stage.api::<Secret>().delete(SECRET, &DeleteParams::default()).await.expect("it is there");
        self.hold(&[fault("ModifyRule"), fault("DetachLoadBalancerTargetGroups")], &[no_capacity()]);
        self.stage.deploy(name, json!({ "environment": WEB, "request": { "paused": true } })).await;
    }

    /// Follows a deploy until it stands there.
    pub(crate) async fn until(&self, name: &str, place: Place) -> Deployment {
        let (state, step) = place.stands();
        let there = |object: &Deployment| {
            let last = object.status.as_ref().and_then(|status| status.history.last());
            state_of(object) == state && last.is_none_or(|entry| entry.step == step)
        };
        let seen = |object: Option<&Deployment>| {
            object.is_some_and(|object| {
                let begun = object.status.as_ref().is_some_and(|status| !status.history.is_empty());
                begun && (there(object) || state_of(object).is_terminal())
            })
        };
        let mut object = self.stage.until(name, seen).await.expect("it exists");
        if let (Place::Retaining, Keeps::UntilLetGo) = (place, self.keeps) {
            self.hold(&[fault("DescribeAutoScalingGroups"), fault("DetachLoadBalancerTargetGroups")], &[]);
            object = self.stage.api().get(name).await.expect("it exists");
        }
        assert!(there(&object), "not {place:?}:\n{}", table(&object));
        object
    }

    /// Lets go of what holds the deploy there.
    pub(crate) async fn let_go(&self, name: &str, place: Place) {
        match place {
            Place::Pending => self.stage.request(name, json!({ "paused": false })).await,
            Place::Resolving => self.admit_to_repository().await,
            Place::Launching => {
                self.hold(&[fault("ModifyRule"), fault("DetachLoadBalancerTargetGroups")], &[]);
            }
            Place::ProvenApart | Place::ProvenInService => {
                self.stage.request(name, json!({ "skipEvaluation": true })).await;
            }
            Place::Shifting => {
                self.stage.request(name, json!({ "skipEvaluation": false })).await;
                self.hold(&[fault("DetachLoadBalancerTargetGroups")], &[]);
            }
            Place::Retaining => self.hold(&[fault("DetachLoadBalancerTargetGroups")], &[]),
            Place::Retiring => self.let_all_go().await,
        }
    }

    /// Lets go of everything that holds deploys, but for requests and evaluations.
    pub(crate) async fn let_all_go(&self) {
        self.hold(&[], &[]);
        self.admit_to_repository().await;
    }

    /// Takes a deploy that was started held to this place.
    pub(crate) async fn bring(&self, name: &str, to: Place) -> Deployment {
        for place in Place::ALL {
            let object = self.until(name, place).await;
            if place == to {
                return object;
            }
            self.let_go(name, place).await;
        }
        unreachable!("every place is among all of them")
    }

    /// Makes the cloud refuse this, and nothing else.
    pub(crate) fn hold(&self, rules: &[Rule], launches: &[LaunchFault]) {
        let faults = Faults { rules: rules.to_vec(), launches: launches.to_vec(), ..Faults::default() };
        self.stage.cloud.control().with(|world, _| world.set_faults(faults));
    }

    /// Waits until the turn is free, one group of this Deployment serves, and nothing else is left: not in the ledger,
    /// not in the cloud, not as a process.
    pub(crate) async fn serves(&self, name: &str) {
        let deployment = self.stage.api::<Deployment>().get(name).await.expect("it exists");
        self.serves_group(&green_of(&deployment)).await;
    }

    /// Waits until only this group serves, and nothing else is left.
    pub(crate) async fn serves_group(&self, group: &str) {
        let free = |environment: Option<&Environment>| {
            let tenure = environment.and_then(|environment| environment.status.as_ref());
            tenure.is_some_and(|status| {
                let tenure = &status.tenure;
                let only = tenure.groups.len() == 1
                    && tenure.groups.iter().all(|m| m.name.as_str() == group && m.role == Role::Serving);
                only && tenure.holder.is_none()
            })
        };
        self.stage.until(WEB, free).await;
        self.left(&[group], 2).await;
    }

    /// Waits until there is no such object any more.
    pub(crate) async fn until_gone<K>(&self, name: &str)
    where
        K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope> + serde::de::DeserializeOwned,
        K: Clone + std::fmt::Debug + Send + Sync + 'static,
        K::DynamicType: Default,
    {
        self.stage.until::<K>(name, |object| object.is_none()).await;
    }

    /// Waits until nothing is left in the cloud but these groups with their templates, and so many instances.
    pub(crate) async fn left(&self, groups: &[&str], instances: usize) {
        let control = self.stage.cloud.control();
        let wanted = async {
            control
                .until(|world, _| {
                    let mut left = world.inventory();
                    left.templates.sort();
                    let fits = left.groups == groups
                        && left.templates == groups
                        && left.instances.len() == instances
                        && left.parameters.is_empty();
                    fits.then_some(())
                })
                .await;
            let mut processes = control.processes();
            processes.wait_for(|processes| processes.len() == instances).await.map(|_| ())
        };
        let Ok(seen) = tokio::time::timeout(PATIENCE, wanted).await else {
            panic!("wanted {groups:?} and {instances} instances: {:#?}", control.left());
        };
        seen.expect("the cloud is there");
    }

    /// How often each group was created.
    pub(crate) fn created(&self) -> BTreeMap<String, usize> {
        let mut created = BTreeMap::new();
        self.stage.cloud.control().with(|world, _| {
            for entry in world.log().entries() {
                if entry.action == "CreateAutoScalingGroup" && carried_out(entry.outcome) {
                    *created.entry(entry.resource.clone()).or_default() += 1;
                }
            }
        });
        created
    }

    async fn admit_to_repository(&self) {
        self.stage.basic_auth(SECRET, "shop", "unused").await;
    }
}

/// Every such call is refused because something else is under way.
pub(crate) fn fault(action: &str) -> Rule {
    Rule {
        service: None,
        action: action.into(),
        resource: "*".into(),
        skip: 0,
        times: None,
        effect: Effect::Refuse { code: Code::ResourceInUse, message: "Held by the test.".to_owned() },
    }
}

/// Nothing more can be launched.
pub(crate) fn no_capacity() -> LaunchFault {
    LaunchFault {
        group: "*".into(),
        allow: 0,
        message: "We currently do not have sufficient capacity.".to_owned(),
    }
}

/// That these are the last two entries of a history: how a rollback began and how it ended.
pub(crate) fn assert_ends(object: &Deployment, entries: [&str; 2]) {
    let path = path_of(object);
    assert_eq!(path[path.len() - 2..], entries, "{}", table(object));
}

/// The group that a deploy brings.
pub(crate) fn green_of(object: &Deployment) -> String {
    let plan = object.status.as_ref().and_then(|status| status.plan.as_ref());
    plan.expect("it has a plan").green.as_str().to_owned()
}

/// The changes that the cloud has made, by their names.
pub(crate) fn changes(world: &World) -> Vec<&'static str> {
    let changes = world.log().entries().filter(|entry| is_change(entry));
    changes.filter(|entry| carried_out(entry.outcome)).map(|entry| entry.action).collect()
}

/// The changes that operators have asked for, granted or not.
pub(crate) fn asked(world: &World) -> impl Iterator<Item = &Entry> {
    world.log().entries().filter(|entry| is_change(entry) && replica_of(entry).is_some())
}

/// The replica that made this call, if any did.
pub(crate) fn replica_of(entry: &Entry) -> Option<&str> {
    entry.caller.split_once(":user/").map(|(_, replica)| replica)
}

/// Waits until this replica has asked for this change, granted or not.
pub(crate) async fn until_asked_by(scene: &Scene, replica: &str, action: &str) {
    let is_it = |entry: &Entry| entry.action == action && replica_of(entry) == Some(replica);
    let control = scene.stage.cloud.control();
    let asked = control.until(|world, _| asked(world).any(is_it).then_some(()));
    assert!(tokio::time::timeout(PATIENCE, asked).await.is_ok(), "{replica} does not ask for {action}");
}

pub(crate) fn is_change(entry: &Entry) -> bool {
    !entry.action.starts_with("Describe")
}

/// Whether a call that ended so has changed something, whatever its sender knows of it.
pub(crate) fn carried_out(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Done | Outcome::DoneUnanswered | Outcome::LandedDone)
}
