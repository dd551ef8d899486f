//! The local cloud put together: the model, its wire door, and a data plane that does what the model says.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use dryad_local_cloud::local_cloud::{LocalCloud, Options};
//!
//! let cloud = LocalCloud::start(Options::real("run")).await?;
//! let web = cloud.web_fixture().await?;
//! println!("AWS_ENDPOINT_URL={}, and users go to {}", cloud.endpoint(), web.url);
//! cloud.shut_down().await;
//! # Ok(())
//! # }
//! ```
//!
//! An instance is a process group, started when the model launches it and ended when the model terminates it. It finds
//! `INSTANCE_ID`, `PRIVATE_IP` and `PORT` in its environment and listens there: the address is its own on this machine,
//! `DescribeInstances` tells it, and the port is that of the first target group its group was attached to at launch, or
//! 8080. That needs a system that answers on all of 127.0.0.0/8, as Linux does; elsewhere instances can only be
//! simulated. A load balancer is a proxy on 127.0.0.1, at a port of its own, which `DescribeLoadBalancers` tells as
//! the `DNSName`, whatever port its listener has in AWS's terms.
//!
//! One task, the driver, follows every change of the model at once. Nothing outlives the process, however it ends.

mod balancers;
mod control;
mod driver;
mod fixture;
mod follow;
mod network;
mod observers;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

pub use control::{Control, Left};
pub use driver::KillError;
pub use fixture::{SharedGroup, WebFixture};
pub use network::NoNetwork;

use balancers::Balancers;
use driver::{Driver, Order, Reality};
use network::Network;
use observers::Observers;

use crate::instances::{self, Directories, Instances};
use crate::model::{Caller, HealthSource, Settings, Timings};
use crate::prober::{HttpAsker, Prober};
use crate::shared::Shared;
use crate::wire::Door;

/// How a cloud is to be.
#[derive(Debug, Clone)]
pub struct Options {
    /// The wire door's port on 127.0.0.1; 0 is any free one.
    pub port: u16,
    /// Ids come from it: the same seed and the same calls give the same ids.
    pub seed: u64,
    /// How long things take.
    pub timings: Timings,
    /// What instances are.
    pub instances: InstanceKind,
}

/// What instances are.
#[derive(Debug, Clone)]
pub enum InstanceKind {
    /// Each is a process group that runs its user data; targets are checked by real requests.
    Real {
        /// Each instance gets a directory named after its id in here.
        run_dir: PathBuf,
        /// What becomes of it in the end.
        directories: Directories,
        /// What user data finds in its environment besides `INSTANCE_ID`, `PRIVATE_IP`, `PORT`, `HOME` and `PATH`.
        environment: BTreeMap<String, String>,
    },
    /// They have no processes, and every target is healthy after [`Timings::initial`] unless a fault says otherwise. Load
    /// balancers tell their capacity all the same, but requests find nobody. For tests with thousands.
    Simulated,
}

impl Options {
    /// Real instances, whose directories go with them.
    pub fn real(run_dir: impl Into<PathBuf>) -> Self {
        let run_dir = run_dir.into();
        let environment = BTreeMap::new();
        let instances = InstanceKind::Real { run_dir, directories: Directories::Remove, environment };
        Self { instances, ..Self::simulated() }
    }

    /// Simulated instances.
    pub fn simulated() -> Self {
        Self { port: 0, seed: 1, timings: Timings::default(), instances: InstanceKind::Simulated }
    }
}

/// Why a cloud did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The wire door's port.
    #[error("cannot listen on 127.0.0.1:{port}: {source}; choose another port, or 0 for any free one")]
    Port {
        /// The port that was asked for.
        port: u16,
        /// What the system said.
        source: io::Error,
    },
    /// The instances' addresses.
    #[error(transparent)]
    Network(#[from] NoNetwork),
}

/// A running cloud. Dropping it kills every instance and closes every port; [`LocalCloud::shut_down`] does it gently.
#[derive(Debug)]
pub struct LocalCloud {
    door: Door,
    control: Control,
    addresses: watch::Receiver<BTreeMap<String, SocketAddr>>,
    _tasks: JoinSet<()>,
    _network: Option<Network>,
}

impl LocalCloud {
    /// Starts a cloud with nothing in it.
    ///
    /// # Errors
    /// When there is no port or no address for it.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let Options { port, seed, timings, instances } = options;
        let health = match &instances {
            InstanceKind::Real { .. } => HealthSource::Probed,
            InstanceKind::Simulated => HealthSource::Automatic,
        };
        let shared = Shared::new(seed, Settings { timings, health, ..Settings::default() });
        let (network, reality) = match instances {
            InstanceKind::Simulated => (None, None),
            InstanceKind::Real { run_dir, directories, environment } => {
                let network = Network::reserve()?;
                shared.with(|world, _| world.set_network(network.first()));
                // The model calls an instance terminated that long after it was told to go.
                let grace = timings.terminate.unsigned_abs();
                let settings = instances::Settings { run_dir, grace, directories };
                let (instances, happenings) = Instances::new(settings);
                let (told, checks) = mpsc::unbounded_channel();
                let prober = Prober::start(HttpAsker, told);
                (Some(network), Some(Reality { instances, happenings, environment, prober, checks }))
            }
        };
        let door = Door::open(Arc::clone(&shared), port).await;
        let door = door.map_err(|source| StartError::Port { port, source })?;

        let (orders, ordered) = mpsc::unbounded_channel();
        let (processes_now, processes) = watch::channel(BTreeSet::new());
        let (addresses_now, addresses) = watch::channel(BTreeMap::new());
        let (told, observations) = mpsc::unbounded_channel();
        let observers = Observers::default();
        let mut tasks = JoinSet::new();
        tasks.spawn(observers.clone().tell(observations));
        let driver = Driver {
            shared: Arc::clone(&shared),
            balancers: Balancers::new(told),
            reality,
            orders: ordered,
            processes: processes_now,
            addresses: addresses_now,
        };
        tasks.spawn(driver.drive());
        let caller = Caller::root(fixture::place());
        let control = Control { shared, caller, orders, processes, observers };
        Ok(Self { door, control, addresses, _tasks: tasks, _network: network })
    }

    /// What to give an SDK as the endpoint of every service.
    pub fn endpoint(&self) -> String {
        self.door.endpoint()
    }

    /// A handle to steer and watch it with.
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// Where users reach a load balancer. Waits until it has a listener that is open.
    pub async fn load_balancer_url(&self, arn: &str) -> String {
        let mut addresses = self.addresses.clone();
        let open = addresses.wait_for(|addresses| addresses.contains_key(arn)).await;
        match open.ok().and_then(|addresses| addresses.get(arn).copied()) {
            Some(address) => format!("http://{address}"),
            // The driver is gone, and no listener will ever open: not before the cloud itself has gone.
            None => std::future::pending().await,
        }
    }

    /// Terminates every instance, and returns once their processes are gone and every port is closed.
    pub async fn shut_down(self) {
        let (done, gone) = oneshot::channel();
        if self.control.orders.send(Order::ShutDown(done)).is_ok() {
            _ = gone.await;
        }
    }
}
