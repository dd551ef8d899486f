//! One case to decide: view, memory and clocks, with the words that decisions are made of.

use std::time::Duration;

use crate::capacity::{self, Purpose, Removal};
use crate::memory::{Memory, Now};
use crate::name::GroupName;
use crate::plan::{Pace, Plan, Route, Step};
use crate::reading::{AtWork, GroupSeen, Presence, Reading, Slot};
use crate::state::State;
use crate::table::{Blue, Carrier, Facts, Ladder};
use crate::tenure::Role;
use crate::view::{Deletion, EnvironmentView, View};

/// What a decision is made from.
pub(crate) struct Case<'a> {
    pub(crate) view: View<'a>,
    pub(crate) memory: &'a Memory,
    pub(crate) now: Now,
}

impl<'a> Case<'a> {
    pub(crate) fn state(&self) -> State {
        self.view.deployment.history.state()
    }

    pub(crate) fn plan(&self) -> Option<&'a Plan> {
        self.view.deployment.plan.as_ref()
    }

    pub(crate) fn environment(&self) -> Option<&'a EnvironmentView> {
        self.view.environment
    }

    /// The step it is in, or was in last.
    pub(crate) fn step(&self) -> Option<Step> {
        self.plan()?.step(self.view.deployment.history.step()?)
    }

    pub(crate) fn pace(&self) -> Option<Pace> {
        self.plan().map(|plan| plan.pace).or(self.environment().map(|environment| environment.pace))
    }

    pub(crate) fn tick(&self) -> Duration {
        self.pace().map_or(Duration::from_secs(10), |pace| pace.tick())
    }

    /// The newest reading made in this state.
    pub(crate) fn reading(&self) -> Option<&'a Reading> {
        self.memory.latest(self.now, self.tick())
    }

    /// Two readings made in this state, as far apart as a removal needs.
    pub(crate) fn readings(&self) -> Option<[&'a Reading; 2]> {
        self.memory.two(self.now, self.tick())
    }

    /// The readings to judge a removal by. To take a group away, they must show who carries traffic now; a shift gives
    /// the traffic to who can take it, whoever has it.
    fn readings_for(&self, removal: Removal<'_>) -> Option<[&'a Reading; 2]> {
        match removal {
            Removal::Shift(_) => self.readings(),
            Removal::Group(_) => self.memory.two_settled(self.now, self.tick()),
        }
    }

    /// How long the deploy has been in its state, by the wall clock.
    pub(crate) fn elapsed(&self) -> Duration {
        let since = self.view.deployment.history.last().map_or(self.now.wall, |entry| entry.at);
        Duration::try_from(self.now.wall.duration_since(since)).unwrap_or(Duration::ZERO)
    }

    /// Whether every request that may be under way has landed or never will.
    pub(crate) fn is_certain(&self) -> bool {
        self.memory.is_certain(self.now)
    }

    /// D: how many instances users need.
    pub(crate) fn desired(&self, reading: &Reading) -> u32 {
        let Some(environment) = self.environment() else { return 1 };
        if environment.deletion == Deletion::Delete {
            return 0;
        }
        if self.state() == State::RetireWait {
            let green = self.plan().and_then(|plan| reading.group(&plan.green));
            return green.map_or(1, |green| green.desired).max(1);
        }
        if let Some(held) = environment.tenure.held_desired() {
            return held.max(1);
        }
        let blue = environment.tenure.of_role(Role::Serving);
        let blue: Vec<_> = blue.filter_map(|member| reading.group(&member.name)).collect();
        let base = match blue.is_empty() {
            // Also where the ledger has a blue that is not there any more: it needs nothing now.
            true => environment.bounds.min,
            false => blue.iter().map(|group| group.desired).sum(),
        };
        base.max(environment.replicas.unwrap_or(0)).max(1)
    }

    /// Who takes work by itself. Green does from the first step on that gives it traffic.
    pub(crate) fn at_work(&self, name: &GroupName) -> AtWork {
        let role = self.environment().and_then(|environment| environment.tenure.member(name)).map(|m| m.role);
        match role {
            Some(Role::Serving) => AtWork::Yes,
            Some(Role::Green) if self.step().is_some_and(Step::reduces_blue) => AtWork::Yes,
            Some(Role::Green | Role::Doomed) | None => AtWork::No,
        }
    }

    pub(crate) fn carries(&self, reading: &Reading, name: &GroupName) -> bool {
        reading.carries(name, self.at_work(name))
    }

    pub(crate) fn carries_here(&self, reading: &Reading, name: &GroupName) -> bool {
        reading.carries_here(name, self.at_work(name))
    }

    /// Whether a group of blue was announced with this target group of ours, the slot's or the one that all share. One
    /// that was not stays where it was announced: nobody takes it elsewhere.
    pub(crate) fn belongs(&self, name: &GroupName, slot: Option<Slot>) -> bool {
        let access = |name| self.environment()?.tenure.member(name)?.access.as_ref();
        let ours = self.plan().and_then(|plan| access(&plan.green)).and_then(|ours| ours.target_group(slot));
        access(name).zip(ours).is_none_or(|(announced, ours)| announced.arns().any(|arn| arn == ours))
    }

    /// S1, in this state, by both readings. D is the larger of what the two readings make it.
    pub(crate) fn permits(&self, removal: Removal<'_>) -> bool {
        let Some(readings) = self.readings_for(removal) else { return false };
        let purpose = match (self.state(), self.plan(), self.step()) {
            (State::Rollback, Some(plan), _) => {
                if self.environment().is_some_and(|environment| environment.deletion == Deletion::Delete) {
                    return true;
                }
                Purpose::Back { green: &plan.green, blue: &plan.blue, floor: plan.floor }
            }
            (_, Some(plan), Some(step)) => Purpose::Forward { green: &plan.green, share: step.capacity },
            _ => Purpose::Tidy,
        };
        let desired = readings.iter().map(|reading| self.desired(reading)).max().unwrap_or(1);
        capacity::permits(removal, purpose, desired, readings, &|name| self.at_work(name))
    }

    /// The same for tidying a group that carries nothing, whatever state green is in.
    pub(crate) fn permits_tidying(&self, removal: Removal<'_>) -> bool {
        let Some(readings) = self.readings_for(removal) else { return false };
        let desired = readings.iter().map(|reading| self.desired(reading)).max().unwrap_or(1);
        capacity::permits(removal, Purpose::Tidy, desired, readings, &|name| self.at_work(name))
    }

    /// Whether users' requests are where a rollback wants them.
    pub(crate) fn traffic_is_home(&self, plan: &Plan, reading: &Reading) -> bool {
        match plan.route {
            // What served before the first deploy is not ours, but the traffic was its own.
            Route::Weighted { green } if plan.blue.is_empty() => {
                let weight = |slot| reading.traffic.slot(slot).and_then(|seen| seen.weight).unwrap_or(0);
                let others = reading.traffic.slot(green.other()).map_or(0, |seen| seen.strangers);
                others == 0 || weight(green) == 0
            }
            _ if plan.blue.is_empty() => true,
            Route::Weighted { green } => {
                let home = green.other();
                match plan.blue.iter().any(|blue| self.belongs(blue, Some(home))) {
                    true => reading.traffic.is_all_on(home),
                    // Blue has its own elsewhere, so here is nothing to give back but what green took.
                    false => reading.traffic.slot(green).is_some_and(|seen| seen.weight.unwrap_or(0) == 0),
                }
            }
            Route::Shared {} => {
                let mut ours = plan.blue.iter().filter(|blue| self.belongs(blue, None)).peekable();
                let is_back = ours.peek().is_none() || ours.any(|blue| self.carries(reading, blue));
                is_back && !self.carries_here(reading, &plan.green)
            }
            Route::Workers {} => {
                let at_work: u32 = blue_here(plan, reading).map(|(_, group)| group.in_service).sum();
                reading.group(&plan.green).is_none() || at_work >= plan.floor.max(1)
            }
        }
    }

    pub(crate) fn facts(&self) -> Facts {
        let history = &self.view.deployment.history;
        let seen = self.plan().zip(self.reading());
        let steps = self.plan().map_or(0, |plan| plan.steps.len());
        let taken = history.step().and_then(|step| usize::try_from(step).ok()).unwrap_or(0);
        Facts {
            blue: match seen {
                Some((plan, reading)) if is_viable(plan, reading) => Blue::Viable,
                _ => Blue::NotViable,
            },
            carrier: match seen {
                Some((plan, reading)) if !self.carries(reading, &plan.green) => Carrier::Blue,
                _ => Carrier::Green,
            },
            ladder: if taken < steps { Ladder::MoreSteps } else { Ladder::LastStep },
            cause: history.rollback().map(|entry| entry.reason),
        }
    }
}

/// Whether blue could carry the traffic again. One that exists and is not being deleted has what it takes, or grows to
/// it: by itself where instances have died, by us where it was shrunk. Nothing is taken from green before it has.
pub(crate) fn is_viable(plan: &Plan, reading: &Reading) -> bool {
    blue_here(plan, reading).next().is_some()
}

/// What is left of blue.
pub(crate) fn blue_here<'a>(
    plan: &'a Plan,
    reading: &'a Reading,
) -> impl Iterator<Item = (&'a GroupName, &'a GroupSeen)> {
    let seen = plan.blue.iter().filter_map(|name| Some((name, reading.group(name)?)));
    seen.filter(|(_, group)| group.presence == Presence::Here)
}
