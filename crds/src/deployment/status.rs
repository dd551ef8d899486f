//! What Dryad records of a Deployment.
//!
//! The history is the state; everything else here is decided once and frozen, or follows from the history. The
//! API server holds Dryad to that too: whatever rewrites what happened is refused.

use dryad_machine::decide;
use dryad_machine::history::{Entry, History, IllegalHistory, MESSAGE_LIMIT, cut};
use dryad_machine::name::Turn;
use dryad_machine::plan::Plan;
use dryad_machine::release::ImageId;
use dryad_machine::state::State;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use crate::environment::EnvironmentSpec;
use crate::environment::checks::Check;
use crate::environment::target::Target;
use crate::environment::traffic::Traffic;
use crate::schema::{among, items, keyed_by, rule};
use crate::unobserved;

/// Where the deploy stands, how it came there, and what was decided for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(
    transform = rule(
        "!has(oldSelf.history) || has(self.history)",
        "the history only grows; leave status.history as it is",
    ),
    transform = rule(
        "has(self.history) && self.history.size() > 0 ? has(self.state) && self.history.exists(entry, \
         entry.sequence == self.history.size() - 1 && entry.state == self.state && \
         (has(entry.step) ? has(self.step) && self.step == entry.step : !has(self.step))) \
         : !has(self.state) && !has(self.step)",
        "state and step repeat the last entry of the history; append to the history to change them",
    ),
    transform = rule(
        "!has(oldSelf.turn) || (has(self.turn) && self.turn == oldSelf.turn)",
        "the turn is recorded once; leave status.turn as it is",
    ),
    transform = rule(
        "!has(oldSelf.plan) || (has(self.plan) && self.plan == oldSelf.plan)",
        "the plan is decided once; leave status.plan as it is",
    ),
    transform = rule(
        "!has(oldSelf.template) || (has(self.template) && self.template == oldSelf.template)",
        "the template is frozen with the plan; leave status.template as it is",
    ),
    transform = rule(
        "has(self.plan) == has(self.template)",
        "plan and template are recorded in one write; write both",
    ),
)]
pub struct DeploymentStatus {
    /// The generation that this status is about; -1 before Dryad has seen the object.
    #[serde(default = "unobserved")]
    pub observed_generation: i64,
    /// Where it stands: the state of the last entry of the history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// The step of the plan it is in: that of the last entry of the history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<i64>,
    /// What happened, an entry for every transition.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 512), transform = keyed_by("sequence"), transform = append_only)]
    pub history: Vec<Entry>,
    /// The turn it took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<Turn>,
    /// What it does, decided when its release was resolved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Plan>,
    /// The part of the Environment that it does it to, frozen with the plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<Template>,
    /// What it waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// `Succeeded`, `Ready`, `Reconciling`, `Stalled`, and at its end `Ended` and one of the name of its end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), transform = keyed_by("type"))]
    pub conditions: Vec<Condition>,
}

/// The rules of a list to which entries are only ever added, and none after an end.
fn append_only(schema: &mut Schema) {
    let end = among("entry.state", State::ALL.into_iter().filter(|state| state.is_terminal()));
    let rules = [
        ("self.size() >= oldSelf.size()".to_owned(), "the history only grows; add to it"),
        (
            "self.all(entry, entry.sequence < self.size())".to_owned(),
            "the history has no gaps; give a new entry the sequence that comes next",
        ),
        (
            "self.all(entry, entry.sequence > 0 || entry.state == 'Pending')".to_owned(),
            "every history begins with Pending",
        ),
        (
            format!("self.all(entry, entry.sequence == self.size() - 1 || !({end}))"),
            "nothing follows an end; make a new Deployment",
        ),
    ];
    for (cel, sentence) in rules {
        schemars::transform::Transform::transform(&mut rule(cel, sentence), schema);
    }
    let unchanged = rule("self == oldSelf", "what happened can't be rewritten; append an entry instead");
    schemars::transform::Transform::transform(&mut items(unchanged), schema);
}

/// The part of an Environment that one deploy goes by, so that a later edit changes nothing under its feet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Template {
    /// What carries the release.
    pub target: Target,
    /// How users' requests reach the instances.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traffic: Option<Traffic>,
    /// What is asked before the release is found good.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), transform = keyed_by("name"))]
    pub checks: Vec<Check>,
    /// What the target's launch template came to when the release was resolved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub launch: Option<Launch>,
}

/// What a launch template leaves open, looked up once: every instance of the deploy is the same, however often one is
/// replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Launch {
    /// The machine image.
    pub image_id: ImageId,
    /// The number of the version that `launchTemplate.from` stood for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub version: Option<i64>,
}

impl Template {
    /// The template that a deploy to this Environment freezes now.
    pub fn of(environment: &EnvironmentSpec) -> Self {
        Self {
            target: environment.target.clone(),
            traffic: environment.traffic.clone(),
            checks: environment.evaluate.checks.clone(),
            launch: None,
        }
    }

    /// Whether this is what a deploy to this Environment would go by now, apart from what is looked up for each and from
    /// the capacity, which is changed in place.
    pub fn is_of(&self, environment: &EnvironmentSpec) -> bool {
        let target = environment.target.clone().with_capacity(self.target.capacity());
        let now = Self { target, launch: self.launch.clone(), ..Self::of(environment) };
        *self == now
    }

    /// Whether instances made from this are as this Environment wants them. Their number is changed in place, and
    /// checks make no difference to an instance.
    pub fn makes_what(&self, environment: &EnvironmentSpec) -> bool {
        let sized = |target: &Target| {
            let mut target = target.clone();
            target.set_capacity(environment.target.capacity());
            target
        };
        sized(&self.target) == environment.target && self.traffic == environment.traffic
    }
}

/// What a deploy waits for, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Progress {
    /// In a sentence, in the instances' own words where they have some.
    #[schemars(length(max = 1024))]
    pub message: String,
    /// How many of the new instances are healthy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub healthy: Option<u32>,
    /// How many of them are wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub wanted: Option<u32>,
    /// Since when it waits for just this.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub since: Timestamp,
}

impl Progress {
    /// What was decided to be waited for, as it is recorded: the message cut to what fits.
    pub fn new(decided: &decide::Progress, since: Timestamp) -> Self {
        Self {
            message: cut(&decided.message, MESSAGE_LIMIT),
            healthy: decided.healthy,
            wanted: decided.wanted,
            since,
        }
    }
}

impl Default for DeploymentStatus {
    fn default() -> Self {
        Self {
            observed_generation: unobserved(),
            state: None,
            step: None,
            history: Vec::new(),
            turn: None,
            plan: None,
            template: None,
            progress: None,
            conditions: Vec::new(),
        }
    }
}

impl DeploymentStatus {
    /// The history, in order and known to be whole.
    ///
    /// # Errors
    /// When it is not: then nothing may be decided by it.
    pub fn history(&self) -> Result<History, IllegalHistory> {
        History::new(self.history.clone())
    }

    /// Appends an entry, which is where the deploy stands from now on.
    pub fn append(&mut self, entry: Entry) {
        self.state = Some(entry.state);
        self.step = entry.step;
        self.history.push(entry);
    }
}
