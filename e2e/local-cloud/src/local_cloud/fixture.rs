//! What a user of AWS has before Dryad comes: a network, an image, load balancers with their target groups.

use super::LocalCloud;
use crate::model::ec2::{IMAGES, SECURITY_GROUP, SUBNETS, VPC};
use crate::model::elb::{
    Condition, CreateListener, CreateLoadBalancer, CreateRule, CreateTargetGroup, ListenerProtocol,
    RuleAction,
};
use crate::model::{Account, CallError, Place};

/// The account and region of the fixture, and of the calls that [`Control::call`](super::Control::call) makes.
pub(super) fn place() -> Place {
    let Ok(account) = Account::try_from("123456789012".to_owned()) else { unreachable!("twelve digits") };
    Place { account, region: "us-east-1".to_owned() }
}

/// A web application's surroundings. With the default seed, and made before anything else, its ids and ARNs are always
/// the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebFixture {
    /// The account and the region of it all.
    pub place: Place,
    /// Three subnets, each in a zone of its own.
    pub subnets: Vec<String>,
    /// A security group.
    pub security_group: String,
    /// An AMI.
    pub image: String,
    /// The name of an instance profile. Profiles exist by being named.
    pub instance_profile: String,
    /// The load balancer `web`.
    pub load_balancer: String,
    /// Its listener, which answers 404 where no rule applies.
    pub listener: String,
    /// Its one rule, for every path: all weight on the first target group.
    pub rule: String,
    /// `web-a`, of weight 100, and `web-b`, of weight 0.
    pub target_groups: [String; 2],
    /// Where users reach `web`.
    pub url: String,
    /// The other way of changing over: one target group for blue and green.
    pub shared: SharedGroup,
}

/// A load balancer that forwards everything to one target group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedGroup {
    /// The load balancer `shared`.
    pub load_balancer: String,
    /// Its target group `shared`.
    pub target_group: String,
    /// Where users reach it.
    pub url: String,
}

impl WebFixture {
    /// All ids, names and ARNs, each with what it is.
    pub fn names(&self) -> Vec<(&'static str, &str)> {
        let [a, b] = &self.target_groups;
        let mut names: Vec<_> = self.subnets.iter().map(|subnet| ("subnet", subnet.as_str())).collect();
        names.extend([
            ("security group", self.security_group.as_str()),
            ("image", &self.image),
            ("instance profile", &self.instance_profile),
            ("load balancer `web`", &self.load_balancer),
            ("its listener", &self.listener),
            ("its rule", &self.rule),
            ("target group `web-a`, weight 100", a),
            ("target group `web-b`, weight 0", b),
            ("load balancer `shared`", &self.shared.load_balancer),
            ("its target group `shared`", &self.shared.target_group),
        ]);
        names
    }
}

impl LocalCloud {
    /// Makes the fixture, by the calls a user would make. Targets listen at 8080 and are checked at `/healthz`. Returns
    /// once users can reach both load balancers.
    ///
    /// # Errors
    /// When the cloud refuses or loses a call: a fault does that, or the fixture is there already.
    pub async fn web_fixture(&self) -> Result<WebFixture, CallError> {
        let target_groups =
            [self.target_group("web-a")?, self.target_group("web-b")?, self.target_group("shared")?];
        let [a, b, shared] = &target_groups;
        let (load_balancer, listener) = self.load_balancer("web", RuleAction::answer("404"))?;
        let created = self.control().call(CreateRule {
            listener_arn: listener.clone(),
            priority: 1,
            conditions: vec![Condition {
                field: "path-pattern".to_owned(),
                values: vec!["/*".to_owned()],
                ..Condition::default()
            }],
            actions: vec![RuleAction::forward([(a.as_str(), 100), (b.as_str(), 0)])],
            ..CreateRule::default()
        })?;
        let rule = created.rules.into_iter().map(|rule| rule.rule_arn).collect();
        let (shared_balancer, _) =
            self.load_balancer("shared", RuleAction::forward([(shared.as_str(), 1)]))?;
        let (url, shared_url) =
            (self.load_balancer_url(&load_balancer).await, self.load_balancer_url(&shared_balancer).await);
        let [a, b, shared] = target_groups;
        Ok(WebFixture {
            place: place(),
            subnets: SUBNETS.map(str::to_owned).to_vec(),
            security_group: SECURITY_GROUP.to_owned(),
            image: IMAGES[0].to_owned(),
            instance_profile: "web".to_owned(),
            load_balancer,
            listener,
            rule,
            target_groups: [a, b],
            url,
            shared: SharedGroup { load_balancer: shared_balancer, target_group: shared, url: shared_url },
        })
    }

    fn target_group(&self, name: &str) -> Result<String, CallError> {
        let created = self.control().call(CreateTargetGroup {
            name: name.to_owned(),
            protocol: Some("HTTP".to_owned()),
            port: Some(8080),
            vpc_id: Some(VPC.to_owned()),
            health_check_path: Some("/healthz".to_owned()),
            health_check_interval_seconds: Some(5),
            health_check_timeout_seconds: Some(2),
            healthy_threshold_count: Some(2),
            unhealthy_threshold_count: Some(2),
            ..CreateTargetGroup::default()
        })?;
        Ok(created.target_groups.into_iter().map(|group| group.target_group_arn).collect())
    }

    /// A load balancer and its listener.
    fn load_balancer(&self, name: &str, default: RuleAction) -> Result<(String, String), CallError> {
        let created = self.control().call(CreateLoadBalancer {
            name: name.to_owned(),
            subnets: SUBNETS.map(str::to_owned).to_vec(),
            security_groups: vec![SECURITY_GROUP.to_owned()],
            ..CreateLoadBalancer::default()
        })?;
        let load_balancer: String =
            created.load_balancers.into_iter().map(|balancer| balancer.load_balancer_arn).collect();
        let created = self.control().call(CreateListener {
            load_balancer_arn: load_balancer.clone(),
            protocol: Some(ListenerProtocol::Http),
            port: Some(80),
            default_actions: vec![default],
            tags: Vec::new(),
        })?;
        let listener = created.listeners.into_iter().map(|listener| listener.listener_arn).collect();
        Ok((load_balancer, listener))
    }
}
