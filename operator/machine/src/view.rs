//! Everything a decision about one Deployment is made from, apart from the [memory](crate::memory).

use std::time::Duration;

use jiff::Timestamp;

use crate::access::Access;
use crate::history::History;
use crate::name::{GroupName, Place, Turn, Uid};
use crate::plan::{Pace, Plan, Revision};
use crate::strategy::Strategy;
use crate::tenure::Tenure;

/// What the caches show of one Deployment and its Environment, and what its release turned out to be.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The Deployment.
    pub deployment: &'a DeploymentView,
    /// Its Environment; none where there is none of that name.
    pub environment: Option<&'a EnvironmentView>,
    /// What has become of the Environment whose turn it took.
    pub home: Home<'a>,
    /// Its place among those that wait.
    pub queue: Queue,
    /// Which release is meant. Looked at in `Resolve` only.
    pub resolution: &'a Resolution,
}

/// A Deployment as its cache shows it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DeploymentView {
    /// Its uid.
    pub uid: Uid,
    /// Its name.
    pub name: String,
    /// Whether it is being deleted.
    pub existence: Existence,
    /// Whether our finalizer is on it.
    pub finalizer: Finalizer,
    /// Whose start it bears the mark of.
    pub mark: Mark,
    /// When it was created.
    pub created: Timestamp,
    /// What its user asks for.
    pub request: Request,
    /// Its history.
    pub history: History,
    /// The turn recorded with `TurnTaken`.
    pub turn: Option<Turn>,
    /// The plan recorded with `ReleaseResolved`.
    pub plan: Option<Plan>,
}

/// What has become of the Environment whose turn a Deployment took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Home<'a> {
    /// It exists, nobody knows better, or no turn was taken yet.
    Standing,
    /// A quorum read says that it does not exist, or that another one has its name now.
    Gone(&'a Remains),
}

/// What is left of an Environment that is gone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Remains {
    /// For how long this process has known that it is gone.
    pub since: Duration,
    /// The groups of the plan that can still be told apart from anybody else's: only those were looked for.
    pub groups: Vec<GroupName>,
}

/// An Environment as its cache shows it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EnvironmentView {
    /// Its name, of which group names are made.
    pub name: String,
    /// Its uid and generation.
    pub revision: Revision,
    /// Whether it is being deleted, and what is to become of its groups then.
    pub deletion: Deletion,
    /// Turn, holder, ledger, deployed state.
    pub tenure: Tenure,
    /// Whether that is known to be all there is.
    pub past: Past,
    /// Where new groups go.
    pub place: Place,
    /// The bounds of new groups.
    pub bounds: Bounds,
    /// The size to keep; none where an autoscaler owns it.
    pub replicas: Option<u32>,
    /// How requests will reach new groups.
    pub access: Access,
    /// Whether another Environment may use what this one names.
    pub claim: Claim,
    /// How a release is brought in.
    pub strategy: Strategy,
    /// How long things may take.
    pub pace: Pace,
}

/// Whether an Environment's record is known not to be older than its groups: see [`adopt`](crate::adopt).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Past {
    /// It is: since this process began, the cloud was asked for groups that the record does not know of.
    Known,
    /// Not yet. Until then nobody goes by the record.
    Unknown,
}

/// The mark that a Deployment gets when Dryad first takes it up: its own uid. A copy keeps the mark, and has another
/// uid.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Mark {
    /// It has none yet.
    None,
    /// Its own.
    Own,
    /// That of another one: it is a copy.
    Other(Uid),
}

/// Whether an Environment may use the target groups and the rule that it names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Claim {
    /// It may.
    Undisputed,
    /// Another Environment names them too, and comes first; in words.
    Lost(String),
}

/// How requests reach the groups of an Environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Routing {
    /// A rule spreads them by weight over two target groups.
    Weighted,
    /// One target group for all.
    Shared,
    /// Workers find their work themselves.
    Workers,
}

/// The bounds of a new group's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bounds {
    /// Never fewer.
    pub min: u32,
    /// Never more.
    pub max: u32,
}

/// Whether an object is here to stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Existence {
    /// It is.
    Kept,
    /// It has a deletion timestamp.
    BeingDeleted,
}

/// Whether an Environment is here to stay, and what becomes of its groups if not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Deletion {
    /// It is.
    None,
    /// It goes, and every group with it.
    Delete,
    /// It goes; what serves stays.
    Retain,
}

/// Whether an object carries our finalizer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Finalizer {
    /// It does.
    Present,
    /// It does not.
    Absent,
}

/// `spec.request`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Request {
    /// Whether going on is withheld.
    pub paused: Paused,
    /// Whether a healthy green is proof enough.
    pub evaluation: Evaluation,
    /// Whether the deploy is to end.
    pub end: Option<EndRequest>,
}

/// Whether going on is withheld.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Paused {
    /// It is not.
    #[default]
    No,
    /// It is, until `RetainWait`; deadlines run on.
    Yes,
}

/// How much proof is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Evaluation {
    /// All that the Environment names.
    #[default]
    Full,
    /// That green is healthy.
    Skipped,
}

/// Which end was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EndRequest {
    /// Stop this.
    Abort,
    /// Go back.
    Rollback,
}

/// A Deployment's place among those of its Environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Queue {
    /// Whether it would be next.
    pub place: PlaceInLine,
    /// Whether another one could run if it had the turn.
    pub others: Others,
    /// Whether a newer one has made this one pointless.
    pub successor: Successor,
}

/// Whether a waiting Deployment would be next.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Copy)]
pub enum PlaceInLine {
    /// It would.
    Next,
    /// Another one is before it, or it cannot run yet.
    NotYet,
}

/// Whether others wait for the turn that this one has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Others {
    /// None that could run.
    None,
    /// At least one that could run now.
    Waiting,
}

/// Whether what a waiting Deployment was made for has been declared anew since.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Successor {
    /// It has not, or somebody made it by hand.
    None,
    /// It has: a newer Deployment carries the newer declaration.
    Newer,
}

/// What is known of the release that is meant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Resolution {
    /// Not yet known; why, in words, if something stands in the way.
    Unknown(Option<String>),
    /// Exactly known.
    Resolved(Box<crate::deployed::Shipment>),
    /// It can't be what was asked for; why, in words.
    Rejected(String),
    /// Nothing may be launched from the Environment as it is; why, in words.
    NotPermitted(String),
}
