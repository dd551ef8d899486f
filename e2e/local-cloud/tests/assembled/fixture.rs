//! The fixture's ids, which samples and documentation name.

use dryad_local_cloud::local_cloud::{LocalCloud, Options};

use crate::support::soon;

#[tokio::test]
async fn the_readme_names_what_the_fixture_makes() {
    let readme = include_str!("../../README.md");
    let cloud = LocalCloud::start(Options::simulated()).await.expect("a cloud");
    let web = soon("the fixture", cloud.web_fixture()).await.expect("a fixture");
    for (what, name) in web.names() {
        assert!(readme.contains(&format!("| {what} | `{name}` |")), "README.md misses | {what} | `{name}` |");
    }
}

#[tokio::test]
async fn a_second_fixture_is_refused() {
    let cloud = LocalCloud::start(Options::simulated()).await.expect("a cloud");
    soon("the fixture", cloud.web_fixture()).await.expect("a fixture");
    soon("the answer", cloud.web_fixture()).await.expect_err("it is there already");
}
