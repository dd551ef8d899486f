//! A repository that answers only whom it knows.

use dryad_git_server::{Manners, Server};
use dryad_machine::state::State;
use serde_json::json;

use crate::deploys::releases::rejected;
use crate::deploys::stage;

const SECRET: &str = "repository";
const PASSWORD: &str = "open-sesame";
/// `shop:open-sesame` in base64.
const AUTHORIZATION: &str = "Basic c2hvcDpvcGVuLXNlc2FtZQ==";

#[tokio::test(flavor = "multi_thread")]
async fn denied_credentials_are_told_at_once_and_the_right_ones_deploy() {
    let stage = stage("credentials").await;
    stage.repository.commit("Say one", &[("index.html", Some("one"))]).unwrap();
    let guarded = Manners::Guarded { authorization: AUTHORIZATION, canary: PASSWORD };
    let server = Server::start(stage.directory(), guarded).await;
    let url = server.url("web");
    let certificates = server.certificate();
    let flags = ["--git-certificates", certificates.to_str().expect("a plain path")];
    let _operator = stage.operator_told("a", &flags).unwrap();
    let mut environment = stage.environment("web");
    environment["spec"]["source"]["repository"] = json!(url);
    environment["spec"]["source"]["secretName"] = json!(SECRET);
    stage.create_environment(&environment).await;

    stage.basic_auth(SECRET, "shop", "open-barley").await;
    let sentence = rejected(&stage, "web-1", json!({})).await;
    assert_eq!(
        sentence,
        format!(
            "{url} denied access with the credentials given: check the repository and the Secret in `spec.source`"
        )
    );

    stage.basic_auth(SECRET, "shop", PASSWORD).await;
    stage.deploy("web-2", json!({ "environment": "web" })).await;
    stage.until_state("web-2", State::Done).await;
    let seen = server.seen();
    assert!(seen.canary_in_environments > 0, "the password was used");
    assert_eq!(seen.canary_in_arguments, 0);
}
