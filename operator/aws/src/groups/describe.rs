//! One question after up to a hundred groups, paged to its end.

use std::collections::{BTreeMap, BTreeSet};

use dryad_cloud::CloudError;
use dryad_cloud::group::Group;
use dryad_machine::name::GroupName;

use super::seen;
use crate::call::Call;
use crate::site::Site;

pub(super) const ACTION: Call = Call::DescribeAutoScalingGroups;

/// The most names a request may hold, with `MaxRecords` raised to as many from its default of 50.
pub(super) const MOST_NAMES: usize = 100;
pub(super) const MOST_RECORDS: i32 = 100;

impl Site {
    /// The groups of these names, at least one and at most [`MOST_NAMES`].
    pub(super) async fn describe(
        &self,
        names: &BTreeSet<GroupName>,
    ) -> Result<BTreeMap<GroupName, Group>, CloudError> {
        let names: Vec<_> = names.iter().map(ToString::to_string).collect();
        let deadline = self.read_deadline();
        let mut found = BTreeMap::new();
        let mut next = None;
        loop {
            let page = self
                .read(deadline, ACTION, |clients| {
                    clients
                        .autoscaling
                        .describe_auto_scaling_groups()
                        .set_auto_scaling_group_names(Some(names.clone()))
                        .max_records(MOST_RECORDS)
                        .set_next_token(next.clone())
                        .send()
                })
                .await?;
            for group in page.auto_scaling_groups() {
                let group = seen::group(ACTION.name(), group)?;
                found.insert(group.name.clone(), group);
            }
            // A short page is not the last one; one without a token is.
            next = page.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                return Ok(found);
            }
        }
    }
}
