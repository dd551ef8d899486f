//! What a launch template leaves open, settled once for a whole deploy.
//!
//! [`settle`] is pure: it goes by what is declared, by the release, and by what the cloud says of the launch template
//! that ours is derived from. [`look`] asks the cloud. Nothing is created here; that is [`blueprint`].

use dryad_cloud::parameter::{Parameter, ParameterKind};
use dryad_cloud::template::DescribedTemplate;
use dryad_cloud::{Cloud, CloudError};
use dryad_crds::deployment::status::Launch;
use dryad_crds::environment::target::{LaunchTemplate, Target, TemplateVersion};
use dryad_machine::name::Place;
use dryad_machine::release::{ImageId, Release};
use thiserror::Error;

use crate::green::blueprint;
use crate::process::denials::Ask;

/// Why nothing can be launched from what is declared, however often it is tried.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Unlaunchable {
    /// A copy of the launch template would say less than it.
    #[error(
        "launch template {id} version {version} has {}, which Dryad cannot carry over; name a version without, or \
         write launchTemplate without from",
        names.join(", ")
    )]
    Uncarried {
        /// The launch template.
        id: String,
        /// The version's number.
        version: i64,
        /// What would be lost.
        names: Vec<String>,
    },
    /// The image is not named by its id.
    #[error(
        "launch template {id} version {version} names its image as {image}, which is no AMI's id; set \
         launchTemplate.imageId or imageIdFromParameter beside from"
    )]
    ImageByAlias {
        /// The launch template.
        id: String,
        /// The version's number.
        version: i64,
        /// What stands there.
        image: String,
    },
    /// Nobody names what an instance needs.
    #[error(
        "launch template {id} version {version} names no {lacking}; set launchTemplate.{field} beside from"
    )]
    Lacking {
        /// The launch template.
        id: String,
        /// The version's number.
        version: i64,
        /// In words.
        lacking: &'static str,
        /// The field that says it.
        field: &'static str,
    },
    /// There is no such launch template, or no such version of it.
    #[error(
        "launchTemplate.from: there is no launch template {id} version {version} in {place}; name one there is"
    )]
    Absent {
        /// The launch template.
        id: String,
        /// The version as it was asked for.
        version: String,
        /// Where it was looked for.
        place: Place,
    },
    /// There is no such parameter.
    #[error(
        "launchTemplate.imageIdFromParameter: there is no parameter {name} in {place}; create it, or name one there is"
    )]
    NoParameter {
        /// The parameter.
        name: String,
        /// Where it was looked for.
        place: Place,
    },
    /// The parameter is of a type that holds no AMI's id.
    #[error(
        "launchTemplate.imageIdFromParameter: parameter {name} is a {kind}; make it a String with an AMI's id"
    )]
    ParameterOfOtherType {
        /// The parameter.
        name: String,
        /// Its type.
        kind: String,
    },
    /// The parameter says something else. What, is not repeated: who may name a parameter may not be allowed to read it.
    #[error(
        "launchTemplate.imageIdFromParameter: what parameter {name} holds is no AMI's id, such as ami-0abc1234"
    )]
    NoImageInParameter {
        /// The parameter.
        name: String,
    },
    /// The cloud finds the question itself wrong.
    #[error("{field}: {error}")]
    Refused {
        /// The field with the question.
        field: &'static str,
        /// The cloud's words.
        error: CloudError,
    },
    /// The Environment names no image, which its own rules do not allow.
    #[error("no machine image is named; set launchTemplate.imageId")]
    NoImage,
}

/// What stands between a deploy and its launch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// Something that may pass, in words.
    Passing(String),
    /// Something that stays until somebody changes something, in words.
    Lasting(String),
}

impl From<Unlaunchable> for Obstacle {
    fn from(why: Unlaunchable) -> Self {
        Self::Lasting(why.to_string())
    }
}

/// What is open, settled: asks the cloud for the launch template that this one is derived from, and for the parameter
/// that names the image. What it answers is told to `hear`.
///
/// # Errors
/// What stands in the way.
pub async fn look<C: Cloud>(
    cloud: &C,
    target: &Target,
    release: &Release,
    hear: impl Fn(Ask, Result<(), &CloudError>),
) -> Result<Launch, Obstacle> {
    let Target::AutoScalingGroup(group) = target;
    let declared = &group.launch_template;
    let base = match &declared.from {
        Some(from) => {
            let hear = |answer: Result<(), &CloudError>| hear(Ask::Template, answer);
            Some(read(cloud, &target.place(), from, from.version.as_ref(), hear).await?)
        }
        None => None,
    };
    let parameter = match (&release.image, &declared.image_id_from_parameter) {
        (None, Some(name)) => {
            let hear = |answer: Result<(), &CloudError>| hear(Ask::Image, answer);
            Some(read_image(cloud, &target.place(), name.as_ref(), hear).await?)
        }
        (Some(_), _) | (None, None) => None,
    };
    let launch = settle(declared, release, parameter.as_ref(), base.as_ref())?;
    // Filled in for the launch once more; what is wrong with it is better known before blue is asked to wait for it.
    let filled_in = blueprint::user_data(declared, base.and_then(|base| base.user_data), release);
    filled_in.map_err(|unbuildable| Obstacle::Lasting(unbuildable.to_string()))?;
    Ok(launch)
}

/// The launch template that a deploy is derived from, at the version that was settled. What the cloud answers is told to
/// `hear`.
///
/// # Errors
/// What stands in the way.
pub async fn base<C: Cloud>(
    cloud: &C,
    target: &Target,
    launch: Option<&Launch>,
    hear: impl FnOnce(Result<(), &CloudError>),
) -> Result<Option<DescribedTemplate>, Obstacle> {
    let Target::AutoScalingGroup(group) = target;
    let version = launch.and_then(|launch| launch.version).map(|version| version.to_string());
    match (&group.launch_template.from, version) {
        (Some(from), Some(version)) => read(cloud, &target.place(), from, &version, hear).await.map(Some),
        _ => Ok(None),
    }
}

async fn read<C: Cloud>(
    cloud: &C,
    place: &Place,
    from: &TemplateVersion,
    version: &str,
    hear: impl FnOnce(Result<(), &CloudError>),
) -> Result<DescribedTemplate, Obstacle> {
    let absent = || Unlaunchable::Absent {
        id: from.id.to_string(),
        version: version.to_owned(),
        place: place.clone(),
    };
    let answer = cloud.template_version(place, from.id.as_ref(), version).await;
    hear(answer.as_ref().map(drop));
    answer.map_err(|error| obstacle("launchTemplate.from", error, absent))
}

async fn read_image<C: Cloud>(
    cloud: &C,
    place: &Place,
    name: &str,
    hear: impl FnOnce(Result<(), &CloudError>),
) -> Result<ImageId, Obstacle> {
    let absent = || Unlaunchable::NoParameter { name: name.to_owned(), place: place.clone() };
    let answer = cloud.parameter(place, name).await;
    hear(answer.as_ref().map(drop));
    let found = answer.map_err(|error| obstacle("launchTemplate.imageIdFromParameter", error, absent))?;
    Ok(image_of(name, &found)?)
}

/// The image that a parameter names.
fn image_of(name: &str, found: &Parameter) -> Result<ImageId, Unlaunchable> {
    let name = name.to_owned();
    match &found.kind {
        ParameterKind::Text => {
            found.value.trim().parse().map_err(|_| Unlaunchable::NoImageInParameter { name })
        }
        ParameterKind::Other(kind) => Err(Unlaunchable::ParameterOfOtherType { name, kind: kind.clone() }),
    }
}

/// What an error of the cloud's comes to: what is `absent` stays so until somebody changes something.
fn obstacle(field: &'static str, error: CloudError, absent: impl FnOnce() -> Unlaunchable) -> Obstacle {
    match error {
        CloudError::NotFound { .. } => absent().into(),
        CloudError::Invalid { .. } | CloudError::AlreadyExists { .. } => {
            Unlaunchable::Refused { field, error }.into()
        }
        // A permission may be given while the deploy waits for it.
        CloudError::Denied { .. }
        | CloudError::Busy { .. }
        | CloudError::Throttled { .. }
        | CloudError::Unanswered { .. }
        | CloudError::Unreachable { .. } => Obstacle::Passing(format!("{field}: {error}")),
    }
}

/// The image is the release's, else the one declared, by its id or in a parameter, else the base's.
fn settle(
    declared: &LaunchTemplate,
    release: &Release,
    parameter: Option<&ImageId>,
    base: Option<&DescribedTemplate>,
) -> Result<Launch, Unlaunchable> {
    let named = release.image.as_ref().or(declared.image_id.as_ref()).or(parameter);
    let (Some(from), Some(base)) = (&declared.from, base) else {
        let image_id = named.cloned().ok_or(Unlaunchable::NoImage)?;
        return Ok(Launch { image_id, version: None });
    };
    let (id, version) = (from.id.to_string(), base.version);
    if !base.uncarried.is_empty() {
        return Err(Unlaunchable::Uncarried { id, version, names: base.uncarried.clone() });
    }
    if declared.instance_type.is_none() && base.instance_type.is_none() {
        return Err(Unlaunchable::Lacking { id, version, lacking: "instance type", field: "instanceType" });
    }
    let image_id = match (named, &base.image_id) {
        (Some(image), _) => image.clone(),
        (None, Some(image)) => image.parse::<ImageId>().map_err(|_| Unlaunchable::ImageByAlias {
            id,
            version,
            image: image.clone(),
        })?,
        (None, None) => {
            return Err(Unlaunchable::Lacking { id, version, lacking: "image", field: "imageId" });
        }
    };
    Ok(Launch { image_id, version: Some(version) })
}

#[cfg(test)]
mod tests;
