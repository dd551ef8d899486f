//! Whose a rule or a target group is, by its tags.

use std::collections::BTreeMap;

use dryad_cloud::Cloud;
use dryad_local_cloud::model::elb::RuleAction;
use dryad_local_cloud::model::tags::Tag;
use dryad_machine::name::Arn;

use super::refusals::assert_kind;
use super::stage::Stage;

pub(crate) async fn rules_and_target_groups_show_their_tags<C: Cloud>(stage: &Stage<C>) {
    let asked = async |arn: &str| stage.cloud.balancer_tags(&stage.place, &Arn::new(arn)).await;
    let tag = |value: &str| vec![Tag { key: "elbv2.k8s.aws/cluster".to_owned(), value: value.to_owned() }];
    let shown = |value: &str| BTreeMap::from([("elbv2.k8s.aws/cluster".to_owned(), value.to_owned())]);
    let rule = stage.tagged_rule(2, RuleAction::forward([(stage.blue.0.as_str(), 1)]), tag("one"));
    let target_group = stage.tagged_target_group("theirs", tag("other"));
    assert_eq!(asked(&rule.0).await, Ok(shown("one")));
    assert_eq!(asked(&target_group.0).await, Ok(shown("other")));
    assert_eq!(asked(&stage.rule.0).await, Ok(BTreeMap::new()));
    assert_eq!(asked(&stage.blue.0).await, Ok(BTreeMap::new()));
    for nothing in [format!("{}0", stage.rule.0), stage.blue.0.replace("/blue/", "/nowhere/")] {
        assert_kind(&asked(&nothing).await.map(drop), "not found", "DescribeTags");
    }
}
