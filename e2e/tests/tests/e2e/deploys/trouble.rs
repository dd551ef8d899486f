//! Trouble with the cloud, on demand: calls whose answers are lost, calls that arrive late, and what was called.

use std::time::Duration;

use dryad_local_cloud::faults::{Effect, Rule};
use dryad_local_cloud::model::World;
use dryad_local_cloud::model::log::Entry;
use jiff::SignedDuration;

use crate::deploys::scene::Scene;

/// Longer than any test takes: what is late by this lands when the test says so.
const FOR_EVER: SignedDuration = SignedDuration::from_hours(24);
/// How long anything may take before it counts as stuck.
const PATIENCE: Duration = Duration::from_secs(90);
/// How often the log is looked at.
const EVERY: Duration = Duration::from_millis(50);
/// What the calls of one look at a rule with two target groups begin with.
pub(crate) const LOOK: &str = "DescribeAutoScalingGroups";

/// So many such calls are carried out, and the connection ends before an answer.
pub(crate) fn lost(action: &str, times: u32) -> Rule {
    rule(action, times, Effect::LoseAnswer)
}

/// So many such calls are carried out, and their callers wait in vain.
pub(crate) fn silent(action: &str, times: u32) -> Rule {
    rule(action, times, Effect::Delay { by: FOR_EVER })
}

/// So many such calls are not answered, and not carried out before [`land`].
pub(crate) fn late(action: &str, times: u32) -> Rule {
    rule(action, times, vanish())
}

/// Every such call, until the faults are changed.
pub(crate) fn always(action: &str, effect: Effect) -> Rule {
    Rule { times: None, ..rule(action, 0, effect) }
}

/// No answer, and nothing carried out.
pub(crate) fn vanish() -> Effect {
    Effect::ArriveLate { after: FOR_EVER }
}

fn rule(action: &str, times: u32, effect: Effect) -> Rule {
    let (action, resource) = (action.into(), "*".into());
    Rule { service: None, action, resource, skip: 0, times: Some(times), effect }
}

/// Lets what is late land.
pub(crate) fn land(scene: &Scene) {
    scene.stage.cloud.control().with(World::land_late_calls);
}

/// How often the cloud was looked at.
pub(crate) fn looks(scene: &Scene) -> usize {
    calls(scene, LOOK)
}

/// How often this was asked, or asked for.
fn calls(scene: &Scene, action: &str) -> usize {
    let is_it = |entry: &&Entry| entry.action == action;
    scene.stage.cloud.control().with(|world, _| world.log().entries().filter(is_it).count())
}

/// Waits until the cloud was looked at so often from now on: whoever wanted to act on what is there has had the time.
pub(crate) async fn until_looked(scene: &Scene, times: usize) {
    until_asked(scene, LOOK, times).await;
}

/// Waits until this was asked, or asked for, so often from now on.
pub(crate) async fn until_asked(scene: &Scene, action: &str, times: usize) {
    let wanted = calls(scene, action) + times;
    // A call that changes nothing wakes nobody who waits for changes.
    let mut moments = tokio::time::interval(EVERY);
    let looked = async {
        while calls(scene, action) < wanted {
            moments.tick().await;
        }
    };
    tokio::time::timeout(PATIENCE, looked).await.expect("nobody asks it");
}

/// The changes that were asked for since there were so many entries in the log, and how each ended.
pub(crate) fn asked_since(scene: &Scene, entries: usize) -> Vec<Entry> {
    scene.stage.cloud.control().with(|world, _| {
        let since = world.log().entries().skip(entries);
        since.filter(|entry| !entry.action.starts_with("Describe")).cloned().collect()
    })
}

/// How many entries the log has.
pub(crate) fn logged(scene: &Scene) -> usize {
    scene.stage.cloud.control().with(|world, _| world.log().entries().count())
}
