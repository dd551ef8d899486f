//! The world: every region of every account, the calls made to it, and the passing of time.

use std::collections::BTreeMap;
use std::fmt;
use std::net::Ipv4Addr;

use jiff::{SignedDuration, Timestamp};

use super::action::{Action, Context, Kind};
use super::caller::{Caller, Place};
use super::error::{ApiError, CallError};
use super::history::History;
use super::log::{Called, Log, Outcome};
use super::region::{Region, Scope};
use super::service::Service;
use super::settings::Settings;
use super::sts::Credentials;
use crate::faults::{Fate, Faults, LaunchFault, Rule, ZoneFault};

/// What comes of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply<T> {
    /// How long the door keeps the caller waiting for it.
    pub delay: SignedDuration,
    /// The answer, if one reaches the caller.
    pub outcome: Result<T, CallError>,
}

/// Carries a call out.
type Landing = Box<dyn FnOnce(&mut World, &Caller) -> Result<(), ApiError> + Send>;

/// A call that has left its caller and not yet arrived.
struct Late {
    at: Timestamp,
    called: Called,
    land: Landing,
}

impl fmt::Debug for Late {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Late").field("at", &self.at).field("called", &self.called).finish_non_exhaustive()
    }
}

/// A whole cloud as a value.
///
/// Time never runs backwards in it: a `now` before the latest one it has seen counts as that one.
#[derive(Debug)]
pub struct World {
    seed: u64,
    network: Ipv4Addr,
    now: Timestamp,
    settings: Settings,
    faults: Faults,
    regions: BTreeMap<Place, Region>,
    credentials: Credentials,
    late: Vec<Late>,
    history: History,
    log: Log,
    revision: u64,
}

impl World {
    /// How many addresses are between the first of one region and the first of the next.
    pub const ADDRESSES: u32 = 1 << 15;

    /// An empty world. The same seed, calls and times give the same world, ids included.
    pub fn new(seed: u64, settings: Settings) -> Self {
        Self {
            seed,
            // Clear of 127.0.0.1, where everything else listens.
            network: Ipv4Addr::new(127, 16, 0, 1),
            now: Timestamp::UNIX_EPOCH,
            settings,
            faults: Faults::default(),
            regions: BTreeMap::new(),
            credentials: Credentials::new(seed),
            late: Vec::new(),
            history: History::default(),
            log: Log::default(),
            revision: 0,
        }
    }

    /// Makes a call at `now`.
    pub fn call<A: Action>(&mut self, now: Timestamp, caller: &Caller, request: A) -> Reply<A::Answer> {
        self.advance(now);
        let call = Called {
            service: A::SERVICE,
            action: A::NAME,
            resource: request.resource(),
            caller: caller.clone(),
        };
        let verdict = self.faults.judge(self.now, &call, A::KIND);
        let (outcome, logged) = match verdict.fate {
            Fate::Pass => answered(self.carry_out(caller, request)),
            Fate::Stale(by) => answered(self.answer_from_the_past(caller, request, by)),
            Fate::Refused(error) => answered(Err(error)),
            Fate::Unanswered => match self.carry_out(caller, request) {
                Ok(_) => (Err(CallError::Unanswered), Outcome::DoneUnanswered),
                Err(error) => (Err(CallError::Unanswered), Outcome::Refused(error.code)),
            },
            Fate::Late(after) => {
                self.late.push(Late {
                    at: self.now + after,
                    called: call.clone(),
                    land: Box::new(|world, caller| world.carry_out(caller, request).map(drop)),
                });
                self.revision += 1;
                (Err(CallError::Unanswered), Outcome::Late)
            }
        };
        self.log.called(self.now, &call, logged);
        if A::KIND == Kind::Write {
            // Refused or not: who waits for it to be asked is to look again.
            self.revision += 1;
        }
        Reply { delay: verdict.delay, outcome }
    }

    /// Lets time pass until `now`: everything due by then happens, in order, each at its own time.
    pub fn advance(&mut self, now: Timestamp) {
        while let Some(due) = self.next_due().filter(|due| *due <= now) {
            self.now = self.now.max(due);
            self.land_what_is_due();
            self.settle_due();
        }
        self.now = self.now.max(now);
    }

    /// Lets every call that is still under way land now, in the order in which they were due.
    pub fn land_late_calls(&mut self, now: Timestamp) {
        self.advance(now);
        self.late.sort_by_key(|late| late.at);
        for late in &mut self.late {
            late.at = self.now;
        }
        self.land_what_is_due();
        self.remember();
    }

    /// When time alone changes something next; none: nothing happens until somebody calls.
    pub fn next_due(&self) -> Option<Timestamp> {
        let regions = self.regions.values().filter_map(|region| region.due);
        regions.chain(self.late.iter().map(|late| late.at)).min()
    }

    /// The latest time this world has seen.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Grows whenever something changed, or might have: a driver need not look before it does.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// How long things take, and the like.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Changes the settings. What is under way keeps the delays it began with.
    pub fn set_settings(&mut self, settings: Settings) {
        self.settings = settings;
        self.settle_everything();
    }

    /// Says where the addresses of instances begin, in regions that are called from now on. Without it that is
    /// 127.16.0.1. Each region has [`World::ADDRESSES`] of them to itself.
    pub fn set_network(&mut self, first: Ipv4Addr) {
        self.network = first;
    }

    /// The faults at work.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Adds a rule about calls. Stale answers reach back at most to this moment.
    pub fn add_rule(&mut self, rule: Rule) {
        self.faults.rules.push(rule);
        self.remember();
    }

    /// Adds a fault of launches.
    pub fn add_launch_fault(&mut self, fault: LaunchFault) {
        self.faults.launches.push(fault);
        self.settle_everything();
    }

    /// Puts zones in trouble.
    pub fn add_zone_fault(&mut self, fault: ZoneFault) {
        self.faults.zones.push(fault);
        self.settle_everything();
    }

    /// Replaces all faults, by none with the default.
    pub fn set_faults(&mut self, faults: Faults) {
        self.faults = faults;
        self.history.clear();
        self.settle_everything();
    }

    /// What was called.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// What was called, to forget it or to note a call of something unknown.
    pub fn log_mut(&mut self) -> &mut Log {
        &mut self.log
    }

    /// The access keys this world knows.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// The access keys this world knows, and what roles ask for.
    pub fn credentials_mut(&mut self) -> &mut Credentials {
        &mut self.credentials
    }

    /// How many unanswered calls have yet to land.
    pub fn late_calls(&self) -> usize {
        self.late.len()
    }

    /// The regions called so far.
    pub fn regions(&self) -> impl Iterator<Item = &Region> {
        self.regions.values()
    }

    /// One region, if it was called already.
    pub fn region(&self, place: &Place) -> Option<&Region> {
        self.regions.get(place)
    }

    /// Changes a region from the outside, where no action of the API does: registers an image, reports a probe.
    pub(crate) fn change<T>(&mut self, place: &Place, change: impl FnOnce(&mut Region) -> T) -> T {
        let now = self.now;
        let region = region_of(&mut self.regions, place, self.seed, self.network);
        let result = change(region);
        region.settle(now, &self.settings, &self.faults, Scope::Everything);
        self.remember();
        result
    }

    fn carry_out<A: Action>(&mut self, caller: &Caller, request: A) -> Result<A::Answer, ApiError> {
        let region = region_of(&mut self.regions, &caller.place, self.seed, self.network);
        let mut context = Context {
            now: self.now,
            caller,
            settings: &self.settings,
            faults: &self.faults,
            credentials: &mut self.credentials,
        };
        let answer = request.run(region, &mut context);
        if A::KIND == Kind::Write && answer.is_ok() {
            // Actions on groups touch those they change; what other services do may concern any group.
            let scope = match A::SERVICE {
                Service::AutoScaling | Service::Ssm | Service::Sts => Scope::Touched,
                Service::Ec2 | Service::ElasticLoadBalancing => Scope::Everything,
            };
            region.settle(self.now, &self.settings, &self.faults, scope);
            self.remember();
        }
        answer
    }

    fn answer_from_the_past<A: Action>(
        &mut self,
        caller: &Caller,
        request: A,
        by: SignedDuration,
    ) -> Result<A::Answer, ApiError> {
        let then = self.now - by;
        let Some(mut past) = self.history.at(&caller.place, then).cloned() else {
            return self.carry_out(caller, request);
        };
        let mut context = Context {
            now: then,
            caller,
            settings: &self.settings,
            faults: &self.faults,
            credentials: &mut self.credentials,
        };
        request.run(&mut past, &mut context)
    }

    fn land_what_is_due(&mut self) {
        let now = self.now;
        let (due, waiting) = std::mem::take(&mut self.late).into_iter().partition(|late| late.at <= now);
        self.late = waiting;
        let mut due: Vec<Late> = due;
        due.sort_by_key(|late| late.at);
        for Late { called, land, .. } in due {
            let outcome = match land(self, &called.caller) {
                Ok(()) => Outcome::LandedDone,
                Err(error) => Outcome::LandedRefused(error.code),
            };
            self.log.called(now, &called, outcome);
        }
    }

    fn settle_due(&mut self) {
        let now = self.now;
        for region in self.regions.values_mut().filter(|region| region.due.is_some_and(|due| due <= now)) {
            region.settle(now, &self.settings, &self.faults, Scope::Touched);
        }
        self.remember();
    }

    fn settle_everything(&mut self) {
        for region in self.regions.values_mut() {
            region.settle(self.now, &self.settings, &self.faults, Scope::Everything);
        }
        self.remember();
    }

    /// Counts the change, and keeps the regions as they are now if answers may have to be stale later.
    fn remember(&mut self) {
        self.revision += 1;
        if let Some(window) = self.faults.stalest() {
            for region in self.regions.values() {
                self.history.record(self.now, region, window);
            }
        }
    }
}

fn region_of<'a>(
    regions: &'a mut BTreeMap<Place, Region>,
    place: &Place,
    seed: u64,
    network: Ipv4Addr,
) -> &'a mut Region {
    let before = u32::try_from(regions.len()).unwrap_or_default();
    regions.entry(place.clone()).or_insert_with(|| {
        let first = network.to_bits().wrapping_add(before * World::ADDRESSES);
        Region::new(place.clone(), seed, Ipv4Addr::from_bits(first))
    })
}

fn answered<T>(result: Result<T, ApiError>) -> (Result<T, CallError>, Outcome) {
    match result {
        Ok(answer) => (Ok(answer), Outcome::Done),
        Err(error) => {
            let logged = Outcome::Refused(error.code);
            (Err(CallError::Api(error)), logged)
        }
    }
}
