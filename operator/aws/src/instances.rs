//! What only EC2 knows of a group's instances.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::Filter;
use dryad_cloud::CloudError;
use dryad_cloud::group::InstanceId;

use crate::site::Site;

const ACTION: &str = "DescribeInstances";

/// The most values that a filter may have.
const MOST_IDS: usize = 200;

impl Site {
    /// Their private addresses. Asked by filter, not by id: one id that EC2 does not know yet, or any more, would be
    /// an error for all.
    pub(crate) async fn addresses(
        &self,
        instances: &BTreeSet<InstanceId>,
    ) -> Result<BTreeMap<InstanceId, String>, CloudError> {
        let deadline = self.read_deadline();
        let ids: Vec<_> = instances.iter().map(|instance| instance.0.clone()).collect();
        let mut addresses = BTreeMap::new();
        for ids in ids.chunks(MOST_IDS) {
            let filter = Filter::builder().name("instance-id").set_values(Some(ids.to_vec())).build();
            let mut next = None;
            loop {
                let page = self
                    .read(deadline, ACTION, |clients| {
                        clients.ec2.describe_instances().filters(filter.clone()).set_next_token(next).send()
                    })
                    .await?;
                for instance in page.reservations().iter().flat_map(|reservation| reservation.instances()) {
                    if let (Some(id), Some(address)) = (instance.instance_id(), instance.private_ip_address())
                    {
                        addresses.insert(InstanceId(id.to_owned()), address.to_owned());
                    }
                }
                next = page.next_token.filter(|token| !token.is_empty());
                if next.is_none() {
                    break;
                }
            }
        }
        Ok(addresses)
    }
}
