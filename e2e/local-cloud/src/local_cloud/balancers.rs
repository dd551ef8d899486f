//! The listeners of all load balancers, kept as the model says.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::sync::mpsc;

use super::follow;
use crate::balancer::{Listener, Observation, Table, Timeouts};
use crate::model::view::{RoutedListener, Routing};

/// How long the requests of a deleted listener may still take.
const PATIENCE: Duration = Duration::from_secs(5);

/// An open listener.
#[derive(Debug)]
struct Open {
    listener: Listener,
    table: Table,
}

/// All open listeners, by ARN.
#[derive(Debug)]
pub(super) struct Balancers {
    open: BTreeMap<String, Open>,
    told: mpsc::UnboundedSender<Observation>,
}

impl Balancers {
    pub(super) fn new(told: mpsc::UnboundedSender<Observation>) -> Self {
        Self { open: BTreeMap::new(), told }
    }

    /// Opens, updates and closes listeners until they are as the model says. A listener's table is replaced only when
    /// it has changed.
    ///
    /// # Errors
    /// When a new listener got no port. The others are as they should be.
    pub(super) async fn follow(&mut self, routing: &Routing) -> io::Result<()> {
        let wanted = |arn: &str| routing.listeners.iter().any(|listener| listener.arn == arn);
        for (_, gone) in self.open.extract_if(.., |arn, _| !wanted(arn)) {
            tokio::spawn(gone.listener.close(PATIENCE));
        }
        let mut failed = Ok(());
        for routed in &routing.listeners {
            match follow::table(routed, routing) {
                Ok(table) => failed = self.route(routed, table).await.and(failed),
                // The model keeps no rule for a group that is not there; if it did, the last good table stands.
                Err(error) => tracing::warn!(listener = routed.arn, %error, "its rules make no table"),
            }
        }
        failed
    }

    async fn route(&mut self, routed: &RoutedListener, table: Table) -> io::Result<()> {
        match self.open.get_mut(&routed.arn) {
            Some(open) if open.table == table => {}
            Some(open) => {
                open.listener.update(table.clone());
                open.table = table;
            }
            None => {
                let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
                let listener =
                    Listener::bind(any, table.clone(), Timeouts::default(), self.told.clone()).await?;
                self.open.insert(routed.arn.clone(), Open { listener, table });
            }
        }
        Ok(())
    }

    /// Where a load balancer can be reached, once one of its listeners is open: the one of the lowest port.
    pub(super) fn address(&self, routing: &Routing, load_balancer: &str) -> Option<SocketAddr> {
        let of = routing.listeners.iter().filter(|listener| listener.load_balancer == load_balancer);
        let open = of.filter_map(|listener| Some((listener.port, self.open.get(&listener.arn)?)));
        open.min_by_key(|(port, _)| *port).map(|(_, open)| open.listener.address())
    }
}
