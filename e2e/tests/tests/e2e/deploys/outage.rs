//! The API server gone, in every state of a deploy: what was under way stands still meanwhile, users notice nothing,
//! and the deploy goes on when the API server is back.
//!
//! Each outage takes two leases. The 15 s of a lease in production are 6 s here, so that is 30 s there, and 2 minutes are
//! no different: an operator ends once it could not renew its lease, is started again as Kubernetes would, and then
//! only waits, however long it takes.

use dryad_machine::state::State;
use dryad_stage::capacity::Capacity;
use dryad_stage::deploys::path_of;
use dryad_stage::line::{Condition, Line};
use dryad_stage::operator::{GIVES_UP, LEASE, Operator};
use http::StatusCode;
use serde_json::json;
use tokio::time::Instant;

use crate::deploys::scene::{Place, Scene, UNDISTURBED, changes, until_asked_by};
use crate::deploys::users::Users;

/// A scene whose one operator is on a line.
struct Remote {
    scene: Scene,
    line: Line,
    operator: Option<Operator>,
}

impl Remote {
    async fn set(name: &str) -> Self {
        let scene = Scene::retiring(name, |_| {}).await;
        let line = scene.stage.line("a").await.unwrap();
        let operator = scene.stage.operator_on(&line, "a").unwrap().left_alone();
        scene.deploy_held("web-2").await;
        Self { scene, line, operator: Some(operator) }
    }

    /// Takes the API server away from the deploy where it stands, and gives it back.
    async fn outage(&mut self, condition: Condition) {
        let control = self.scene.stage.cloud.control().clone();
        let made = || control.with(|world, _| changes(world).len());
        let (path, over) = (self.path().await, Instant::now() + LEASE * 2);
        self.line.set(condition);
        let operator = self.operator.take().expect("there is one");
        let status = tokio::task::spawn_blocking(|| operator.wait()).await.unwrap().unwrap();
        assert!(!status.success(), "it says that it has lost the lease");
        let changed = made();
        self.operator = Some(self.scene.stage.operator_on(&self.line, "a").unwrap().left_alone());
        tokio::time::sleep_until(over).await;
        assert_eq!((self.path().await, made()), (path, changed), "something went on without the API server");
        self.line.set(Condition::Open);
    }

    async fn path(&self) -> Vec<String> {
        path_of(&self.scene.stage.api().get("web-2").await.unwrap())
    }
}

/// A deploy that suffers such an outage at each of these places.
async fn suffered(name: &str, condition: Condition, places: &[Place]) {
    let mut remote = Remote::set(name).await;
    let users = Users::of(&remote.scene.stage);
    let capacity = Capacity::of(&remote.scene.stage, &remote.scene.stage.web.target_groups[0]);
    for place in Place::ALL {
        remote.scene.until("web-2", place).await;
        if places.contains(&place) {
            remote.outage(condition).await;
        }
        remote.scene.let_go("web-2", place).await;
    }
    let scene = &remote.scene;
    scene.stage.until_state("web-2", State::Done).await;
    assert_eq!(remote.path().await, UNDISTURBED);
    scene.serves("web-2").await;
    assert_eq!(scene.created().values().collect::<Vec<_>>(), [&1, &1], "one green group a Deployment");
    assert!(capacity.least() >= Some(2), "fewer than two instances served");
    assert_eq!(users.leave().await, "two");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_goes_on_after_an_api_server_that_was_gone() {
    suffered("gone", Condition::Cut, &[Place::Pending, Place::ProvenApart, Place::Retaining]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_goes_on_after_an_api_server_that_was_frozen() {
    suffered("silent", Condition::Silent, &[Place::Launching, Place::Shifting, Place::Retiring]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_goes_on_after_an_api_server_that_failed() {
    let broken = Condition::Broken(StatusCode::INTERNAL_SERVER_ERROR);
    suffered("broken", broken, &[Place::Resolving, Place::ProvenInService]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_goes_on_after_an_api_server_that_was_gone() {
    let mut remote = Remote::set("gone-back").await;
    let users = Users::of(&remote.scene.stage);
    remote.scene.bring("web-2", Place::ProvenInService).await;
    remote.scene.stage.request("web-2", json!({ "end": "Abort" })).await;
    remote.scene.stage.until_state("web-2", State::Rollback).await;
    remote.outage(Condition::Cut).await;
    remote.scene.let_all_go().await;
    remote.scene.stage.until_state("web-2", State::Aborted).await;
    remote.scene.serves("web-1").await;
    assert_eq!(users.leave().await, "one");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_goes_on_though_what_was_asked_of_the_api_server_is_never_answered() {
    let remote = Remote::set("lost").await;
    let users = Users::of(&remote.scene.stage);
    remote.scene.bring("web-2", Place::Shifting).await;
    // It tries to shift the traffic again and again, and asks each time whether it still has the turn.
    until_asked_by(&remote.scene, "a", "ModifyRule").await;
    remote.line.set(Condition::Silent);
    remote.line.until_asked("/deployments/web-2").await;
    remote.line.lose();
    remote.scene.let_go("web-2", Place::Shifting).await;
    remote.scene.until("web-2", Place::ProvenInService).await;
    assert!(remote.operator.as_ref().unwrap().is_running(), "it went on by being started again");
    assert_eq!(users.leave().await, "two");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_that_lost_its_lease_and_is_started_again_deploys_as_before() {
    let scene = Scene::set("restarted", |_| {}).await;
    let line = scene.stage.line("a").await.unwrap();
    let operator = scene.stage.operator_on(&line, "a").unwrap();
    scene.deploy_held("web-2").await;
    scene.bring("web-2", Place::Launching).await;
    let first = operator.pid();
    line.set(Condition::Cut);
    operator.until_logged(GIVES_UP).await;
    line.set(Condition::Open);
    scene.let_go("web-2", Place::Launching).await;
    scene.until("web-2", Place::ProvenApart).await;
    assert_ne!(operator.pid(), first);
}
