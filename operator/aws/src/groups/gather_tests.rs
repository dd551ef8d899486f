//! Shared questions: how many requests go out, for whom, when, and who gets what.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use dryad_cloud::{Cloud, CloudError};
use dryad_machine::name::{GroupName, Place, Region};
use futures::future::join_all;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use crate::testing::{Answer, Fake, Request, done, here, name, refused};

const NAMES: &str = "AutoScalingGroupNames.member.";

/// A page with these groups.
fn page(names: &[&str], next: Option<&str>) -> Answer {
    let group = |name: &&str| {
        format!(
            "<member><AutoScalingGroupName>{name}</AutoScalingGroupName>\
             <MinSize>1</MinSize><MaxSize>3</MaxSize><DesiredCapacity>2</DesiredCapacity></member>"
        )
    };
    let groups: String = names.iter().map(group).collect();
    let token = next.map(|token| format!("<NextToken>{token}</NextToken>")).unwrap_or_default();
    done("DescribeAutoScalingGroups", &format!("<AutoScalingGroups>{groups}</AutoScalingGroups>{token}"))
}

/// A cloud in which every group exists whose name is asked for.
fn everything_exists() -> Fake {
    Fake::new(|request: Request| std::future::ready(page(&request.list(NAMES), None)))
}

fn numbered(numbers: impl IntoIterator<Item = usize>) -> BTreeSet<GroupName> {
    numbers.into_iter().map(|number| name(&format!("web-{number:04}"))).collect()
}

#[tokio::test(start_paused = true)]
async fn those_who_ask_together_share_one_request() {
    let fake = everything_exists();
    let aws = fake.aws();
    let place = here();
    let questions: Vec<_> = (0..30).map(|number| numbered([number, number + 1])).collect();
    let answers = join_all(questions.iter().map(|names| aws.groups(&place, names))).await;
    for (names, answer) in questions.iter().zip(answers) {
        assert_eq!(&answer.unwrap().into_keys().collect::<BTreeSet<_>>(), names);
    }
    let request = fake.only_request();
    assert_eq!(request.list(NAMES).len(), 31, "each name once");
    assert_eq!(request.get("MaxRecords"), Some("100"));
}

#[tokio::test(start_paused = true)]
async fn more_than_a_hundred_names_take_several_requests() {
    let fake = everything_exists();
    let names = numbered(0..250);
    let answer = fake.aws().groups(&here(), &names).await.unwrap();
    assert_eq!(answer.into_keys().collect::<BTreeSet<_>>(), names);
    let mut sizes: Vec<_> = fake.asked().iter().map(|request| request.list(NAMES).len()).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [50, 100, 100]);
}

#[tokio::test(start_paused = true)]
async fn a_short_page_is_not_the_last() {
    let fake = Fake::new(|request: Request| {
        std::future::ready(match request.get("NextToken") {
            None => page(&["web-0000"], Some("more")),
            Some("more") => page(&[], Some("still more")),
            Some(_) => page(&["web-0001"], None),
        })
    });
    let answer = fake.aws().groups(&here(), &numbered([0, 1, 2])).await.unwrap();
    assert_eq!(answer.into_keys().collect::<BTreeSet<_>>(), numbered([0, 1]));
    assert_eq!(fake.asked().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn pages_without_end_are_an_error_in_time() {
    let fake = Fake::new(|_: Request| async {
        sleep(Duration::from_millis(200)).await;
        page(&["web-0000"], Some("more"))
    });
    let aws = fake.aws();
    let outcome = timeout(Duration::from_secs(10), aws.groups(&here(), &numbered([0]))).await.unwrap();
    assert!(matches!(outcome, Err(CloudError::Unanswered { .. })), "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn nobody_is_given_an_answer_to_an_older_question() {
    let answers = Arc::new(Semaphore::new(0));
    let fake = Fake::new({
        let answers = Arc::clone(&answers);
        move |request: Request| {
            let answers = Arc::clone(&answers);
            async move {
                answers.acquire().await.unwrap().forget();
                page(&request.list(NAMES), None)
            }
        }
    });
    let aws = Arc::new(fake.aws());
    let ask = || {
        let aws = Arc::clone(&aws);
        tokio::spawn(async move { aws.groups(&here(), &numbered([0])).await })
    };
    let early = ask();
    sleep(Duration::from_secs(1)).await;
    assert_eq!(fake.asked().len(), 1);
    let late = ask();
    sleep(Duration::from_secs(1)).await;
    assert_eq!(
        fake.asked().len(),
        2,
        "the late one has a request of its own, while the first is still under way"
    );
    answers.add_permits(2);
    assert_eq!(early.await.unwrap().unwrap().len(), 1);
    assert_eq!(late.await.unwrap().unwrap().len(), 1);
    answers.add_permits(1);
    assert_eq!(ask().await.unwrap().unwrap().len(), 1);
    assert_eq!(fake.asked().len(), 3, "nothing is kept");
}

#[tokio::test(start_paused = true)]
async fn one_who_stops_listening_takes_nothing_from_the_others() {
    let fake = everything_exists();
    let aws = fake.aws();
    let place = here();
    let (first, second) = (numbered([0]), numbered([1]));
    {
        let opens = aws.groups(&place, &first);
        assert!(timeout(Duration::from_millis(1), opens).await.is_err(), "dropped while it gathers");
    }
    let answer = aws.groups(&place, &second).await.unwrap();
    assert_eq!(answer.into_keys().collect::<BTreeSet<_>>(), second);
    assert_eq!(fake.only_request().list(NAMES), ["web-0000", "web-0001"]);
}

#[tokio::test(start_paused = true)]
async fn a_failed_request_fails_those_it_was_for_and_no_others() {
    let fake = Fake::new(|request: Request| {
        let names = request.list(NAMES);
        let refused = refused(400, "ValidationError", "bad name");
        std::future::ready(if names.contains(&"web-0120") { refused } else { page(&names, None) })
    });
    let aws = fake.aws();
    let place = here();
    let (low, high, both) = (numbered(0..100), numbered(100..130), numbered([0, 120]));
    let (low, high, both) =
        tokio::join!(aws.groups(&place, &low), aws.groups(&place, &high), aws.groups(&place, &both));
    assert_eq!(low.unwrap().len(), 100);
    let error = CloudError::Invalid { action: "DescribeAutoScalingGroups", message: "bad name".to_owned() };
    assert_eq!(high, Err(error.clone()));
    assert_eq!(both, Err(error), "not the half of it");
}

#[tokio::test(start_paused = true)]
async fn each_region_is_asked_itself() {
    let fake = everything_exists();
    let aws = fake.aws();
    let (here, there) = (here(), Place { region: Region::new("eu-west-1"), ..here() });
    let names = numbered([0]);
    let (one, other) = tokio::join!(aws.groups(&here, &names), aws.groups(&there, &names));
    assert_eq!((one.unwrap().len(), other.unwrap().len()), (1, 1));
    let hosts: BTreeSet<_> = fake.asked().into_iter().map(|request| request.host).collect();
    let expected = ["autoscaling.eu-west-1.amazonaws.com", "autoscaling.us-east-1.amazonaws.com"];
    assert_eq!(hosts, expected.map(str::to_owned).into());
}

#[tokio::test(start_paused = true)]
async fn no_names_are_no_question() {
    let fake = everything_exists();
    assert!(fake.aws().groups(&here(), &BTreeSet::new()).await.unwrap().is_empty());
    assert_eq!(fake.asked(), []);
}
