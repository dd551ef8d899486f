//! A listener under test, and the tables for it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use dryad_local_cloud::balancer::{
    Action, Group, Listener, Observation, Record, Rule, Share, Table, Target, TargetState, Timeouts, View,
};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::client::Client;
use super::{NEVER, soon};

pub(crate) struct Balancer {
    pub(crate) listener: Listener,
    observations: UnboundedReceiver<Observation>,
}

impl Balancer {
    pub(crate) async fn start(table: Table) -> Self {
        Self::with_timeouts(table, Timeouts { connect: NEVER, idle: NEVER }).await
    }

    pub(crate) async fn with_timeouts(table: Table, timeouts: Timeouts) -> Self {
        let (told, observations) = unbounded_channel();
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let listener = Listener::bind(any, table, timeouts, told).await.expect("a listener");
        Self { listener, observations }
    }

    pub(crate) async fn client(&self) -> Client {
        Client::connect(self.listener.address()).await
    }

    async fn observation(&mut self) -> Observation {
        soon("an observation", self.observations.recv()).await.expect("a listener")
    }

    /// The next request that has ended.
    pub(crate) async fn record(&mut self) -> Record {
        loop {
            if let Observation::Request(record) = self.observation().await {
                return record;
            }
        }
    }

    /// The next change of the table.
    pub(crate) async fn view(&mut self) -> View {
        loop {
            if let Observation::Table(view) = self.observation().await {
                return view;
            }
        }
    }

    /// Everything that was observed until the listener has closed.
    pub(crate) async fn close(mut self) -> Vec<Observation> {
        self.listener.close(Duration::from_secs(10)).await;
        let mut rest = Vec::new();
        while let Some(observation) = soon("the end", self.observations.recv()).await {
            rest.push(observation);
        }
        rest
    }
}

/// A group: its weight, drain time and targets.
pub(crate) struct G<'a>(pub(crate) &'a str, pub(crate) u16, pub(crate) Duration, pub(crate) Vec<Target>);

/// One rule, `r`, over these groups.
pub(crate) fn table(groups: Vec<G<'_>>) -> Table {
    let share = |G(group, weight, ..): &G<'_>| Share { group: (*group).to_owned(), weight: *weight };
    let action = Action::Forward(groups.iter().map(share).collect());
    let rule = Rule { id: "r".to_owned(), priority: 1, conditions: vec![], action };
    let groups =
        groups.into_iter().map(|G(group, _, drain, targets)| (group.to_owned(), Group { targets, drain }));
    Table::new(vec![rule], groups.collect::<BTreeMap<_, _>>()).expect("a sound table")
}

pub(crate) fn target(id: &str, address: SocketAddr, state: TargetState) -> Target {
    Target { id: id.to_owned(), address, state }
}

pub(crate) fn healthy(id: &str, address: SocketAddr) -> Target {
    target(id, address, TargetState::Healthy)
}
