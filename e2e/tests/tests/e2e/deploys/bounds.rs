//! What a deploy costs: how often the API server is written to, and how often the cloud is asked to change something.

use dryad_crds::{Deployment, Environment};
use dryad_local_cloud::model::Code;
use dryad_local_cloud::model::log::Outcome;
use dryad_machine::state::State;
use dryad_machine::tenure::Tenure;
use dryad_stage::deploys::{history_of, table};
use futures::{StreamExt, TryStreamExt};
use k8s_openapi::NamespaceResourceScope;
use kube::ResourceExt;
use kube::api::{ListParams, WatchEvent, WatchParams};
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::deploys::lost::{FORWARD, held};
use crate::deploys::scene::{Place, Scene, WEB};
use crate::deploys::trouble::{asked_since, logged, looks, until_looked};

/// Every version of the objects of one kind, from `since` to what is there now.
async fn versions<K>(scene: &Scene, since: &str, name: &str) -> Vec<K>
where
    K: kube::Resource<Scope = NamespaceResourceScope> + DeserializeOwned + Clone + std::fmt::Debug,
    K: Send + 'static,
    K::DynamicType: Default,
{
    let api = scene.stage.api::<K>();
    let latest = api.get(name).await.unwrap().resource_version();
    let of_it = WatchParams::default().fields(&format!("metadata.name={name}"));
    let mut events = api.watch(&of_it, since).await.unwrap().boxed();
    let (mut versions, mut seen): (Vec<K>, _) = (Vec::new(), Some(since.to_owned()));
    while seen != latest {
        match events.try_next().await.unwrap().expect("the API server still knows what came before") {
            WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                seen = object.resource_version();
                versions.push(object);
            }
            WatchEvent::Bookmark(_) => {}
            other => panic!("{other:?}"),
        }
    }
    versions
}

/// Where a watch begins that is to show every write from now on.
async fn now<K>(scene: &Scene) -> String
where
    K: kube::Resource<Scope = NamespaceResourceScope> + DeserializeOwned + Clone + std::fmt::Debug,
    K::DynamicType: Default,
{
    let list = scene.stage.api::<K>().list(&ListParams::default()).await.unwrap();
    list.metadata.resource_version.expect("every list has one")
}

/// How often what it waits for was another thing than before.
fn reports(versions: &[Deployment]) -> usize {
    let told = |object: &Deployment| {
        let progress = object.status.as_ref().and_then(|status| status.progress.clone());
        progress.map(|progress| (progress.message, progress.healthy, progress.wanted))
    };
    versions.windows(2).filter(|pair| told(&pair[1]).is_some() && told(&pair[0]) != told(&pair[1])).count()
}

fn tenure(object: &Environment) -> Option<&Tenure> {
    object.status.as_ref().map(|status| &status.tenure)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_is_written_once_for_each_thing_that_happens_and_each_change_is_sent_once() {
    let scene = Scene::set("bounds", |environment| {
        held(environment);
        environment["spec"]["evaluate"]["duration"] = json!("2s");
        environment["spec"]["retain"]["previous"] = json!("2s");
    })
    .await;
    let (deployments, environments) = (now::<Deployment>(&scene).await, now::<Environment>(&scene).await);
    let before = scene.stage.api::<Environment>().get(WEB).await.unwrap();
    let begun = logged(&scene);
    let _operator = scene.stage.operator("a").unwrap();
    scene.stage.deploy("web-2", json!({ "environment": WEB })).await;
    let done = scene.stage.until_state("web-2", State::Done).await;
    scene.serves("web-2").await;
    scene.stage.until_at_rest("web-2").await;

    let of_deployment: Vec<Deployment> = versions(&scene, &deployments, "web-2").await;
    let (entries, reports) = (history_of(&done).len(), reports(&of_deployment));
    // The first version is its author's, two are for our finalizer.
    assert!(
        of_deployment.len() <= 1 + entries + reports + 2,
        "{} writes: {}",
        of_deployment.len(),
        table(&done)
    );
    let mut of_environment: Vec<Environment> = versions(&scene, &environments, WEB).await;
    of_environment.insert(0, before);
    let (tenures, conditions): (Vec<_>, Vec<_>) =
        of_environment.windows(2).partition(|pair| tenure(&pair[0]) != tenure(&pair[1]));
    // Taken, blue held, green projected, given back.
    assert!(tenures.len() <= 4, "{tenures:#?}");
    assert!(conditions.len() <= entries, "{conditions:#?}");

    let asked = asked_since(&scene, begun);
    let sent: Vec<_> = asked.iter().filter(|entry| entry.outcome == Outcome::Done).collect();
    assert_eq!(sent.iter().map(|entry| entry.action).collect::<Vec<_>>(), FORWARD);
    // That a group is gone is asked once more, which is the one call that is refused.
    let refused: Vec<_> = asked.iter().filter(|entry| entry.outcome != Outcome::Done).collect();
    assert_eq!(
        refused.iter().map(|entry| (entry.action, entry.outcome)).collect::<Vec<_>>(),
        [("DeleteAutoScalingGroup", Outcome::Refused(Code::ValidationError))]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_cloud_refuses_is_asked_for_once_a_look_and_written_down_once() {
    let scene = Scene::set("retries", |_| {}).await;
    let _operator = scene.stage.operator("a").unwrap();
    scene.deploy_held("web-2").await;
    scene.bring("web-2", Place::Shifting).await;
    let api = scene.stage.api::<Deployment>();
    let written = api.get("web-2").await.unwrap().resource_version().unwrap();
    let (begun, looked) = (logged(&scene), looks(&scene));
    until_looked(&scene, 8).await;
    let asked = asked_since(&scene, begun);
    let looked = looks(&scene) - looked;
    assert!(asked.iter().all(|entry| entry.action == "ModifyRule"), "{asked:#?}");
    assert!((1..=looked).contains(&asked.len()), "{} of {looked} looks: {asked:#?}", asked.len());
    // Why it waits, which is told at most every ten seconds, and stays the same.
    let told: Vec<Deployment> = versions(&scene, &written, "web-2").await;
    assert!(told.len() <= 2, "{told:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_deploy_waits_for_is_said_as_soon_as_it_waits() {
    let scene = Scene::set("told", |_| {}).await;
    let _operator = scene.stage.operator("a").unwrap();
    scene.deploy_held("web-2").await;
    // Each of these is reached within ten seconds after the last word of the one before.
    for place in [Place::Pending, Place::Resolving, Place::Launching] {
        scene.until("web-2", place).await;
        let told = |object: Option<&Deployment>| {
            let status = object.and_then(|object| object.status.as_ref());
            status.is_some_and(|status| status.progress.is_some())
        };
        let object = scene.stage.until("web-2", told).await.expect("it exists");
        let status = object.status.as_ref().expect("it has begun");
        let (entered, told) = (status.history.last().unwrap().at, status.progress.as_ref().unwrap().since);
        let silent = told.duration_since(entered).as_secs();
        assert!(silent <= 4, "{place:?}: {silent} s of silence:\n{}", table(&object));
        scene.let_go("web-2", place).await;
    }
}
