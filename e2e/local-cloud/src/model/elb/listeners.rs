//! Listeners and the actions on them.
//!
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-listeners.html>

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::actions_of_rules::RuleAction;
use super::{Done, State, page_size};
use crate::model::action::{Action, Context, Kind};
use crate::model::error::{ApiError, Code};
use crate::model::paging::Page;
use crate::model::region::Region;
use crate::model::service::Service;
use crate::model::tags::{self, Tag, Tags};

/// A listener as the model holds it. Its default actions are its default rule.
#[derive(Debug, Clone)]
pub struct Listener {
    /// Its ARN.
    pub arn: String,
    /// Its load balancer's ARN.
    pub load_balancer: String,
    /// Its port.
    pub port: u16,
    /// What requests come to that fit no rule.
    pub actions: Vec<RuleAction>,
    /// The ARN of the default rule.
    pub default_rule: String,
    /// Its tags.
    pub tags: Tags,
    /// When it was created.
    pub(crate) created: Timestamp,
}

/// A listener as it is described.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribedListener {
    /// Its ARN.
    pub listener_arn: String,
    /// Its load balancer's ARN.
    pub load_balancer_arn: String,
    /// Its port.
    pub port: u16,
    /// Always `HTTP`.
    pub protocol: String,
    /// What requests come to that fit no rule.
    pub default_actions: Vec<RuleAction>,
}

impl DescribedListener {
    fn of(listener: &Listener) -> Self {
        Self {
            listener_arn: listener.arn.clone(),
            load_balancer_arn: listener.load_balancer.clone(),
            port: listener.port,
            protocol: "HTTP".to_owned(),
            default_actions: listener.actions.clone(),
        }
    }
}

impl State {
    pub(super) fn listener(&self, arn: &str) -> Result<&Listener, ApiError> {
        self.listeners
            .get(arn)
            .ok_or_else(|| ApiError::new(Code::ListenerNotFound, "One or more listeners not found"))
    }
}

/// The one protocol listeners speak here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum ListenerProtocol {
    /// Plain HTTP.
    #[serde(rename = "HTTP")]
    Http,
}

/// One or more listeners.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Listeners {
    /// As they are described.
    pub listeners: Vec<DescribedListener>,
}

/// Creates a listener.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct CreateListener {
    /// Of which load balancer.
    pub load_balancer_arn: String,
    /// `HTTP`.
    pub protocol: Option<ListenerProtocol>,
    /// 1 to 65535.
    pub port: Option<u16>,
    /// What requests come to that fit no rule.
    pub default_actions: Vec<RuleAction>,
    /// Tags.
    pub tags: Vec<Tag>,
}

impl Action for CreateListener {
    const SERVICE: Service = Service::ElasticLoadBalancing;
    const NAME: &'static str = "CreateListener";
    const KIND: Kind = Kind::Write;
    type Answer = Listeners;

    fn resource(&self) -> String {
        self.load_balancer_arn.clone()
    }

    fn run(self, region: &mut Region, context: &mut Context<'_>) -> Result<Self::Answer, ApiError> {
        region.elb.load_balancer(&self.load_balancer_arn)?;
        let (Some(_), Some(port)) = (self.protocol, self.port.filter(|port| *port > 0)) else {
            return Err(ApiError::invalid("A listener protocol and port must be specified"));
        };
        let actions = region.elb.accept_actions(&self.load_balancer_arn, self.default_actions)?;
        let mut siblings =
            region.elb.listeners.values().filter(|it| it.load_balancer == self.load_balancer_arn);
        if siblings.any(|sibling| sibling.port == port) {
            return Err(ApiError::new(
                Code::DuplicateListener,
                "A listener already exists on this port for this load balancer",
            ));
        }
        let tags = tags::accept(self.tags)?;
        let arn = format!(
            "{}/{}",
            self.load_balancer_arn.replacen(":loadbalancer/", ":listener/", 1),
            region.ids.hex16()
        );
        let listener = Listener {
            arn: arn.clone(),
            load_balancer: self.load_balancer_arn,
            port,
            actions,
            default_rule: super::rules::arn_under(&arn, &mut region.ids),
            tags,
            created: context.now,
        };
        let described = DescribedListener::of(&listener);
        region.elb.listeners.insert(arn, listener);
        region.elb.refresh_usage(context.now);
        Ok(Listeners { listeners: vec![described] })
    }
}

/// Changes a listener's port or default actions.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct ModifyListener {
    /// Which.
    pub listener_arn: String,
    /// 1 to 65535.
    pub port: Option<u16>,
    /// `HTTP`.
    pub protocol: Option<ListenerProtocol>,
    /// What requests come to that fit no rule; none: unchanged.
    pub default_actions: Vec<RuleAction>,
}

impl Action for ModifyListener {
    const SERVICE: Service = Service::ElasticLoadBalancing;
    const NAME: &'static str = "ModifyListener";
    const KIND: Kind = Kind::Write;
    type Answer = Listeners;

    fn resource(&self) -> String {
        self.listener_arn.clone()
    }

    fn run(self, region: &mut Region, context: &mut Context<'_>) -> Result<Self::Answer, ApiError> {
        let mut listener = region.elb.listener(&self.listener_arn)?.clone();
        if let Some(port) = self.port {
            let taken = region.elb.listeners.values().any(|it| {
                it.load_balancer == listener.load_balancer && it.port == port && it.arn != listener.arn
            });
            if taken {
                return Err(ApiError::new(
                    Code::DuplicateListener,
                    "A listener already exists on this port for this load balancer",
                ));
            }
            listener.port = port;
        }
        if !self.default_actions.is_empty() {
            listener.actions = region.elb.accept_actions(&listener.load_balancer, self.default_actions)?;
        }
        let described = DescribedListener::of(&listener);
        region.elb.listeners.insert(listener.arn.clone(), listener);
        region.elb.refresh_usage(context.now);
        Ok(Listeners { listeners: vec![described] })
    }
}

/// Lists listeners, of one load balancer or by ARN.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct DescribeListeners {
    /// Those of this load balancer.
    pub load_balancer_arn: Option<String>,
    /// These; an unknown one is an error.
    pub listener_arns: Vec<String>,
    /// The page.
    pub marker: Option<String>,
    /// 1 to 400, the default.
    pub page_size: Option<usize>,
}

/// The listeners.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeListenersAnswer {
    /// In the order of their ARNs.
    pub listeners: Vec<DescribedListener>,
    /// For the next page.
    pub next_marker: Option<String>,
}

impl Action for DescribeListeners {
    const SERVICE: Service = Service::ElasticLoadBalancing;
    const NAME: &'static str = "DescribeListeners";
    const KIND: Kind = Kind::Read;
    type Answer = DescribeListenersAnswer;

    fn resource(&self) -> String {
        self.load_balancer_arn.iter().chain(&self.listener_arns).cloned().collect::<Vec<_>>().join(",")
    }

    fn run(self, region: &mut Region, context: &mut Context<'_>) -> Result<Self::Answer, ApiError> {
        if self.load_balancer_arn.is_none() && self.listener_arns.is_empty() {
            return Err(ApiError::invalid("You must specify either listener ARNs or a load balancer ARN"));
        }
        if let Some(arn) = &self.load_balancer_arn {
            region.elb.load_balancer(arn)?;
        }
        for arn in &self.listener_arns {
            region.elb.listener(arn)?;
        }
        let visible_after = context.settings.timings.visible_after;
        let fits = |listener: &&Listener| {
            listener.created + visible_after <= context.now
                && self.load_balancer_arn.as_ref().is_none_or(|arn| listener.load_balancer == *arn)
                && (self.listener_arns.is_empty() || self.listener_arns.contains(&listener.arn))
        };
        let size = page_size(self.page_size, context.settings)?;
        let page = Page { token: self.marker.as_deref(), size };
        let (page, next_marker) = page.of(region.elb.listeners.values().filter(fits), |it| it.arn.clone())?;
        let listeners = page.into_iter().map(DescribedListener::of).collect();
        Ok(DescribeListenersAnswer { listeners, next_marker })
    }
}

/// Deletes a listener with its rules.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct DeleteListener {
    /// Which.
    pub listener_arn: String,
}

impl Action for DeleteListener {
    const SERVICE: Service = Service::ElasticLoadBalancing;
    const NAME: &'static str = "DeleteListener";
    const KIND: Kind = Kind::Write;
    type Answer = Done;

    fn resource(&self) -> String {
        self.listener_arn.clone()
    }

    fn run(self, region: &mut Region, context: &mut Context<'_>) -> Result<Self::Answer, ApiError> {
        region.elb.listener(&self.listener_arn)?;
        region.elb.listeners.remove(&self.listener_arn);
        region.elb.rules.retain(|_, rule| rule.listener != self.listener_arn);
        region.elb.refresh_usage(context.now);
        Ok(Done {})
    }
}
