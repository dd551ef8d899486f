//! A deploy holds blue at its size before it takes anything from it. Whatever ends that deploy, what serves afterwards has
//! the declared bounds again, and nothing is on record as held.

use std::path::Path;

use dryad_cluster::Cluster;
use dryad_crds::{Deployment, Environment};
use dryad_local_cloud::faults::{Faults, LaunchFault, Rule};
use dryad_local_cloud::model::autoscaling::{DeleteAutoScalingGroup, TerminateInstanceInAutoScalingGroup};
use dryad_machine::state::State;
use dryad_machine::tenure::Role;
use dryad_stage::deploys::{path_of, state_of, table};
use dryad_stage::{Instances, Stage};
use futures::future::join_all;
use serde_json::{Value, json};

use crate::deploys::capacity::{group_on, until_sized_on};
use crate::deploys::scene::{WEB, fault, green_of, no_capacity, release_one};

/// How a deploy ends that holds blue, or was about to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Aborted,
    RolledBack,
    TimedOut,
    LaunchFailed,
    GreenLost,
    BlueLost,
    DeploymentDeleted,
    EnvironmentDeleted,
    Done,
}

impl Ending {
    const ALL: [Self; 9] = [
        Self::Aborted,
        Self::RolledBack,
        Self::TimedOut,
        Self::LaunchFailed,
        Self::GreenLost,
        Self::BlueLost,
        Self::DeploymentDeleted,
        Self::EnvironmentDeleted,
        Self::Done,
    ];

    /// Changes what its Environment has unlike the others.
    fn declare(self, spec: &mut Value) {
        match self {
            Self::TimedOut | Self::LaunchFailed | Self::BlueLost => spec["rollout"]["timeout"] = json!("40s"),
            Self::EnvironmentDeleted => spec["deletionPolicy"] = json!("Retain"),
            Self::Done => spec["retain"]["previous"] = json!("1s"),
            Self::Aborted | Self::RolledBack | Self::GreenLost | Self::DeploymentDeleted => {}
        }
    }

    /// Its last two entries; none where its Deployment is deleted.
    fn path(self) -> Option<[&'static str; 2]> {
        match self {
            Self::Aborted => Some(["Rollback AbortRequested", "Aborted RollbackOk"]),
            Self::RolledBack => Some(["Rollback RollbackRequested", "Aborted RollbackOk"]),
            Self::TimedOut | Self::LaunchFailed => Some(["Rollback TimedOut", "Failed RollbackOk"]),
            Self::GreenLost => Some(["Rollback GreenLost", "Failed RollbackOk"]),
            Self::BlueLost => Some(["Rollback AbortRequested", "Failed BlueLost"]),
            Self::EnvironmentDeleted => Some(["Rollback EnvironmentDeleted", "Aborted RollbackOk"]),
            Self::Done => Some(["RetireWait RetainElapsed", "Done RetireOk"]),
            Self::DeploymentDeleted => None,
        }
    }
}

/// A stage of its own for each, since all Environments of a region share what may be asked of the cloud.
struct Case {
    stage: Stage,
    ending: Ending,
    blue: String,
}

impl Case {
    async fn set(ending: Ending) -> Self {
        let cluster = Cluster::shared().await.expect("a cluster");
        let (name, parts) = (format!("{ending:?}").to_lowercase(), Path::new(env!("CARGO_BIN_EXE_parts")));
        let stage = Stage::set_with(Instances::Simulated, cluster, &name, parts).await.expect("a stage");
        let mut environment = stage.environment(WEB);
        let spec = &mut environment["spec"];
        spec["target"]["autoScalingGroup"]["capacity"]["min"] = json!(1);
        spec["replicas"] = json!(2);
        spec["rollout"]["timeout"] = json!("10m");
        // Nobody answers on instances that are no processes.
        spec["evaluate"] = json!({ "duration": "10m", "timeout": "20m", "checks": [] });
        spec["retain"]["previous"] = json!("10m");
        ending.declare(spec);
        let operator = stage.operator("first").unwrap();
        release_one(&stage, &environment).await;
        operator.stop().unwrap();
        stage.repository.commit("Say two", &[("index.html", Some("two"))]).unwrap();
        let blue = green_of(&stage.api().get("web-1").await.unwrap());
        Self { stage, ending, blue }
    }

    /// The cloud changes no rule, and gives this group no more instances.
    fn hold(&self, rules: &[Rule], group: Option<&str>) {
        let launches = group.map(|group| LaunchFault { group: group.into(), ..no_capacity() });
        let launches = launches.into_iter().collect();
        let faults = Faults { rules: rules.to_vec(), launches, ..Faults::default() };
        self.stage.cloud.control().with(|world, _| world.set_faults(faults));
    }

    /// Brings the deploy to where blue is held and the traffic is about to move, and ends it there or soon afterwards.
    async fn end(&self) {
        let launches_nothing = (self.ending == Ending::LaunchFailed).then_some("web-2-*");
        self.hold(&[fault("ModifyRule")], launches_nothing);
        let spec = json!({ "environment": WEB, "request": { "skipEvaluation": true } });
        self.stage.deploy("web-2", spec).await;
        if self.ending != Ending::LaunchFailed {
            until_sized_on(&self.stage, &self.blue, 2, 4, 2).await;
        }
        match self.ending {
            Ending::Aborted => self.ask(json!({ "end": "Abort" })).await,
            Ending::DeploymentDeleted => self.stage.delete::<Deployment>("web-2").await,
            Ending::EnvironmentDeleted => self.stage.delete::<Environment>(WEB).await,
            Ending::TimedOut | Ending::LaunchFailed => {}
            Ending::Done => self.hold(&[], None),
            Ending::RolledBack => {
                self.until_in_service().await;
                self.ask(json!({ "end": "Rollback" })).await;
            }
            Ending::GreenLost => {
                let green = green_of(&self.until_in_service().await);
                let request =
                    DeleteAutoScalingGroup { auto_scaling_group_name: green, force_delete: Some(true) };
                self.stage.cloud.control().call(request).expect("it is there");
            }
            Ending::BlueLost => {
                self.until_in_service().await;
                self.hold(&[], Some(&self.blue));
                for instance in group_on(&self.stage, &self.blue).instances {
                    let request = TerminateInstanceInAutoScalingGroup {
                        instance_id: instance.instance_id,
                        should_decrement_desired_capacity: false,
                    };
                    self.stage.cloud.control().call(request).expect("it is there");
                }
                self.ask(json!({ "end": "Abort" })).await;
            }
        }
    }

    async fn ask(&self, request: Value) {
        self.stage.request("web-2", request).await;
    }

    /// Lets the traffic move, and waits until it has.
    async fn until_in_service(&self) -> Deployment {
        self.ask(json!({ "skipEvaluation": false })).await;
        self.hold(&[], None);
        let second =
            |object: &Deployment| path_of(object).last().is_some_and(|it| it.starts_with("EvaluateWait 2"));
        let there = |object: Option<&Deployment>| object.is_some_and(second);
        self.stage.until("web-2", there).await.expect("it exists")
    }

    /// Waits until the deploy has ended and what serves is as declared.
    async fn until_let_go(&self) {
        let ended = |object: Option<&Deployment>| object.is_none_or(|object| state_of(object).is_terminal());
        let object: Option<Deployment> = self.stage.until("web-2", ended).await;
        if let Some(expected) = self.ending.path() {
            let object = object.as_ref().expect("nobody deletes it");
            let path = path_of(object);
            assert_eq!(path[path.len() - 2..], expected, "{:?}\n{}", self.ending, table(object));
        }
        let green_serves = |it: &Deployment| state_of(it) == State::Done || self.ending == Ending::BlueLost;
        let serves = object.filter(green_serves).map_or_else(|| self.blue.clone(), |it| green_of(&it));
        let let_go = |environment: Option<&Environment>| match environment {
            None => self.ending == Ending::EnvironmentDeleted,
            Some(environment) => environment.status.as_ref().is_some_and(|status| {
                let groups = &status.tenure.groups;
                let only = groups.iter().all(|it| it.name.as_str() == serves && it.role == Role::Serving);
                only && status.tenure.holder.is_none() && groups.iter().all(|member| member.held.is_none())
            }),
        };
        self.stage.until(WEB, let_go).await;
        until_sized_on(&self.stage, &serves, 1, 4, 2).await;
    }
}

async fn is_let_go_of_when(ending: Ending) {
    let case = Case::set(ending).await;
    let _operator = case.stage.operator("a").unwrap();
    case.end().await;
    case.until_let_go().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blue_that_was_held_is_let_go_of_by_every_ending() {
    join_all(Ending::ALL.map(|ending| Box::pin(is_let_go_of_when(ending)))).await;
}
