//! From a deploy's template to what the cloud is asked for. Pure.

use dryad_cloud::group::{Capacity, HealthSource, NewGroup};
use dryad_cloud::template::{DescribedTemplate, NewTemplate};
use dryad_crds::deployment::status::Template;
use dryad_crds::environment::target::{LaunchTemplate, Target as TargetSpec};
use dryad_crds::environment::traffic::Traffic;
use dryad_machine::release::Release;
use dryad_machine::tenure::Member;
use thiserror::Error;

use crate::act::Blueprint;
use crate::green::template::{self, RenderError, TemplateError};
use crate::tags::{self, Freight, Owner};
use crate::target::{Target, TrafficTarget};

/// Why nothing can be launched from an Environment as it is.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Unbuildable {
    /// The user data can't be read.
    #[error("{whose}: {error}")]
    Template {
        /// Which user data.
        whose: String,
        /// What is wrong with it.
        error: TemplateError,
    },
    /// The user data can't be filled in for this release.
    #[error("{whose}: {error}")]
    Render {
        /// Which user data.
        whose: String,
        /// What is wrong with it.
        error: RenderError,
    },
    /// The plan was made by another version of Dryad, which settled nothing.
    #[error(
        "neither the Environment nor what was settled for this Deployment says {0}; create another Deployment"
    )]
    Unsettled(&'static str),
}

/// Where groups run and how requests reach them.
pub fn target(template: &Template) -> Target {
    let traffic = TrafficTarget::of(&Traffic::access(template.traffic.as_ref()));
    Target { place: template.target.place(), traffic }
}

/// What a group of this release is made of. `base` is the launch template that ours is derived from, if there is one;
/// what the Environment says itself replaces what stands there.
///
/// # Errors
/// When the user data can't be filled in.
pub fn blueprint(
    template: &Template,
    base: Option<&DescribedTemplate>,
    freight: Freight<'_>,
    owner: &Owner,
    member: &Member,
) -> Result<Blueprint, Unbuildable> {
    let TargetSpec::AutoScalingGroup(group) = &template.target;
    let launch = &group.launch_template;
    let (release, tags) = (freight.release, tags::of(owner, member, freight));
    let settled = template.launch.as_ref().map(|launch| &launch.image_id);
    let image = settled.or(release.image.as_ref()).or(launch.image_id.as_ref());
    let instance_type = launch.instance_type.as_ref().map(ToString::to_string);
    let declared_groups = launch.security_group_ids.iter().map(ToString::to_string);
    let base = base.cloned().unwrap_or_default();
    let health = match &template.traffic {
        Some(_) => HealthSource::LoadBalancer { grace_seconds: group.health_check_grace_period.seconds() },
        None => HealthSource::Instance,
    };
    Ok(Blueprint {
        template: NewTemplate {
            name: member.name.clone(),
            image_id: image.ok_or(Unbuildable::Unsettled("which image"))?.to_string(),
            instance_type: instance_type
                .or(base.instance_type)
                .ok_or(Unbuildable::Unsettled("which instance type"))?,
            instance_profile: launch
                .instance_profile
                .as_ref()
                .map(ToString::to_string)
                .or(base.instance_profile),
            key_name: launch.key_name.as_ref().map(ToString::to_string).or(base.key_name),
            security_group_ids: if launch.security_group_ids.is_empty() {
                base.security_group_ids
            } else {
                declared_groups.collect()
            },
            user_data: user_data(launch, base.user_data, release)?,
            carried: base.carried,
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

/// Why nothing can be launched from a target's own user data, whatever the release; none if it can be read.
pub fn flaw(target: &TargetSpec) -> Option<String> {
    let TargetSpec::AutoScalingGroup(group) = target;
    let error = template::Template::parse(group.launch_template.user_data.as_ref()?).err()?;
    Some(Unbuildable::Template { whose: OWN.to_owned(), error }.to_string())
}

/// What the user data is called that an Environment holds itself.
const OWN: &str = "target.autoScalingGroup.launchTemplate.userData";

/// The release filled in, in the base's user data as in the Environment's own. What is no text, compressed user data
/// for instance, is taken as it is.
///
/// # Errors
/// When it can't be filled in.
pub(crate) fn user_data(
    launch: &LaunchTemplate,
    of_base: Option<Vec<u8>>,
    release: &Release,
) -> Result<Option<Vec<u8>>, Unbuildable> {
    let (whose, text) = match (&launch.user_data, of_base, &launch.from) {
        (Some(text), _, _) => (OWN.to_owned(), text.clone()),
        (None, Some(bytes), Some(from)) => match String::from_utf8(bytes) {
            Ok(text) => (format!("the user data of launch template {}", from.id), text),
            Err(no_text) => return Ok(Some(no_text.into_bytes())),
        },
        (None, _, _) => return Ok(None),
    };
    let parsed = match template::Template::parse(&text) {
        Ok(parsed) => parsed,
        Err(error) => return Err(Unbuildable::Template { whose, error }),
    };
    match parsed.render(release) {
        Ok(rendered) => Ok(Some(rendered.as_str().as_bytes().to_vec())),
        Err(error) => Err(Unbuildable::Render { whose, error }),
    }
}

#[cfg(test)]
mod tests;
