//! The balancer on the wire: what passes through it, and what it says when a target fails it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use dryad_local_cloud::balancer::{
    Action, Cause, End, FixedResponse, Listener, Rule, Table, TargetState, Timeouts,
};
use dryad_local_cloud::model::elb::Condition;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use crate::support::balancer::{Balancer, G, healthy, table, target};
use crate::support::target::WebServer;
use crate::support::{NEVER, soon};

fn one(address: SocketAddr) -> Table {
    table(vec![G("g", 1, NEVER, vec![healthy("t", address)])])
}

#[tokio::test]
async fn an_answer_passes_through_piece_by_piece() {
    let mut server = WebServer::start("a").await;
    let balancer = Balancer::start(one(server.address)).await;
    let mut client = balancer.client().await;
    let answer = tokio::spawn(async move { (client.begin("/stream").await, client) });
    let mut stream = server.streaming().await;
    stream.send_data("one".into()).await.expect("a reader");
    let (mut answer, _client) = soon("the head", answer).await.expect("a head");
    for next in ["two", "three"] {
        let piece = soon("a piece", answer.frame()).await.expect("a frame").expect("data");
        assert!(piece.is_data());
        // Sent only now: the piece before has come through on its own.
        stream.send_data(next.into()).await.expect("a reader");
    }
    drop(stream);
    let rest = answer.collect().await.expect("the rest").to_bytes();
    assert_eq!(rest, "three");
}

#[tokio::test]
async fn a_large_body_passes_both_ways_unchanged() {
    let server = WebServer::start("a").await;
    let mut balancer = Balancer::start(one(server.address)).await;
    let body: Bytes = (0..3_000_000_u32).map(|n| n.to_le_bytes()[n as usize % 3]).collect();
    let request = Request::post("/echo?x=1").header("host", "a").body(Full::new(body.clone()));
    let answer = balancer.client().await.send(request.expect("a request")).await.expect("an answer");
    assert_eq!(answer.into_body().collect().await.expect("a body").to_bytes(), body);
    let record = balancer.record().await;
    assert_eq!((record.path.as_str(), record.end), ("/echo", End::Answered(StatusCode::OK)));
    let names = [record.rule, record.group, record.target].map(Option::unwrap_or_default);
    assert_eq!(names, ["r", "g", "t"]);
}

#[tokio::test]
async fn the_target_sees_the_clients_headers_and_who_it_is() {
    let server = WebServer::start("a").await;
    let balancer = Balancer::start(one(server.address)).await;
    let request = Request::get("/headers").header("host", "shop.example").header("connection", "keep-alive");
    let request = request.header("x-user", "7").body(Full::default()).expect("a request");
    let answer = balancer.client().await.send(request).await.expect("an answer");
    let body = answer.into_body().collect().await.expect("a body").to_bytes();
    let seen = String::from_utf8(body.to_vec()).expect("a text");
    for expected in [r#""host": "shop.example""#, r#""x-user": "7""#, r#""x-forwarded-for": "127.0.0.1""#] {
        assert!(seen.contains(expected), "{expected} in {seen}");
    }
    assert!(!seen.contains("keep-alive"), "{seen}");
}

#[tokio::test]
async fn each_way_a_target_fails_has_its_own_status_and_is_not_tried_again() {
    let closed =
        TcpListener::bind(("127.0.0.1", 0)).await.expect("a port").local_addr().expect("its address");
    let silent = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let rude = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let (silent_address, rude_address) =
        (silent.local_addr().expect("its address"), rude.local_addr().expect("its address"));
    let rudeness = tokio::spawn(async move {
        let (mut stream, _) = rude.accept().await.expect("a connection");
        stream.write_all(b"no HTTP\r\n\r\n").await.expect("a reader");
        drop(stream);
        // Whoever tried again would be here.
        rude.accept().await.map(drop)
    });

    let timeouts = Timeouts { connect: NEVER, idle: Duration::from_millis(50) };
    let fine = WebServer::start("fine").await;
    let draining = target("t", fine.address, TargetState::Draining);
    let table_of = |target| table(vec![G("g", 1, NEVER, vec![target])]);
    let cases = [
        (one(closed), StatusCode::BAD_GATEWAY, Cause::Unreachable),
        (one(rude_address), StatusCode::BAD_GATEWAY, Cause::BadAnswer),
        (one(silent_address), StatusCode::GATEWAY_TIMEOUT, Cause::Timeout),
        (table(vec![G("g", 1, NEVER, vec![])]), StatusCode::SERVICE_UNAVAILABLE, Cause::NoTarget),
        (table_of(draining), StatusCode::SERVICE_UNAVAILABLE, Cause::NoTarget),
        (Table::new(vec![], BTreeMap::new()).expect("a table"), StatusCode::NOT_FOUND, Cause::NoTarget),
    ];
    let mut balancer = Balancer::with_timeouts(one(closed), timeouts).await;
    let mut client = balancer.client().await;
    for (table, status, cause) in cases {
        balancer.listener.update(table);
        assert_eq!(soon("an answer", client.get("/")).await.0, status, "{cause:?}");
        let end = balancer.record().await.end;
        assert_eq!(end, End::Refused(status, cause));
        assert!(end.is_failure());
    }
    assert!(!rudeness.is_finished(), "a second attempt");
    rudeness.abort();
}

#[tokio::test]
async fn a_target_that_dies_in_the_middle_of_an_answer_is_not_covered_up() {
    let mut server = WebServer::start("a").await;
    let mut balancer = Balancer::start(one(server.address)).await;
    let mut client = balancer.client().await;
    let answer = tokio::spawn(async move { (client.begin("/stream").await, client) });
    let mut stream = server.streaming().await;
    stream.send_data("half".into()).await.expect("a reader");
    let (mut answer, _client) = answer.await.expect("a head");
    answer.frame().await.expect("a frame").expect("data");
    stream.abort(std::io::Error::other("died"));
    soon("the end", answer.frame()).await.expect("an end").expect_err("half an answer is not a whole one");
    assert_eq!(balancer.record().await.end, End::Broken(StatusCode::OK, Cause::BadAnswer));
}

#[tokio::test]
async fn a_client_that_goes_away_is_no_failure_of_ours() {
    let mut server = WebServer::start("a").await;
    let mut balancer = Balancer::start(one(server.address)).await;
    let mut client = balancer.client().await;
    let asked = tokio::spawn(async move { client.get("/held").await });
    server.holding().await;
    asked.abort();
    let end = balancer.record().await.end;
    assert_eq!(end, End::Abandoned);
    assert!(!end.is_failure());
}

#[tokio::test]
async fn with_no_healthy_target_all_are_tried() {
    let (one, two) = (WebServer::start("one").await, WebServer::start("two").await);
    let unhealthy = |server: &WebServer| target("t", server.address, TargetState::NotHealthy);
    let balancer =
        Balancer::start(table(vec![G("g", 1, NEVER, vec![unhealthy(&one), unhealthy(&two)])])).await;
    let mut client = balancer.client().await;
    assert_eq!([client.get("/").await.1, client.get("/").await.1], ["one", "two"]);
}

#[tokio::test]
async fn rules_are_told_apart_by_host_and_path() {
    let server = WebServer::start("app").await;
    let fixed = |id: &str, priority, conditions, text: &str| Rule {
        id: id.to_owned(),
        priority,
        conditions,
        action: Action::Fixed(FixedResponse {
            status: StatusCode::NOT_FOUND,
            content_type: "text/plain".to_owned(),
            body: text.to_owned(),
        }),
    };
    let asks = |field: &str, value: &str| Condition {
        field: field.to_owned(),
        values: vec![value.to_owned()],
        ..Condition::default()
    };
    let rules = vec![
        fixed("default", 50_000, vec![], "nothing here"),
        fixed("host", 1, vec![asks("host-header", "*.EXAMPLE.com")], "by host"),
        fixed("path", 2, vec![asks("path-pattern", "/api/*")], "by path"),
    ];
    let balancer = Balancer::start(Table::new(rules, BTreeMap::new()).expect("a table")).await;
    let mut client = balancer.client().await;
    for (host, path, expected) in [
        ("www.example.com:8080", "/api/x", "by host"),
        ("example.com", "/api/x?y", "by path"),
        ("example.com", "/x?/api/", "nothing here"),
    ] {
        let request = Request::get(path).header("host", host).body(Full::default()).expect("a request");
        let answer = client.send(request).await.expect("an answer");
        assert_eq!(
            (answer.status(), &answer.headers()["content-type"]),
            (StatusCode::NOT_FOUND, &"text/plain".parse().expect("a header"))
        );
        assert_eq!(answer.into_body().collect().await.expect("a body").to_bytes(), expected);
    }
    assert_eq!(server.hits(), 0);
}

#[tokio::test]
async fn only_this_machine_is_served() {
    let everywhere = SocketAddr::from(([0, 0, 0, 0], 0));
    let (told, _heard) = tokio::sync::mpsc::unbounded_channel();
    let table = Table::new(vec![], BTreeMap::new()).expect("a table");
    let refused =
        Listener::bind(everywhere, table, Timeouts::default(), told).await.expect_err("not loopback");
    assert!(refused.to_string().contains("0.0.0.0:0 is not a loopback address"), "{refused}");
}
