//! Groups and launch templates that are found by their tags, whatever their names.

use std::collections::BTreeMap;

use dryad_cloud::Cloud;
use dryad_machine::name::GroupName;

use super::stage::{Stage, tags};

/// When the stage's clock starts, in seconds since 1970.
const STARTED: i64 = 1_767_225_600;

fn tagged(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// Creates template and group with these tags.
async fn launch<C: Cloud>(stage: &Stage<C>, name: &str, tags: &BTreeMap<String, String>) {
    let mut template = Stage::<C>::template(name);
    template.tags.clone_from(tags);
    stage.cloud.create_template(&stage.place, &template).await.unwrap();
    let mut group = Stage::<C>::new_group(name, 0);
    group.tags.clone_from(tags);
    stage.cloud.create_group(&stage.place, &group).await.unwrap();
}

async fn names<C: Cloud>(stage: &Stage<C>, tags: &BTreeMap<String, String>) -> [Vec<String>; 2] {
    let groups = stage.cloud.tagged_groups(&stage.place, tags).await.unwrap();
    let templates = stage.cloud.tagged_templates(&stage.place, tags).await.unwrap();
    let mut names = [
        groups.iter().map(|found| found.group.name.to_string()).collect::<Vec<_>>(),
        templates.iter().map(|found| found.name.to_string()).collect(),
    ];
    for names in &mut names {
        names.sort();
    }
    names
}

pub(crate) async fn what_is_ours_is_found_by_its_tags<C: Cloud>(stage: &Stage<C>) {
    launch(stage, "web-1", &tags()).await;
    stage.wait(2);
    launch(stage, "web-2", &tagged(&[("team", "shop"), ("dryad.dev/turn", "8")])).await;
    launch(stage, "web-3", &tagged(&[("team", "toys"), ("dryad.dev/turn", "7")])).await;
    // The template that is left of a group is found without it.
    stage.cloud.create_template(&stage.place, &Stage::<C>::template("web-4")).await.unwrap();

    let both = |found: &[&str]| found.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let shop = names(stage, &tagged(&[("team", "shop")])).await;
    assert_eq!(shop, [both(&["web-1", "web-2"]), both(&["web-1", "web-2", "web-4"])]);
    let one = names(stage, &tags()).await;
    assert_eq!(one, [both(&["web-1"]), both(&["web-1", "web-4"])], "every tag has to fit");
    assert_eq!(names(stage, &tagged(&[("team", "nobody")])).await, [both(&[]), both(&[])]);

    let groups = stage.cloud.tagged_groups(&stage.place, &tagged(&[("dryad.dev/turn", "8")])).await.unwrap();
    let [found] = &groups[..] else { panic!("{groups:?}") };
    assert_eq!(found.group, stage.group("web-2").await);
    assert_eq!(found.created, STARTED + 120);
    let templates = stage.cloud.tagged_templates(&stage.place, &tagged(&[("dryad.dev/turn", "8")])).await;
    let templates = templates.unwrap();
    let [found] = &templates[..] else { panic!("{templates:?}") };
    assert_eq!(found.tags, tagged(&[("team", "shop"), ("dryad.dev/turn", "8")]));
    assert_eq!(found.created, STARTED + 120);

    // One that is on its way out is still there, and says so.
    stage.cloud.delete_group(&stage.place, &GroupName::new("web-1")).await.unwrap();
    let groups = stage.cloud.tagged_groups(&stage.place, &tags()).await.unwrap();
    assert!(matches!(&groups[..], [found] if found.group.deleting), "{groups:?}");
}

pub(crate) async fn a_template_is_found_by_its_name_whosever_it_is<C: Cloud>(stage: &Stage<C>) {
    launch(stage, "web-1", &tagged(&[("team", "toys")])).await;
    launch(stage, "web-10", &tags()).await;
    let named = async |name| stage.cloud.template(&stage.place, &GroupName::new(name)).await.unwrap();
    let found = named("web-1").await.unwrap();
    assert_eq!((found.name.as_str(), found.tags), ("web-1", tagged(&[("team", "toys")])));
    assert_eq!(named("web-10").await.unwrap().tags, tags());
    assert_eq!(named("web").await, None);
    stage.cloud.delete_template(&stage.place, &GroupName::new("web-10")).await.unwrap();
    assert_eq!(named("web-10").await, None);
}

pub(crate) async fn more_than_a_page_is_found_whole<C: Cloud>(stage: &Stage<C>) {
    stage.pages_of(2);
    for number in 0..5 {
        launch(stage, &format!("web-{number}"), &tags()).await;
    }
    let all: Vec<_> = (0..5).map(|number| format!("web-{number}")).collect();
    assert_eq!(names(stage, &tags()).await, [all.clone(), all]);
}
