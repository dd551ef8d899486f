//! Groups by their tags, whatever their names: asked rarely, paged to the end, shared with nobody.

use std::collections::BTreeMap;

use aws_sdk_autoscaling::types::Filter;
use dryad_cloud::CloudError;
use dryad_cloud::group::FoundGroup;

use super::describe::{ACTION, MOST_RECORDS};
use super::seen;
use crate::errors::lacking;
use crate::site::Site;

impl Site {
    /// Every group with all of these tags.
    pub(crate) async fn tagged_groups(
        &self,
        tags: &BTreeMap<String, String>,
    ) -> Result<Vec<FoundGroup>, CloudError> {
        let filter = |(key, value): (&String, &String)| {
            Filter::builder().name(format!("tag:{key}")).values(value).build()
        };
        let filters: Vec<_> = tags.iter().map(filter).collect();
        let mut found = Vec::new();
        let mut next = None;
        loop {
            // Each page in a time of its own: how many there are is not known.
            let page = self
                .read(self.read_deadline(), ACTION, |clients| {
                    clients
                        .autoscaling
                        .describe_auto_scaling_groups()
                        .set_filters(Some(filters.clone()))
                        .max_records(MOST_RECORDS)
                        .set_next_token(next.clone())
                        .send()
                })
                .await?;
            for group in page.auto_scaling_groups() {
                let created =
                    group.created_time().ok_or_else(|| lacking(ACTION.name(), "a group's creation time"))?;
                found.push(FoundGroup { group: seen::group(ACTION.name(), group)?, created: created.secs() });
            }
            // A short page is not the last one; one without a token is.
            next = page.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                return Ok(found);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use dryad_cloud::Cloud;

    use crate::testing::{Fake, Request, done, here};

    fn page(name: &str, next: &str) -> (u16, String) {
        let group = format!(
            "<member><AutoScalingGroupName>{name}</AutoScalingGroupName><MinSize>1</MinSize><MaxSize>2</MaxSize>\
             <DesiredCapacity>1</DesiredCapacity><CreatedTime>2026-01-01T00:00:07Z</CreatedTime></member>"
        );
        let groups = format!("<AutoScalingGroups>{group}</AutoScalingGroups><NextToken>{next}</NextToken>");
        done("DescribeAutoScalingGroups", &groups)
    }

    #[tokio::test(start_paused = true)]
    async fn groups_are_found_by_all_of_their_tags_on_every_page() {
        let fake = Fake::new(|request: Request| {
            std::future::ready(match request.get("NextToken") {
                None => page("web-1", "more"),
                Some(_) => page("web-2", ""),
            })
        });
        let tags = [("dryad.dev/installation", "a"), ("dryad.dev/turn", "7")];
        let tags = tags.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        let found = fake.aws().tagged_groups(&here(), &tags).await.unwrap();
        let found: Vec<_> = found.iter().map(|found| (found.group.name.as_str(), found.created)).collect();
        assert_eq!(found, [("web-1", 1_767_225_607), ("web-2", 1_767_225_607)]);
        assert_eq!(
            fake.asked()[0].lines(),
            [
                "Action=DescribeAutoScalingGroups",
                "MaxRecords=100",
                "Filters.member.1.Name=tag:dryad.dev/installation",
                "Filters.member.1.Values.member.1=a",
                "Filters.member.2.Name=tag:dryad.dev/turn",
                "Filters.member.2.Values.member.1=7",
            ]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_page_that_fails_leaves_no_shorter_list() {
        let fake = Fake::new(|request: Request| {
            std::future::ready(match request.get("NextToken") {
                None => page("web-1", "more"),
                Some(_) => crate::testing::refused(400, "ValidationError", "Invalid NextToken"),
            })
        });
        let tags = [("dryad.dev/installation".to_owned(), "a".to_owned())].into();
        assert!(fake.aws().tagged_groups(&here(), &tags).await.is_err());
    }
}
