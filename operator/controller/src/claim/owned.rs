//! Whether what a deploy is to be reached by has a controller of its own: that one would undo every change of ours.
//!
//! Asked once for each Deployment, before anything is launched. Not here: who of several Environments may use what
//! ([`conflict`](crate::claim::conflict)), and what the operator's [configuration](crate::configuration) permits.

use dryad_cloud::{Cloud, CloudError};
use dryad_machine::access::Access;
use dryad_machine::name::Place;

use crate::green::launch::Obstacle;

/// On what the AWS Load Balancer Controller made, with the name of its cluster.
const OWNER: &str = "elbv2.k8s.aws/cluster";

/// Asks the cloud whose the rule and the target groups are; `hear` is told each answer.
///
/// # Errors
/// When another controller owns one of them, or nobody can tell.
pub async fn look<C: Cloud>(
    cloud: &C,
    place: &Place,
    access: &Access,
    hear: impl Fn(Result<(), &CloudError>),
) -> Result<(), Obstacle> {
    for arn in access.arns() {
        let answer = cloud.balancer_tags(place, arn).await;
        hear(answer.as_ref().map(drop));
        if let Some(cluster) = answer.map_err(|error| obstacle(&error))?.get(OWNER) {
            return Err(Obstacle::Lasting(format!(
                "{arn} belongs to the AWS Load Balancer Controller of cluster {cluster} (tag {OWNER}), which would undo \
                 what a deploy changes there; name a rule and target groups in spec.traffic that nobody else keeps"
            )));
        }
    }
    Ok(())
}

fn obstacle(error: &CloudError) -> Obstacle {
    let why = format!("spec.traffic: {error}");
    match error {
        CloudError::Invalid { .. } | CloudError::AlreadyExists { .. } => Obstacle::Lasting(why),
        // What is missing may yet be made, and a permission given.
        CloudError::NotFound { .. }
        | CloudError::Denied { .. }
        | CloudError::Busy { .. }
        | CloudError::Throttled { .. }
        | CloudError::Unanswered { .. }
        | CloudError::Unreachable { .. } => Obstacle::Passing(why),
    }
}
