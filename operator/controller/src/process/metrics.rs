//! What Dryad counts about itself. Labels take their values from closed sets of names; no object's name is ever
//! one, so their number is bounded however much is deployed.

use std::time::Duration;

use dryad_cloud::CloudError;
use dryad_crds::condition;
use dryad_machine::event::Reason;
use dryad_machine::state::State;
use dryad_machine::sweep::Why;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use crate::elector::Standing;

/// What a condition can say.
const STATUSES: [&str; 3] = ["True", "False", "Unknown"];

/// So many labels, each with its value.
type Labels<const N: usize> = [(&'static str, &'static str); N];

/// The metrics of one process. Cheap to clone; all clones are one.
#[derive(Clone, Debug)]
pub struct Metrics {
    transitions: Family<Labels<2>, Counter>,
    deployments: Family<Labels<1>, Gauge>,
    environments: Family<Labels<2>, Gauge>,
    cloud_calls: Family<Labels<2>, Counter>,
    leftovers: Family<Labels<1>, Gauge>,
    ticks: Histogram,
    leader: Gauge,
    events_lost: Counter,
    configuration_stale: Gauge,
}

impl Metrics {
    /// Registers all of them, each prefixed with `dryad_`.
    pub fn new(registry: &mut Registry) -> Self {
        let metrics = Self {
            transitions: Family::default(),
            deployments: Family::default(),
            environments: Family::default(),
            cloud_calls: Family::default(),
            leftovers: Family::default(),
            ticks: Histogram::new([0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0]),
            leader: Gauge::default(),
            events_lost: Counter::default(),
            configuration_stale: Gauge::default(),
        };
        let registry = registry.sub_registry_with_prefix("dryad");
        let build = [("version", env!("CARGO_PKG_VERSION"))];
        registry.register("build", "What this process was built from", Info::new(build));
        registry.register(
            "transitions",
            "Transitions recorded, by the state entered and the reason",
            metrics.transitions.clone(),
        );
        registry.register("deployments", "Deployments, by present state", metrics.deployments.clone());
        registry.register(
            "environments",
            "Environments, by condition and what it says",
            metrics.environments.clone(),
        );
        registry.register(
            "cloud_calls",
            "Calls to the cloud, by action and outcome",
            metrics.cloud_calls.clone(),
        );
        registry.register(
            "leftovers",
            "Groups and launch templates of this installation that no ledger knows and that are left alone, by why",
            metrics.leftovers.clone(),
        );
        registry.register_with_unit(
            "tick_duration",
            "How long one tick of one Deployment took",
            Unit::Seconds,
            metrics.ticks.clone(),
        );
        registry.register("leader", "1 while this process leads, else 0", metrics.leader.clone());
        registry.register(
            "events_lost",
            "Kubernetes Events that could not be published",
            metrics.events_lost.clone(),
        );
        registry.register(
            "configuration_stale",
            "1 while the configuration's file can't be used and the one before it stays in force, else 0",
            metrics.configuration_stale.clone(),
        );
        metrics
    }

    /// A transition was recorded.
    pub fn transition(&self, state: State, reason: Reason) {
        let labels = [("state", state.name()), ("reason", reason.name())];
        self.transitions.get_or_create(&labels).inc();
    }

    /// These are the present states of all Deployments.
    pub fn deployments(&self, present: impl IntoIterator<Item = State>) {
        let mut counts = State::ALL.map(|state| (state, 0));
        for state in present {
            for (_, count) in counts.iter_mut().filter(|(counted, _)| *counted == state) {
                *count += 1;
            }
        }
        for (state, count) in counts {
            self.deployments.get_or_create(&[("state", state.name())]).set(count);
        }
    }

    /// These are the present conditions of all Environments.
    pub fn environments<'a>(&self, present: impl IntoIterator<Item = &'a Condition>) {
        let said = |condition| STATUSES.map(|status| ([("condition", condition), ("status", status)], 0));
        let mut counts = condition::OF_ENVIRONMENTS.map(said);
        for one in present {
            let counted = counts.iter_mut().flatten();
            for (_, count) in
                counted.filter(|([(_, type_), (_, status)], _)| one.type_ == *type_ && one.status == *status)
            {
                *count += 1;
            }
        }
        for (labels, count) in counts.into_iter().flatten() {
            self.environments.get_or_create(&labels).set(count);
        }
    }

    /// So many are left alone for this reason.
    pub fn leftovers(&self, why: Why, count: usize) {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        self.leftovers.get_or_create(&[("why", why.name())]).set(count);
    }

    /// A call to the cloud has ended. `action` is one of the cloud's own names, such as `CreateAutoScalingGroup`.
    pub fn cloud_call(&self, action: &'static str, outcome: Result<(), &CloudError>) {
        let outcome = match outcome {
            Ok(()) => "Ok",
            Err(CloudError::Unanswered { .. }) => "Unanswered",
            Err(CloudError::Unreachable { .. }) => "Unreachable",
            Err(CloudError::Throttled { .. }) => "Throttled",
            Err(CloudError::NotFound { .. }) => "NotFound",
            Err(CloudError::AlreadyExists { .. }) => "AlreadyExists",
            Err(CloudError::Busy { .. }) => "Busy",
            Err(CloudError::Denied { .. }) => "Denied",
            Err(CloudError::Invalid { .. }) => "Invalid",
        };
        self.cloud_calls.get_or_create(&[("action", action), ("outcome", outcome)]).inc();
    }

    /// One tick of one Deployment took this long.
    pub fn tick(&self, took: Duration) {
        self.ticks.observe(took.as_secs_f64());
    }

    /// This is how the process stands in the election now.
    pub fn standing(&self, standing: Standing) {
        self.leader.set(match standing {
            Standing::Leading(_) => 1,
            Standing::Asking | Standing::Standby | Standing::Over => 0,
        });
    }

    /// The configuration in force is the one in its file.
    pub fn configuration_taken_up(&self) {
        self.configuration_stale.set(0);
    }

    /// The configuration's file can't be used, and the one before it stays in force.
    pub fn configuration_refused(&self) {
        self.configuration_stale.set(1);
    }

    /// A Kubernetes Event could not be published.
    pub fn event_lost(&self) {
        self.events_lost.inc();
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
    use prometheus_client::encoding::text::encode;

    use super::*;

    fn shown(record: impl FnOnce(&Metrics)) -> String {
        let mut registry = Registry::default();
        record(&Metrics::new(&mut registry));
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        text
    }

    #[test]
    fn what_is_recorded_is_shown_under_its_name() {
        let throttled = CloudError::Throttled { action: "DeleteAutoScalingGroup" };
        let text = shown(|metrics| {
            metrics.transition(State::Rollback, Reason::CheckFailed);
            metrics.transition(State::Rollback, Reason::CheckFailed);
            metrics.cloud_call("CreateAutoScalingGroup", Ok(()));
            metrics.cloud_call("DeleteAutoScalingGroup", Err(&throttled));
            metrics.tick(Duration::from_millis(30));
            metrics.event_lost();
            metrics.configuration_refused();
        });
        for line in [
            concat!("dryad_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1"),
            "dryad_transitions_total{state=\"Rollback\",reason=\"CheckFailed\"} 2",
            "dryad_cloud_calls_total{action=\"CreateAutoScalingGroup\",outcome=\"Ok\"} 1",
            "dryad_cloud_calls_total{action=\"DeleteAutoScalingGroup\",outcome=\"Throttled\"} 1",
            "dryad_tick_duration_seconds_bucket{le=\"0.02\"} 0",
            "dryad_tick_duration_seconds_bucket{le=\"0.05\"} 1",
            "dryad_leader 0",
            "dryad_events_lost_total 1",
            "dryad_configuration_stale 1",
        ] {
            assert!(text.lines().any(|shown| shown == line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn how_environments_stand_is_counted_by_condition_and_never_by_name() {
        let said = |type_: &str, status: &str| Condition {
            type_: type_.to_owned(),
            status: status.to_owned(),
            reason: String::new(),
            message: String::new(),
            observed_generation: None,
            last_transition_time: Time(Timestamp::UNIX_EPOCH),
        };
        let before = [said("Available", "False"), said("Available", "True"), said("Stalled", "True")];
        let now = [said("Available", "True"), said("Available", "True"), said("ofSomebodyElse", "True")];
        let text = shown(|metrics| {
            metrics.environments(&before);
            metrics.environments(&now);
        });
        let count = |condition: &str, status: &str, count: i64| {
            let line = format!("dryad_environments{{condition=\"{condition}\",status=\"{status}\"}} {count}");
            assert!(text.lines().any(|shown| shown == line), "{line} is not in\n{text}");
        };
        count("Available", "True", 2);
        count("Available", "False", 0);
        count("Stalled", "True", 0);
        assert!(!text.contains("ofSomebodyElse"), "{text}");
    }

    #[test]
    fn a_state_that_nothing_is_in_any_more_goes_back_to_zero() {
        let text = shown(|metrics| {
            metrics.deployments([State::Pending, State::Pending, State::Done]);
            metrics.deployments([State::Done]);
        });
        assert!(text.contains("dryad_deployments{state=\"Pending\"} 0"), "{text}");
        assert!(text.contains("dryad_deployments{state=\"Done\"} 1"), "{text}");
    }
}
