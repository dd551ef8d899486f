//! The tags of a rule or a target group. AWS takes the ARNs of several things in one request, but does not say whether
//! they may be of different kinds, so each is asked about by itself.

use std::collections::BTreeMap;

use aws_sdk_elasticloadbalancingv2::types::Tag;
use dryad_cloud::CloudError;
use dryad_machine::name::Arn;

use crate::call::Call;
use crate::errors::lacking;
use crate::site::Site;

const ACTION: Call = Call::DescribeTags;

impl Site {
    /// The tags of this one thing.
    pub(crate) async fn balancer_tags(&self, arn: &Arn) -> Result<BTreeMap<String, String>, CloudError> {
        let answer = self
            .read(self.read_deadline(), ACTION, |clients| {
                clients.elb.describe_tags().resource_arns(arn.as_str()).send()
            })
            .await?;
        let mut described = answer.tag_descriptions().iter();
        let described = described
            .find(|described| described.resource_arn() == Some(arn.as_str()))
            .ok_or_else(|| lacking(ACTION.name(), "the tags that were asked for"))?;
        let pair = |tag: &Tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned()));
        Ok(described.tags().iter().filter_map(pair).collect())
    }
}
