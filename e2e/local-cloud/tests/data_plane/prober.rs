//! The prober against real servers.

use std::net::SocketAddr;
use std::time::Duration;

use dryad_local_cloud::model::elb::Probe;
use dryad_local_cloud::prober::{Check, CheckPort, Checked, HttpAsker, Prober, Registration, Watched};
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
            matcher: "200-299".parse().expect("a matcher"),
        },
    }
}

/// What the next check of another outcome than `last` has found.
async fn next(checks: &mut UnboundedReceiver<Checked>, last: &Probe) -> Probe {
    loop {
        let checked = soon("a check", checks.recv()).await.expect("a prober");
        if checked.found != *last {
            return checked.found;
        }
    }
}

#[tokio::test]
async fn a_check_finds_what_the_target_answers() {
    let server = WebServer::start("a").await;
    let (told, mut checks) = unbounded_channel();
    let prober = Prober::start(HttpAsker, told);
    prober.watch(vec![watched("t", server.address)]);
    let mut last = Probe::Failed;
    for (answer, expected) in [
        (200, Probe::Good),
        (500, Probe::WrongStatus(500)),
        (302, Probe::WrongStatus(302)),
        (0, Probe::Timeout),
        (204, Probe::Good),
    ] {
        server.answer(answer);
        let found = next(&mut checks, &last).await;
        assert_eq!(found, expected, "answering {answer}");
        last = found;
    }
}

#[tokio::test]
async fn a_target_that_cannot_be_connected_to_or_talks_nonsense_fails_its_checks() {
    let closed =
        TcpListener::bind(("127.0.0.1", 0)).await.expect("a port").local_addr().expect("its address");
    let rude = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let rude_address = rude.local_addr().expect("its address");
    tokio::spawn(async move { while rude.accept().await.is_ok() {} });
    let (told, mut checks) = unbounded_channel();
    let prober = Prober::start(HttpAsker, told);
    for (target, address) in [("closed", closed), ("rude", rude_address)] {
        prober.watch(vec![watched(target, address)]);
        let told = async {
            loop {
                let checked = checks.recv().await.expect("a prober");
                if checked.registration.target == target {
                    return checked.found;
                }
            }
        };
        assert_eq!(soon("a check", told).await, Probe::Failed, "{target}");
    }
}

#[tokio::test]
async fn the_check_can_have_a_port_of_its_own() {
    let server = WebServer::start("a").await;
    let (told, mut checks) = unbounded_channel();
    let prober = Prober::start(HttpAsker, told);
    let mut elsewhere = watched("t", ([127, 0, 0, 1], 1).into());
    elsewhere.check.port = CheckPort::Fixed(server.address.port());
    prober.watch(vec![elsewhere]);
    assert_eq!(next(&mut checks, &Probe::Failed).await, Probe::Good);
}
