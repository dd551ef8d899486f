//! Candidates at an API server, in virtual time.

use std::time::Duration;

use serde_json::json;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::testing::{Api, Fault};
use super::*;

/// A candidate that runs.
struct Running {
    seat: Seat,
    end: oneshot::Sender<Ending>,
    task: JoinHandle<Outcome>,
}

fn start(api: &Api) -> Running {
    let election =
        Election { namespace: "dryad".to_owned(), name: "dryad".to_owned(), durations: Durations::default() };
    let (candidate, seat) = Candidate::new(api.client(), election, Identity::of_process("dryad-0"));
    let (end, ending) = oneshot::channel();
    let task = tokio::spawn(candidate.run(async { ending.await.unwrap_or(Ending::Abandon) }));
    Running { seat, end, task }
}

impl Running {
    /// Waits until it leads.
    async fn leads(&mut self) -> Leadership {
        let wait = async {
            loop {
                match self.seat.next_round().await {
                    Some(Standing::Leading(leadership)) => return leadership,
                    Some(_) => {}
                    None => panic!("it ended without leading"),
                }
            }
        };
        timeout(Duration::from_secs(60), wait).await.expect("nobody takes the lease")
    }

    async fn lost(self) -> Loss {
        let outcome = timeout(Duration::from_secs(60), self.task).await.expect("it still leads").unwrap();
        assert_eq!(self.seat.standing(), Standing::Over);
        match outcome {
            Outcome::Lost(loss) => loss,
            Outcome::Left | Outcome::Released => panic!("it was not told to leave, and did: {outcome:?}"),
        }
    }

    async fn leave(self, ending: Ending) -> Outcome {
        self.end.send(ending).unwrap();
        let outcome = self.task.await.unwrap();
        assert_eq!(self.seat.standing(), Standing::Over);
        outcome
    }
}

async fn seconds(seconds: u64) {
    sleep(Duration::from_secs(seconds)).await;
}

/// An API server whose Lease was let go of, so that the first candidate leads at once.
fn api() -> Api {
    let api = Api::new();
    api.edit(|lease| lease["spec"] = json!({"leaseTransitions": 4}));
    api
}

#[tokio::test(start_paused = true)]
async fn without_a_lease_one_is_laid_down_and_has_to_run_out_first() {
    let api = Api::new();
    let begin = Instant::now();
    let leadership = start(&api).leads().await;
    assert_eq!((leadership.epoch.write(), leadership.takeover), (1, Takeover::First));
    assert!(begin.elapsed() >= Duration::from_secs(15));
}

#[tokio::test(start_paused = true)]
async fn of_several_candidates_one_leads_and_stays_the_leader() {
    let api = api();
    let all = [start(&api), start(&api), start(&api)];
    for _ in 0..60 {
        seconds(1).await;
        assert_eq!(all.iter().filter(|one| one.seat.leadership().is_some()).count(), 1);
    }
    assert_eq!(api.lease().unwrap()["spec"]["leaseTransitions"], 5);
}

#[tokio::test(start_paused = true)]
async fn a_released_lease_is_taken_at_once_and_cleanly() {
    let api = api();
    let mut first = start(&api);
    first.leads().await;
    let mut second = start(&api);
    let standing = second.seat.next_round().await;
    assert_eq!(standing, Some(Standing::Standby));
    assert_eq!(first.leave(Ending::Release).await, Outcome::Released);
    assert_eq!(api.lease().unwrap()["spec"].get("holderIdentity"), None);
    let begin = Instant::now();
    let leadership = second.leads().await;
    assert_eq!((leadership.epoch.write(), leadership.takeover), (6, Takeover::Clean));
    assert!(begin.elapsed() <= Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn an_abandoned_lease_runs_out_and_is_taken_uncleanly() {
    let api = api();
    let mut first = start(&api);
    first.leads().await;
    let mut second = start(&api);
    assert_eq!(first.leave(Ending::Abandon).await, Outcome::Left);
    let begin = Instant::now();
    assert_eq!(second.leads().await.takeover, Takeover::Unclean);
    assert!(begin.elapsed() >= Duration::from_secs(15));
}

#[tokio::test(start_paused = true)]
async fn a_follower_that_leaves_touches_nothing() {
    let api = api();
    let mut leader = start(&api);
    leader.leads().await;
    let mut follower = start(&api);
    follower.seat.next_round().await;
    let writes = api.writes();
    assert_eq!(follower.leave(Ending::Release).await, Outcome::Left);
    assert_eq!(api.writes(), writes);
    assert!(leader.seat.leadership().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_leader_without_answers_stops_at_the_deadline_and_not_later() {
    for fault in [Fault::Refused(500), Fault::Silence, Fault::Unheard] {
        let api = api();
        let mut leader = start(&api);
        let leadership = leader.leads().await;
        api.fail(fault);
        let seat = leader.seat.clone();
        assert_eq!(leader.lost().await, Loss::NotRenewed, "{fault:?}");
        assert_eq!(Instant::now().duration_since(leadership.valid_until).as_secs(), 0, "{fault:?}");
        assert_eq!(seat.leadership(), None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_short_outage_costs_nothing() {
    for fault in [Fault::Refused(500), Fault::Refused(409), Fault::Silence, Fault::Unheard] {
        let api = api();
        let mut leader = start(&api);
        let epoch = leader.leads().await.epoch;
        api.fail(fault);
        seconds(5).await;
        api.fail(Fault::None);
        seconds(30).await;
        assert_eq!(leader.seat.leadership().map(|leadership| leadership.epoch), Some(epoch), "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_election_that_begins_without_an_api_server_waits_for_it() {
    let api = api();
    api.fail(Fault::Silence);
    let mut candidate = start(&api);
    seconds(120).await;
    assert_eq!(candidate.seat.standing(), Standing::Asking);
    api.fail(Fault::None);
    assert_eq!(candidate.leads().await.takeover, Takeover::Clean);
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_sees_another_holder_stops_at_once() {
    let api = api();
    let mut leader = start(&api);
    leader.leads().await;
    api.edit(|lease| lease["spec"]["holderIdentity"] = json!("other_1"));
    let by = somebody("other_1");
    assert_eq!(leader.lost().await, Loss::Taken { by });
    assert_eq!(api.lease().unwrap()["spec"]["holderIdentity"], "other_1");
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_somebody_else_holds_is_never_released_for_them() {
    let api = api();
    let mut leader = start(&api);
    leader.leads().await;
    api.edit(|lease| lease["spec"]["holderIdentity"] = json!("other_1"));
    assert_eq!(leader.leave(Ending::Release).await, Outcome::Left);
    assert_eq!(api.lease().unwrap()["spec"]["holderIdentity"], "other_1");
}

#[tokio::test(start_paused = true)]
async fn a_deleted_lease_is_put_back_with_the_epoch_it_had() {
    let api = api();
    let mut leader = start(&api);
    leader.leads().await;
    api.delete();
    seconds(30).await;
    assert!(leader.seat.leadership().is_some());
    assert_eq!(api.lease().unwrap()["spec"]["leaseTransitions"], 5);
}

#[tokio::test(start_paused = true)]
async fn labels_of_others_survive_and_do_not_end_a_leadership() {
    let api = api();
    let mut leader = start(&api);
    leader.leads().await;
    api.edit(|lease| lease["metadata"]["labels"] = json!({"team": "shop"}));
    seconds(30).await;
    assert!(leader.seat.leadership().is_some());
    assert_eq!(api.lease().unwrap()["metadata"]["labels"]["team"], "shop");
}

#[tokio::test(start_paused = true)]
async fn a_process_that_wakes_up_too_late_sees_that_it_must_not_act() {
    let api = api();
    let mut leader = start(&api);
    leader.leads().await;
    leader.task.abort();
    seconds(9).await;
    assert!(leader.seat.leadership().is_some());
    seconds(1).await;
    assert_eq!(leader.seat.leadership(), None);
}
