//! What `kubectl get` shows of our objects.

use std::collections::BTreeMap;

use dryad_cluster::Cluster;
use dryad_machine::state::State;
use dryad_stage::Stage;
use dryad_stage::deploys::history_of;
use serde_json::json;

use crate::deploys::stage;

/// What kubectl prints about an object, by the heads of the columns.
async fn printed(stage: &Stage, of: &str, output: &[&str]) -> BTreeMap<String, String> {
    let cluster = Cluster::shared().await.expect("a cluster");
    let mut kubectl = cluster.kubectl().unwrap_or_else(|missing| panic!("{missing}"));
    let run = kubectl.args(["get", of, "--namespace", &stage.namespace]).args(output).output();
    let run = run.expect("kubectl runs");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let text = String::from_utf8(run.stdout).expect("UTF-8");
    let [head, line] = text.lines().collect::<Vec<_>>().try_into().unwrap_or_else(|_| panic!("{text}"));
    // Columns are three spaces apart, and some heads are of two words.
    let heads: Vec<_> = head.split("   ").map(str::trim).filter(|name| !name.is_empty()).collect();
    let (mut begins, mut from) = (Vec::<usize>::new(), 0);
    for name in &heads {
        begins.push(from + head[from..].find(name).expect("it is there"));
        from = begins[begins.len() - 1] + name.len();
    }
    let cell = |at: usize| {
        let ends = begins.get(at + 1).copied().unwrap_or(line.len());
        line[begins[at]..ends].trim().to_owned()
    };
    heads.iter().enumerate().map(|(at, name)| ((*name).to_owned(), cell(at))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_column_shows_what_its_head_says() {
    let stage = stage("columns").await;
    let commit = stage.repository.commit("Say one", &[("index.html", Some("one"))]).unwrap();
    let _operator = stage.operator("a").unwrap();
    stage.create_environment(&stage.environment("web")).await;
    stage.deploy("web-1", json!({ "environment": "web", "request": { "paused": true } })).await;
    stage.until_state("web-1", State::Pending).await;
    // Before anybody has looked whether the Environment was restored, that is what it waits for.
    let waits = |object: Option<&dryad_crds::Deployment>| {
        let status = object.and_then(|object| object.status.as_ref());
        status
            .and_then(|status| status.progress.as_ref())
            .is_some_and(|progress| progress.message == "paused")
    };
    stage.until("web-1", waits).await;
    let waiting = printed(&stage, "ddep/web-1", &[]).await;
    assert_eq!((&*waiting["STATE"], &*waiting["PROGRESS"]), ("Pending", "paused"));

    stage.request("web-1", json!({ "paused": false, "skipEvaluation": true })).await;
    let done = stage.until_state("web-1", State::Done).await;
    let narrow = printed(&stage, "ddep/web-1", &[]).await;
    assert!(!narrow.contains_key("MESSAGE"), "{narrow:?}");
    let wide = printed(&stage, "ddep/web-1", &["--output=wide"]).await;
    assert_eq!((&*wide["ENVIRONMENT"], &*wide["STATE"], &*wide["COMMIT"]), ("web", "Done", &*commit));
    assert_eq!(wide["MESSAGE"], history_of(&done).last().expect("it has ended").message);

    stage.until_free("web").await;
    let ready = |object: Option<&dryad_crds::Environment>| {
        let status = object.and_then(|object| object.status.as_ref());
        status.is_some_and(|it| it.conditions.iter().any(|one| one.type_ == "Ready" && one.status == "True"))
    };
    stage.until("web", ready).await;
    let environment = printed(&stage, "denv/web", &[]).await;
    assert_eq!((&*environment["BRANCH"], &*environment["COMMIT"]), ("main", &*commit));
    let stands = ["IN TURN", "READY", "AVAILABLE"].map(|head| &*environment[head]);
    assert_eq!(stands, ["", "True", "True"]);
    assert!(environment["SINCE"].ends_with('s'), "{environment:?}");
}
