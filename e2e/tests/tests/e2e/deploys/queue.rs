//! One deploy at a time: others wait, and who cannot run is not waited for.

use dryad_crds::Deployment;
use dryad_machine::state::State;
use dryad_stage::deploys::{path_of, state_of};
use serde_json::json;

use crate::deploys::scene::{Place, Scene, WEB, green_of};

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_waits_for_its_turn_and_not_for_one_that_cannot_run() {
    let scene = Scene::set("queue", |_| {}).await;
    let _operator = scene.stage.operator("a").unwrap();
    scene.deploy_held("web-2").await;
    let holder = scene.bring("web-2", Place::Launching).await;

    let paused = json!({ "paused": true, "skipEvaluation": true });
    scene.stage.deploy("web-3", json!({ "environment": WEB, "request": paused })).await;
    let runnable = json!({ "skipEvaluation": true });
    scene.stage.deploy("web-4", json!({ "environment": WEB, "request": runnable })).await;
    let told = |object: Option<&Deployment>| {
        let progress = object.and_then(|object| object.status.as_ref()?.progress.as_ref());
        progress.is_some_and(|progress| progress.message == "waiting for its turn; Deployment web-2 has it")
    };
    let waiting = scene.stage.until("web-4", told).await.expect("it exists");
    assert_eq!(path_of(&waiting), ["Pending Created"]);

    scene.stage.request("web-2", json!({ "end": "Abort" })).await;
    scene.let_all_go().await;
    scene.stage.until_state("web-2", State::Aborted).await;
    let running = scene.stage.until_state("web-4", State::RetainWait).await;
    let paused = scene.stage.api::<Deployment>().get("web-3").await.unwrap();
    assert_eq!(state_of(&paused), State::Pending, "it is older, and cannot run");
    let turn = |object: &Deployment| object.status.as_ref().and_then(|status| status.turn);
    assert!(turn(&running) > turn(&holder));

    // From RetainWait on nobody has to wait: blue is kept for a return that the next deploy makes pointless.
    scene.stage.request("web-3", json!({ "paused": false })).await;
    let superseded = scene.stage.until_state("web-4", State::Done).await;
    assert!(path_of(&superseded).contains(&"RetireWait Superseded".to_owned()), "{:?}", path_of(&superseded));
    let next = scene.stage.until_state("web-3", State::RetainWait).await;
    assert!(turn(&next) > turn(&running));
    let mut groups = [green_of(&superseded), green_of(&next)];
    groups.sort();
    scene.left(&groups.each_ref().map(String::as_str), 4).await;
}
