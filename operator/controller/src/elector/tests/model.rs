//! Never two leaders: three processes whose clocks differ, one Lease, and everything that can happen between a
//! question and its answer.

use std::cell::Cell;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;

const PROCESSES: usize = 3;

/// Something that happens.
#[derive(Clone, Debug)]
enum Event {
    /// Time passes: milliseconds of a true clock.
    Pass(u32),
    /// A process goes on by a few steps: it asks, its request lands, it hears the answer.
    Go(usize, usize),
    /// A process gives up waiting. What it sent may land later.
    GiveUp(usize),
    /// One of the requests that were given up lands.
    LandLate(usize),
    /// A process ends, letting go of the lease if it can; another starts in its place.
    Release(usize),
    /// A process is killed; another starts in its place.
    Kill(usize),
    /// Somebody labels the Lease.
    Touch,
    /// Somebody deletes the Lease.
    Delete,
}

/// Stretches of a story. While one lasts, some processes are stopped: nothing that they would do happens.
fn story() -> impl Strategy<Value = Vec<(Vec<bool>, Vec<Event>)>> {
    let process = 0..PROCESSES;
    let event = prop_oneof![
        40 => (1..4000_u32).prop_map(Event::Pass),
        120 => (process.clone(), 1..6_usize).prop_map(|(index, steps)| Event::Go(index, steps)),
        6 => process.clone().prop_map(Event::GiveUp),
        6 => (0..8_usize).prop_map(Event::LandLate),
        5 => process.clone().prop_map(Event::Release),
        2 => process.prop_map(Event::Kill),
        2 => Just(Event::Touch),
        1 => Just(Event::Delete),
    ];
    let awake = vec(prop::bool::weighted(0.7), PROCESSES);
    vec((awake, vec(event, 1..60)), 1..12)
}

/// A write on its way: over which version, or over none.
#[derive(Clone, Debug)]
struct Write {
    over: Option<String>,
    holder: Holder,
    epoch: Epoch,
}

#[derive(Clone, Debug)]
enum Request {
    None,
    ReadSent,
    ReadLanded(Observed),
    WriteSent { bid: Bid, write: Write, asked: Instant },
    WriteLanded { bid: Bid, result: Option<Observed>, asked: Instant },
}

struct Process {
    identity: Identity,
    elector: Elector,
    request: Request,
    kept: Option<Observed>,
    /// How fast its clock runs, in thousandths of the true one.
    rate: u32,
}

impl Process {
    fn new(rate: u32) -> Self {
        let identity = Identity::of_process("pod");
        let elector = Elector::new(identity.clone(), Durations::default());
        Self { identity, elector, request: Request::None, kept: None, rate }
    }
}

struct World {
    start: Instant,
    /// Milliseconds of a true clock.
    now: u64,
    version: u64,
    lease: Observed,
    processes: Vec<Process>,
    late: Vec<Write>,
    /// Every leadership that was ever valid, in the order in which they began.
    leaderships: Vec<(Identity, Epoch, Takeover)>,
}

impl World {
    fn new(rates: &[u32]) -> Self {
        let processes = rates.iter().map(|rate| Process::new(*rate)).collect();
        let lease = Observed::Absent;
        Self {
            start: Instant::now(),
            now: 0,
            version: 0,
            lease,
            processes,
            late: vec![],
            leaderships: vec![],
        }
    }

    fn clock(&self, process: usize) -> Instant {
        self.start + Duration::from_micros(self.now * u64::from(self.processes[process].rate))
    }

    fn put(&mut self, holder: Holder, epoch: Epoch) -> Observed {
        self.version += 1;
        self.lease = record(self.version, holder, epoch.write());
        self.lease.clone()
    }

    fn land(&mut self, write: &Write) -> Option<Observed> {
        let present = match &self.lease {
            Observed::Absent => None,
            Observed::Present(record) => Some(&record.version),
        };
        (present == write.over.as_ref()).then(|| self.put(write.holder.clone(), write.epoch))
    }

    fn bid(&mut self, process: usize, observed: &Observed) -> Request {
        let now = self.clock(process);
        let process = &mut self.processes[process];
        match process.elector.decide(observed, now) {
            None => Request::None,
            Some(bid) => {
                let write = write(bid, observed, &process.identity);
                Request::WriteSent { bid, write, asked: now }
            }
        }
    }

    fn go(&mut self, index: usize) {
        let now = self.clock(index);
        let request = std::mem::replace(&mut self.processes[index].request, Request::None);
        let next = match request {
            Request::None => match self.processes[index].kept.take() {
                Some(kept) => self.bid(index, &kept),
                None => Request::ReadSent,
            },
            Request::ReadSent => Request::ReadLanded(self.lease.clone()),
            Request::ReadLanded(observed) => self.bid(index, &observed),
            Request::WriteSent { bid, write, asked } => {
                Request::WriteLanded { bid, result: self.land(&write), asked }
            }
            Request::WriteLanded { bid, result, asked } => {
                let process = &mut self.processes[index];
                if let Some(result) = result {
                    let before = process.elector.standing();
                    process.elector.wrote(bid, &result, asked, now);
                    if let Standing::Leading(leadership) = process.elector.standing() {
                        process.kept = Some(result);
                        if before == Standing::Standby && leadership.is_valid(now) {
                            let Leadership { epoch, takeover, .. } = leadership;
                            self.leaderships.push((process.identity.clone(), epoch, takeover));
                        }
                    }
                }
                Request::None
            }
        };
        self.processes[index].request = next;
    }

    fn give_up(&mut self, index: usize) {
        let request = std::mem::replace(&mut self.processes[index].request, Request::None);
        if let Request::WriteSent { write, .. } = request {
            self.late.push(write);
        }
    }

    fn replace(&mut self, index: usize) {
        self.give_up(index);
        self.processes[index] = Process::new(self.processes[index].rate);
    }

    fn happen(&mut self, event: &Event) {
        match *event {
            Event::Pass(milliseconds) => self.now += u64::from(milliseconds),
            Event::Go(index, steps) => (0..steps).for_each(|_| self.go(index)),
            Event::GiveUp(index) => self.give_up(index),
            Event::LandLate(_) if self.late.is_empty() => {}
            Event::LandLate(which) => {
                let write = self.late.swap_remove(which % self.late.len());
                self.land(&write);
            }
            Event::Release(index) => {
                self.give_up(index);
                let (now, observed) = (self.clock(index), self.lease.clone());
                let process = &mut self.processes[index];
                process.elector.check(now);
                if let Some(bid) = process.elector.release(&observed) {
                    let write = write(bid, &observed, &process.identity);
                    self.late.push(write);
                }
                self.replace(index);
            }
            Event::Kill(index) => self.replace(index),
            Event::Touch => {
                if let Observed::Present(Record { holder, epoch, .. }) = self.lease.clone() {
                    self.put(holder, epoch);
                }
            }
            Event::Delete => self.lease = Observed::Absent,
        }
    }

    /// How many would act now, if it came to itself.
    fn leaders(&self) -> usize {
        (0..PROCESSES)
            .filter(|index| match self.processes[*index].elector.standing() {
                Standing::Leading(leadership) => leadership.is_valid(self.clock(*index)),
                Standing::Asking | Standing::Standby | Standing::Over => false,
            })
            .count()
    }
}

fn write(bid: Bid, observed: &Observed, identity: &Identity) -> Write {
    let over = match observed {
        Observed::Absent => None,
        Observed::Present(record) => Some(record.version.clone()),
    };
    let own = Holder::Process(identity.clone());
    let (holder, epoch) = match bid {
        Bid::LayDown { epoch } => (Holder::Unclaimed, epoch),
        Bid::Take { epoch, .. } | Bid::Keep { epoch } => (own, epoch),
        Bid::Release { epoch } => (Holder::Nobody, epoch),
    };
    Write { over, holder, epoch }
}

/// Whether something can happen while only these are awake.
fn possible(event: &Event, awake: &[bool]) -> bool {
    match event {
        Event::Go(index, _) | Event::GiveUp(index) | Event::Release(index) => awake[*index],
        Event::Pass(_) | Event::LandLate(_) | Event::Kill(_) | Event::Touch | Event::Delete => true,
    }
}

#[test]
fn there_are_never_two_leaders_and_each_has_a_higher_epoch() {
    let (first, clean, unclean) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let mut runner = TestRunner::new(Config { cases: 1000, failure_persistence: None, ..Config::default() });
    let told = runner.run(&(vec(920..1080_u32, PROCESSES), story()), |(rates, story)| {
        let mut world = World::new(&rates);
        let mut deleted = false;
        for (awake, events) in &story {
            for event in events.iter().filter(|event| possible(event, awake)) {
                world.happen(event);
                deleted |= matches!(event, Event::Delete);
                prop_assert!(world.leaders() <= 1, "after {event:?} at {} ms", world.now);
            }
        }
        for (_, _, takeover) in &world.leaderships {
            let counter = match takeover {
                Takeover::First => &first,
                Takeover::Clean => &clean,
                Takeover::Unclean => &unclean,
            };
            counter.set(counter.get() + 1);
        }
        let grows = world.leaderships.windows(2).all(|pair| pair[0].1 < pair[1].1);
        prop_assert!(grows || deleted, "{:?}", world.leaderships);
        Ok(())
    });
    if let Err(failure) = told {
        panic!("{failure}");
    }
    let seen = [first.get(), clean.get(), unclean.get()];
    assert!(seen.iter().all(|times| *times > 50), "the stories were too dull to mean much: {seen:?}");
}
