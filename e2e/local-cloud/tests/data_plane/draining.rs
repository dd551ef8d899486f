//! What becomes of requests under way when their target is draining.

use std::time::Duration;

use dryad_local_cloud::balancer::{Cause, End, Table, TargetState};
use http::StatusCode;
use http_body_util::BodyExt;

use crate::support::balancer::{Balancer, G, healthy, table, target};
use crate::support::target::WebServer;
use crate::support::{NEVER, soon};

struct Scene {
    balancer: Balancer,
    old: WebServer,
    new: WebServer,
}

impl Scene {
    async fn start() -> Self {
        let (old, new) = (WebServer::start("old").await, WebServer::start("new").await);
        let balancer =
            Balancer::start(table(vec![G("g", 1, NEVER, vec![healthy("old", old.address)])])).await;
        Self { balancer, old, new }
    }

    fn with_old(&self, state: TargetState, drain: Duration) -> Table {
        let targets = vec![target("old", self.old.address, state), healthy("new", self.new.address)];
        table(vec![G("g", 1, drain, targets)])
    }

    fn without_old(&self) -> Table {
        table(vec![G("g", 1, Duration::ZERO, vec![healthy("new", self.new.address)])])
    }
}

#[tokio::test]
async fn requests_under_way_finish_and_new_ones_go_elsewhere() {
    let mut scene = Scene::start().await;
    let (mut patient, mut other) = (scene.balancer.client().await, scene.balancer.client().await);
    let held = tokio::spawn(async move { patient.get("/held").await });
    scene.old.holding().await;

    // The request relies on the drain time it began with, whatever a later table says, or no longer says.
    let draining = scene.with_old(TargetState::Draining, Duration::ZERO);
    scene.balancer.listener.update(draining);
    for _ in 0..4 {
        assert_eq!(other.get("/").await.1, "new");
    }
    let removed = scene.without_old();
    scene.balancer.listener.update(removed);
    assert_eq!(other.get("/").await.1, "new");

    scene.old.release();
    assert_eq!(soon("the held answer", held).await.expect("an answer"), (StatusCode::OK, "old".to_owned()));
    assert_eq!(scene.old.hits(), 0);
}

#[tokio::test]
async fn a_request_that_outlasts_the_drain_time_of_its_target_is_cut() {
    requests_are_cut_after(|scene| scene.with_old(TargetState::Draining, NEVER)).await;
}

#[tokio::test]
async fn a_request_whose_target_is_gone_for_the_drain_time_is_cut() {
    requests_are_cut_after(Scene::without_old).await;
}

async fn requests_are_cut_after(change: impl Fn(&Scene) -> Table) {
    let mut scene = Scene::start().await;
    let first = scene.with_old(TargetState::Healthy, Duration::from_millis(20));
    scene.balancer.listener.update(first);
    let mut waiting = scene.balancer.client().await;
    let mut reading = scene.balancer.client().await;
    // Round robin: one of each pair goes to the old one.
    let held = tokio::spawn(async move { waiting.get("/held").await });
    scene.old.holding().await;
    assert_eq!(reading.get("/").await.1, "new");
    let answer = tokio::spawn(async move { (reading.begin("/stream").await, reading) });
    let mut stream = scene.old.streaming().await;
    stream.send_data("half".into()).await.expect("a reader");
    let (mut answer, _reading) = answer.await.expect("a head");
    let half = answer.frame().await.expect("a frame").expect("data").into_data().expect("data");
    assert_eq!(half, "half");

    let changed = change(&scene);
    scene.balancer.listener.update(changed);
    let (status, _) = soon("the cut", held).await.expect("an answer");
    assert_eq!(status, StatusCode::BAD_GATEWAY);
    soon("the cut", answer.frame()).await.expect("an end").expect_err("half an answer is not a whole one");

    let mut ends = Vec::new();
    for _ in 0..3 {
        let record = scene.balancer.record().await;
        ends.push((record.path, record.end));
    }
    ends.sort_by(|one, other| one.0.cmp(&other.0));
    assert_eq!(
        ends,
        [
            ("/".to_owned(), End::Answered(StatusCode::OK)),
            ("/held".to_owned(), End::Refused(StatusCode::BAD_GATEWAY, Cause::Drained)),
            ("/stream".to_owned(), End::Broken(StatusCode::OK, Cause::Drained)),
        ]
    );
}
