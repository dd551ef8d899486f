//! What the trait promises, kept by the in-process door in virtual time.

use std::future::{Ready, ready};
use std::time::Duration;

use dryad_cloud::group::Lifecycle;
use dryad_cloud::{Cloud, CloudError};
use dryad_local_cloud::faults::Effect;
use dryad_local_cloud::in_process::InProcess;
use dryad_local_cloud::model::Account;
use dryad_machine::name::{AccountName, GroupName, Place};
use jiff::SignedDuration;
use tokio::time::Instant;

mod cloud_trait;

use cloud_trait::{ACCOUNT, Stage, new_world, place};

/// The stage, at once, and nothing to hold on to.
fn straight() -> Ready<(Stage<InProcess>, ())> {
    let shared = new_world();
    let account = Account::try_from(ACCOUNT.to_owned()).unwrap();
    let door = InProcess::new(shared.clone(), [(place().account, account)].into());
    ready((Stage::set(shared, door), ()))
}

cloud_trait::cases! { #[tokio::test(start_paused = true)] straight }

#[tokio::test(start_paused = true)]
async fn virtual_time_is_the_worlds_time() {
    let (stage, ()) = straight().await;
    stage.launch("web-1", 1).await;
    tokio::time::sleep(Duration::from_mins(9)).await;
    assert_eq!(stage.group("web-1").await.instances[0].lifecycle, Lifecycle::Coming);
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert_eq!(stage.group("web-1").await.instances[0].lifecycle, Lifecycle::InService);
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_waited_for_and_no_longer_than_a_caller_would() {
    let (stage, ()) = straight().await;
    stage.launch("web-1", 1).await;
    for (effect, seconds) in [
        (Effect::Delay { by: SignedDuration::from_secs(3) }, 3),
        (Effect::Delay { by: SignedDuration::from_secs(30) }, 20),
        (Effect::LoseAnswer, 20),
    ] {
        stage.next("UpdateAutoScalingGroup", effect);
        let began = Instant::now();
        let outcome = stage.resize("web-1", 2).await;
        assert_eq!(began.elapsed(), Duration::from_secs(seconds));
        assert_eq!(outcome.is_ok(), seconds == 3, "{outcome:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_account_reaches_nothing() {
    let (stage, ()) = straight().await;
    let elsewhere = Place { account: AccountName::new("elsewhere"), ..place() };
    let outcome = stage.cloud.delete_group(&elsewhere, &GroupName::new("web-1")).await;
    assert!(matches!(outcome, Err(CloudError::Unreachable { .. })), "{outcome:?}");
}
