//! Time: it only goes forward, however it is cut into pieces, and places do not share what it does.

use dryad_local_cloud::model::autoscaling::DescribeAutoScalingGroups;
use dryad_local_cloud::model::{Account, Caller, Place, Settings};

use crate::stage::{Stage, delete, group, place, secs};

/// What one can see of a world, after a deploy's worth of calls and an hour in steps of `step` seconds.
fn hour_later(step: i64) -> String {
    let mut stage = Stage::new();
    let (blue, green) = (stage.blue.clone(), stage.green.clone());
    stage.group("web-1", 3, &[&blue]);
    stage.group("web-2", 3, &[&green]);
    let waits = |stage: &mut Stage, total: i64| {
        for _ in 0..total / step {
            stage.wait(step);
        }
    };
    waits(&mut stage, 600);
    stage.weigh(0, 100);
    stage.detach("web-1", &blue);
    waits(&mut stage, 600);
    stage.resize("web-1", 0);
    waits(&mut stage, 600);
    stage.ok(delete("web-1", false));
    waits(&mut stage, 1800);
    let activities = (stage.activities("web-1"), stage.activities("web-2"));
    format!("{:?} {:?} {activities:?}", stage.world.wanted_instances(), stage.world.routing())
}

#[test]
fn the_same_calls_give_the_same_world_in_steps_of_any_size() {
    let wanted = hour_later(600);
    for step in [1, 7, 60, 300] {
        if 600 % step == 0 {
            assert_eq!(hour_later(step), wanted, "in steps of {step} s");
        }
    }
}

#[test]
fn time_does_not_run_backwards() {
    let mut stage = Stage::new();
    stage.group("web", 1, &[]);
    stage.wait(10);
    stage.now -= secs(3600);
    stage.wait(0);
    assert_eq!(stage.states("web"), ["InService"]);
    stage.resize("web", 2);
    let mut states = stage.states("web");
    states.sort();
    assert_eq!(states, ["InService", "Pending"]);
}

#[test]
fn the_world_says_when_it_changes_next_and_then_nothing() {
    let mut stage = Stage::new();
    assert_eq!(stage.world.next_due(), None);
    stage.group("web", 1, &[]);
    assert_eq!(stage.world.next_due(), Some(stage.now + secs(10)));
    stage.wait(10);
    assert_eq!(stage.world.next_due(), None);
    let settled = stage.world.revision();
    stage.ok(DescribeAutoScalingGroups::default());
    stage.wait(3600);
    assert_eq!(stage.world.revision(), settled, "looking and waiting change nothing");
}

#[test]
fn what_was_just_created_is_not_seen_at_once_where_that_is_set() {
    let mut stage = Stage::new();
    let mut settings: Settings = stage.world.settings().clone();
    settings.timings.visible_after = secs(5);
    stage.wait(60);
    stage.world.set_settings(settings);
    stage.group("web", 1, &[]);
    assert!(stage.find("web").is_none());
    stage.refused(group("web", 1, &[]));
    stage.wait(5);
    assert!(stage.find("web").is_some());
}

#[test]
fn accounts_and_regions_share_nothing() {
    let mut stage = Stage::new();
    stage.group("web", 1, &[]);
    let account = Account::try_from("000000000000".to_owned()).expect("twelve digits");
    let elsewhere = [
        Place { account, region: "us-east-1".to_owned() },
        Place { region: "eu-west-1".to_owned(), ..place() },
    ];
    for place in elsewhere {
        stage.caller = Caller::root(place);
        assert!(stage.find("web").is_none());
    }
    stage.caller = Caller::root(place());
    assert!(stage.find("web").is_some());
}

#[test]
fn thousands_of_groups_are_served_quickly() {
    let mut stage = Stage::new();
    let settings = Settings { most_groups: Some(1000), ..stage.world.settings().clone() };
    stage.world.set_settings(settings);
    let begun = std::time::Instant::now();
    for at in 0..1000 {
        stage.group(&format!("web-{at:04}"), 4, &[]);
    }
    stage.wait(60);
    let mut token = None;
    let mut seen = 0;
    loop {
        let request =
            DescribeAutoScalingGroups { next_token: token, max_records: Some(100), ..Default::default() };
        let answer = stage.ok(request);
        seen += answer.auto_scaling_groups.iter().map(|group| group.instances.len()).sum::<usize>();
        token = answer.next_token;
        if token.is_none() {
            break;
        }
    }
    assert_eq!(seen, 4000);
    println!("1000 groups of 4: {:?}", begun.elapsed());
}
