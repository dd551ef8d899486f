//! Launch templates by their tags or by name: asked rarely, paged to the end.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{Filter, LaunchTemplate};
use dryad_cloud::CloudError;
use dryad_cloud::template::FoundTemplate;
use dryad_machine::name::GroupName;

use crate::call::Call;
use crate::errors::lacking;
use crate::site::Site;

const ACTION: Call = Call::DescribeLaunchTemplates;
const MOST_RESULTS: i32 = 200;

impl Site {
    /// Every launch template with all of these tags.
    pub(crate) async fn tagged_templates(
        &self,
        tags: &BTreeMap<String, String>,
    ) -> Result<Vec<FoundTemplate>, CloudError> {
        self.templates(tags.iter().map(|(key, value)| filter(&format!("tag:{key}"), value)).collect()).await
    }

    /// The launch template of this name. By a filter: to ask for one by name that is not there is an error.
    pub(crate) async fn template(&self, name: &GroupName) -> Result<Option<FoundTemplate>, CloudError> {
        let found = self.templates(vec![filter("launch-template-name", name.as_str())]).await?;
        Ok(found.into_iter().find(|found| found.name == *name))
    }

    async fn templates(&self, filters: Vec<Filter>) -> Result<Vec<FoundTemplate>, CloudError> {
        let mut found = Vec::new();
        let mut next = None;
        loop {
            let page = self
                .read(self.read_deadline(), ACTION, |clients| {
                    clients
                        .ec2
                        .describe_launch_templates()
                        .set_filters(Some(filters.clone()))
                        .max_results(MOST_RESULTS)
                        .set_next_token(next.clone())
                        .send()
                })
                .await?;
            for template in page.launch_templates() {
                let template = seen(template);
                found.push(
                    template.ok_or_else(|| lacking(ACTION.name(), "a template's name or creation time"))?,
                );
            }
            next = page.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                return Ok(found);
            }
        }
    }
}

fn filter(name: &str, value: &str) -> Filter {
    Filter::builder().name(name).values(value).build()
}

fn seen(template: &LaunchTemplate) -> Option<FoundTemplate> {
    let tag = |tag: &aws_sdk_ec2::types::Tag| {
        Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned()))
    };
    Some(FoundTemplate {
        name: GroupName::new(template.launch_template_name()?),
        tags: template.tags().iter().filter_map(tag).collect(),
        created: template.create_time()?.secs(),
    })
}

#[cfg(test)]
mod tests {
    use dryad_cloud::Cloud;

    use crate::testing::{Fake, Request, here, name, refused_by_ec2};

    fn page(name: &str, next: &str) -> (u16, String) {
        let template = format!(
            "<item><launchTemplateName>{name}</launchTemplateName><createTime>2026-01-01T00:00:07Z</createTime>\
             <tagSet><item><key>team</key><value>shop</value></item></tagSet></item>"
        );
        let body = format!("<launchTemplates>{template}</launchTemplates><nextToken>{next}</nextToken>");
        (200, format!("<DescribeLaunchTemplatesResponse>{body}</DescribeLaunchTemplatesResponse>"))
    }

    #[tokio::test(start_paused = true)]
    async fn templates_are_found_by_all_of_their_tags_on_every_page() {
        let fake = Fake::new(|request: Request| {
            std::future::ready(match request.get("NextToken") {
                None => page("web-1", "more"),
                Some(_) => page("web-2", ""),
            })
        });
        let tags = [("dryad.dev/installation".to_owned(), "a".to_owned())].into();
        let found = fake.aws().tagged_templates(&here(), &tags).await.unwrap();
        let names: Vec<_> = found.iter().map(|found| (found.name.as_str(), found.created)).collect();
        assert_eq!(names, [("web-1", 1_767_225_607), ("web-2", 1_767_225_607)]);
        assert_eq!(found[0].tags, [("team".to_owned(), "shop".to_owned())].into());
        assert_eq!(
            fake.asked()[0].lines(),
            [
                "Action=DescribeLaunchTemplates",
                "Filter.1.Name=tag:dryad.dev/installation",
                "Filter.1.Value.1=a",
                "MaxResults=200",
            ]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_template_is_found_by_exactly_its_name() {
        let fake = Fake::always(page("web-1", ""));
        assert_eq!(fake.aws().template(&here(), &name("web-1")).await.unwrap().unwrap().tags.len(), 1);
        assert_eq!(fake.asked()[0].get("Filter.1.Name"), Some("launch-template-name"));
        assert_eq!(fake.asked()[0].get("Filter.1.Value.1"), Some("web-1"));
        assert_eq!(
            fake.aws().template(&here(), &name("web-*")).await.unwrap(),
            None,
            "filters have wildcards"
        );
        let empty = "<DescribeLaunchTemplatesResponse><launchTemplates/></DescribeLaunchTemplatesResponse>";
        let fake = Fake::always((200, empty.to_owned()));
        assert_eq!(fake.aws().template(&here(), &name("web-1")).await.unwrap(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_page_that_fails_leaves_no_shorter_list() {
        let fake = Fake::new(|request: Request| {
            std::future::ready(match request.get("NextToken") {
                None => page("web-1", "more"),
                Some(_) => refused_by_ec2(400, "InvalidParameterValue", "Invalid NextToken"),
            })
        });
        let tags = [("dryad.dev/installation".to_owned(), "a".to_owned())].into();
        assert!(fake.aws().tagged_templates(&here(), &tags).await.is_err());
    }
}
