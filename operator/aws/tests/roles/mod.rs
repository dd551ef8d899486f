//! Accounts that are reached by a role: the real SDK asks the local cloud's STS, and signs with what it gets.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dryad_aws::{Aws, Credentials, Settings};
use dryad_cloud::group::{Capacity, HealthSource, NewGroup};
use dryad_cloud::template::{Carried, NewTemplate};
use dryad_cloud::{Cloud, CloudError};
use dryad_local_cloud::faults::{Effect, Faults, Rule};
use dryad_local_cloud::model::ec2::{IMAGES, SUBNETS};
use dryad_local_cloud::model::{self, Account};
use dryad_local_cloud::shared::Shared;
use dryad_local_cloud::wire::Door;
use dryad_machine::name::{AccountName, GroupName, Place, Region};
use jiff::{SignedDuration, Timestamp};

use crate::cloud_trait::ACCOUNT;

const OTHER: &str = "210987654321";
const ROLE: &str = "arn:aws:iam::210987654321:role/deployers/dryad";
/// For how long STS gives out credentials, unless it is asked for another time.
const LIFE: SignedDuration = SignedDuration::from_hours(1);

fn own() -> Credentials {
    Credentials::Keys { id: ACCOUNT.to_owned(), secret: "unchecked".to_owned() }
}

fn role(external_id: Option<&str>) -> Credentials {
    Credentials::Role {
        arn: ROLE.to_owned(),
        external_id: external_id.map(str::to_owned),
        session: "dryad-shop".to_owned(),
        by: Box::new(own()),
    }
}

fn place(account: &str) -> Place {
    Place { account: AccountName::new(account), region: Region::new("us-east-1") }
}

fn accounts<const N: usize>(accounts: [(&str, Credentials); N]) -> BTreeMap<AccountName, Credentials> {
    accounts.map(|(name, credentials)| (AccountName::new(name), credentials)).into()
}

/// A world whose clock shows this, its door, and an adapter for these accounts.
async fn open<const N: usize>(at: Timestamp, known: [(&str, Credentials); N]) -> (Arc<Shared>, Door, Aws) {
    let shared = Shared::starting_at(at, 42, model::Settings::default());
    let door = Door::open(shared.clone(), 0).await.unwrap();
    let settings =
        Settings { accounts: accounts(known), endpoint: Some(door.endpoint()), ..Settings::default() };
    (shared, door, Aws::new(settings, ()))
}

async fn look(aws: &Aws, account: &str) -> Result<usize, CloudError> {
    Ok(aws.groups(&place(account), &BTreeSet::from([GroupName::new("web-1")])).await?.len())
}

/// Creates a group `web-1` without instances.
async fn create(aws: &Aws, account: &str) {
    let name = GroupName::new("web-1");
    let template = NewTemplate {
        name: name.clone(),
        image_id: IMAGES[0].to_owned(),
        instance_type: "t3.micro".to_owned(),
        instance_profile: None,
        key_name: None,
        security_group_ids: Vec::new(),
        user_data: None,
        carried: Carried::default(),
        tags: BTreeMap::new(),
    };
    let group = NewGroup {
        name,
        capacity: Capacity { min: 0, max: 1, desired: 0 },
        subnets: vec![SUBNETS[0].to_owned()],
        health: HealthSource::Instance,
        tags: BTreeMap::new(),
    };
    aws.create_template(&place(account), &template).await.unwrap();
    aws.create_group(&place(account), &group).await.unwrap();
}

/// Who made each call of this action, and how often.
fn callers(shared: &Shared, action: &str) -> BTreeMap<String, usize> {
    let mut callers = BTreeMap::new();
    shared.with(|world, _| {
        for entry in world.log().entries().filter(|entry| entry.action == action) {
            *callers.entry(entry.caller.clone()).or_default() += 1;
        }
    });
    callers
}

#[tokio::test]
async fn two_accounts_are_two_worlds_and_each_is_called_as_who_it_trusts() {
    let known = [("default", own()), ("production", role(None))];
    let (shared, _door, aws) = open(Timestamp::now(), known).await;
    create(&aws, "production").await;
    assert_eq!(look(&aws, "production").await, Ok(1));
    assert_eq!(look(&aws, "default").await, Ok(0));
    let created = callers(&shared, "CreateAutoScalingGroup");
    assert_eq!(created, [(format!("arn:aws:sts::{OTHER}:assumed-role/dryad/dryad-shop"), 1)].into());
    // A role is assumed once for each account and region, and not for each call.
    assert_eq!(callers(&shared, "AssumeRole"), [(format!("arn:aws:iam::{ACCOUNT}:root"), 1)].into());
    let owner = Account::try_from(OTHER.to_owned()).unwrap();
    let theirs = model::Place { account: owner, region: "us-east-1".to_owned() };
    assert!(shared.with(|world, _| world.region(&theirs).is_some()));
}

#[tokio::test]
async fn a_role_that_asks_for_an_external_id_is_assumed_with_the_right_one_only() {
    let known = [("right", role(Some("canary"))), ("wrong", role(Some("canaries"))), ("none", role(None))];
    let (shared, _door, aws) = open(Timestamp::now(), known).await;
    shared.with(|world, _| world.credentials_mut().ask_external_id(ROLE, "canary"));
    assert_eq!(look(&aws, "right").await, Ok(0));
    for account in ["wrong", "none"] {
        let error = look(&aws, account).await.unwrap_err();
        // Nothing was sent in the account's name, so nothing is uncertain.
        assert!(matches!(error, CloudError::Denied { action: "sts:AssumeRole", .. }), "{error:?}");
        let said = error.to_string();
        assert!(said.contains("sts:AssumeRole") && said.contains(ROLE), "{said}");
        assert!(!said.contains("canar"), "{said}");
    }
}

#[tokio::test]
async fn a_role_that_is_denied_may_be_assumed_once_that_is_mended() {
    let (shared, _door, aws) = open(Timestamp::now(), [("production", role(None))]).await;
    let denied = Rule {
        service: None,
        action: "AssumeRole".into(),
        resource: "*".into(),
        skip: 0,
        times: Some(1),
        effect: Effect::Deny,
    };
    shared.with(|world, _| world.set_faults(Faults { rules: vec![denied], ..Faults::default() }));
    let error = look(&aws, "production").await.unwrap_err();
    assert!(matches!(error, CloudError::Denied { action: "sts:AssumeRole", .. }), "{error:?}");
    assert_eq!(look(&aws, "production").await, Ok(0));
}

#[tokio::test]
async fn credentials_that_are_about_to_end_are_renewed_before_they_do() {
    // The cloud's clock is behind, so that what it gives out is over five seconds from now.
    let behind = Timestamp::now() - LIFE + SignedDuration::from_secs(5);
    let (shared, _door, aws) = open(behind, [("production", role(None))]).await;
    for _ in 0..3 {
        assert_eq!(look(&aws, "production").await, Ok(0));
    }
    let assumed: usize = callers(&shared, "AssumeRole").values().sum();
    assert_eq!(assumed, 3);
}

#[tokio::test]
async fn an_account_that_is_added_changed_or_taken_out_is_so_from_the_next_call_on() {
    let (shared, _door, aws) = open(Timestamp::now(), [("default", own())]).await;
    assert_eq!(look(&aws, "default").await, Ok(0));
    let missing = look(&aws, "production").await.unwrap_err();
    assert!(
        missing.to_string().contains("the operator's configuration has no account \"production\""),
        "{missing}"
    );

    aws.reconfigure(accounts([("default", own()), ("production", role(None))])).await;
    create(&aws, "production").await;

    let third = Credentials::Keys { id: "333333333333".to_owned(), secret: "unchecked".to_owned() };
    aws.reconfigure(accounts([("default", own()), ("production", third)])).await;
    assert_eq!(look(&aws, "production").await, Ok(0));

    aws.reconfigure(accounts([("default", own())])).await;
    assert!(matches!(look(&aws, "production").await, Err(CloudError::Unreachable { .. })));
    assert_eq!(look(&aws, "default").await, Ok(0));
    assert_eq!(callers(&shared, "AssumeRole").values().sum::<usize>(), 1);
}
