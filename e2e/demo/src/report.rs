//! What is looked at in the end: the histories, the users, and what is left behind.

use std::collections::BTreeSet;

use dryad_crds::{Deployment, Environment};
use dryad_local_cloud::model::view::Inventory;
use dryad_stage::deploys::table;
use kube::api::{DeleteParams, ListParams};
use kube::runtime::wait::await_condition;
use kube::runtime::wait::conditions::is_deleted;
use kube::{Api, ResourceExt as _};

use crate::acts::{ENVIRONMENT, Scene};
use crate::board::{Board, PATIENCE};
use crate::error::DemoError;
use crate::narrator::{Narrator, Tone};
use crate::show::Promises;
use crate::timeline::timeline;

/// Every Deployment's history, as it stands in its status.
pub(crate) fn histories(narrator: &Narrator, board: &Board) {
    narrator.print(&format!("\n{}", narrator.tinted(Tone::Bold, "What the histories say")));
    for object in board.seen().borrow().values() {
        narrator.print("");
        for line in table(object).lines() {
            narrator.say(line);
        }
    }
}

/// Sends the users home, and says what they met.
pub(crate) async fn users(scene: &mut Scene<'_>) {
    let met = scene.users.go_home().await;
    let narrator = &scene.narrator;
    narrator.print(&format!("\n{}\n", narrator.tinted(Tone::Bold, "What users met")));
    for line in timeline(&met) {
        narrator.say(&line);
    }
    narrator.print("");
    if let Some(why) = met.failures.first() {
        narrator.say(&format!("The first failure: {why}"));
    }
    let (requests, failures) = (met.requests, met.failures.len());
    scene.promise(requests > 0 && failures == 0, &format!("{requests} requests, {failures} failed"));
}

/// Deletes what was applied, and counts what is left in cloud and cluster.
pub(crate) async fn leave(scene: &mut Scene<'_>) -> Result<Promises, DemoError> {
    let narrator = &scene.narrator;
    narrator.print(&format!("\n{}", narrator.tinted(Tone::Bold, "What is left")));
    narrator.command(&format!("kubectl delete denv/{ENVIRONMENT} && kubectl delete ddep --all"));
    let deployments: Api<Deployment> = scene.stage.api();
    delete(&scene.stage.api::<Environment>(), ENVIRONMENT).await?;
    for object in deployments.list(&ListParams::default()).await? {
        delete(&deployments, &object.name_any()).await?;
    }
    // Whether anything is left can only be counted once what is going has gone.
    let control = scene.stage.cloud.control();
    let mut processes = control.processes();
    let gone = async {
        control.until(|world, _| (world.inventory() == Inventory::default()).then_some(())).await;
        // The sender lives as long as the cloud.
        let _ = processes.wait_for(BTreeSet::is_empty).await;
    };
    let _ = tokio::time::timeout(PATIENCE, gone).await;

    let left = control.left();
    let (environments, deployments) = (
        scene.stage.api::<Environment>().list(&ListParams::default()).await?.items.len(),
        deployments.list(&ListParams::default()).await?.items.len(),
    );
    let unknown = control.with(|world, _| world.log().unknown().is_empty());
    let inventory = &left.inventory;
    let (groups, templates) = (inventory.groups.len(), inventory.templates.len());
    let (instances, running) = (inventory.instances.len(), left.processes.len());
    narrator.fact("cluster", &format!("{environments} Environments, {deployments} Deployments"));
    narrator.fact(
        "cloud",
        &format!("{groups} groups, {templates} launch templates, {instances} instances, {running} processes"),
    );
    let nothing = left.is_nothing() && environments == 0 && deployments == 0;
    scene.promise(nothing, if nothing { "nothing left behind" } else { "something is left behind" });
    if !unknown {
        scene.promise(false, "the local cloud was asked something that it does not know");
    }
    Ok(scene.promises)
}

async fn delete<K>(api: &Api<K>, name: &str) -> Result<(), DemoError>
where
    K: kube::Resource + serde::de::DeserializeOwned + Clone + std::fmt::Debug + Send + Sync + 'static,
{
    let Some(object) = api.get_opt(name).await? else { return Ok(()) };
    let uid = object.meta().uid.clone().unwrap_or_default();
    api.delete(name, &DeleteParams::default()).await?;
    let gone = await_condition(api.clone(), name, is_deleted(&uid));
    match tokio::time::timeout(PATIENCE, gone).await {
        Ok(_) => Ok(()),
        Err(_) => Err(DemoError::Stuck { what: format!("for {name} to be gone"), patience: PATIENCE }),
    }
}
