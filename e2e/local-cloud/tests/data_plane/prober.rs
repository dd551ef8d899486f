//! The prober against real servers.

use std::net::SocketAddr;
use std::time::Duration;

use dryad_local_cloud::prober::{
    Change, Check, CheckPort, Health, HttpProbe, Prober, Reason, Registration, Watched,
};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::support::soon;
use crate::support::target::WebServer;

fn watched(target: &str, address: SocketAddr) -> Watched {
    Watched {
        registration: Registration { group: "g".to_owned(), target: target.to_owned(), number: 1 },
        address,
        check: Check {
            path: "/".to_owned(),
            port: CheckPort::Traffic,
            interval: Duration::from_millis(20),
            timeout: Duration::from_millis(500),
            healthy_threshold: 3,
            unhealthy_threshold: 2,
            matcher: "200-299".parse().expect("a matcher"),
        },
    }
}

async fn next(changes: &mut UnboundedReceiver<Change>) -> (String, Health) {
    let change = soon("a change", changes.recv()).await.expect("a prober");
    (change.registration.target, change.health)
}

#[tokio::test]
async fn a_target_is_healthy_and_unhealthy_as_it_answers() {
    let server = WebServer::start("a").await;
    let (told, mut changes) = unbounded_channel();
    let prober = Prober::start(HttpProbe, told);
    prober.watch(vec![watched("t", server.address)]);
    assert_eq!(next(&mut changes).await, ("t".to_owned(), Health::Healthy));

    server.answer(500);
    let unhealthy = Health::Unhealthy(Reason::ResponseCodeMismatch(500));
    assert_eq!(next(&mut changes).await, ("t".to_owned(), unhealthy));
    server.answer(302);
    let unhealthy = Health::Unhealthy(Reason::ResponseCodeMismatch(302));
    assert_eq!(next(&mut changes).await, ("t".to_owned(), unhealthy));
    server.answer(0);
    assert_eq!(next(&mut changes).await, ("t".to_owned(), Health::Unhealthy(Reason::Timeout)));
    let asked = server.hits();
    server.answer(204);
    assert_eq!(next(&mut changes).await, ("t".to_owned(), Health::Healthy));
    assert!(server.hits() >= asked + 2, "one of three was being asked already");
}

#[tokio::test]
async fn a_target_that_cannot_be_connected_to_or_talks_nonsense_fails_its_checks() {
    let closed =
        TcpListener::bind(("127.0.0.1", 0)).await.expect("a port").local_addr().expect("its address");
    let rude = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let rude_address = rude.local_addr().expect("its address");
    tokio::spawn(async move { while rude.accept().await.is_ok() {} });
    let (told, mut changes) = unbounded_channel();
    let prober = Prober::start(HttpProbe, told);
    let failed = Health::Unhealthy(Reason::FailedHealthChecks);
    prober.watch(vec![watched("closed", closed)]);
    assert_eq!(next(&mut changes).await, ("closed".to_owned(), failed));
    prober.watch(vec![watched("rude", rude_address)]);
    assert_eq!(next(&mut changes).await, ("rude".to_owned(), failed));
}

#[tokio::test]
async fn the_check_can_have_a_port_of_its_own() {
    let server = WebServer::start("a").await;
    let (told, mut changes) = unbounded_channel();
    let prober = Prober::start(HttpProbe, told);
    let mut elsewhere = watched("t", ([127, 0, 0, 1], 1).into());
    elsewhere.check.port = CheckPort::Fixed(server.address.port());
    prober.watch(vec![elsewhere]);
    assert_eq!(next(&mut changes).await, ("t".to_owned(), Health::Healthy));
}
