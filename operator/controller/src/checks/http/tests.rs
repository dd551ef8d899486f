//! Verdicts as tables, and a real server that misbehaves in every way.

mod server;

use std::time::Duration;

use super::judge::{Answer, Body, inspect};
use super::*;
use server::{Behaviour, Server};

const PATIENCE: Duration = Duration::from_mins(1);

fn check() -> HttpCheck {
    HttpCheck {
        path: CheckPath::new("/health?deep=1").unwrap(),
        expect_status: ExpectStatus::Exactly(200),
        body_contains: None,
        latency_limit: None,
        timeout: PATIENCE,
        count: NonZeroU32::MIN,
        failure_limit: 0,
    }
}

/// The fault that one request to such a server comes to.
async fn fault(check: &HttpCheck, behaviour: Behaviour) -> Option<String> {
    let server = Server::start(behaviour).await;
    let samples = Prober::new(4).unwrap().ask(check, &[server.address("i-1")]).await;
    assert_eq!(samples.len(), 1);
    samples.into_iter().next().unwrap().result.err().map(|fault| fault.to_string())
}

fn answers(status: u16, body: &str) -> Behaviour {
    Behaviour::Answer { status, location: None, body: body.to_owned() }
}

#[tokio::test]
async fn a_good_answer_is_good() {
    let wants =
        HttpCheck { body_contains: Some("\"ok\"".to_owned()), latency_limit: Some(PATIENCE), ..check() };
    assert_eq!(fault(&wants, answers(200, "{\"status\": \"ok\"}")).await, None);
}

#[tokio::test]
async fn the_path_is_asked_for_whatever_the_address_says() {
    let server = Server::start(answers(200, "")).await;
    let mut address = server.address("i-1");
    address.server.set_path("/elsewhere");
    address.server.set_query(Some("x"));
    Prober::new(1).unwrap().ask(&check(), &[address]).await;
    assert_eq!(server.paths(), ["/health?deep=1"]);
}

#[tokio::test]
async fn a_wrong_status_is_named() {
    assert_eq!(fault(&check(), answers(503, "")).await.unwrap(), "answered 503, expected 200");
    let any = HttpCheck { expect_status: ExpectStatus::Success, ..check() };
    assert_eq!(fault(&any, answers(404, "")).await.unwrap(), "answered 404, expected 200 to 299");
    assert_eq!(fault(&any, answers(204, "")).await, None);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Server::start(answers(200, "")).await;
    let to = elsewhere.address("x").server.to_string();
    let redirect = Behaviour::Answer { status: 302, location: Some(to.clone()), body: String::new() };
    assert_eq!(
        fault(&check(), redirect.clone()).await.unwrap(),
        format!("answered 302 to `{to}`, expected 200 (redirects are not followed)")
    );
    let wanted = HttpCheck { expect_status: ExpectStatus::Exactly(302), ..check() };
    assert_eq!(fault(&wanted, redirect).await, None);
    assert!(elsewhere.paths().is_empty());
}

#[tokio::test]
async fn a_body_without_the_text_is_named() {
    let wants = HttpCheck { body_contains: Some("ok".to_owned()), ..check() };
    assert_eq!(fault(&wants, answers(200, "no")).await.unwrap(), "answered without `ok` in its body");
}

#[tokio::test]
async fn only_the_beginning_of_a_huge_body_is_read() {
    let wants = HttpCheck { body_contains: Some("ok".to_owned()), ..check() };
    let fault_of_endless = fault(&wants, Behaviour::Endless).await;
    assert_eq!(fault_of_endless.unwrap(), "answered without `ok` in the first 64 KiB of its body");
    let filler = "x".repeat(BODY_LIMIT - 2);
    assert_eq!(fault(&wants, answers(200, &format!("{filler}ok{filler}"))).await, None);
    assert!(fault(&wants, answers(200, &format!("{filler}xok"))).await.unwrap().contains("first 64 KiB"));
    assert!(fault(&wants, answers(200, &format!("{filler}xx"))).await.unwrap().ends_with("in its body"));
}

#[tokio::test]
async fn a_body_nobody_asked_about_is_not_waited_for() {
    assert_eq!(fault(&check(), Behaviour::Endless).await, None);
}

#[tokio::test]
async fn a_slow_answer_is_named() {
    let at_once = HttpCheck { latency_limit: Some(Duration::ZERO), ..check() };
    let text = fault(&at_once, answers(200, "")).await.unwrap();
    assert!(text.starts_with("took ") && text.ends_with(" ms to answer, 0 ms are allowed"), "{text}");
}

#[tokio::test]
async fn no_answer_in_time_is_named() {
    let impatient = HttpCheck { timeout: Duration::from_millis(200), ..check() };
    assert_eq!(fault(&impatient, Behaviour::Hang).await.unwrap(), "did not answer within 200 ms");
    let body = HttpCheck { body_contains: Some("ok".to_owned()), ..impatient };
    assert_eq!(fault(&body, Behaviour::HangInBody).await.unwrap(), "did not answer within 200 ms");
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_named() {
    assert_eq!(fault(&check(), Behaviour::Close).await.unwrap(), "broke off its answer");
    let body = HttpCheck { body_contains: Some("ok".to_owned()), ..check() };
    assert_eq!(fault(&body, Behaviour::CloseInBody).await.unwrap(), "broke off its answer");
}

#[tokio::test]
async fn a_refused_connection_is_named() {
    let server = Server::start(answers(200, "")).await;
    let address = server.address("i-1");
    server.stop().await;
    let samples = Prober::new(1).unwrap().ask(&check(), &[address]).await;
    assert_eq!(
        judge(&check(), &samples, Silence::Fails),
        bad("1 of 1 requests failed, none may: i-1 refused the connection")
    );
}

#[tokio::test]
async fn a_server_that_does_not_speak_tls_is_unreachable_over_https() {
    let server = Server::start(Behaviour::Close).await;
    let mut address = server.address("preview");
    address.server.set_scheme("https").unwrap();
    let impatient = HttpCheck { timeout: Duration::from_secs(5), ..check() };
    let samples = Prober::new(1).unwrap().ask(&impatient, &[address]).await;
    assert!(matches!(samples[0].result, Err(Fault::Unreachable(_))), "{samples:?}");
}

#[tokio::test]
async fn each_address_is_asked_as_often_as_wanted_and_no_more_at_once_than_allowed() {
    let servers = [Server::start(Behaviour::Count).await, Server::start(Behaviour::Count).await];
    let addresses: Vec<Address> =
        servers.iter().zip(["a", "b"]).map(|(server, name)| server.address(name)).collect();
    let check = HttpCheck { count: NonZeroU32::new(5).unwrap(), ..check() };
    let samples = Prober::new(1).unwrap().ask(&check, &addresses).await;
    let names: Vec<&str> = samples.iter().map(|sample| sample.from.as_str()).collect();
    assert_eq!(names, ["a", "a", "a", "a", "a", "b", "b", "b", "b", "b"]);
    assert_eq!(judge(&check, &samples, Silence::Fails), Verdict::Good);
    assert_eq!(servers.map(|server| server.paths().len()), [5, 5]);
}

#[tokio::test]
async fn many_requests_wait_for_each_other() {
    let server = Server::start(Behaviour::Count).await;
    let addresses: Vec<Address> = (0..20).map(|n| server.address(&n.to_string())).collect();
    Prober::new(3).unwrap().ask(&check(), &addresses).await;
    assert_eq!(server.paths().len(), 20);
    assert!((1..=3).contains(&server.most_at_once()), "{} at once", server.most_at_once());
}

fn bad(reason: &str) -> Verdict {
    Verdict::Bad { reason: reason.to_owned() }
}

fn sample(from: &str, result: Result<(), Fault>) -> Sample {
    Sample { from: from.to_owned(), result }
}

#[test]
fn nobody_asked_is_neither_good_nor_bad() {
    assert_eq!(
        judge(&check(), &[], Silence::Fails),
        Verdict::Unknown { reason: "there is nobody to ask yet".to_owned() }
    );
}

#[test]
fn as_many_may_fail_as_the_limit_says() {
    let lenient = HttpCheck { failure_limit: 1, ..check() };
    let failed = || sample("i-2", Err(Fault::Refused));
    let good = || sample("i-1", Ok(()));
    assert_eq!(judge(&lenient, &[good(), failed()], Silence::Fails), Verdict::Good);
    assert_eq!(
        judge(&lenient, &[good(), failed(), failed()], Silence::Fails),
        bad("2 of 3 requests failed, 1 may: i-2 refused the connection")
    );
    assert_eq!(
        judge(&check(), &[good(), failed()], Silence::Fails),
        bad("1 of 2 requests failed, none may: i-2 refused the connection")
    );
}

#[test]
fn who_answers_nothing_may_still_be_starting_where_silence_waits() {
    let silent = || sample("i-2", Err(Fault::Refused));
    let waits = |samples: &[Sample]| judge(&check(), samples, Silence::Waits);
    let reason = "i-2 refused the connection".to_owned();
    assert_eq!(waits(&[sample("i-1", Ok(())), silent()]), Verdict::Unknown { reason });
    let wrong = sample("i-1", Err(Fault::BrokenOff));
    assert_eq!(waits(&[wrong, silent()]), bad("1 of 2 requests failed, none may: i-1 broke off its answer"));
    let lenient = HttpCheck { failure_limit: 1, ..check() };
    assert_eq!(judge(&lenient, &[sample("i-1", Ok(())), silent()], Silence::Waits), Verdict::Good);
}

#[test]
fn our_own_trouble_is_not_held_against_them() {
    let ours = || sample("i-1", Err(Fault::NotAsked("too many open files".to_owned())));
    let reason = "i-1 was not asked (too many open files)".to_owned();
    assert_eq!(
        judge(&check(), &[ours(), sample("i-2", Ok(()))], Silence::Fails),
        Verdict::Unknown { reason }
    );
    let verdict = judge(&check(), &[ours(), sample("i-2", Err(Fault::BrokenOff))], Silence::Fails);
    assert_eq!(verdict, bad("1 of 2 requests failed, none may: i-2 broke off its answer"));
}

#[test]
fn a_verdict_tells_of_the_first_few() {
    let samples: Vec<Sample> = (1..=5).map(|n| sample(&format!("i-{n}"), Err(Fault::Refused))).collect();
    let expected = "5 of 5 requests failed, none may: i-1 refused the connection; i-2 refused the connection; i-3 \
                    refused the connection; and 2 more";
    assert_eq!(judge(&check(), &samples, Silence::Fails), bad(expected));
}

#[test]
fn latency_is_judged_at_the_limit_and_after_everything_else() {
    let limit = Duration::from_millis(500);
    let check = HttpCheck { latency_limit: Some(limit), ..check() };
    let answer = |status, millis| Answer {
        status,
        location: None,
        body: Body::Whole(""),
        latency: Duration::from_millis(millis),
    };
    assert_eq!(inspect(&check, &answer(200, 500)), Ok(()));
    let took = Duration::from_millis(501);
    assert_eq!(inspect(&check, &answer(200, 501)), Err(Fault::Slow { took, limit }));
    assert!(matches!(inspect(&check, &answer(500, 501)), Err(Fault::Status { .. })));
}

#[test]
fn a_path_stays_on_its_server() {
    let server: Url = "http://10.0.0.1:8080/x?y".parse().unwrap();
    for (path, expected) in [
        ("/", "http://10.0.0.1:8080/"),
        ("/a/b?c=d?e", "http://10.0.0.1:8080/a/b?c=d?e"),
        ("//evil.example.com/", "http://10.0.0.1:8080//evil.example.com/"),
        ("/@evil.example.com", "http://10.0.0.1:8080/@evil.example.com"),
        ("/\\evil.example.com", "http://10.0.0.1:8080//evil.example.com"),
    ] {
        assert_eq!(CheckPath::new(path).unwrap().on(&server).as_str(), expected);
    }
    for bad in
        ["", "health", "http://evil.example.com/", "/a b", "/a\r\nHost: x", "/é", "/a#b", &"/".repeat(513)]
    {
        assert!(CheckPath::new(bad).is_err(), "{bad:?}");
    }
}
