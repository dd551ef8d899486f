//! The API server: one Environment, its Deployments, and writes that only land on the version they were made for.
//!
//! Objects are shared and compared as a whole: a write is a conflict if the object it was decided on is not the
//! object that is stored. Nothing here ever becomes equal to an older self, so that is what a resourceVersion says.

use std::num::NonZeroU32;
use std::sync::Arc;

use dryad_machine::access::Access;
use dryad_machine::decide::{Append, Write};
use dryad_machine::deployed::{Deployed, Shipment};
use dryad_machine::history::History;
use dryad_machine::name::{AccountName, Arn, Place, Region, Turn, Uid};
use dryad_machine::plan::{Pace, Revision};
use dryad_machine::release::Release;
use dryad_machine::strategy::Strategy;
use dryad_machine::tenure::{Member, Role, Tenure};
use dryad_machine::view::{
    Bounds, Claim, Deletion, DeploymentView, EnvironmentView, Existence, Finalizer, Mark, Past, Request,
    Routing,
};
use jiff::Timestamp;

use crate::world::{Announced, ENVIRONMENT, Id, MAX, MIN, uid};

/// How many Deployments there may be.
pub(crate) const DEPLOYMENTS: usize = 2;

/// From one look to the next.
pub(crate) const TICK_SECONDS: u32 = 10;

/// When every entry was recorded, as far as anybody can tell later: time in a history is told in the entries' order.
pub(crate) fn recorded() -> Timestamp {
    Timestamp::from_second(1_000).expect("a time")
}

/// The number in the uid that the Environment has, unless it was restored under another one.
pub(crate) const OWN: u8 = 9;

/// What a loop is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Subject {
    Environment,
    /// The Deployment at this place.
    Deployment(usize),
}

impl Subject {
    pub(crate) const ALL: [Self; 3] = [Self::Environment, Self::Deployment(0), Self::Deployment(1)];

    /// Its place among everything that is remembered.
    pub(crate) fn index(self) -> usize {
        match self {
            Self::Environment => DEPLOYMENTS,
            Self::Deployment(place) => place,
        }
    }
}

/// The number in the uid of the Deployment at this place.
pub(crate) fn number(place: usize) -> u8 {
    u8::try_from(place + 1).expect("a handful")
}

/// A stored Environment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Environment {
    pub(crate) view: EnvironmentView,
    pub(crate) finalizer: Finalizer,
}

/// Everything that is stored, or what a cache shows of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Api {
    pub(crate) environment: Option<Arc<Environment>>,
    pub(crate) deployments: [Option<Arc<DeploymentView>>; DEPLOYMENTS],
}

/// The object was not what it was thought to be.
#[derive(Debug)]
pub(crate) struct Conflict;

impl Api {
    pub(crate) fn tenure(&self) -> Option<&Tenure> {
        self.environment.as_ref().map(|environment| &environment.view.tenure)
    }

    pub(crate) fn member(&self, id: Id) -> Option<&Member> {
        self.tenure()?.member(&id.name())
    }

    pub(crate) fn deployment(&self, place: usize) -> Option<&DeploymentView> {
        self.deployments.get(place)?.as_deref()
    }

    /// The Deployment that announced the group.
    pub(crate) fn owner(&self, id: Id) -> Option<&DeploymentView> {
        self.deployments.iter().flatten().find(|it| it.uid == uid(id.owner)).map(|it| &**it)
    }

    /// Stores what was decided on `seen`, unless somebody else was faster.
    pub(crate) fn store(&mut self, subject: Subject, seen: &Self, write: &Write) -> Result<(), Conflict> {
        match (write, subject) {
            (Write::Append(append), Subject::Deployment(place)) => {
                let mut stored = self.guarded(place, seen)?;
                appended(&mut stored, append);
                self.deployments[place] = Some(Arc::new(stored));
            }
            (Write::Start, Subject::Deployment(place)) => {
                let mut stored = self.guarded(place, seen)?;
                if stored.existence == Existence::BeingDeleted {
                    return Err(Conflict);
                }
                stored.finalizer = Finalizer::Present;
                stored.mark = Mark::Own;
                self.deployments[place] = Some(Arc::new(stored));
            }
            (Write::RemoveFinalizer, Subject::Deployment(place)) => {
                let mut stored = self.guarded(place, seen)?;
                stored.finalizer = Finalizer::Absent;
                let kept = stored.existence == Existence::Kept;
                self.deployments[place] = kept.then(|| Arc::new(stored));
            }
            (Write::Tenure { to, .. }, _) => {
                let mut stored = self.guarded_environment(seen)?;
                stored.view.tenure = (**to).clone();
                self.environment = Some(Arc::new(stored));
            }
            (Write::AddFinalizer, Subject::Environment) => {
                let mut stored = self.guarded_environment(seen)?;
                stored.finalizer = Finalizer::Present;
                self.environment = Some(Arc::new(stored));
            }
            (Write::RemoveFinalizer, Subject::Environment) => {
                let mut stored = self.guarded_environment(seen)?;
                stored.finalizer = Finalizer::Absent;
                let kept = stored.view.deletion == Deletion::None;
                self.environment = kept.then(|| Arc::new(stored));
            }
            (Write::Append(_) | Write::Start, Subject::Environment) => {
                unreachable!("an Environment has no history")
            }
            (Write::AddFinalizer, Subject::Deployment(_)) => {
                unreachable!("a Deployment gets its finalizer with its mark")
            }
        }
        Ok(())
    }

    fn guarded(&self, place: usize, seen: &Self) -> Result<DeploymentView, Conflict> {
        let (stored, seen) = (&self.deployments[place], &seen.deployments[place]);
        stored.as_ref().filter(|_| stored == seen).map(|stored| (**stored).clone()).ok_or(Conflict)
    }

    fn guarded_environment(&self, seen: &Self) -> Result<Environment, Conflict> {
        let stored = &self.environment;
        let unchanged = stored.as_ref().filter(|_| *stored == seen.environment);
        unchanged.map(|stored| (**stored).clone()).ok_or(Conflict)
    }

    /// Changes a Deployment as its user does.
    pub(crate) fn edit(&mut self, place: usize, edit: impl FnOnce(&mut DeploymentView)) {
        if let Some(stored) = &mut self.deployments[place] {
            edit(Arc::make_mut(stored));
            if stored.existence == Existence::BeingDeleted && stored.finalizer == Finalizer::Absent {
                self.deployments[place] = None;
            }
        }
    }

    /// The Environment's uid, while there is one.
    pub(crate) fn uid(&self) -> Option<&Uid> {
        self.environment.as_ref().map(|environment| &environment.view.revision.uid)
    }

    /// Changes the Environment's spec as its user does.
    pub(crate) fn edit_environment(&mut self, edit: impl FnOnce(&mut EnvironmentView)) {
        if let Some(stored) = &mut self.environment {
            let view = &mut Arc::make_mut(stored).view;
            edit(view);
            view.revision.generation += 1;
        }
    }

    /// Deletes the Environment as its user does.
    pub(crate) fn delete_environment(&mut self, deletion: Deletion) {
        if let Some(stored) = &mut self.environment {
            Arc::make_mut(stored).view.deletion = deletion;
            if stored.finalizer == Finalizer::Absent {
                self.environment = None;
            }
        }
    }
}

/// Words and times do not matter to what follows, so they are not kept: states that differ in them are one.
fn appended(stored: &mut DeploymentView, append: &Append) {
    let mut entry = append.entry.clone();
    entry.message.clear();
    entry.at = recorded();
    stored.history = stored.history.with(entry);
    stored.turn = append.turn.or(stored.turn);
    if let Some(plan) = &append.plan {
        stored.plan = Some(plan.clone());
    }
}

/// The release that all deploy.
pub(crate) fn shipment() -> Shipment {
    Shipment { release: Release::default(), committed_at: None, subject: None }
}

/// An Environment before its first deploy.
pub(crate) fn environment(routing: Routing) -> Environment {
    let tick = NonZeroU32::new(TICK_SECONDS).expect("not zero");
    Environment {
        view: EnvironmentView {
            name: ENVIRONMENT.to_owned(),
            revision: Revision { uid: uid(OWN), generation: 1 },
            deletion: Deletion::None,
            tenure: Tenure::default(),
            past: Past::Known,
            place: Place { account: AccountName::new("a"), region: Region::new("r") },
            bounds: Bounds { min: MIN.into(), max: MAX.into() },
            replicas: None,
            access: access(routing),
            claim: Claim::Undisputed,
            strategy: Strategy::BlueGreen,
            pace: Pace {
                tick_seconds: tick,
                rollout_timeout_seconds: 30,
                evaluate_seconds: 0,
                evaluate_timeout_seconds: 10_000,
                retain_seconds: 10_000,
            },
        },
        finalizer: Finalizer::Present,
    }
}

/// What requests come by. Of several names the machine only asks whether they are the same.
fn access(routing: Routing) -> Access {
    let arn = Arn::new;
    match routing {
        Routing::Weighted => {
            Access::LoadBalancerRule { rule_arn: arn("rule"), target_group_arns: [arn("a"), arn("b")] }
        }
        Routing::Shared => Access::TargetGroup { arn: arn("shared") },
        Routing::Workers => Access::Workers {},
    }
}

/// What the ledger says of the group that serves before the first deploy of ours.
pub(crate) fn serving(environment: &mut Environment, announced: Announced) {
    let access = match announced {
        Announced::Here => environment.view.access.clone(),
        Announced::Elsewhere => Access::TargetGroup { arn: Arn::new("elsewhere") },
    };
    let deployed = Deployed {
        shipment: shipment(),
        deployment: "d0".to_owned(),
        uid: uid(0),
        turn: Turn::new(1),
        since: recorded(),
    };
    environment.view.tenure = Tenure {
        turn: Turn::new(1),
        holder: None,
        groups: vec![Member {
            name: Id::BLUE.name(),
            place: environment.view.place.clone(),
            access: Some(access),
            owner: uid(0),
            turn: Turn::new(1),
            role: Role::Serving,
            deployed: Some(deployed.clone()),
            held: None,
            environment: None,
        }],
        deployed: Some(deployed),
        restored: None,
    };
}

/// A Deployment as it was just applied.
pub(crate) fn deployment(place: usize) -> DeploymentView {
    DeploymentView {
        uid: uid(number(place)),
        name: format!("d{}", number(place)),
        existence: Existence::Kept,
        finalizer: Finalizer::Absent,
        mark: Mark::None,
        created: recorded(),
        request: Request::default(),
        history: History::default(),
        turn: None,
        plan: None,
    }
}
