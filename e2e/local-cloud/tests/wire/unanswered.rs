//! Calls that are never answered, as a client sees them.

use dryad_local_cloud::faults::{Effect, Rule};
use jiff::SignedDuration;

use crate::client::Cloud;

const PUT: &str = r#"{"Name":"/x","Value":"v","Type":"String","Overwrite":true}"#;

fn once(effect: Effect) -> Rule {
    let (action, resource) = ("AssumeRole".into(), "*".into());
    Rule { service: None, action, resource, skip: 0, times: Some(1), effect }
}

const ASSUME: &str = "Action=AssumeRole&RoleArn=arn:aws:iam::210987654321:role/deploy&RoleSessionName=dryad";

#[tokio::test]
async fn a_lost_answer_is_a_connection_that_ends_without_a_byte() {
    let cloud = Cloud::open().await;
    cloud.shared.with(|world, _| world.add_rule(once(Effect::LoseAnswer)));
    let error = cloud.try_query("sts", ASSUME).await.expect_err("no answer");
    assert!(error.is_request(), "not even a status line came: {error:?}");
    assert_eq!(cloud.query("sts", ASSUME).await.status, 200, "the next one is answered");
}

#[tokio::test]
async fn a_late_call_lands_though_nobody_calls_again() {
    let cloud = Cloud::open().await;
    let late = Rule {
        action: "PutParameter".into(),
        ..once(Effect::ArriveLate { after: SignedDuration::from_millis(300) })
    };
    cloud.shared.with(|world, _| world.add_rule(late));
    let mut changes = cloud.shared.changes();
    assert!(cloud.try_json("PutParameter", PUT).await.is_err());
    while cloud.shared.with(|world, _| world.late_calls()) > 0 {
        changes.changed().await.expect("a world that is there");
    }
    assert_eq!(cloud.json("GetParameter", r#"{"Name":"/x"}"#).await.status, 200);
}

#[tokio::test]
async fn a_delayed_answer_comes_when_it_should() {
    let cloud = Cloud::open().await;
    let by = SignedDuration::from_millis(300);
    cloud.shared.with(|world, _| world.add_rule(once(Effect::Delay { by })));
    let begun = std::time::Instant::now();
    assert_eq!(cloud.query("sts", ASSUME).await.status, 200);
    assert!(begun.elapsed() >= by.unsigned_abs());
}
