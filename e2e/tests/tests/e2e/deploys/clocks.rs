//! Clocks that are wrong: the API server's, by which deploys are timed, jumps an hour and back; and an operator that was
//! down for a day wakes up.
//!
//! What an operator knows of the time it hears on its line to the API server, which is where it is changed.

use dryad_local_cloud::faults::Rule;
use dryad_local_cloud::model::log::Entry;
use dryad_machine::state::State;
use dryad_stage::deploys::{path_of, state_of, table};
use dryad_stage::line::Line;
use dryad_stage::operator::Operator;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::deploys::scene::{
    Place, Scene, UNDISTURBED, assert_ends, carried_out, fault, is_change, replica_of,
};
use crate::deploys::trouble::{LOOK, until_looked};
use crate::deploys::users::Users;

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// How many looks an operator has at a time before it is believed to have acted by it.
const LOOKS: usize = 4;

/// Deadlines that an hour does not reach.
fn patient(environment: &mut Value) {
    environment["spec"]["rollout"]["timeout"] = json!("3h");
    environment["spec"]["evaluate"]["timeout"] = json!("3h");
}

async fn on_line(scene: &Scene, replica: &str) -> (Line, Operator) {
    let line = scene.stage.line(replica).await.unwrap();
    let operator = scene.stage.operator_on(&line, replica).unwrap();
    (line, operator)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_hour_that_did_not_pass_finds_no_release_good_and_costs_nobody_a_request() {
    let scene = Scene::set("jumps", patient).await;
    let users = Users::of(&scene.stage);
    let (line, _operator) = on_line(&scene, "a").await;
    scene.deploy_held("web-2").await;
    for place in Place::ALL.into_iter().take_while(|place| *place != Place::Retaining) {
        let before = path_of(&scene.until("web-2", place).await);
        // Nobody looks at the cloud for a deploy that has no turn.
        if place != Place::Pending {
            for ahead in [HOUR, -HOUR, SignedDuration::ZERO] {
                line.tell_time(ahead);
                until_looked(&scene, LOOKS).await;
                let object = scene.stage.api().get("web-2").await.unwrap();
                assert_eq!(path_of(&object), before, "by a clock that is {ahead:#} ahead");
            }
        }
        scene.let_go("web-2", place).await;
    }
    // For how long what served is kept to return to, only the clock can say.
    scene.until("web-2", Place::Retaining).await;
    scene.let_all_go().await;
    until_looked(&scene, LOOKS).await;
    let kept = scene.stage.api().get("web-2").await.unwrap();
    assert_eq!(state_of(&kept), State::RetainWait, "{}", table(&kept));
    // Not by the first look after it jumped, with one from before.
    for hours in 1..=3 {
        scene.hold(&[fault(LOOK)], &[]);
        line.tell_time(HOUR * hours);
        until_looked(&scene, LOOKS).await;
        scene.hold(&[Rule { skip: 1, ..fault(LOOK) }], &[]);
        until_looked(&scene, LOOKS).await;
        let kept = scene.stage.api().get("web-2").await.unwrap();
        assert_eq!(state_of(&kept), State::RetainWait, "{}", table(&kept));
    }
    scene.let_all_go().await;
    let done = scene.stage.until_state("web-2", State::Done).await;
    assert_eq!(path_of(&done), UNDISTURBED);
    scene.serves("web-2").await;
    assert_eq!(users.leave().await, "two");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_was_set_back_an_hour_holds_up_no_more_than_what_only_time_decides() {
    let scene = Scene::retiring("behind", |_| {}).await;
    let users = Users::of(&scene.stage);
    let (line, _operator) = on_line(&scene, "a").await;
    scene.deploy_held("web-2").await;
    scene.bring("web-2", Place::Shifting).await;
    line.tell_time(-HOUR);
    until_looked(&scene, LOOKS).await;
    scene.let_go("web-2", Place::Shifting).await;
    scene.until("web-2", Place::ProvenInService).await;
    scene.let_go("web-2", Place::ProvenInService).await;
    scene.until("web-2", Place::Retaining).await;
    scene.let_all_go().await;
    until_looked(&scene, 2 * LOOKS).await;
    let kept = scene.stage.api().get("web-2").await.unwrap();
    assert_eq!(state_of(&kept), State::RetainWait, "{}", table(&kept));
    line.tell_time(SignedDuration::ZERO);
    let done = scene.stage.until_state("web-2", State::Done).await;
    assert_eq!(path_of(&done), UNDISTURBED);
    scene.serves("web-2").await;
    assert_eq!(users.leave().await, "two");
}

/// A scene whose operator was killed, and another one started a day later.
struct Woken {
    _operator: Operator,
    _line: Line,
    users: Users,
    scene: Scene,
}

impl Woken {
    /// With the deploy where it stood all day.
    async fn at(place: Place, name: &str) -> Self {
        let scene = Scene::set(name, |_| {}).await;
        let users = Users::of(&scene.stage);
        let operator = scene.stage.operator("a").unwrap();
        scene.deploy_held("web-2").await;
        scene.bring("web-2", place).await;
        operator.kill().unwrap();
        scene.let_all_go().await;
        let line = scene.stage.line("b").await.unwrap();
        line.tell_time(DAY);
        let operator = scene.stage.operator_on(&line, "b").unwrap();
        Self { _operator: operator, _line: line, users, scene }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_that_was_down_for_a_day_looks_twice_before_it_retires_what_served() {
    let Woken { scene, users, _operator, _line } = Woken::at(Place::Retaining, "day-retain").await;
    scene.stage.until_state("web-2", State::Done).await;
    scene.serves("web-2").await;
    let looked = scene.stage.cloud.control().with(|world, _| {
        let of_b = |entry: &&Entry| replica_of(entry) == Some("b");
        let unchanging = |entry: &&Entry| !(is_change(entry) && carried_out(entry.outcome));
        let before = world.log().entries().filter(of_b).take_while(unchanging);
        before.filter(|entry| entry.action == LOOK).count()
    });
    assert!(looked >= 2, "it changed something after {looked} looks");
    assert_eq!(users.leave().await, "two");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_that_was_down_for_a_day_does_not_call_good_what_it_did_not_watch() {
    let Woken { scene, users, _operator, _line } = Woken::at(Place::ProvenInService, "day-evaluate").await;
    let failed = scene.stage.until_state("web-2", State::Failed).await;
    assert_ends(&failed, ["Rollback TimedOut", "Failed RollbackOk"]);
    scene.serves("web-1").await;
    assert_eq!(users.leave().await, "one");
}
