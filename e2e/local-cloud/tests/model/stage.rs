//! A world with a load balancer, two target groups and a launch template in it, and short ways to ask it things.

use dryad_local_cloud::model::ec2::{IMAGES, SUBNETS, TemplateData, VPC};
use dryad_local_cloud::model::elb::{Condition, RuleAction};
use dryad_local_cloud::model::{
    Account, Action, ApiError, CallError, Caller, Code, Place, Settings, Timings, World, autoscaling, ec2,
    elb,
};
use jiff::{SignedDuration, Timestamp};

/// A world, its clock, and who calls.
pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) now: Timestamp,
    pub(crate) caller: Caller,
    pub(crate) listener: String,
    pub(crate) rule: String,
    /// The target group of blue, of weight 100, and the one of green, of weight 0.
    pub(crate) blue: String,
    pub(crate) green: String,
}

/// Delays that a test can tell apart.
pub(crate) const TIMINGS: Timings = Timings {
    pending: secs(10),
    initial: secs(5),
    probe: None,
    drain: Some(secs(30)),
    terminate: secs(20),
    delete: secs(3),
    visible_after: secs(0),
    launch_retry: secs(60),
    health_check: secs(7),
    terminated_kept: secs(3600),
};

pub(crate) const fn secs(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

pub(crate) fn place() -> Place {
    let account = Account::try_from("123456789012".to_owned()).expect("twelve digits");
    Place { account, region: "us-east-1".to_owned() }
}

impl Stage {
    pub(crate) fn new() -> Self {
        let mut stage = Self {
            world: World::new(42, Settings { timings: TIMINGS, ..Settings::default() }),
            now: "2026-01-01T00:00:00Z".parse().expect("a time"),
            caller: Caller::root(place()),
            listener: String::new(),
            rule: String::new(),
            blue: String::new(),
            green: String::new(),
        };
        stage.blue = stage.target_group("blue");
        stage.green = stage.target_group("green");
        let load_balancer = stage.ok(elb::CreateLoadBalancer {
            name: "web".to_owned(),
            subnets: SUBNETS.map(str::to_owned).to_vec(),
            ..Default::default()
        });
        let (blue, green) = (stage.blue.clone(), stage.green.clone());
        let created = stage.ok(elb::CreateListener {
            load_balancer_arn: load_balancer.load_balancers[0].load_balancer_arn.clone(),
            protocol: Some(elb::ListenerProtocol::Http),
            port: Some(80),
            default_actions: vec![RuleAction::answer("404")],
            tags: Vec::new(),
        });
        stage.listener.clone_from(&created.listeners[0].listener_arn);
        let created = stage.ok(elb::CreateRule {
            listener_arn: stage.listener.clone(),
            priority: 1,
            conditions: vec![path("/*")],
            actions: vec![RuleAction::forward([(blue.as_str(), 100), (green.as_str(), 0)])],
            tags: Vec::new(),
        });
        stage.rule.clone_from(&created.rules[0].rule_arn);
        stage.ok(ec2::CreateLaunchTemplate {
            launch_template_name: "web".to_owned(),
            launch_template_data: template_data(),
            ..Default::default()
        });
        stage
    }

    pub(crate) fn call<A: Action>(&mut self, request: A) -> Result<A::Answer, CallError> {
        self.world.call(self.now, &self.caller, request).outcome
    }

    /// Calls what must succeed.
    #[track_caller]
    pub(crate) fn ok<A: Action>(&mut self, request: A) -> A::Answer {
        match self.call(request) {
            Ok(answer) => answer,
            Err(error) => panic!("{} failed: {error}", A::NAME),
        }
    }

    /// Calls what must be refused, and says how.
    #[track_caller]
    pub(crate) fn refused<A: Action>(&mut self, request: A) -> ApiError {
        match self.call(request) {
            Err(CallError::Api(error)) => error,
            Err(CallError::Unanswered) => panic!("{} was not answered", A::NAME),
            Ok(_) => panic!("{} was not refused", A::NAME),
        }
    }

    #[track_caller]
    pub(crate) fn refused_as<A: Action>(&mut self, code: Code, request: A) {
        assert_eq!(self.refused(request).code, code);
    }

    pub(crate) fn wait(&mut self, seconds: i64) {
        self.now += secs(seconds);
        self.world.advance(self.now);
    }

    pub(crate) fn target_group(&mut self, name: &str) -> String {
        let created = self.ok(elb::CreateTargetGroup {
            name: name.to_owned(),
            protocol: Some("HTTP".to_owned()),
            port: Some(8080),
            vpc_id: Some(VPC.to_owned()),
            ..Default::default()
        });
        created.target_groups[0].target_group_arn.clone()
    }

    /// Creates a group of `size` instances in the given target groups.
    pub(crate) fn group(&mut self, name: &str, size: u32, target_groups: &[&str]) {
        self.ok(group(name, size, target_groups));
    }

    #[track_caller]
    pub(crate) fn described(&mut self, name: &str) -> autoscaling::DescribedGroup {
        self.find(name).unwrap_or_else(|| panic!("group {name} is not there"))
    }

    pub(crate) fn find(&mut self, name: &str) -> Option<autoscaling::DescribedGroup> {
        let request = autoscaling::DescribeAutoScalingGroups {
            auto_scaling_group_names: vec![name.to_owned()],
            ..Default::default()
        };
        self.ok(request).auto_scaling_groups.pop()
    }

    /// The lifecycle states of a group's instances.
    pub(crate) fn states(&mut self, name: &str) -> Vec<String> {
        self.described(name).instances.iter().map(|it| format!("{:?}", it.lifecycle_state)).collect()
    }

    /// The health of a target group's targets, sorted.
    pub(crate) fn health(&mut self, target_group: &str) -> Vec<String> {
        let answer = self
            .ok(elb::DescribeTargetHealth { target_group_arn: target_group.to_owned(), targets: Vec::new() });
        let mut states: Vec<String> =
            answer.target_health_descriptions.into_iter().map(|it| it.target_health.state).collect();
        states.sort();
        states
    }

    /// A group's activities, the latest first, as `status: message or description`.
    pub(crate) fn activities(&mut self, name: &str) -> Vec<String> {
        let answer = self.ok(autoscaling::DescribeScalingActivities {
            auto_scaling_group_name: Some(name.to_owned()),
            include_deleted_groups: Some(true),
            ..Default::default()
        });
        let activities = answer.activities.into_iter();
        activities
            .map(|it| format!("{:?}: {}", it.status_code, it.status_message.unwrap_or(it.description)))
            .collect()
    }

    pub(crate) fn weigh(&mut self, blue: u32, green: u32) {
        let weights = [(self.blue.as_str(), blue), (self.green.as_str(), green)];
        let request = elb::ModifyRule {
            rule_arn: self.rule.clone(),
            actions: vec![RuleAction::forward(weights)],
            ..Default::default()
        };
        self.ok(request);
    }

    pub(crate) fn resize(&mut self, name: &str, size: u32) {
        self.ok(autoscaling::UpdateAutoScalingGroup {
            auto_scaling_group_name: name.to_owned(),
            min_size: Some(0),
            desired_capacity: Some(size),
            ..Default::default()
        });
    }

    pub(crate) fn detach(&mut self, name: &str, target_group: &str) {
        self.ok(autoscaling::DetachLoadBalancerTargetGroups {
            auto_scaling_group_name: name.to_owned(),
            target_group_arns: vec![target_group.to_owned()],
        });
    }
}

/// A request for a group of `size` instances in the given target groups.
pub(crate) fn group(name: &str, size: u32, target_groups: &[&str]) -> autoscaling::CreateAutoScalingGroup {
    autoscaling::CreateAutoScalingGroup {
        auto_scaling_group_name: name.to_owned(),
        launch_template: Some(template("web", "1")),
        min_size: 0,
        max_size: 10,
        desired_capacity: Some(size),
        vpc_zone_identifier: Some(SUBNETS.join(",")),
        target_group_arns: target_groups.iter().map(|arn| (*arn).to_owned()).collect(),
        health_check_type: Some(autoscaling::HealthCheckType::Elb),
        ..Default::default()
    }
}

pub(crate) fn template(name: &str, version: &str) -> autoscaling::TemplateSpecification {
    autoscaling::TemplateSpecification {
        launch_template_id: None,
        launch_template_name: Some(name.to_owned()),
        version: Some(version.to_owned()),
    }
}

pub(crate) fn template_data() -> TemplateData {
    TemplateData {
        image_id: Some(IMAGES[0].to_owned()),
        instance_type: Some("m7g.large".to_owned()),
        // echo hello
        user_data: Some("ZWNobyBoZWxsbw==".to_owned()),
        ..Default::default()
    }
}

pub(crate) fn path(pattern: &str) -> Condition {
    Condition { field: "path-pattern".to_owned(), values: vec![pattern.to_owned()], ..Default::default() }
}

pub(crate) fn delete(name: &str, force: bool) -> autoscaling::DeleteAutoScalingGroup {
    autoscaling::DeleteAutoScalingGroup {
        auto_scaling_group_name: name.to_owned(),
        force_delete: force.then_some(true),
    }
}
