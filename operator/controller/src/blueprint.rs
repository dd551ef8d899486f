//! From a deploy's template to what the cloud is asked for. Pure.

use dryad_cloud::group::{Capacity, HealthSource, NewGroup};
use dryad_cloud::template::NewTemplate;
use dryad_cloud::traffic::{RuleArn, TargetGroupArn};
use dryad_crds::deployment::status::Template;
use dryad_crds::environment::target::Target as TargetSpec;
use dryad_crds::environment::traffic::Traffic;
use dryad_machine::release::Release;
use dryad_machine::tenure::Member;
use thiserror::Error;

use crate::act::Blueprint;
use crate::tags::{self, Owner};
use crate::target::{Target, TrafficTarget};
use crate::template::{self, RenderError, TemplateError};

/// Why nothing can be launched from an Environment as it is.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Unbuildable {
    /// The user data can't be read.
    #[error("target.autoScalingGroup.launchTemplate.userData: {0}")]
    Template(#[from] TemplateError),
    /// The user data can't be filled in for this release.
    #[error("target.autoScalingGroup.launchTemplate.userData: {0}")]
    Render(#[from] RenderError),
}

/// Where groups run and how requests reach them.
pub fn target(template: &Template) -> Target {
    let traffic = match &template.traffic {
        Some(Traffic::LoadBalancerRule(rule)) => {
            let [a, b] = rule.target_group_arns.each_ref().map(|arn| TargetGroupArn(arn.to_string()));
            TrafficTarget::Rule { rule: RuleArn(rule.rule_arn.to_string()), a, b }
        }
        Some(Traffic::TargetGroup(shared)) => {
            TrafficTarget::TargetGroup(TargetGroupArn(shared.arn.to_string()))
        }
        None => TrafficTarget::Workers,
    };
    Target { place: template.target.place(), traffic }
}

/// What a group of this release is made of.
///
/// # Errors
/// When the user data can't be filled in.
pub fn blueprint(
    template: &Template,
    release: &Release,
    owner: &Owner,
    member: &Member,
) -> Result<Blueprint, Unbuildable> {
    let TargetSpec::AutoScalingGroup(group) = &template.target;
    let launch = &group.launch_template;
    let tags = tags::of(owner, member);
    let user_data = match &launch.user_data {
        Some(text) => Some(template::Template::parse(text)?.render(release)?.as_str().to_owned()),
        None => None,
    };
    let health = match &template.traffic {
        Some(_) => HealthSource::LoadBalancer { grace_seconds: group.health_check_grace_period.seconds() },
        None => HealthSource::Instance,
    };
    Ok(Blueprint {
        template: NewTemplate {
            name: member.name.clone(),
            image_id: release.image.as_ref().unwrap_or(&launch.image_id).to_string(),
            instance_type: launch.instance_type.to_string(),
            instance_profile: launch.instance_profile.as_ref().map(ToString::to_string),
            key_name: launch.key_name.as_ref().map(ToString::to_string),
            security_group_ids: launch.security_group_ids.iter().map(ToString::to_string).collect(),
            user_data,
            tags: tags.clone(),
        },
        group: NewGroup {
            name: member.name.clone(),
            capacity: Capacity {
                min: group.capacity.min,
                max: group.capacity.max,
                desired: group.capacity.min,
            },
            subnets: group.subnet_ids.iter().map(ToString::to_string).collect(),
            health,
            tags,
        },
    })
}
