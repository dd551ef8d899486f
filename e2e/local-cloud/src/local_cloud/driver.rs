//! The one task that makes the data plane follow the model, and tells the model what the data plane finds.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};

use super::balancers::Balancers;
use super::follow;
use crate::instances::{BadInstanceId, Happening, InstanceId, Instances, NotUp, What};
use crate::model::World;
use crate::model::view::Routing;
use crate::prober::{Checked, Prober};
use crate::shared::Shared;

/// The processes of real instances, and those who check them.
#[derive(Debug)]
pub(super) struct Reality {
    pub(super) instances: Instances,
    pub(super) happenings: mpsc::UnboundedReceiver<Happening>,
    pub(super) environment: BTreeMap<String, String>,
    pub(super) prober: Prober,
    pub(super) checks: mpsc::UnboundedReceiver<Checked>,
}

/// Why no process was killed.
#[derive(Debug, thiserror::Error)]
pub enum KillError {
    /// It has none.
    #[error(transparent)]
    NotUp(#[from] NotUp),
    /// None has any.
    #[error("the instances of this cloud are simulated: there is no process to kill")]
    Simulated,
    /// The text names no instance.
    #[error(transparent)]
    BadId(#[from] BadInstanceId),
    /// The cloud is gone.
    #[error("this cloud is shut down: nothing runs in it any more")]
    ShutDown,
}

/// What a driver is told to do.
#[derive(Debug)]
pub(super) enum Order {
    /// Kill the processes of an instance.
    Kill(InstanceId, oneshot::Sender<Result<(), KillError>>),
    /// Terminate everything, and say when it is gone.
    ShutDown(oneshot::Sender<()>),
}

/// Drives until it is told to shut down, or nobody is left who could tell it.
pub(super) struct Driver {
    pub(super) shared: Arc<Shared>,
    pub(super) balancers: Balancers,
    /// None where instances are simulated.
    pub(super) reality: Option<Reality>,
    pub(super) orders: mpsc::UnboundedReceiver<Order>,
    /// The instances that have processes.
    pub(super) processes: watch::Sender<BTreeSet<InstanceId>>,
    /// Where the load balancers were found to be, by ARN.
    pub(super) addresses: watch::Sender<BTreeMap<String, SocketAddr>>,
}

impl Driver {
    pub(super) async fn drive(mut self) {
        let mut changes = self.shared.changes();
        loop {
            changes.borrow_and_update();
            let routing = self.follow().await;
            loop {
                tokio::select! {
                    _ = changes.changed() => break,
                    news = news(&mut self.reality) => self.hear(news, &routing),
                    order = self.orders.recv() => match order {
                        Some(Order::Kill(id, answer)) => _ = answer.send(self.kill(&id)),
                        Some(Order::ShutDown(done)) => {
                            self.shut_down().await;
                            _ = done.send(());
                            return;
                        }
                        None => return self.shut_down().await,
                    },
                }
            }
        }
    }

    /// Makes everything as the model says now. Targets leave the tables before their instances are terminated.
    async fn follow(&mut self) -> Routing {
        let (routing, wanted, interval) = self
            .shared
            .with(|world, _| (world.routing(), world.wanted_instances(), world.settings().timings.probe));
        if let Err(error) = self.balancers.follow(&routing).await {
            tracing::error!(%error, "a load balancer has no port to listen on; the next change tries again");
        }
        self.place_load_balancers(&routing);
        if let Some(reality) = &mut self.reality {
            reality.prober.watch(follow::watched(&routing, interval));
            reality.instances.reconcile(&follow::instances(&wanted, &reality.environment));
            for id in follow::without_power(&wanted) {
                // It was wanted a moment ago, so it is up; nothing is to be done where it is dead already.
                _ = reality.instances.kill(&id);
            }
        }
        routing
    }

    /// Tells the model where load balancers can be reached that were not there before.
    fn place_load_balancers(&mut self, routing: &Routing) {
        let mut found = BTreeMap::new();
        for listener in &routing.listeners {
            let arn = &listener.load_balancer;
            let Some(address) = self.balancers.address(routing, arn) else { continue };
            if self.addresses.borrow().get(arn) != Some(&address) {
                let place = |world: &mut World| {
                    world.place_load_balancer(&listener.place, arn, &address.to_string());
                };
                self.shared.with(|world, _| place(world));
            }
            found.insert(arn.clone(), address);
        }
        self.addresses.send_if_modified(|addresses| {
            let changed = *addresses != found;
            *addresses = found;
            changed
        });
    }

    fn hear(&mut self, news: News, routing: &Routing) {
        match news {
            News::Checked(Checked { registration, found }) => {
                let Some(group) = routing.target_groups.get(&registration.group) else { return };
                self.shared.with(|world, _| {
                    world.probe(&group.place, &group.arn, &registration.target, &found);
                });
            }
            News::Happened(Happening { id, what }) => {
                match &what {
                    What::NotStarted(error) => tracing::warn!(instance = %id, %error, "nothing runs on it"),
                    what => tracing::debug!(instance = %id, ?what),
                }
                self.processes.send_if_modified(|processes| match what {
                    What::Started => processes.insert(id),
                    What::Died | What::Terminated => processes.remove(&id),
                    What::NotStarted(_) | What::Exited(_) => false,
                });
            }
        }
    }

    fn kill(&self, id: &InstanceId) -> Result<(), KillError> {
        let reality = self.reality.as_ref().ok_or(KillError::Simulated)?;
        Ok(reality.instances.kill(id)?)
    }

    async fn shut_down(self) {
        if let Some(Reality { instances, .. }) = self.reality {
            instances.shut_down().await;
        }
        self.processes.send_replace(BTreeSet::new());
    }
}

/// What reality tells.
enum News {
    Checked(Checked),
    Happened(Happening),
}

/// The next news. Can be dropped and asked again without loss; never comes where nothing is real.
async fn news(reality: &mut Option<Reality>) -> News {
    let Some(reality) = reality else { return std::future::pending().await };
    tokio::select! {
        Some(checked) = reality.checks.recv() => News::Checked(checked),
        Some(happened) = reality.happenings.recv() => News::Happened(happened),
        else => std::future::pending().await,
    }
}
