//! Changes of weights and sizes while users are there.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use dryad_local_cloud::balancer::{Observation, RuleView, View};
use tokio::task::JoinSet;

use crate::support::{Stage, soon};

/// Asks again and again until told to stop; every answer must be 200.
fn users(stage: &Stage, count: usize, stop: &Arc<AtomicBool>) -> JoinSet<BTreeSet<String>> {
    let mut users = JoinSet::new();
    for _ in 0..count {
        let (http, url, stop) = (stage.http.clone(), stage.web.url.clone(), Arc::clone(stop));
        users.spawn(async move {
            let mut answers = BTreeSet::new();
            while !stop.load(Ordering::SeqCst) {
                let answer = http.get(&url).send().await.expect("an answer");
                assert_eq!(answer.status(), 200);
                answers.insert(answer.text().await.expect("a whole answer"));
            }
            answers
        });
    }
    users
}

fn weights(view: &View) -> Vec<u16> {
    view.rules.iter().flat_map(|rule| &rule.groups).map(|group| group.weight).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_and_no_capacity_is_missing_while_weights_are_switched_and_instances_go() {
    let mut stage = Stage::open().await;
    let [a, b] = stage.web.target_groups.clone();
    stage.up("web-1", 2, &a).await;
    stage.up("web-2", 3, &b).await;

    let stop = Arc::new(AtomicBool::new(false));
    let users = users(&stage, 8, &stop);
    let mut observed = Vec::new();
    for (to_a, to_b) in [(0, 100), (100, 0), (50, 50), (0, 100)] {
        stage.weigh(to_a, to_b);
        let expected = [to_a, to_b].map(|weight| u16::try_from(weight).expect("a weight"));
        observed.extend(stage.view("the weights", |view| weights(view) == expected).await);
        // Nothing is switched before users have been served so.
        for _ in 0..50 {
            observed.push(stage.observation("users that are served").await);
        }
    }
    // Smaller while it serves, and the one without traffic gone altogether.
    stage.resize("web-2", 2);
    stage.resize("web-1", 0);
    stage.processes(2).await;
    for _ in 0..50 {
        observed.push(stage.observation("users that are served").await);
    }
    stop.store(true, Ordering::SeqCst);
    let answers: BTreeSet<String> = soon("the users", users.join_all()).await.into_iter().flatten().collect();
    assert_eq!(answers.into_iter().collect::<Vec<_>>(), ["web-1", "web-2"]);

    observed.extend(stage.observed());
    let mut requests = 0;
    for observation in observed {
        match observation {
            Observation::Table(view) => {
                let serving = view.rules.iter().filter(|rule| rule.rule == stage.web.rule);
                assert!(serving.map(RuleView::serving).all(|serving| serving >= 2), "{view:?}");
            }
            Observation::Request(record) => {
                requests += 1;
                assert!(!record.end.is_failure(), "{record:?}");
            }
        }
    }
    assert!(requests >= 250, "{requests}");
}
