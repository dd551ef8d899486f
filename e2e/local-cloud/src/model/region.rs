//! One region of one account: the state of its services, and the settling of it as time passes.

use std::net::Ipv4Addr;

use jiff::Timestamp;

use super::autoscaling::{self, Group, lifecycle};
use super::caller::Place;
use super::ids::Ids;
use super::settings::Settings;
use super::{ec2, elb, ssm};
use crate::faults::Faults;

/// What may have changed since a region was settled last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Nothing but the time, and groups that were touched.
    Touched,
    /// Anything.
    Everything,
}

/// One region of one account.
#[derive(Debug, Clone)]
pub struct Region {
    pub(crate) place: Place,
    pub(crate) ids: Ids,
    pub(crate) autoscaling: autoscaling::State,
    pub(crate) ec2: ec2::State,
    pub(crate) elb: elb::State,
    pub(crate) ssm: ssm::State,
    /// Grows with every change, or what might be one.
    pub(crate) revision: u64,
    /// When time alone changes the region next.
    pub(crate) due: Option<Timestamp>,
}

impl Region {
    pub(crate) fn new(place: Place, seed: u64, first_address: Ipv4Addr) -> Self {
        let ids = Ids::new(seed, &format!("{}/{}", place.account, place.region));
        let ec2 = ec2::State::furnished(&place, first_address);
        Self {
            place,
            ids,
            autoscaling: autoscaling::State::default(),
            ec2,
            elb: elb::State::default(),
            ssm: ssm::State::default(),
            revision: 0,
            due: None,
        }
    }

    /// Does everything that is due at `now`, and notes when something will be next.
    pub(crate) fn settle(&mut self, now: Timestamp, settings: &Settings, faults: &Faults, scope: Scope) {
        self.revision += 1;
        if scope == Scope::Everything {
            self.autoscaling.groups.values_mut().for_each(Group::touch);
        }
        // What one service settles may make something of another due: an instance gone is a target gone.
        loop {
            let mut concerned = self.ec2.settle(now, &settings.timings, faults);
            concerned.append(&mut self.elb.settle(now, &self.ec2, settings, faults));
            for name in concerned {
                self.autoscaling.groups.get_mut(&name).map(Group::touch);
            }
            if !lifecycle::settle(self, now, settings, faults) {
                break;
            }
        }
        let groups = self.autoscaling.groups.values().filter_map(|group| group.due).min();
        self.due = [self.elb.due(settings), groups, self.ec2.due(&settings.timings)]
            .into_iter()
            .flatten()
            // What is in the past waits for something else than time.
            .filter(|due| *due > now)
            .min();
    }
}
