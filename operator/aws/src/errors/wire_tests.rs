//! What becomes of the real SDK's errors: the services' formats, broken connections, missing credentials.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dryad_cloud::traffic::{RuleArn, TargetGroupArn};
use dryad_cloud::{Cloud, CloudError};
use dryad_machine::name::{AccountName, Place};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::testing::{Fake, Request, done, here, name, refused, refused_by_ec2, settings};
use crate::{Aws, Observer, Settings};

fn target_group() -> TargetGroupArn {
    TargetGroupArn("arn:aws:elasticloadbalancing:us-east-1:1:targetgroup/a/1".to_owned())
}

#[tokio::test(start_paused = true)]
async fn each_services_errors_are_read() {
    let denied = |action| CloudError::Denied { action, message: "no".to_owned() };
    let ec2 = Fake::always(refused_by_ec2(403, "UnauthorizedOperation", "no"));
    let query = Fake::always(refused(403, "AccessDenied", "no"));
    assert_eq!(ec2.aws().delete_template(&here(), &name("a")).await, Err(denied("DeleteLaunchTemplate")));
    assert_eq!(query.aws().delete_group(&here(), &name("a")).await, Err(denied("DeleteAutoScalingGroup")));
    let rule = RuleArn("arn".to_owned());
    assert_eq!(query.aws().rule(&here(), &rule).await, Err(denied("DescribeRules")));
}

#[tokio::test(start_paused = true)]
async fn a_mutation_is_sent_once_whatever_comes_back() {
    for answer in [
        refused(400, "Throttling", "Rate exceeded"),
        refused(500, "InternalFailure", "oops"),
        refused(500, "ResourceContention", "wait"),
        (502, "<html>Bad Gateway</html>".to_owned()),
        (200, "<DeleteAutoScal".to_owned()),
    ] {
        let fake = Fake::always(answer);
        let _ = fake.aws().delete_group(&here(), &name("a")).await;
        fake.only_request();
    }
}

#[tokio::test(start_paused = true)]
async fn a_throttled_read_is_repeated_within_its_time() {
    let fake = Fake::always(refused(400, "Throttling", "Rate exceeded"));
    let began = Instant::now();
    let outcome = fake.aws().target_health(&here(), &target_group()).await;
    assert_eq!(outcome, Err(CloudError::Throttled { action: "DescribeTargetHealth" }));
    // Each time it is its turn, which comes the later the more often AWS says no.
    assert!((4..=20).contains(&fake.asked().len()), "{}", fake.asked().len());
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_silent_cloud_is_given_up_on() {
    let fake = Fake::new(|_: Request| pending());
    let began = Instant::now();
    let outcome = fake.aws().delete_group(&here(), &name("a")).await;
    let message = "no answer within 20 s".to_owned();
    assert_eq!(outcome, Err(CloudError::Unanswered { action: "DeleteAutoScalingGroup", message }));
    assert_eq!(began.elapsed(), Duration::from_secs(20));
    fake.only_request();

    let began = Instant::now();
    let outcome = fake.aws().groups(&here(), &[name("a")].into()).await;
    assert!(matches!(outcome, Err(CloudError::Unanswered { .. })), "{outcome:?}");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_cannot_be_read_tells_nothing() {
    for body in ["", "<html>Bad Gateway</html>", "<ErrorResponse><Error><Co"] {
        for status in [400, 403, 502] {
            let fake = Fake::always((status, body.to_owned()));
            let outcome = fake.aws().attach(&here(), &name("a"), &target_group()).await;
            assert!(matches!(outcome, Err(CloudError::Unanswered { .. })), "{status} {body:?}: {outcome:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn half_a_description_is_not_taken_for_nothing_there() {
    let (_, whole) = done("DescribeTargetHealth", "<TargetHealthDescriptions></TargetHealthDescriptions>");
    for length in 0..whole.len() {
        let fake = Fake::always((200, whole[..length].to_owned()));
        let outcome = fake.aws().target_health(&here(), &target_group()).await;
        assert!(matches!(outcome, Err(CloudError::Unanswered { .. })), "{}: {outcome:?}", &whole[..length]);
    }
    let outcome = Fake::always((200, whole)).aws().target_health(&here(), &target_group()).await;
    assert_eq!(outcome, Ok(BTreeMap::new()));
}

#[tokio::test(start_paused = true)]
async fn an_unknown_account_is_never_asked() {
    let fake = Fake::always(done("DeleteAutoScalingGroup", ""));
    let elsewhere = Place { account: AccountName::new("elsewhere"), ..here() };
    let outcome = fake.aws().delete_group(&elsewhere, &name("a")).await;
    let Err(CloudError::Unreachable { message, .. }) = outcome else { panic!("{outcome:?}") };
    assert!(message.contains(r#"the operator's configuration has no account "elsewhere""#), "{message}");
    assert_eq!(fake.asked(), []);
}

/// The adapter, with a real connection to what listens there.
fn connected_to(port: u16) -> Aws {
    Aws::new(Settings { endpoint: Some(format!("http://127.0.0.1:{port}")), ..settings() }, ())
}

#[tokio::test]
async fn a_refused_connection_means_never_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let outcome = connected_to(port).delete_group(&here(), &name("a")).await;
    assert!(matches!(outcome, Err(CloudError::Unreachable { .. })), "{outcome:?}");
}

/// What a server that takes the request and then breaks off, after answering with `answer`, makes of a mutation.
async fn broken_off_after(answer: &'static str) -> Result<(), CloudError> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = async {
        let (mut connection, _) = listener.accept().await.unwrap();
        let mut request = vec![0; 4096];
        assert!(connection.read(&mut request).await.unwrap() > 0);
        connection.write_all(answer.as_bytes()).await.unwrap();
    };
    let aws = connected_to(port);
    let place = here();
    let group = name("a");
    tokio::join!(server, aws.delete_group(&place, &group)).1
}

#[tokio::test]
async fn a_connection_that_breaks_after_sending_leaves_the_world_uncertain() {
    for answer in ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 90\r\n\r\n<DeleteAuto"] {
        let outcome = broken_off_after(answer).await;
        assert!(matches!(outcome, Err(CloudError::Unanswered { .. })), "{answer:?}: {outcome:?}");
    }
}

/// How often each action ended how.
#[derive(Clone, Default)]
struct Counts(Arc<Mutex<BTreeMap<(&'static str, bool), u32>>>);

impl Observer for Counts {
    fn called(&self, place: &Place, action: &'static str, outcome: Result<(), &CloudError>) {
        assert_eq!(*place, here());
        *self.0.lock().unwrap().entry((action, outcome.is_ok())).or_default() += 1;
    }
}

#[tokio::test(start_paused = true)]
async fn every_call_is_counted_by_its_outcome() {
    let counts = Counts::default();
    let fake = Fake::by_action(|action| match action {
        "DeleteLaunchTemplate" => refused_by_ec2(503, "RequestLimitExceeded", "slow"),
        _ => done(action, ""),
    });
    let aws = fake.aws_observed_by(counts.clone());
    let _ = aws.delete_template(&here(), &name("a")).await;
    aws.delete_group(&here(), &name("a")).await.unwrap();
    aws.delete_group(&here(), &name("b")).await.unwrap();
    let expected = [(("DeleteAutoScalingGroup", true), 2), (("DeleteLaunchTemplate", false), 1)];
    assert_eq!(*counts.0.lock().unwrap(), expected.into());
}
