//! Instances in the model's words, and back.

use std::collections::{BTreeMap, BTreeSet};

use dryad_cloud::CloudError;
use dryad_cloud::group::InstanceId;
use dryad_machine::name::Place;

use super::InProcess;
use crate::model::ec2::{DescribeInstances, Filter};

/// The most values that a filter may have.
const MOST: usize = 200;

impl InProcess {
    pub(super) async fn describe_addresses(
        &self,
        place: &Place,
        instances: &BTreeSet<InstanceId>,
    ) -> Result<BTreeMap<InstanceId, String>, CloudError> {
        let ids: Vec<_> = instances.iter().map(|instance| instance.0.clone()).collect();
        let mut addresses = BTreeMap::new();
        for ids in ids.chunks(MOST) {
            let mut next_token = None;
            loop {
                let request = DescribeInstances {
                    filters: vec![Filter { name: "instance-id".to_owned(), values: ids.to_vec() }],
                    next_token,
                    ..DescribeInstances::default()
                };
                let page = self.call(place, request).await?;
                let instances = page.reservations.into_iter().flat_map(|reservation| reservation.instances);
                addresses.extend(instances.filter_map(|instance| {
                    Some((InstanceId(instance.instance_id), instance.private_ip_address?.to_string()))
                }));
                next_token = page.next_token;
                if next_token.is_none() {
                    break;
                }
            }
        }
        Ok(addresses)
    }
}
