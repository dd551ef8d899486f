//! How a group is asked for.

use aws_sdk_autoscaling::types::{LaunchTemplateSpecification, Tag};
use dryad_cloud::CloudError;
use dryad_cloud::group::{HealthSource, NewGroup};

use super::change::size;
use crate::call::Call;
use crate::site::Site;

impl Site {
    /// Creates the group from version 1 of the launch template of its name, in its subnets, attached to nothing.
    pub(crate) async fn create_group(&self, group: &NewGroup) -> Result<(), CloudError> {
        let template = LaunchTemplateSpecification::builder()
            .launch_template_name(group.name.as_str())
            // A number: `$Latest` would let instances of another making into the group.
            .version("1")
            .build();
        self.mutate(self.mutation_deadline(), Call::CreateAutoScalingGroup, |clients| {
            let request = clients
                .autoscaling
                .create_auto_scaling_group()
                .auto_scaling_group_name(group.name.as_str())
                .launch_template(template)
                .min_size(size(group.capacity.min))
                .max_size(size(group.capacity.max))
                .desired_capacity(size(group.capacity.desired))
                .vpc_zone_identifier(group.subnets.join(","))
                .set_tags(Some(tags(group)));
            let request = match group.health {
                HealthSource::Instance => request.health_check_type("EC2"),
                HealthSource::LoadBalancer { grace_seconds } => {
                    request.health_check_type("ELB").health_check_grace_period(size(grace_seconds))
                }
            };
            request.send()
        })
        .await
    }
}

fn tags(group: &NewGroup) -> Vec<Tag> {
    let tag = |(key, value): (&String, &String)| {
        Tag::builder()
            .resource_type("auto-scaling-group")
            .resource_id(group.name.as_str())
            .key(key)
            .value(value)
            .propagate_at_launch(true)
            .build()
    };
    group.tags.iter().map(tag).collect()
}
