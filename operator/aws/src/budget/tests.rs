//! How fast calls go, what throttling does to that, and who waits for whom.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dryad_cloud::group::NewSize;
use dryad_cloud::traffic::{RuleArn, TargetGroupArn, Weight};
use dryad_cloud::{Cloud, CloudError};
use dryad_machine::name::{Place, Region};
use futures::future::join_all;
use tokio::time::{Instant, advance};

use super::*;
use crate::call::Call;
use crate::testing::{Fake, Request, done, here, name, refused, refused_by_ec2};

fn budget() -> Budget {
    Budget::new(Allowance { rate: 10.0, burst: 5.0 })
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

async fn reads_in(budget: &Budget, time: Duration) -> u32 {
    let until = Instant::now() + time;
    let mut sent = 0;
    while budget.in_turn(until).await.is_ok() {
        sent += 1;
    }
    sent
}

#[tokio::test(start_paused = true)]
async fn after_a_burst_reads_go_at_the_rate() {
    let budget = budget();
    let sent = reads_in(&budget, Duration::from_secs(10)).await;
    assert!((100..=105).contains(&sent), "{sent}");
}

#[tokio::test(start_paused = true)]
async fn a_read_that_could_not_be_sent_in_time_is_told_so_at_once() {
    let budget = budget();
    budget.throttled();
    let began = Instant::now();
    assert_eq!(budget.in_turn(began + Duration::from_millis(150)).await, Err(Spent));
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_mutation_finds_a_token_that_no_read_may_take_and_never_waits() {
    let budget = budget();
    while budget.take(KEPT_FOR_MUTATIONS).is_ok() {}
    assert_eq!(budget.at_once(), Ok(()));
    assert_eq!(budget.at_once(), Err(Spent));
    advance(Duration::from_millis(101)).await;
    assert_eq!(budget.at_once(), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn throttling_halves_the_rate_once_for_calls_that_were_under_way_together() {
    let budget = budget();
    for _ in 0..4 {
        budget.throttled();
    }
    assert!((49..=51).contains(&reads_in(&budget, Duration::from_secs(10)).await));
    for _ in 0..20 {
        advance(Duration::from_secs(2)).await;
        budget.throttled();
    }
    let slow = reads_in(&budget, Duration::from_secs(100)).await;
    assert!((98..=102).contains(&slow), "never slower than {SLOWEST}/s: {slow}");
}

#[tokio::test(start_paused = true)]
async fn what_aws_takes_brings_the_rate_back_and_no_further() {
    let budget = budget();
    budget.throttled();
    for _ in 0..1000 {
        budget.taken();
    }
    assert!((99..=101).contains(&reads_in(&budget, Duration::from_secs(10)).await));
}

#[tokio::test(start_paused = true)]
async fn reads_go_in_the_order_of_asking() {
    let budget = budget();
    while budget.take(KEPT_FOR_MUTATIONS).is_ok() {}
    let sent = AtomicU32::new(0);
    let order: Vec<_> = (0..8)
        .map(|_| async {
            budget.in_turn(soon()).await.unwrap();
            sent.fetch_add(1, Ordering::Relaxed)
        })
        .collect();
    assert_eq!(join_all(order).await, (0..8).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn waiting_for_a_clear_budget_takes_nothing_from_it() {
    let budget = budget();
    while budget.take(KEPT_FOR_MUTATIONS).is_ok() {}
    budget.until_clear(soon()).await;
    assert_eq!(budget.take(KEPT_FOR_MUTATIONS), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_answered_is_asked_again_and_paid_for_again() {
    let fake = Fake::always(refused(500, "InternalFailure", "oops"));
    let aws = fake.aws();
    let (place, target_group) = (here(), TargetGroupArn("arn:tg".to_owned()));
    assert!(aws.target_health(&place, &target_group).await.is_err());
    assert_eq!(fake.asked().len(), 3, "asked again twice");
    let began = Instant::now();
    let answers = join_all((0..100).map(|_| aws.target_health(&place, &target_group))).await;
    assert!(answers.iter().all(Result::is_err));
    let time = began.elapsed().as_secs_f64();
    let (asked, most) = (u32::try_from(fake.asked().len() - 3).unwrap(), 40.0 + 8.0 * time);
    assert!(f64::from(asked) <= most, "{asked} in {time} s, may be {most}");
}

/// A cloud with one bucket for every call of every service, in which there is room for a single token: one a second.
fn one_call_a_second() -> Fake {
    let taken = Mutex::new(None::<Instant>);
    Fake::new(move |request: Request| {
        let mut taken = taken.lock().unwrap();
        let now = Instant::now();
        let answer = if taken.is_some_and(|last| now.duration_since(last) < Duration::from_secs(1)) {
            match request.host.starts_with("ec2") {
                true => refused_by_ec2(503, "RequestLimitExceeded", "Request limit exceeded."),
                false => refused(400, "Throttling", "Rate exceeded"),
            }
        } else {
            *taken = Some(now);
            let rule = "<Rules><member><RuleArn>arn:rule</RuleArn><IsDefault>false</IsDefault><Actions><member>\
                        <Type>forward</Type><ForwardConfig><TargetGroups><member><TargetGroupArn>arn:a</TargetGroupArn>\
                        <Weight>1</Weight></member></TargetGroups></ForwardConfig></member></Actions></member></Rules>";
            match request.get("Action").unwrap_or_default() {
                "DescribeRules" => done("DescribeRules", rule),
                action => done(action, ""),
            }
        };
        std::future::ready(answer)
    })
}

/// What a tick does, in its order: a look, and a change that is tried again every tenth of a tick while the look is fresh.
#[tokio::test(start_paused = true)]
async fn one_call_a_second_for_all_services_together_is_enough_for_a_look_and_a_change_in_every_tick() {
    const TICK: Duration = Duration::from_secs(10);
    let aws = one_call_a_second().aws();
    let (a, b) = (TargetGroupArn("arn:a".to_owned()), TargetGroupArn("arn:b".to_owned()));
    let rule = RuleArn("arn:rule".to_owned());
    for tick in 0..50 {
        let fresh_until = Instant::now() + TICK;
        aws.groups(&here(), &BTreeSet::from([name("web-1"), name("web-2")])).await.unwrap();
        aws.rule(&here(), &rule).await.unwrap();
        aws.target_health(&here(), &a).await.unwrap();
        aws.target_health(&here(), &b).await.unwrap();
        let size = NewSize { min: 1, max: 1, desired: Some(1) };
        let weights = [Weight { target_group: a.clone(), weight: 100 }];
        loop {
            let changed = match tick % 3 {
                0 => aws.resize_group(&here(), &name("web-1"), size).await,
                1 => aws.delete_template(&here(), &name("web-1")).await,
                _ => aws.set_weights(&here(), &rule, &weights).await,
            };
            if changed.is_ok() {
                break;
            }
            assert!(matches!(changed, Err(CloudError::Throttled { .. })), "{changed:?}");
            sleep(TICK / 10).await;
            assert!(Instant::now() < fresh_until, "tick {tick} found no time for its change");
        }
        tokio::time::sleep_until(fresh_until).await;
    }
}

/// A cloud that throttles everything in `us-east-1`.
fn throttled_at_home() -> Fake {
    Fake::new(|request: Request| {
        std::future::ready(if request.host.contains("us-east-1") {
            refused(400, "Throttling", "Rate exceeded")
        } else {
            done("DescribeAutoScalingGroups", "<AutoScalingGroups/>")
        })
    })
}

#[tokio::test(start_paused = true)]
async fn a_throttled_region_delays_only_its_own() {
    let aws = throttled_at_home().aws();
    let there = Place { region: Region::new("eu-west-1"), ..here() };
    let names = BTreeSet::from([name("web-1")]);
    for _ in 0..30 {
        let answer = aws.groups(&here(), &names).await;
        assert_eq!(answer, Err(CloudError::Throttled { action: "DescribeAutoScalingGroups" }));
    }
    let began = Instant::now();
    assert_eq!(aws.groups(&there, &names).await.map(|found| found.len()), Ok(0));
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn while_it_is_throttled_all_who_ask_share_the_next_question() {
    let fake = throttled_at_home();
    let aws = Arc::new(fake.aws());
    let _ = aws.groups(&here(), &BTreeSet::from([name("web-0")])).await;
    for _ in 0..10 {
        let _ = aws.groups(&here(), &BTreeSet::from([name("web-0")])).await;
    }
    let before = fake.asked().len();
    let late = (1..20).map(|number| {
        let aws = Arc::clone(&aws);
        async move {
            tokio::time::sleep(Duration::from_millis(50 * number)).await;
            aws.groups(&here(), &BTreeSet::from([name(&format!("web-{number}"))])).await
        }
    });
    join_all(late).await;
    let after = fake.asked();
    let most =
        after[before..].iter().map(|request| request.list("AutoScalingGroupNames.member.").len()).max();
    assert!(most >= Some(15), "{most:?}");
}

#[tokio::test(start_paused = true)]
async fn a_mutation_beyond_the_budget_is_not_sent() {
    let fake = throttled_at_home();
    let aws = fake.aws();
    let resize = || async {
        aws.resize_group(&here(), &name("web-1"), NewSize { min: 1, max: 1, desired: Some(1) }).await
    };
    let throttled = Err(CloudError::Throttled { action: "UpdateAutoScalingGroup" });
    assert_eq!(resize().await, throttled);
    assert_eq!(resize().await, throttled, "the token that is kept for it");
    assert_eq!(resize().await, throttled);
    assert_eq!(fake.asked().len(), 2, "the third found none");
}

#[tokio::test(start_paused = true)]
async fn what_is_throttled_in_one_family_delays_no_other() {
    let fake = Fake::by_action(|action| match action {
        "DescribeAutoScalingGroups" => refused(400, "Throttling", "Rate exceeded"),
        action => done(action, ""),
    });
    let aws = fake.aws();
    for _ in 0..10 {
        let _ = aws.groups(&here(), &BTreeSet::from([name("web-1")])).await;
    }
    let began = Instant::now();
    for _ in 0..10 {
        aws.target_health(&here(), &TargetGroupArn("arn:tg".to_owned())).await.unwrap();
    }
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}

#[test]
fn asking_ec2_or_a_load_balancer_is_counted_apart_from_changing_it_and_auto_scaling_counts_all_as_one() {
    let of = |calls: &[Call]| calls.iter().map(|call| call.family()).collect::<Vec<_>>();
    let all =
        of(&[Call::DescribeAutoScalingGroups, Call::DescribeScalingActivities, Call::UpdateAutoScalingGroup]);
    assert_eq!(all, [Family::AutoScaling; 3]);
    assert_eq!(
        of(&[Call::DescribeInstances, Call::CreateLaunchTemplate]),
        [Family::Ec2Reads, Family::Ec2Changes]
    );
    assert_eq!(
        of(&[Call::DescribeRules, Call::ModifyRule]),
        [Family::BalancerReads, Family::BalancerChanges]
    );
    assert_eq!(
        of(&[Call::GetParameter, Call::PutParameter]),
        [Family::ParameterReads, Family::ParameterChanges]
    );
}
