//! What only EC2 knows of a group's instances.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::{Filter, Reservation};
use dryad_cloud::CloudError;
use dryad_cloud::group::InstanceId;

use crate::call::Call;
use crate::site::Site;

const ACTION: Call = Call::DescribeInstances;

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
                        clients
                            .ec2
                            .describe_instances()
                            .filters(filter.clone())
                            .set_next_token(next.clone())
                            .send()
                    })
                    .await?;
                for instance in page.reservations().iter().flat_map(Reservation::instances) {
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use dryad_cloud::Cloud;

    use super::*;
    use crate::testing::{Fake, Request, here};

    fn ids(numbers: std::ops::Range<usize>) -> BTreeSet<InstanceId> {
        numbers.map(|number| InstanceId(format!("i-{number:03}"))).collect()
    }

    /// A page with these instances, each with an address but for `i-000`.
    fn page(ids: &[&str], next: &str) -> (u16, String) {
        let instance = |id: &&str| {
            let address =
                format!("<privateIpAddress>10.0.0.{}</privateIpAddress>", id.trim_start_matches("i-"));
            let address = if *id == "i-000" { "" } else { &address };
            format!(
                "<item><instancesSet><item><instanceId>{id}</instanceId>{address}</item></instancesSet></item>"
            )
        };
        let reservations: String = ids.iter().map(instance).collect();
        let body = format!("<reservationSet>{reservations}</reservationSet><nextToken>{next}</nextToken>");
        (200, format!("<DescribeInstancesResponse>{body}</DescribeInstancesResponse>"))
    }

    #[tokio::test(start_paused = true)]
    async fn instances_are_asked_after_by_filter_and_paged() {
        let fake = Fake::new(|request: Request| {
            std::future::ready(match request.get("NextToken") {
                None => page(&["i-000", "i-001"], "more"),
                Some(_) => page(&["i-002"], ""),
            })
        });
        let addresses = fake.aws().addresses(&here(), &ids(0..4)).await.unwrap();
        let expected = [("i-001", "10.0.0.001"), ("i-002", "10.0.0.002")];
        assert_eq!(addresses, expected.map(|(id, ip)| (InstanceId(id.to_owned()), ip.to_owned())).into());
        assert_eq!(
            fake.asked()[0].lines(),
            [
                "Action=DescribeInstances",
                "Filter.1.Name=instance-id",
                "Filter.1.Value.1=i-000",
                "Filter.1.Value.2=i-001",
                "Filter.1.Value.3=i-002",
                "Filter.1.Value.4=i-003",
            ]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn many_instances_take_several_requests_and_none_takes_none() {
        let fake =
            Fake::new(|request: Request| std::future::ready(page(&request.list("Filter.1.Value."), "")));
        let aws = fake.aws();
        assert_eq!(aws.addresses(&here(), &ids(0..0)).await, Ok(BTreeMap::new()));
        assert_eq!(aws.addresses(&here(), &ids(1..451)).await.unwrap().len(), 450);
        let sizes: Vec<_> =
            fake.asked().iter().map(|request| request.list("Filter.1.Value.").len()).collect();
        assert_eq!(sizes, [200, 200, 50]);
    }
}
