//! A release with an overlay: its URL and its digest reach the instances, which lay it over the checkout.

use std::path::Path;
use std::process::Command;

use dryad_machine::state::State;
use dryad_stage::Stage;
use dryad_stage::deploys::{history_of, path_of, table};
use serde_json::{Value, json};

use crate::deploys::scene::{WEB, release_one};
use crate::deploys::stage;
use crate::deploys::users::Users;

/// Where overlays are, as releases name it. On this stage it is a directory.
const OVERLAYS: &str = "https://overlays.example.com";

/// What instances run: they fetch the overlay that the release names, check it, lay it over the checkout, and serve.
fn user_data(overlays: &Path) -> String {
    format!(
        "#!/bin/sh\n\
         set -e\n\
         git clone --quiet --no-checkout \"$REPOSITORY\" app\n\
         git -C app checkout --quiet {{{{ release.commit }}}}\n\
         url={{{{ release.overlay.url? }}}}\n\
         if [ -n \"$url\" ]; then\n\
         cp \"{}/${{url#{OVERLAYS}/}}\" overlay.tar\n\
         echo \"{{{{ release.overlay.sha256? }}}}  overlay.tar\" | sha256sum --check --quiet\n\
         tar -x -f overlay.tar -C app\n\
         fi\n\
         exec webapp app\n",
        overlays.display()
    )
}

/// What this command prints, which must succeed.
fn printed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// A stage on which release one serves without an overlay, and an overlay that says two, with its digest.
async fn set(name: &str) -> (Stage, String) {
    let stage = stage(name).await;
    let overlays = stage.directory().join("overlays");
    std::fs::create_dir(&overlays).unwrap();
    std::fs::write(overlays.join("index.html"), "two").unwrap();
    printed(Command::new("tar").args(["-c", "-f", "two.tar", "index.html"]).current_dir(&overlays));
    let digest = printed(Command::new("sha256sum").arg(overlays.join("two.tar")));
    let mut environment = stage.environment(WEB);
    let target = &mut environment["spec"]["target"]["autoScalingGroup"];
    target["launchTemplate"]["userData"] = json!(user_data(&overlays));
    let operator = stage.operator("first").unwrap();
    release_one(&stage, &environment).await;
    operator.stop().unwrap();
    (stage, digest[..64].to_owned())
}

/// The same commit with the overlay, by this digest.
fn with_overlay(digest: &str) -> Value {
    let overlay = json!({ "url": format!("{OVERLAYS}/two.tar"), "sha256": digest });
    json!({ "environment": WEB, "release": { "overlay": overlay }, "request": { "skipEvaluation": true } })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overlay_reaches_the_instances_with_its_digest() {
    let (stage, digest) = set("overlay").await;
    let users = Users::of(&stage);
    let _operator = stage.operator("a").unwrap();
    stage.deploy("web-2", with_overlay(&digest)).await;
    let done = stage.until_state("web-2", State::Done).await;
    assert!(table(&done).contains(&format!("overlay {OVERLAYS}/two.tar")), "{}", table(&done));
    let deployed = stage.until_free(WEB).await.status.unwrap().tenure.deployed.unwrap();
    assert_eq!(deployed.shipment.release.overlay.unwrap().sha256.as_ref(), digest);
    assert_eq!(users.answers().await, ["one", "two"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overlay_that_is_not_what_its_digest_says_never_serves() {
    let (stage, digest) = set("overlay-wrong").await;
    let users = Users::of(&stage);
    let _operator = stage.operator("a").unwrap();
    let wrong = digest.chars().rev().collect::<String>();
    stage.deploy("web-2", with_overlay(&wrong)).await;
    let failed = stage.until_state("web-2", State::Failed).await;
    assert_eq!(path_of(&failed)[3..], ["RolloutWait 1 PrepareOk", "Rollback TimedOut", "Failed RollbackOk"]);
    let why = &history_of(&failed)[4].message;
    assert!(why.contains("0 of 2 instances are healthy"), "{why}");
    assert_eq!(users.answers().await, ["one"]);
}
