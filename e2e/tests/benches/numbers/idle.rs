//! What Environments cost to which nothing happens: calls of the cloud, memory, processor.

use std::ops::Range;
use std::time::Duration;

use dryad_cluster::Cluster;
use dryad_crds::Environment;
use dryad_local_cloud::model::Settings;
use dryad_machine::state::State;
use dryad_stage::operator::Operator;
use dryad_stage::{Instances, Stage};
use jiff::Timestamp;
use serde_json::json;

use crate::process::{self, Resident};
use crate::{Row, operator};

/// The defaults of an Environment and of an operator.
const TICK: Duration = Duration::from_secs(10);
const IDLE: Duration = Duration::from_secs(60);
/// For how long is measured.
const WINDOW: Duration = Duration::from_secs(120);
/// What is said of.
const FEW: usize = 200;
const MANY: usize = 1000;

/// Both sizes, one after the other, with an operator of its own each.
pub(crate) async fn measure(cluster: &Cluster) -> Vec<Row> {
    let stage =
        Stage::set_with(Instances::Simulated, cluster, "numbers-idle", &operator()).await.expect("a stage");
    stage.cloud.control().with(|world, _| {
        world.set_settings(Settings { most_groups: Some(2 * MANY), ..world.settings().clone() });
    });
    let operator = stage.operator("first").expect("it starts");
    let mut environment = stage.environment("web");
    // Nobody answers on instances that are no processes.
    environment["spec"]["evaluate"]["checks"] = json!([]);
    environment["spec"]["deployedParameter"] = json!("/web/deployed");
    stage.repository.commit("Say one", &[("index.html", Some("one"))]).expect("it is committed");
    stage.create_environment(&environment).await;
    stage.deploy("web-1", json!({ "environment": "web", "request": { "skipEvaluation": true } })).await;
    stage.until_state("web-1", State::Done).await;
    stage.until_free("web").await;
    stage.until_projected("web").await;
    operator.stop().expect("it stops");

    let few = Measured::of(&stage, 0..FEW - 1).await;
    let many = Measured::of(&stage, FEW - 1..MANY - 1).await;
    let ticks = WINDOW.as_secs_f64() / TICK.as_secs_f64();
    let calls = |measured: &Measured| f64::from(measured.calls) / ticks;
    vec![
        Row::at_most(
            format!("calls of {FEW} idle Environments in a tick of 10 s"),
            calls(&few),
            3.0,
            "calls",
        ),
        Row::told(format!("calls of {MANY} idle Environments in a tick of 10 s"), calls(&many), "calls"),
        Row::at_most(format!("memory with {MANY} idle Environments"), many.resident.all, 60.0, "MiB"),
        Row::told("of that pages of the executable", many.resident.executable, "MiB"),
        Row::at_most(
            format!("processor with {MANY} idle Environments"),
            many.busy * 100.0,
            2.0,
            "% of a core",
        ),
    ]
}

struct Measured {
    calls: u32,
    resident: Resident,
    busy: f64,
}

impl Measured {
    /// Adds these copies, and measures an operator that has met all Environments.
    async fn of(stage: &Stage, copies: Range<usize>) -> Self {
        let last = format!("web-{:04}", copies.end - 1);
        stage.crowd("web", copies).await;
        let operator = stage.operator_told("measured", &["--log-filter", "info"]).expect("it starts");
        until_met(stage, &last).await;
        // Everything that is done once is done, and the first survey has been made.
        tokio::time::sleep(IDLE).await;
        let (from, busy) = (now(stage), process::busy(operator.pid()));
        tokio::time::sleep(WINDOW).await;
        let spent = process::busy(operator.pid()).saturating_sub(busy);
        let measured = Self {
            calls: calls(stage, from),
            resident: Resident::of(operator.pid()),
            busy: spent.as_secs_f64() / WINDOW.as_secs_f64(),
        };
        leave(operator);
        measured
    }
}

fn leave(operator: Operator) {
    operator.stop().expect("it stops");
}

fn now(stage: &Stage) -> Timestamp {
    stage.cloud.control().with(|_, now| now)
}

fn calls(stage: &Stage, from: Timestamp) -> u32 {
    let ours = stage.cloud.control().with(|world, _| {
        let since = world.log().entries().filter(|entry| from <= entry.at);
        since.filter(|entry| entry.caller.ends_with("user/measured")).count()
    });
    u32::try_from(ours).unwrap_or(u32::MAX)
}

/// Waits until the operator has written of the last Environment what its record lacked.
async fn until_met(stage: &Stage, last: &str) {
    let words = format!("by Deployment {last}");
    let met = |object: Option<&Environment>| {
        let status = object.and_then(|object| object.status.as_ref());
        status.is_some_and(|status| status.conditions.iter().any(|it| it.message.ends_with(&words)))
    };
    stage.until(last, met).await;
}
