//! A load balancer with two target groups, a clock in the test's hand, and short ways to ask.

use std::collections::BTreeMap;
use std::sync::Arc;

use dryad_cloud::group::{Capacity, Group, HealthSource, InstanceId, NewGroup, NewSize};
use dryad_cloud::template::{Carried, NewTemplate};
use dryad_cloud::traffic::{Rule, RuleArn, TargetGroupArn, TargetHealth, Weight};
use dryad_cloud::{Cloud, CloudError};
use dryad_local_cloud::faults::{Effect, LaunchFault, Rule as Fault};
use dryad_local_cloud::model::ec2::{IMAGES, SECURITY_GROUP, SUBNETS, VPC};
use dryad_local_cloud::model::elb::{self, Condition, RuleAction};
use dryad_local_cloud::model::glob::Glob;
use dryad_local_cloud::model::tags::Tag;
use dryad_local_cloud::model::{self, Account, Action, Caller, Settings, Timings};
use dryad_local_cloud::shared::Shared;
use dryad_machine::name::{AccountName, GroupName, Place, Region};
use jiff::SignedDuration;

/// The account that the stage is in.
pub(crate) const ACCOUNT: &str = "123456789012";

/// Delays so long that nothing happens unless a test moves the clock on.
const TIMINGS: Timings = Timings {
    pending: SignedDuration::from_mins(10),
    initial: SignedDuration::from_mins(5),
    probe: None,
    drain: Some(SignedDuration::from_mins(30)),
    terminate: SignedDuration::from_mins(20),
    delete: SignedDuration::from_mins(3),
    visible_after: SignedDuration::ZERO,
    launch_retry: SignedDuration::from_mins(60),
    health_check: SignedDuration::from_mins(7),
    terminated_kept: SignedDuration::from_mins(60),
};

/// A world in which a test says when time passes.
pub(crate) fn new_world() -> Arc<Shared> {
    let started = "2026-01-01T00:00:00Z".parse().unwrap();
    Shared::starting_at(started, 42, Settings { timings: TIMINGS, ..Settings::default() })
}

/// The place that the cases are about.
pub(crate) fn place() -> Place {
    Place { account: AccountName::new("default"), region: Region::new("us-east-1") }
}

/// What a case is played on.
pub(crate) struct Stage<C> {
    pub(crate) cloud: C,
    pub(crate) place: Place,
    shared: Arc<Shared>,
    caller: Caller,
    listener: String,
    pub(crate) rule: RuleArn,
    /// Of weight 100 at first.
    pub(crate) blue: TargetGroupArn,
    /// Of weight 0 at first.
    pub(crate) green: TargetGroupArn,
}

impl<C: Cloud> Stage<C> {
    /// Sets the stage in the world that `cloud` reaches.
    pub(crate) fn set(shared: Arc<Shared>, cloud: C) -> Self {
        let account = Account::try_from(ACCOUNT.to_owned()).unwrap();
        let place = place();
        let caller = Caller::root(model::Place { account, region: place.region.as_str().to_owned() });
        let none = || TargetGroupArn(String::new());
        let (listener, rule) = (String::new(), RuleArn(String::new()));
        let mut stage = Self { cloud, place, shared, caller, listener, rule, blue: none(), green: none() };
        stage.blue = stage.target_group("blue");
        stage.green = stage.target_group("green");
        let load_balancer = stage.did(elb::CreateLoadBalancer {
            name: "web".to_owned(),
            subnets: SUBNETS.map(str::to_owned).to_vec(),
            ..Default::default()
        });
        let listener = stage.did(elb::CreateListener {
            load_balancer_arn: load_balancer.load_balancers[0].load_balancer_arn.clone(),
            protocol: Some(elb::ListenerProtocol::Http),
            port: Some(80),
            default_actions: vec![RuleAction::answer("404")],
            tags: Vec::new(),
        });
        stage.listener.clone_from(&listener.listeners[0].listener_arn);
        let mut forward = RuleAction::forward([(stage.blue.0.as_str(), 100), (stage.green.0.as_str(), 0)]);
        forward.forward_config.as_mut().unwrap().target_group_stickiness_config =
            Some(elb::Stickiness { enabled: Some(true), duration_seconds: Some(90) });
        stage.rule = stage.rule_that(1, forward);
        stage
    }

    /// A new rule of the listener, for every request.
    pub(crate) fn rule_that(&self, priority: u32, action: RuleAction) -> RuleArn {
        self.tagged_rule(priority, action, Vec::new())
    }

    /// The same with these tags.
    pub(crate) fn tagged_rule(&self, priority: u32, action: RuleAction, tags: Vec<Tag>) -> RuleArn {
        let every = Condition {
            field: "path-pattern".to_owned(),
            values: vec!["/*".to_owned()],
            ..Default::default()
        };
        let created = self.did(elb::CreateRule {
            listener_arn: self.listener.clone(),
            priority,
            conditions: vec![every],
            actions: vec![action],
            tags,
        });
        RuleArn(created.rules[0].rule_arn.clone())
    }

    fn target_group(&self, name: &str) -> TargetGroupArn {
        self.tagged_target_group(name, Vec::new())
    }

    /// A new target group with these tags.
    pub(crate) fn tagged_target_group(&self, name: &str, tags: Vec<Tag>) -> TargetGroupArn {
        let created = self.did(elb::CreateTargetGroup {
            name: name.to_owned(),
            protocol: Some("HTTP".to_owned()),
            port: Some(8080),
            vpc_id: Some(VPC.to_owned()),
            tags,
            ..Default::default()
        });
        TargetGroupArn(created.target_groups[0].target_group_arn.clone())
    }

    /// Asks the model itself for what must succeed.
    pub(crate) fn did<A: Action>(&self, request: A) -> A::Answer {
        let outcome = self.shared.with(|world, now| world.call(now, &self.caller, request).outcome);
        outcome.unwrap_or_else(|error| panic!("{}: {error}", A::NAME))
    }

    /// Moves the clock on.
    pub(crate) fn wait(&self, minutes: i64) {
        self.shared.advance_clock(SignedDuration::from_mins(minutes));
    }

    /// Lets the next call of this action go wrong.
    pub(crate) fn next(&self, action: &str, effect: Effect) {
        let fault = Fault {
            service: None,
            action: Glob::from(action),
            resource: Glob::from("*"),
            skip: 0,
            times: Some(1),
            effect,
        };
        self.shared.with(|world, _| world.add_rule(fault));
    }

    /// Keeps a group from launching anything, with this message.
    pub(crate) fn no_launches(&self, group: &str, message: &str) {
        let fault = LaunchFault { group: Glob::from(group), allow: 0, message: message.to_owned() };
        self.shared.with(|world, _| world.add_launch_fault(fault));
    }

    /// Keeps a group's targets from ever being healthy.
    pub(crate) fn never_healthy(&self, group: &str) {
        self.shared.with(|world, _| {
            let mut faults = world.faults().clone();
            faults.never_healthy.push(Glob::from(group));
            world.set_faults(faults);
        });
    }

    /// Lets no page hold more than this.
    pub(crate) fn pages_of(&self, size: usize) {
        self.shared.with(|world, _| {
            let settings = Settings { largest_page: Some(size), ..world.settings().clone() };
            world.set_settings(settings);
        });
    }

    /// Ends everything that was set to go wrong.
    pub(crate) fn no_faults(&self) {
        self.shared.with(|world, _| world.set_faults(dryad_local_cloud::faults::Faults::default()));
    }

    /// What is asked for when this template is created.
    pub(crate) fn template(name: &str) -> NewTemplate {
        NewTemplate {
            name: GroupName::new(name),
            image_id: IMAGES[0].to_owned(),
            instance_type: "m7g.large".to_owned(),
            instance_profile: Some("web".to_owned()),
            key_name: Some("ops".to_owned()),
            security_group_ids: vec![SECURITY_GROUP.to_owned()],
            user_data: Some(b"echo hello".to_vec()),
            carried: Carried::default(),
            tags: tags(),
        }
    }

    /// What is asked for when a group of this size is created.
    pub(crate) fn new_group(name: &str, desired: u32) -> NewGroup {
        NewGroup {
            name: GroupName::new(name),
            capacity: Capacity { min: 0, max: 10, desired },
            subnets: SUBNETS.map(str::to_owned).to_vec(),
            health: HealthSource::LoadBalancer { grace_seconds: 60 },
            tags: tags(),
        }
    }

    /// Creates template and group.
    pub(crate) async fn launch(&self, name: &str, desired: u32) {
        self.cloud.create_template(&self.place, &Self::template(name)).await.unwrap();
        self.cloud.create_group(&self.place, &Self::new_group(name, desired)).await.unwrap();
    }

    /// The group, if it is there.
    pub(crate) async fn find(&self, name: &str) -> Option<Group> {
        let name = GroupName::new(name);
        self.cloud.groups(&self.place, &[name.clone()].into()).await.unwrap().remove(&name)
    }

    /// The group, which is there.
    pub(crate) async fn group(&self, name: &str) -> Group {
        self.find(name).await.unwrap_or_else(|| panic!("{name} is not there"))
    }

    /// The health of a target group's targets.
    pub(crate) async fn health(&self, target_group: &TargetGroupArn) -> BTreeMap<InstanceId, TargetHealth> {
        self.cloud.target_health(&self.place, target_group).await.unwrap()
    }

    /// The weights of blue and green.
    pub(crate) async fn weights(&self) -> (u32, u32) {
        match self.cloud.rule(&self.place, &self.rule).await.unwrap() {
            Rule::Forward(weights) => match &weights[..] {
                [blue, green] => (blue.weight, green.weight),
                other => panic!("{other:?}"),
            },
            Rule::Other(words) => panic!("{words}"),
        }
    }

    /// Sets the weights of blue and green.
    pub(crate) async fn weigh(&self, blue: u32, green: u32) -> Result<(), CloudError> {
        let weights = [
            Weight { target_group: self.blue.clone(), weight: blue },
            Weight { target_group: self.green.clone(), weight: green },
        ];
        self.cloud.set_weights(&self.place, &self.rule, &weights).await
    }

    /// Sets a group's desired size.
    pub(crate) async fn resize(&self, name: &str, desired: u32) -> Result<(), CloudError> {
        let size = NewSize { min: 0, max: 10, desired: Some(desired) };
        self.cloud.resize_group(&self.place, &GroupName::new(name), size).await
    }

    /// Sets a group's bounds alone.
    pub(crate) async fn bound(&self, name: &str, min: u32, max: u32) -> Result<(), CloudError> {
        let size = NewSize { min, max, desired: None };
        self.cloud.resize_group(&self.place, &GroupName::new(name), size).await
    }

    /// Everything that was asked is on the cloud's list, with every parameter.
    pub(crate) fn end(&self) {
        let unknown = self.shared.with(|world, _| world.log().unknown().clone());
        assert!(unknown.is_empty(), "asked and not known: {unknown:?}");
    }
}

/// The tags of everything that is created.
pub(crate) fn tags() -> BTreeMap<String, String> {
    [("team", "shop"), ("dryad.dev/turn", "7")].map(|(key, value)| (key.to_owned(), value.to_owned())).into()
}
