//! The trait over clouds.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;

use dryad_machine::name::{Arn, GroupName, Place};

use crate::error::CloudError;
use crate::group::{FailedActivity, FoundGroup, Group, InstanceId, NewGroup, NewSize};
use crate::parameter::{Parameter, Replacing};
use crate::template::{DescribedTemplate, FoundTemplate, NewTemplate};
use crate::traffic::{Rule, RuleArn, TargetGroupArn, TargetHealth, Weight};

/// A cloud, account by account and region by region.
///
/// Reads may be batched and shared between callers, and an implementation may retry them; what they return was
/// asked of the cloud after the call was made. Mutations are sent once, never retried, and give up after 20
/// seconds with [`CloudError::Unanswered`]. Dropping a future does not call its request back.
pub trait Cloud: Send + Sync + 'static {
    /// The groups of these names; a name that is not in the answer does not exist (yet, or any more).
    fn groups(
        &self,
        place: &Place,
        names: &BTreeSet<GroupName>,
    ) -> impl Future<Output = Result<BTreeMap<GroupName, Group>, CloudError>> + Send;

    /// Every group of the place that carries all of these tags, at least one, with these values. Not batched: for
    /// rare questions only.
    fn tagged_groups(
        &self,
        place: &Place,
        tags: &BTreeMap<String, String>,
    ) -> impl Future<Output = Result<Vec<FoundGroup>, CloudError>> + Send;

    /// Every launch template of the place that carries all of these tags, at least one, with these values.
    fn tagged_templates(
        &self,
        place: &Place,
        tags: &BTreeMap<String, String>,
    ) -> impl Future<Output = Result<Vec<FoundTemplate>, CloudError>> + Send;

    /// The launch template of this name, whosever it is; none where there is none (yet, or any more).
    fn template(
        &self,
        place: &Place,
        name: &GroupName,
    ) -> impl Future<Output = Result<Option<FoundTemplate>, CloudError>> + Send;

    /// Every target registered in the target group, draining ones included.
    fn target_health(
        &self,
        place: &Place,
        target_group: &TargetGroupArn,
    ) -> impl Future<Output = Result<BTreeMap<InstanceId, TargetHealth>, CloudError>> + Send;

    /// The rule as it stands.
    fn rule(&self, place: &Place, rule: &RuleArn) -> impl Future<Output = Result<Rule, CloudError>> + Send;

    /// The tags of a rule or a target group; one that is not there is [`CloudError::NotFound`]. For rare questions only.
    fn balancer_tags(
        &self,
        place: &Place,
        arn: &Arn,
    ) -> impl Future<Output = Result<BTreeMap<String, String>, CloudError>> + Send;

    /// The group's newest scaling activity, if that failed: while it stands, it is why instances are missing.
    fn failed_activity(
        &self,
        place: &Place,
        name: &GroupName,
    ) -> impl Future<Output = Result<Option<FailedActivity>, CloudError>> + Send;

    /// Private IPv4 addresses of these instances; one without an address yet is left out.
    fn addresses(
        &self,
        place: &Place,
        instances: &BTreeSet<InstanceId>,
    ) -> impl Future<Output = Result<BTreeMap<InstanceId, String>, CloudError>> + Send;

    /// A version of a launch template: its number, `$Latest` or `$Default`. Neither template nor version being there is
    /// [`CloudError::NotFound`].
    fn template_version(
        &self,
        place: &Place,
        id: &str,
        version: &str,
    ) -> impl Future<Output = Result<DescribedTemplate, CloudError>> + Send;

    /// A parameter as it stands; one that is not there is [`CloudError::NotFound`].
    fn parameter(
        &self,
        place: &Place,
        name: &str,
    ) -> impl Future<Output = Result<Parameter, CloudError>> + Send;

    /// Creates a launch template.
    fn create_template(
        &self,
        place: &Place,
        template: &NewTemplate,
    ) -> impl Future<Output = Result<(), CloudError>> + Send;

    /// Creates a group, attached to nothing, from the launch template of its name.
    fn create_group(
        &self,
        place: &Place,
        group: &NewGroup,
    ) -> impl Future<Output = Result<(), CloudError>> + Send;

    /// Sets a group's bounds, and its size with them.
    fn resize_group(
        &self,
        place: &Place,
        name: &GroupName,
        size: NewSize,
    ) -> impl Future<Output = Result<(), CloudError>> + Send;

    /// Attaches a group to a target group: its instances are registered there.
    fn attach(
        &self,
        place: &Place,
        name: &GroupName,
        target_group: &TargetGroupArn,
    ) -> impl Future<Output = Result<(), CloudError>> + Send;

    /// Detaches a group from a target group: its instances drain.
    fn detach(
        &self,
        place: &Place,
        name: &GroupName,
        target_group: &TargetGroupArn,
    ) -> impl Future<Output = Result<(), CloudError>> + Send;

    /// Makes the rule forward by exactly these weights; stickiness and the rule's conditions stay as they are. The rule
    /// may be read first: a read that fails is an answer, for nothing was sent that changes anything. A rule that does
    /// anything but forward is [`CloudError::Invalid`], one that forwards to a target group beside these [`CloudError::Busy`].
    fn set_weights(
        &self,
        place: &Place,
        rule: &RuleArn,
        weights: &[Weight],
    ) -> impl Future<Output = Result<(), CloudError>> + Send;

    /// Deletes a group that has no instances left. One that still has some is [`CloudError::Busy`].
    fn delete_group(
        &self,
        place: &Place,
        name: &GroupName,
    ) -> impl Future<Output = Result<(), CloudError>> + Send;

    /// Puts a text into a parameter.
    fn put_parameter(
        &self,
        place: &Place,
        name: &str,
        value: &str,
        replacing: Replacing,
    ) -> impl Future<Output = Result<(), CloudError>> + Send;

    /// Deletes a parameter.
    fn delete_parameter(
        &self,
        place: &Place,
        name: &str,
    ) -> impl Future<Output = Result<(), CloudError>> + Send;

    /// Deletes the launch template of this name.
    fn delete_template(
        &self,
        place: &Place,
        name: &GroupName,
    ) -> impl Future<Output = Result<(), CloudError>> + Send;
}
