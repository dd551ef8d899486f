//! The balancer's table: weights, and what a change of them does.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use dryad_local_cloud::balancer::{End, GroupView, Observation, Table, TargetState};
use http::StatusCode;

use crate::support::balancer::{Balancer, G, healthy, table, target};
use crate::support::target::WebServer;
use crate::support::{NEVER, soon};

const OK: End = End::Answered(StatusCode::OK);

/// Sends so many requests over eight connections at once, and counts who answered: every answer must be 200.
async fn load(balancer: &Balancer, requests: usize) -> tokio::task::JoinSet<Vec<String>> {
    let left = Arc::new(AtomicUsize::new(requests));
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (mut client, left) = (balancer.client().await, left.clone());
        clients.spawn(async move {
            let mut answers = Vec::new();
            let one_more = |left: usize| left.checked_sub(1);
            while left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_more).is_ok() {
                let (status, name) = client.get("/").await;
                assert_eq!(status, StatusCode::OK);
                answers.push(name);
            }
            answers
        });
    }
    clients
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn weights_are_honoured_exactly_under_concurrent_load() {
    let (blue, green) = (WebServer::start("blue").await, WebServer::start("green").await);
    let balancer = Balancer::start(table(vec![
        G("blue", 3, NEVER, vec![healthy("b1", blue.address), healthy("b2", blue.address)]),
        G("green", 1, NEVER, vec![healthy("g1", green.address)]),
    ]))
    .await;
    let answers = soon("all answers", load(&balancer, 400).await.join_all()).await.concat();
    assert_eq!(answers.iter().filter(|name| *name == "green").count(), 100);
    assert_eq!((blue.hits(), green.hits()), (300, 100));
    let observations = balancer.close().await;
    let to = |id| requests(&observations).filter(|record| record.target.as_deref() == Some(id)).count();
    assert_eq!((to("b1"), to("b2"), to("g1")), (150, 150, 100));
}

fn requests(observations: &[Observation]) -> impl Iterator<Item = &dryad_local_cloud::balancer::Record> {
    observations.iter().filter_map(|observation| match observation {
        Observation::Request(record) => Some(record),
        Observation::Table(_) => None,
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_while_the_traffic_is_switched_back_and_forth() {
    let (blue, green) = (WebServer::start("blue").await, WebServer::start("green").await);
    let weights = |to_blue, to_green| -> Table {
        table(vec![
            G("blue", to_blue, NEVER, vec![healthy("b1", blue.address), healthy("b2", blue.address)]),
            G("green", to_green, NEVER, vec![healthy("g1", green.address), healthy("g2", green.address)]),
        ])
    };
    // The harsher change: the group that serves no longer is gone from the table altogether.
    let only_blue = || table(vec![G("blue", 1, NEVER, vec![healthy("b1", blue.address)])]);
    let only_green = || table(vec![G("green", 1, NEVER, vec![healthy("g1", green.address)])]);

    let mut balancer = Balancer::start(weights(1, 0)).await;
    let mut probe = balancer.client().await;
    let mut clients = load(&balancer, 1000).await;
    let mut answers = Vec::new();
    let mut switches = 0;
    while !clients.is_empty() {
        for (next, name) in [
            (weights(0, 1), "green"),
            (only_blue(), "blue"),
            (only_green(), "green"),
            (weights(1, 0), "blue"),
        ] {
            balancer.listener.update(next);
            switches += 1;
            // What is asked after the change is answered by whom the change says.
            assert_eq!(probe.get("/").await, (StatusCode::OK, name.to_owned()));
        }
        while let Some(done) = clients.try_join_next() {
            answers.extend(done.expect("no failure"));
        }
    }
    assert_eq!(answers.len(), 1000);
    assert!(answers.iter().any(|name| name == "blue") && answers.iter().any(|name| name == "green"));
    drop(probe);
    let observations = balancer.close().await;
    assert_eq!(requests(&observations).count(), 1000 + switches);
    assert!(requests(&observations).all(|record| record.end == OK));
}

#[tokio::test]
async fn every_change_is_told_with_the_capacity_it_leaves() {
    let address = ([127, 0, 0, 1], 1).into();
    let blue = |state| G("blue", 1, NEVER, vec![healthy("b1", address), target("b2", address, state)]);
    let green = |weight| G("green", weight, NEVER, vec![healthy("g1", address)]);
    let mut balancer = Balancer::start(table(vec![blue(TargetState::NotHealthy), green(0)])).await;
    balancer.listener.update(table(vec![blue(TargetState::Healthy), green(0)]));
    balancer.listener.update(table(vec![blue(TargetState::Draining), green(1)]));

    let first = balancer.view().await;
    let seen = GroupView { group: "blue".to_owned(), weight: 1, healthy: 1, not_healthy: 1, draining: 0 };
    assert_eq!(first.rules[0].groups[0], seen);
    let (second, third) = (balancer.view().await, balancer.view().await);
    let serving = [first.rules[0].serving(), second.rules[0].serving(), third.rules[0].serving()];
    assert_eq!(serving, [1, 2, 2]);
    assert!(first.at <= second.at && second.at <= third.at);
}
